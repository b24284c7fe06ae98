"""``POST /v1/score``: one outcome, one account or many, computed from the feature rows of the latest batch."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from serving.endpoints import Asking, Caller, Loaded, answers
from serving.web.answers import Scores
from serving.web.freshness import aged
from serving.web.guard import Json
from serving.web.live import Live, Served

SCOPE = "read"
OWNED = True
MOST = 10_000
router = APIRouter()


class Accounts(BaseModel):
    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        json_schema_extra={"examples": [{"outcome": "churn", "accounts": ["account-0000042", "account-0000043"]}]},
    )

    outcome: str
    accounts: Annotated[list[str], Field(min_length=1, max_length=MOST)]


@router.post("/v1/score", responses=answers(Scores, 400, 404, 503))
def score(asked: Accounts, live: Loaded, caller: Asking) -> Json:
    """Scores in the order asked for.

    A known account without a score says why, with ``"status": "unscored"``; an unknown one has ``"status": 404``, and
    is an error of the whole request where it is the only one.
    """
    served = live.of(asked.outcome)
    told = lines(live, served, caller, asked.accounts)
    if len(told) == 1 and told[0].get("status") == 404:
        raise live.stranger(asked.accounts[0])
    return Json(
        {
            "outcome": asked.outcome,
            "as_of": served.shown.as_of.isoformat(),
            "model_version": served.scorer.version.number,
            **aged(live.workspace, served.shown.as_of),
            "scores": told,
        }
    )


def lines(live: Live, served: Served, caller: Caller, accounts: list[str]) -> list[dict[str, Any]]:
    """Of each account its score, or why there is none; of those that the caller does not see, that they are unknown."""
    found = served.scores([account for account in accounts if caller.sees(account)])
    age = aged(live.workspace, served.shown.as_of)

    def told(account: str) -> dict[str, Any]:
        if account in found:
            return found[account].as_dict() | age
        outcome = served.scorer.outcome
        why = live.why_not(outcome, account) if caller.sees(account) else live.stranger(account)
        status = 404 if why.status == 404 else "unscored"
        return {"account": account, "status": status, "error": why.message, "hint": why.hint}

    return [told(account) for account in accounts]
