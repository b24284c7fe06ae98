"""``GET /v1/log``: what was planned, done, asked, answered and said, the last first."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from serving.endpoints import Asking, Loaded, answers
from serving.web.answers import Log
from serving.web.guard import Json

SCOPE = "read"
OWNED = True
About = Literal["outreach", "ask", "opt-out", "opinion", "override", "alert"]
router = APIRouter()


@router.get("/v1/log", responses=answers(Log, 400, 404, 503))
def log(
    live: Loaded,
    caller: Asking,
    account: Annotated[str | None, Query(description="Only of this account.", examples=["account-0000042"])] = None,
    about: Annotated[About | None, Query(description="Only entries about this.")] = None,
    page_size: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Annotated[str | None, Query(pattern=r"^[1-9]\d{0,17}$", description="`next` of the page before.")] = None,
) -> Json:
    """Entries in the order in which they were written down, from the last one back."""
    if account is not None:
        caller.require(account)
    among = None if caller.owner is None else [one for one in live.owners if caller.sees(one)]
    before = None if cursor is None else int(cursor)
    found = live.kept.log.last(page_size + 1, before, about, account, among)
    following = str(found[page_size - 1][0]) if len(found) > page_size else None
    return Json({"entries": [entry.as_dict() for _, entry in found[:page_size]], "next": following})
