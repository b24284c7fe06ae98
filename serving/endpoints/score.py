"""``POST /v1/score``: one outcome, one account or many, computed from the feature rows of the latest batch."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from serving.endpoints import Loaded
from serving.guard import Json

MOST = 10_000
router = APIRouter()
SCOPE = "read"
OWNED = True


class Asked(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    outcome: str
    accounts: Annotated[list[str], Field(min_length=1, max_length=MOST)]


@router.post("/v1/score")
def score(asked: Asked, live: Loaded) -> Json:
    """Scores in the order asked for.

    A known account without a score says why, with ``"status": "unscored"``; an unknown one has ``"status": 404``, and
    is an error of the whole request where it is the only one.
    """
    served = live.of(asked.outcome)
    found = served.scores(asked.accounts)

    def told(account: str) -> dict[str, Any]:
        if account in found:
            return found[account].as_dict()
        why = live.why_not(asked.outcome, account)
        if why.status == 404 and len(asked.accounts) == 1:
            raise why
        status = 404 if why.status == 404 else "unscored"
        return {"account": account, "status": status, "error": why.message, "hint": why.hint}

    return Json(
        {
            "outcome": asked.outcome,
            "as_of": served.shown.as_of.isoformat(),
            "model_version": served.scorer.version.number,
            "scores": [told(account) for account in asked.accounts],
        }
    )
