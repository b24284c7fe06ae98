"""``GET /v1/accounts/{account}/scores``: every outcome's score of one account."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from features.errors import PropensityError
from serving.endpoints import Loaded
from serving.guard import Json
from serving.live import Live

router = APIRouter()
SCOPE = "read"
OWNED = True


@router.get("/v1/accounts/{account:path}/scores")
def scores(account: str, live: Loaded) -> Json:
    """One element per configured outcome; one without a score says why. No score at all is an error: 404 or 409."""
    if account not in live.accounts:
        raise live.refusal(account)
    found = [_of_outcome(live, account, outcome) for outcome, _ in live.workspace.config.outcomes]
    if not any("probability" in one for one in found):
        raise live.refusal(account)
    return Json({"account": account, "scores": found})


def _of_outcome(live: Live, account: str, outcome: str) -> dict[str, Any]:
    try:
        return live.score(outcome, account).as_dict()
    except PropensityError as error:
        if error.status == 500:
            raise
        return {"outcome": outcome, "status": "unscored", "error": error.message, "hint": error.hint}
