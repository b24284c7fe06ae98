"""The outreach list in the terminal."""

from __future__ import annotations

from rich.markup import escape
from rich.padding import Padding

from features.workspace import Config
from serving.amounts import number
from serving.decisions.effect import Effect
from serving.decisions.save_rate import SaveRate
from serving.decisions.uplift import ERROR_RATE, Judged
from serving.terminal import out
from serving.work.outreach import Outreach, Row


def show(found: Outreach, config: Config) -> None:
    """Whom to call, who came next, and who was kept back by which rule."""
    label = f"  [yellow]{found.label}: ranked by ARR and renewal[/]" if found.label else ""
    out.print(f"[bold]whom to call, as of {found.as_of}[/]{label}")
    if found.planned:
        out.print("\n[bold]planned, and still to do[/]")
        for row in found.planned:
            out.print(f"  {escape(row.name)}  [dim]{row.planned}, {escape(row.touch or '')}[/]")
        out.print()
    for place, row in enumerate(found.called, start=1):
        _show_row(place, row, config.currency)
    if found.below:
        out.print("\n[bold]just below the line[/]")
        for row in found.below:
            out.print(f"  {escape(row.name)}  [dim]{escape(row.why_not)}[/]")
    for rule, count in found.rules.most_common():
        out.print(f"[dim]{count} kept back: {escape(rule)}[/]")
    if found.held_out:
        out.print(f"[dim]{len(found.held_out)} held out at random, to measure what a call does[/]")
    value = config.value
    out.print(
        f"[dim]worth: expected profit of a call in {config.currency}; margin {value.margin:.0%}, "
        f"a call costs {number(value.contact_cost)}[/]"
    )
    out.print(f"[dim]save_rate: {escape(str(found.rate))}[/]")
    if found.uplift_from:
        out.print(f"[dim]ranked by uplift: whom a call helps most, learnt from {found.uplift_from:,} accounts[/]")


def show_effect(found: Effect, rate: SaveRate) -> None:
    """The arms, what a call does with its interval, the verdict, and the save rate that lists go by."""
    out.print(f"[bold]{escape(found.verdict)}[/]")
    for name, arm in (("called", found.called), ("held out", found.held_out)):
        low, high = arm.interval
        left = f"{arm.left} of {arm.accounts} left" + (f" ({low:.0%}–{high:.0%})" if arm.accounts else "")
        out.print(f"  {name}: {left}")
    if found.called.accounts and found.held_out.accounts:
        kept, saved = found.kept, found.save_rate
        out.print(f"  kept by a call: {kept.value:+.1%} of accounts (95% interval {kept.low:+.1%} to {kept.high:+.1%})")
        out.print(f"  save rate: {saved.value:.0%} ({saved.low:.0%} to {saved.high:.0%}); assumed: {found.assumed:.0%}")
    out.print(f"  lists go by the save rate: {escape(str(rate))}")


def show_uplift(found: Judged, currency: str) -> None:
    """Whether lists go by whom a call helps most, and what that came to beside plain risk and chance."""
    out.print(f"[bold]{escape(found.verdict)}[/]")
    if found.qini is None or found.qini_risk is None or found.gain is None:
        return
    out.print(
        f"  kept beyond chance, of 1,000 drawn, over every capacity ({found.accounts:,} accounts, 95% intervals):"
    )
    for name, kept in (("uplift", found.qini), ("plain risk", found.qini_risk), ("uplift minus risk", found.gain)):
        out.print(f"    {name}: {1000 * kept.value:+.1f} ({1000 * kept.low:+.1f} to {1000 * kept.high:+.1f})")
    out.print(f"    the bound that must be above zero (one-sided, {ERROR_RATE:.0%}): {1000 * found.bound:+.1f}")
    out.print(f"  worth per account drawn, in {currency}:")
    values = (("uplift", found.value), ("plain risk", found.value_risk), ("at random", found.value_random))
    for name, worth in values:
        if worth is not None:
            out.print(f"    {name}: {number(worth.value)} ({number(worth.low)} to {number(worth.high)})")


def _show_row(place: int, row: Row, currency: str) -> None:
    """What is at stake on one line; why, and what to do about it, below."""
    chance = "" if row.probability is None else f"{row.probability:.0%} ({row.low:.0%}–{row.high:.0%}) leaves"
    before = "" if row.before is None else f"{row.before:.0%} before"
    worth = "" if row.worth is None else f"worth {number(row.worth)} {currency}"
    arr = f"ARR {number(row.arr)}"
    ends = "" if row.days_to_renewal is None else f"term ends in {row.days_to_renewal:.0f} d"
    stake = "  ".join(part for part in (row.owner or "nobody's", worth, chance, before, arr, ends) if part)
    out.print(f"[bold]{place:>3}. {escape(row.name)}[/]  {escape(stake)}")
    if row.reasons:
        out.print(Padding(f"[dim]{escape('; '.join(row.reasons))}[/]", (0, 0, 0, 5)))
    if row.moved:
        out.print(Padding(f"[dim]moved by: {escape('; '.join(row.moved))}[/]", (0, 0, 0, 5)))
    out.print(Padding(escape(row.action), (0, 0, 0, 5)))
