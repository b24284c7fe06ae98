"""What metrics foretell and what they are worth, in the terminal."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table

from serving.terminal import out
from training.beacon import Beacon, Tried

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
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="left" if number == 0 else "right", no_wrap=number > 0)
    return table
