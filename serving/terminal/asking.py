"""Whom to ask, and what speaks against it, in the terminal."""

from __future__ import annotations

from collections import Counter

from rich.markup import escape
from rich.table import Table

from serving.decisions.eligibility import Eligibility
from serving.terminal import out
from serving.work.advocates import Advocates, Open
from training.asks.fit import Fitted


def show_advocates(found: Advocates) -> None:
    """The eligible, with whom and what to ask; then how many each rule keeps back."""
    table = Table(
        title=f"whom to ask, as of {found.as_of}",
        title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0), header_style="dim",
    )  # fmt: skip
    for heading in ("#", "account", "owner", "acts", "unasked", "ask", "role", "for a", "says yes"):
        numeric = heading in ("#", "acts", "unasked", "says yes")
        table.add_column(
            heading, justify="right" if numeric else "left", no_wrap=heading == "says yes", overflow="fold"
        )
    for place, one in enumerate(found.asked, start=1):
        acts, alone = ("–" if p is None else f"{p:.0%}" for p in (one.probability, one.unasked))
        yes = f"{one.accepts:.0%} ({one.low:.0%}–{one.high:.0%})"
        cells = (one.name, one.owner or "–", acts, alone, one.contact, one.role, one.kind, yes)
        table.add_row(str(place), *map(escape, cells))
    out.print(table)
    rules = Counter(one.rule for each in found.blocked.values() for one in each.objections)
    out.print(
        f"[dim]{len(found.blocked)} may not be asked: {', '.join(f'{rule} {n}' for rule, n in rules.most_common())}[/]"
    )
    out.print(
        "[dim]acts: chance of an act within the horizon, asked or not; unasked: of one that nobody asks for; says yes: "
        "chance that this person says yes to that, with a 90% interval[/]"
    )
    out.print(f"[dim]{escape(learnt(found.yes))}[/]")
    budget = found.budget
    out.print(
        f"[dim]budget: {budget.per_year} asks of an account in a year; {budget.asked:,} were made in the last one, "
        f"{budget.open:,} are open[/]"
    )


def show_open(found: Open) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("ask", "account", "contact", "for a", "state", "asked"):
        table.add_column(heading, overflow="fold")
    for one in found.lines:
        state = f"{one['state']}, unheard of since" if one["unheard"] else one["state"]
        cells = (one["ask"], one["name"], one["contact"] or "–", one["kind"], state, one["asked"])
        table.add_row(*map(escape, cells))
    out.print(table)
    out.print(f"[dim]{found.count:,} are open as of {found.as_of}; the newest of those written down here first[/]")


def learnt(yes: Fitted) -> str:
    """What the chance of a yes was learnt from, in a sentence."""
    over = yes.overlap
    if yes.why:
        return f"says yes: shares of each kind, shrunken, since there are {yes.why}"
    whom = (
        "each counts for those like it who were not asked, the willing taken to be asked equally often; they tell as much as "
        f"{over.effective:.0f} asks at random"
        if yes.corrected
        else "of those that were asked, who were not drawn at random"
    )
    return (
        f"says yes: {yes.rung}, from {yes.asks:,} asks with an answer ({yes.yes:,} yes) in {over.cells:,} account-months "
        f"in which the rules allowed one; {whom}. {yes.unknown:,} wait for an answer and {yes.outside:,} went to accounts "
        "that the rules speak against: not learnt from"
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
