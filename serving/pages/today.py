"""``/app/today``: whom to call, what is planned, what came next, and what calls for attention."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from io import StringIO
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query
from pydantic import BeforeValidator, Field
from starlette.responses import Response

from features.settings.outcomes import Outcome
from serving.cells import defused
from serving.decisions.calls import OUTCOME
from serving.endpoints import alerts as of_alerts
from serving.endpoints import calls as of_calls
from serving.pages import Choice, Page, Show, Showing, answered, chosen
from serving.web.answers import Calls
from serving.web.freshness import aged
from serving.work.among import choices
from training.outcomes import configured

SCOPE = "read"
OWNED = True
PAGE = Page("Today", "/today", 1)
COLUMNS = (
    "account",
    "name",
    "owner",
    "probability",
    "low",
    "high",
    "before",
    "arr",
    "days_to_renewal",
    "worth",
    "action",
    "planned",
    "score_id",
)
"""Of the list as a file, in this order; then the reasons."""
ALERTS, MOST_ALERTS = 4, 60
PATIENCE = 3.0
"""Seconds that the page waits, so that who has just logged a call sees the list without it."""
router = APIRouter()


@dataclass(frozen=True)
class Filter:
    """What the list is cut to; the address holds it."""

    capacity: int | None
    owner: str | None
    segment: str | None
    country: str | None
    line_of_business: str | None

    @property
    def query(self) -> str:
        return urlencode({name: value for name, value in vars(self).items() if value is not None})


def _filter(
    capacity: Annotated[Annotated[int, Field(ge=1, le=10_000)] | None, BeforeValidator(chosen), Query()] = None,
    owner: Choice = None,
    segment: Choice = None,
    country: Choice = None,
    line_of_business: Choice = None,
) -> Filter:
    return Filter(capacity, owner, segment, country, line_of_business)


Filtered = Annotated[Filter, Depends(_filter)]


@router.get(PAGE.address)
def today(show: Showing, cut: Filtered) -> Response:
    live, owner = show.live, show.caller.owner
    outcome = configured(live.workspace, OUTCOME)
    made = show.once_made(
        lambda: (_calls(show, cut), answered(of_alerts.alerts(show.request, live, show.caller, cut.owner))),
        patience=PATIENCE,
    )
    if made is None:
        return show.waiting(PAGE, "Who comes next, and what to look at, is worked out for everybody after each change.")
    calls, alerts = made
    return show(
        "today.html",
        PAGE,
        calls=calls,
        alerts=alerts,
        age=aged(live.workspace, date.fromisoformat(calls["as_of"])),
        within=_within(outcome),
        usual=outcome.capacity,
        plans=show.may("write") and owner is None,
        shown=ALERTS,
        most=MOST_ALERTS,
        choices=live.kept(("choices", owner), lambda: choices(live.workspace, owner), log=False),
        chosen=vars(cut),
        query=cut.query,
    )


@router.get(PAGE.address + ".csv")
def as_file(show: Showing, cut: Filtered) -> Response:
    """The list as a spreadsheet takes it: what is planned first, then whom to call."""
    calls = _calls(show, cut)
    out = StringIO()
    sheet = csv.writer(out, lineterminator="\r\n")
    sheet.writerow([*COLUMNS, "reasons"])
    for row in (*calls["planned"], *calls["lines"]):
        sheet.writerow([defused(cell) for cell in (*(dict(row)[name] for name in COLUMNS), "; ".join(row["reasons"]))])
    headers = {"Content-Disposition": f'attachment; filename="calls-{calls["as_of"]}.csv"'}
    return Response("\ufeff" + out.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def _calls(show: Show, cut: Filter) -> Calls:
    return answered(of_calls.calls(show.request, show.live, show.caller, **vars(cut)))


def _within(outcome: Outcome) -> str:
    begins, ends = outcome.lead, outcome.lead + outcome.horizon
    return f"{begins} to {ends} days on" if begins else f"within {ends} days"
