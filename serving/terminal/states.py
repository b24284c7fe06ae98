"""What accounts have come to, in the terminal."""

from __future__ import annotations

from collections.abc import Mapping

from rich.markup import escape
from rich.table import Table

from serving.decisions.loyalty import Place
from serving.decisions.states import CONTINUUM, GONE, MET, NEW, SCORE, Verdict, matrix
from serving.terminal import out
from serving.work.states import Continuum, Told

COLOURS = {True: "green", False: "red", None: "dim"}


def show_continuum(found: Continuum) -> None:
    """How many stand where, month by month, and who became what."""
    table = _table("how many accounts stand where", "", *CONTINUUM, "accounts", "risk told by")
    for month in found.months:
        counts = [f"{month.counts.get(state, 0):,}" for state in CONTINUUM]
        table.add_row(str(month.as_of), *counts, f"{month.accounts:,}", month.risk_by)
    out.print(table)
    if together := [month for month in found.months if month.alike]:
        title = f"who became what within a month: {len(together)} months, up to {together[-1].as_of}"
        out.print()
        _show_moves(title, found.moves)
    for day in found.unlike:
        out.print(
            f"[yellow]the moves up to {day} are left out: risk is told by other means than the month before, "
            "so that accounts would seem to move that did not[/]"
        )
    last = found.months[-1]
    if last.risk_by == SCORE:
        out.print(
            f"[dim]scores: {last.scored:,} of {last.accounts:,} accounts have one of that day, the others go by signs[/]"
        )
    out.print(
        "[dim]signs: notice given, a low last NPS answer, use far below its own usual; not yet: no state is shown. "
        "Bounds: \\[states]; one account: propensity states ACCOUNT[/]"
    )


def show_told(found: Told) -> None:
    """Each state's rules with the account's own numbers, and its states month by month."""
    title = f"[bold]{escape(found.name)}[/]" + (f" ({escape(found.account)})" if found.name != found.account else "")
    if found.standing is None:
        out.print(f"{title} is no customer as of {found.as_of}")
    else:
        state, stage = found.standing.state, found.standing.stage
        beside = f" (otherwise {stage})" if stage != state else ""
        out.print(f"{title} as of {found.as_of}: [bold]{state}[/]{beside}")
        for verdict in found.standing.verdicts:
            _show_verdict(verdict)
    for what, place in zip(("attitude × intent", "risk × growth"), found.places or (), strict=False):
        _show_place(what, place)
    out.print("\n[bold]month by month[/]")
    for day, before in found.before:
        out.print(f"  {day}  {before or '[dim]no customer[/]'}")


def _show_verdict(verdict: Verdict) -> None:
    out.print(f"[{COLOURS[verdict.met]}]{verdict.state}: {MET[verdict.met]}[/]")
    for one in verdict.evidence:
        out.print(f"  [{COLOURS[one.met]}]{MET[one.met]}[/]  {one.rule}: {escape(one.words)}")


def _show_place(what: str, place: Place) -> None:
    out.print(f"{what}: [bold]{place.name}[/]  [dim]{escape('; '.join(one.words for one in place.evidence))}[/]")


def _show_moves(title: str, moves: Mapping[tuple[str, str], int]) -> None:
    table = _table(title, "from \\ to", *CONTINUUM, GONE)
    for before, row in matrix(moves).items():
        if before == NEW or any(cell["count"] for cell in row.values()):
            cells = [row.get(after, {"count": 0, "share": None}) for after in (*CONTINUUM, GONE)]
            table.add_row(before, *(_cell(cell["count"], cell["share"]) for cell in cells))
    out.print(table)


def _cell(count: float | None, share: float | None) -> str:
    return f"{count:,.0f} ({share:.0%})" if count and share is not None else "–"


def _table(title: str, *headings: str) -> Table:
    table = Table(
        title=title, title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0), header_style="dim"
    )
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="right" if place else "left")
    return table
