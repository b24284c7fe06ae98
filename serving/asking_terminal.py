"""Whom to ask, and what speaks against it, in the terminal."""

from __future__ import annotations

from collections import Counter

from rich.markup import escape
from rich.table import Table

from serving.asking import Advocates
from serving.decisions.eligibility import Eligibility
from serving.terminal import out


def show_advocates(found: Advocates) -> None:
    """The eligible, with whom and what to ask; then how many each rule keeps back."""
    table = Table(
        title=f"whom to ask, as of {found.as_of}",
        title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0), header_style="dim",
    )  # fmt: skip
    for heading in ("#", "account", "owner", "acts", "ask", "role", "for a", "accepted"):
        table.add_column(heading, justify="right" if heading in ("#", "acts", "accepted") else "left")
    for place, one in enumerate(found.asked, start=1):
        acts = "–" if one.probability is None else f"{one.probability:.0%}"
        cells = (one.name, one.owner or "–", acts, one.contact, one.role, one.kind, f"{one.accepts:.0%}")
        table.add_row(str(place), *map(escape, cells))
    out.print(table)
    rules = Counter(one.rule for each in found.blocked.values() for one in each.objections)
    out.print(
        f"[dim]{len(found.blocked)} may not be asked: {', '.join(f'{rule} {n}' for rule, n in rules.most_common())}[/]"
    )
    out.print(
        "[dim]acts: chance of an act within the horizon; accepted: share of such asks so far, of those that were asked[/]"
    )


def show_eligibility(found: Eligibility) -> None:
    if found.eligible:
        out.print(f"[green]{escape(found.account)} may be asked[/]")
        return
    when = f"not before {found.clears}" if found.clears else "time alone does not clear that"
    out.print(f"[yellow]{escape(found.account)} may not be asked[/]: {when}")
    for one in found.objections:
        clears = f"clears on {one.clears}" if one.clears else "until it is settled"
        out.print(f"  {escape(one.rule)}: {escape(one.words)} [dim]({clears})[/]")
