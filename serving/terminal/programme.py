"""The advocacy programme in the terminal."""

from __future__ import annotations

import math
from collections.abc import Callable

from rich.markup import escape
from rich.table import Table

from serving.amounts import number
from serving.decisions import (
    programme_funnel,
    programme_loop,
    programme_nps,
    programme_participation,
    programme_revenue,
)
from serving.decisions.intervals import Share
from serving.decisions.programme_funnel import Funnel, Step
from serving.decisions.programme_loop import Loop
from serving.decisions.programme_nps import Nps
from serving.decisions.programme_participation import Participation
from serving.decisions.programme_revenue import Revenue
from serving.terminal import out
from serving.work.programme import Programme
from training.metrics import Estimate

OWNERS = 10
"""So many owners of open feedback are shown; all of them are in the document."""


def show_programme(found: Programme, currency: str) -> None:
    """Each part: what it came to, against its target, and how it is counted."""
    out.print(f"[bold]the programme, {found.since} to {found.as_of}[/]")
    _part("participation", found.participation, found.unknown.get("participation"), _participation)
    _part("NPS", found.nps, found.unknown.get("nps"), _nps)
    _part("revenue touched, not caused", found.revenue, None, lambda part: _revenue(part, currency))
    _part("closed loop", found.loop, found.unknown.get("closed_loop"), _loop)
    _part("funnel", found.funnel, found.unknown.get("funnel"), _funnel)


def _part(title: str, part: object, why: str | None, show: Callable[..., None]) -> None:
    out.print(f"\n[bold]{title}[/]")
    if part is None:
        out.print(f"  unknown: {escape(why or '')}")
    else:
        show(part)


def _definition(text: str) -> None:
    out.print(f"[dim]  {escape(text)}[/]")


def _participation(part: Participation) -> None:
    found = part.found
    out.print(f"  {found.yes:,} of {found.of:,} eligible accounts took part: {_rate(found)}, {part.verdict}")
    if part.risk_unknown:
        out.print(
            f"[yellow]  risk not known then: {len(part.risk_unknown)} of {len(part.month_ends)} month-ends have no stored "
            "scores; risk kept nobody back on these, so more count as eligible than would have been[/]"
        )
    _definition(programme_participation.DEFINITION)


def _nps(part: Nps) -> None:
    out.print(f"  now {_points(part.now)}, {part.answers:,} answers of {part.accounts:,} accounts")
    out.print(f"  before {_points(part.before)}, {part.answers_before:,} answers of {part.accounts_before:,} accounts")
    if part.difference is not None:
        relative = "" if part.relative is None else f"; relative {_estimate(part.relative, '{:+.0%}')}"
        out.print(f"  difference {_estimate(part.difference, '{:+.0f}')} points{relative}")
    out.print(f"  {escape(part.verdict)}")
    _definition(programme_nps.DEFINITION)


def _revenue(part: Revenue, currency: str) -> None:
    if part.share is not None:
        out.print(
            f"  {number(part.touched)} of {number(part.won)} {currency}, {part.share:.0%}; "
            f"{part.deals:,} deals won, {part.acts:,} acts done"
        )
    out.print(f"  {escape(part.verdict)}")
    if part.deals_unknown or part.acts_unknown:
        out.print(f"  of {part.deals_unknown:,} deals and {part.acts_unknown:,} acts no amount is known")
    _definition(programme_revenue.DEFINITION)


def _loop(part: Loop) -> None:
    if not part.kinds:
        out.print("  nobody told us anything in the period")
        return
    table = _table("feedback", "counted", "answered by us", "days", "then", "else")
    for kind in part.kinds:
        days, then, silence = (
            _estimate(found, form)
            for found, form in ((kind.days, "{:.1f}"), (kind.after, "{:+.0f}"), (kind.after_silence, "{:+.0f}"))
        )
        table.add_row(kind.kind, f"{kind.closed.of:,}", _rate(kind.closed), days, then, silence)
    out.print(table)
    _definition("then: sentiment after, where we answered; else: where we did not; days: the median")
    _definition(programme_loop.DEFINITION.format(days=part.answer_days))
    if part.open:
        owners = part.owners
        table = _table("nothing done yet", "open", "of detractors", "oldest, days")
        for owner, those in list(owners.items())[:OWNERS]:
            unhappy = sum(one.kind == "detractor" for one in those)
            oldest = max(one.age for one in those)
            table.add_row(escape(owner or "nobody's"), f"{len(those):,}", f"{unhappy:,}", f"{oldest:.0f}")
        out.print(table)
        if len(owners) > OWNERS:
            out.print(f"[dim]  and {len(owners) - OWNERS} owners more[/]")


def _funnel(part: Funnel) -> None:
    out.print(
        f"  {part.eligible:,} accounts eligible, {part.asked.yes:,} of them asked: {_rate(part.asked)}; "
        f"{part.beside:,} more asked that were not eligible at a month-end"
    )
    table = _table("asks", "made", "accepted", "done, of those")
    for step in (part.whole, *part.kinds):
        _step(table, step)
    out.print(table)
    table = _table("by quarter", "made", "accepted", "done, of those")
    for step in part.quarters:
        _step(table, step)
    if part.quarters:
        out.print(table)
    out.print(f"  {part.verdict}")
    if part.days_to_accept is not None:
        out.print(
            f"  median days: {_estimate(part.days_to_accept, '{:.0f}')} from ask to yes, "
            f"{_estimate(part.days_to_do, '{:.0f}')} from yes to done"
        )
    if part.tired:
        tired = "; ".join(f"{many}: {_share(found)}" for many, found in part.tired)
        out.print(f"  accepted, by asks of the account in the year before: {tired}")
        out.print(
            "[dim]  who is asked again was not drawn at random: this alone does not say that asking tires anybody[/]"
        )
    _definition(programme_funnel.DEFINITION.format(days=part.rest_days))


def _step(table: Table, step: Step) -> None:
    table.add_row(escape(step.name), f"{step.asked:,}", _share(step.accepted), _share(step.done))


def _table(*headings: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 2), header_style="dim")
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="right" if place else "left")
    return table


def _share(found: Share) -> str:
    return "–" if found.rate is None else f"{_rate(found)} of {found.of:,}"


def _rate(found: Share) -> str:
    return "–" if found.rate is None else f"{found.rate:.0%} ({found.low:.0%}–{found.high:.0%})"


def _points(found: Estimate | None) -> str:
    return "unknown" if found is None else f"{_estimate(found, '{:+.0f}')} points"


def _estimate(found: Estimate | None, form: str) -> str:
    if found is None:
        return "–"
    if math.isnan(found.low):
        return f"{form.format(found.value)} (no interval)"
    return f"{form.format(found.value)} ({form.format(found.low)} to {form.format(found.high)})"
