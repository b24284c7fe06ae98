"""What metrics foretell and what they are worth, in the terminal."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table

from serving.amounts import number
from serving.terminal import out
from serving.work.initiative import Proposal
from training.beacon import Beacon, Tried
from training.panel import Slope
from training.worth import NOTE, SHUFFLES, STEP, Worth

COLOURS = {"beacon": "green", "not shown": "dim", "turned": "yellow", "too few": "dim"}
SPOKEN = 3
"""So many beacons are told in a sentence each."""


def show_beacon(found: Beacon, top: int) -> None:
    """The verdict, the metrics with their numbers, the best and those that everybody knows in words, whose voice foretells."""
    out.print(f"\n[bold]{escape(found.headline)}[/]")
    out.print(
        f"[dim]{len(found.test)} dates from {found.test[0]} to {found.test[-1]}, each judged by what was known before it: "
        f"{found.n:,} rows, {found.positives:,} with {escape(found.outcome)}[/]"
    )
    told = [one for one in found.tried if one.judged.auc is not None]
    if told:
        out.print(_metrics(told[:top]))
        more = f"; {len(told) - top} more with --top" if len(told) > top else ""
        out.print(
            f"[dim]AUC: interval by account, widened so that those of all {found.counted} hold together; "
            f"lift: the outer fifth, as learnt before, against all who have the metric{more}[/]"
        )
    known = [one for one in found.tried if one.measure.answers and not one.measure.role + one.measure.touchpoint]
    for one in dict.fromkeys([*found.beacons[:SPOKEN], *known]):
        out.print(f"  {escape(one.sentence)}")
    few = [one for one in found.tried if one.judged.auc is None]
    if few:
        out.print(f"[dim]too few to tell: {escape(', '.join(one.measure.said for one in few))}[/]")
    if found.absent:
        out.print(f"[dim]no answer at all: {escape(', '.join(found.absent))}[/]")
    _show_roles(found)


def _metrics(told: list[Tried]) -> Table:
    table = _table("metric", "", "AUC", "lift", "known of")
    for one in told:
        judged = one.judged
        if judged.auc is None or judged.band is None or judged.lift is None:
            continue
        table.add_row(
            escape(one.measure.said),
            f"[{COLOURS[judged.found]}]{judged.found}[/]",
            f"{judged.auc.value:.2f} ({judged.band.low:.2f}–{judged.band.high:.2f})",
            f"{judged.lift.value:.1f}",
            f"{judged.coverage:.0%}",
        )
    return table


def _show_roles(found: Beacon) -> None:
    if found.roles:
        table = _table("whose answers and usage", "gain", "AUC", "known of")
        for role in found.roles:
            gain = f"{role.gain.value:+.4f} ({role.gain.low:+.4f} to {role.gain.high:+.4f})"
            auc = f"{role.auc.value:.2f} ({role.auc.low:.2f}–{role.auc.high:.2f})"
            table.add_row(f"{role.role}s", gain, auc, f"{role.coverage:.0%}", style="" if role.foretells else "dim")
        out.print(table)
        out.print("[dim]gain: log loss below the base rate, on later dates; intervals for all roles together[/]")
    out.print(escape(found.voices))


def _table(*headings: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="left" if place == 0 else "right", no_wrap=place > 0)
    return table


def show_worth(found: list[Worth], currency: str) -> None:
    """What ten points of each metric go with, in renewal and growth, with the placebos beside."""
    if not found:
        out.print("nobody has answered any of these: there is nothing to say what it is worth")
        return
    table = _table("ten points of", "staying", "growth", "ARR kept", "accounts", "rows", "placebos")
    for one in found:
        money = one.money
        table.add_row(
            escape(one.measure.said),
            _points(one.stay, 100 * STEP, "pp"),
            _points(one.growth, 100 * STEP, "%"),
            "–" if money is None else f"{number(money['value'])} ({number(money['low'])} to {number(money['high'])})",
            "–" if one.stay is None else f"{one.stay.accounts:,}",
            "–" if one.stay is None else f"{one.stay.rows:,}",
            _placebos(one),
        )
    out.print(table)
    first = found[0]
    for one in found:
        out.print(f"  {escape(one.sentence[:1].upper() + one.sentence[1:])}; {escape(one.grown)}")
    out.print(
        f"[dim]staying: over {first.window} days, in which {first.leaving:.1%} leave; growth: of the ARR of those who stay, "
        f"over {first.days} days; ARR kept: by staying, of {number(first.arr)} {currency}, ten points for everybody; 95%, by account[/]"
    )
    out.print(
        "[dim]ten points of 100: an NPS answer higher by 1, a CSAT or rating by 0.5 of 5, a CES by 0.7 of 7; of NPS: ten "
        "more promoters, or ten fewer detractors, in 100[/]"
    )
    out.print(
        f"[dim]placebos: how many of {SHUFFLES} shuffled metrics seem to matter for staying (one is usual), and whether "
        f"answers given after the growth go with it[/]"
    )
    out.print(f"[bold]{escape(NOTE)}[/]")


def show_proposal(found: Proposal, currency: str, margin: float) -> None:
    """What an initiative is worth, on what it rests, and what speaks against taking it at its word."""
    value = found.value
    kind = "randomised" if value.evidence.randomised else "observational"
    what = (
        "calls"
        if found.points is None
        else f"{found.points:g} points of {found.worth.measure.said if found.worth else ''}"
    )
    out.print(f"[bold]{escape(what)} for {value.accounts:,} accounts, ARR {number(value.arr)} {currency}[/]")
    out.print(
        f"  expected value {number(value.expected)} {currency} (90% interval {number(value.low)} to {number(value.high)}), "
        f"after a cost of {number(value.cost)}; pays with a probability of {value.pays:.0%}"
    )
    out.print(f"  {escape(value.verdict)}")
    out.print(
        f"  {value.change:+.2%} stay, of {found.leaving:.1%} who would leave ({kind}: {escape(value.evidence.said)})"
    )
    if value.needed is None:
        out.print("  it breaks even nowhere: to keep everybody who would leave is worth less than it costs")
    else:
        points = found.break_even
        at = "" if points is None else f", {points:.1f} points"
        out.print(f"  breaks even at {value.needed:+.2%} who stay{at}")
    for doubt in found.doubts:
        out.print(f"  [yellow]{escape(doubt)}[/]")
    out.print(f"[dim]value: sum of ARR, times how many more stay, times a margin of {margin:.0%}, less the cost[/]")


def _points(slope: Slope | None, step: float, unit: str) -> str:
    if slope is None:
        return "too few"
    ten = slope.times(step)
    return f"{ten['value']:+.1f}{unit} ({ten['low']:+.1f} to {ten['high']:+.1f})"


def _placebos(one: Worth) -> str:
    if one.shown_shuffled is None:
        return "–"
    after = "" if one.after is None else ", after too" if one.after.shown else ", after no"
    return f"{one.shown_shuffled}{after}"
