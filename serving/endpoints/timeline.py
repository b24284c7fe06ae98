"""``GET /v1/accounts/{account}/timeline``: what happened to an account, and what we did."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from serving.endpoints import AccountId, Asking, AsOf, Loaded, answers, day_of
from serving.web.accounts import Timeline
from serving.web.guard import Json
from serving.work.timeline import timeline as of_account

SCOPE = "read"
OWNED = True
router = APIRouter()


@router.get("/v1/accounts/{account:path}/timeline", responses=answers(Timeline, 400, 404, 503))
def timeline(
    account: AccountId,
    live: Loaded,
    caller: Asking,
    as_of: AsOf = None,
    top: Annotated[int, Query(ge=1, le=10_000, description="How many events at most, the last ones.")] = 100,
) -> Json:
    """Facts of the tables, and what was written down here: touches, asks, opinions, alerts. Each is told once."""
    caller.require(account)
    day = day_of(as_of)
    found = live.kept(("timeline", account, day), lambda: of_account(live.workspace, account, day))
    return Json(found.as_dict(top))
