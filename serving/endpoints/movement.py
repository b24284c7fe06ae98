"""``GET /v1/accounts/{account}/movement``: why its score moved."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from serving.endpoints import DATE, AccountId, AnyOutcome, Asking, Loaded, answers, day_of
from serving.scores.movement import why
from serving.web.answers import Movement
from serving.web.guard import Json

SCOPE = "read"
OWNED = True
router = APIRouter()


@router.get("/v1/accounts/{account:path}/movement", responses=answers(Movement, 400, 404, 409, 410, 503))
def movement(
    account: AccountId,
    live: Loaded,
    caller: Asking,
    outcome: AnyOutcome = None,
    since: Annotated[
        str | None,
        Query(
            pattern=DATE,
            description="Compare with the last score as of this date or earlier; by default the one before.",
        ),
    ] = None,
) -> Json:
    """From an earlier score to the latest: what its data did, what another model did; the parts sum to the change."""
    caller.require(account)
    day = day_of(since, "since")
    moves = live.kept(("movement", account, outcome, day), lambda: why(live.workspace, account, outcome, day))
    return Json({"account": account, "moves": [moved.as_dict() for moved in moves]})
