"""``/app/today``: whom to call, what came next, and what calls for attention."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from serving.endpoints import Owner
from serving.endpoints import alerts as of_alerts
from serving.endpoints import calls as of_calls
from serving.pages import Page, Showing, answered

SCOPE = "read"
OWNED = True
PAGE = Page("Today", "/today", 1)
router = APIRouter()


@router.get(PAGE.address)
def today(
    show: Showing,
    capacity: Annotated[int | None, Query(ge=1, le=10_000)] = None,
    owner: Owner = None,
) -> Response:
    calls = answered(of_calls.calls(show.request, show.live, show.caller, capacity, owner))
    alerts = answered(of_alerts.alerts(show.request, show.live, show.caller, owner))
    return show("today.html", PAGE, calls=calls, alerts=alerts)
