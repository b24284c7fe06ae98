"""``GET /v1/accounts/{account}/now``: what the model says of an account's facts as they are now, batch or not."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from serving.endpoints import AccountId, Asking, Loaded, OutcomeName, answers
from serving.web.answers import Now
from serving.web.freshness import aged
from serving.web.guard import Json

SCOPE = "read"
OWNED = True
router = APIRouter()


@router.get("/v1/accounts/{account:path}/now", responses=answers(Now, 400, 404, 409, 503))
def now(account: AccountId, outcome: OutcomeName, live: Loaded, caller: Asking) -> Json:
    """As of the last day of the tables in use; where that is the day of the batch, the same as the batch says, bit for
    bit. Ranks are those among the peers of the latest batch.
    """
    served = live.of(outcome)
    caller.require(account)
    row, made = live.scored_now(outcome, account)
    batch = served.shown.scores.get(account)
    told: dict[str, Any] = {
        "outcome": outcome,
        "account": account,
        "as_of": row.as_of.isoformat(),
        **aged(live.workspace, row.as_of),
        **made.as_dict(),
        "model_version": served.scorer.version.number,
        "row_hash": row.row_hash,
        "batch_as_of": served.shown.as_of.isoformat(),
        "batch_probability": None if batch is None else batch.probability,
    }
    return Json(told)
