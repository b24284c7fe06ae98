"""``/app/timeline/{account}``: everything that happened to an account, and that we did."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from serving.endpoints import AccountId
from serving.endpoints import timeline as of_timeline
from serving.pages import Page, Showing, answered
from serving.pages.dossier import Day, head

SCOPE = "read"
OWNED = True
PAGE = Page("Timeline", "/timeline")
MORE = 100
router = APIRouter()


@router.get(PAGE.address + "/{account:path}")
def timeline(
    show: Showing, account: AccountId, as_of: Day = "", top: Annotated[int, Query(ge=1, le=1_000)] = MORE
) -> Response:
    told = answered(of_timeline.timeline(account, show.live, show.caller, as_of or None, top))
    given = head(show, account, "timeline", as_of) | {"events": told["events"], "count": told["count"]}
    return show("account/timeline.html", PAGE, **given, as_of=as_of, more=min(top + MORE, 1_000))
