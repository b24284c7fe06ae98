"""The portfolio in the terminal."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table

from features.facts import UNIT
from serving.amounts import number
from serving.decisions.loyalty import ARR_CHANGE, GROWTHS, MODEL, QUADRANTS, RISKS, UNKNOWN
from serving.decisions.portfolio import GLOBAL, Group
from serving.decisions.states import CONTINUUM, SCORE
from serving.terminal import out
from serving.work.portfolio import Found


def show(found: Found, top: int) -> None:
    """The largest groups and the total; then attitude × intent and risk × growth of all."""
    folio = found.portfolio
    narrowed = "".join(f", {name.replace('_', ' ')} {value}" for name, value in found.within.items())
    table = _table(
        f"portfolio by {folio.by.replace('_', ' ')}, as of {found.as_of}{escape(narrowed)}; ARR in {found.currency}",
        folio.by.replace("_", " "), "accounts", "ARR", "against a year before", "at risk (Σ p·ARR)", "under notice",
        "growing (Σ p·ARR)", "NPS (answers)", "escalations", "acts",
    )  # fmt: skip
    states = _table("accounts by state", folio.by.replace("_", " "), *CONTINUUM)
    shown = folio.groups[:top] if folio.by != GLOBAL else []
    for group in (*shown, folio.total):
        name, style = found.names.get(group.name, group.name), "bold" if group is folio.total else ""
        table.add_row(escape(name), *_measures(group), style=style)
        counts = [f"{group.of('states', state).accounts:,}" for state in CONTINUUM]
        states.add_row(escape(name), *counts, style=style)
    out.print(table)
    if (left := len(folio.groups) - len(shown)) and folio.by != GLOBAL:
        out.print(f"[dim]{left} more, in --json and --csv; the total is of all[/]")
    out.print()
    out.print(states)
    _show_loyalty(folio.total)
    _show_business(folio.total)
    _show_notes(found)


def _measures(group: Group) -> list[str]:
    amounts, nps = group.amounts, group.nps
    at_risk = "–" if group.risk is None else f"{number(amounts['arr_at_risk'] / UNIT)} ({group.risk:.1%})"
    answers = f"{amounts['nps_answers'] / UNIT:,.0f}"
    return [
        f"{group.accounts:,}",
        number(amounts["arr"] / UNIT),
        "–" if group.retention is None else f"{group.retention:.0%}",
        at_risk,
        number(amounts["arr_under_notice"] / UNIT),
        number(amounts["arr_expanding"] / UNIT) if group.of("growth_told_by", MODEL).accounts else "–",
        f"– ({answers})" if nps is None else f"{nps[0]:.0f}, {nps[1]:.0f} to {nps[2]:.0f} ({answers})",
        _whole(amounts["escalations"]),
        _whole(amounts["acts"]),
    ]


def _whole(amount: int) -> str:
    """What was split may not be whole."""
    return f"{amount // UNIT:,}" if amount % UNIT == 0 else f"{amount / UNIT:,.1f}"


def _show_loyalty(total: Group) -> None:
    table = _table("attitude × intent", "", "means to stay", "does not")
    for attitude, name in ((True, "thinks well of us"), (False, "does not")):
        table.add_row(
            name, *(_tally(total, "loyalty", QUADRANTS[attitude, intent], named=True) for intent in (True, False))
        )
    out.print()
    out.print(table)
    out.print(f"unknown (no answer of late, or no score): {_tally(total, 'loyalty', UNKNOWN)}")


def _show_business(total: Group) -> None:
    table = _table("business at risk × business at growth", "", *GROWTHS.values())
    for risk in RISKS.values():
        table.add_row(risk, *(_tally(total, "business", f"{risk}, {growth}") for growth in GROWTHS.values()))
    out.print()
    out.print(table)


def _tally(total: Group, kind: str, label: str, named: bool = False) -> str:
    tally = total.of(kind, label)
    told = f"{tally.accounts:,} accounts, ARR {number(tally.arr / UNIT)}"
    return f"{label}: {told}" if named else told


def _show_notes(found: Found) -> None:
    total = found.portfolio.total
    scored = total.of("risk_told_by", SCORE).accounts
    notes = [
        f"{scored:,} of {total.accounts:,} accounts have a churn score of that day; the states of the others go by signs"
    ]
    if total.accounts and not scored:
        notes = [
            f"no churn scores are stored for {found.as_of}: ARR at risk is not known, and states go by signs; "
            f"`propensity score --as-of {found.as_of}` makes them"
        ]
    by = [
        f"{told.accounts:,} by {what}"
        for what in (MODEL, ARR_CHANGE)
        if (told := total.of("growth_told_by", what)).accounts
    ]
    notes.append(f"growth is told of {', '.join(by) or 'nobody'}")
    if found.unpriced:
        notes.append(f"{found.unpriced:,} live contracts in all have no ARR and count as 0")
    notes.append(
        "an account counts once in each group that it is in, and once in the total; money is that of its contracts, "
        "what else adds up is split by live ARR; rates are made anew at each level"
    )
    for note in notes:
        out.print(f"[dim]{note}[/]")


def _table(title: str, *headings: str) -> Table:
    table = Table(
        title=title, title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0), header_style="dim"
    )
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="right" if place else "left")
    return table
