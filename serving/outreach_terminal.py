"""The outreach list in the terminal."""

from __future__ import annotations

from collections import Counter

from rich.markup import escape
from rich.table import Table

from features.workspace import Config
from serving.decisions.effect import Effect
from serving.outreach import Outreach, Row
from serving.terminal import number, out


def show(found: Outreach, config: Config) -> None:
    """Whom to call, who came next, and who was kept back by which rule."""
    label = f" [yellow]{found.label}: ranked by ARR and renewal[/]" if found.label else ""
    out.print(_table(f"whom to call, as of {found.as_of}{label}", found.called, config.currency))
    if found.below:
        out.print("\n[bold]just below the line[/]")
        for row in found.below:
            out.print(f"  {escape(row.name)}  [dim]{escape(row.why_not)}[/]")
    for rule, count in Counter(rule.split(":")[0] for rule in found.kept_back.values()).most_common():
        out.print(f"[dim]{count} kept back: {escape(rule)}[/]")
    if found.held_out:
        out.print(f"[dim]{len(found.held_out)} held out at random, to measure what a call does[/]")
    value = config.value
    out.print(
        f"[dim]worth: expected profit of a call in {config.currency}; save rate {value.save_rate:.0%} "
        f"({'assumed, not measured' if found.assumed else 'measured'}), margin {value.margin:.0%}, "
        f"a call costs {number(value.contact_cost)}[/]"
    )


def show_effect(found: Effect) -> None:
    """The arms, what a call does with its interval, and the verdict."""
    out.print(f"[bold]{escape(found.verdict)}[/]")
    for name, arm in (("called", found.called), ("held out", found.held_out)):
        low, high = arm.interval
        left = f"{arm.left} of {arm.accounts} left" + (f" ({low:.0%}–{high:.0%})" if arm.accounts else "")
        out.print(f"  {name}: {left}")
    if found.called.accounts and found.held_out.accounts:
        kept, saved = found.kept, found.save_rate
        out.print(f"  kept by a call: {kept.value:+.1%} of accounts (95% interval {kept.low:+.1%} to {kept.high:+.1%})")
        out.print(f"  save rate: {saved.value:.0%} ({saved.low:.0%} to {saved.high:.0%}); assumed: {found.assumed:.0%}")


def _table(title: str, rows: list[Row], currency: str) -> Table:
    table = Table(
        title=title, title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0), header_style="dim"
    )
    table.add_column("#", justify="right")
    table.add_column("account")
    table.add_column("owner")
    for heading in (f"worth {currency}", "probability", "before", "ARR", "term ends"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("why, and what to do", ratio=1)
    for place, row in enumerate(rows, start=1):
        chance = "–" if row.probability is None else f"{row.probability:.0%} ({row.low:.0%}–{row.high:.0%})"
        before = "–" if row.before is None else f"{row.before:.0%}"
        ends = "–" if row.days_to_renewal is None else f"{row.days_to_renewal:.0f} d"
        why = "; ".join(row.reasons) or "nothing stands out"
        table.add_row(
            str(place), escape(row.name), escape(row.owner or "–"), number(row.worth), chance, before, number(row.arr), ends,
            f"{escape(why)}\n[bold]{escape(row.action)}[/]",
        )  # fmt: skip
    return table
