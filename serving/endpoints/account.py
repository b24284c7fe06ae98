"""``GET /v1/accounts/{account}/scores``: every outcome's score of one account."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from features.errors import PropensityError
from serving.endpoints import AccountId, Asking, Loaded, answers
from serving.web.answers import OfAccount
from serving.web.freshness import today, told
from serving.web.guard import Json
from serving.web.live import Live
from serving.web.tags import Tag

LOG = logging.getLogger("propensity")
AT_START = 20_000
SCOPE = "read"
OWNED = True
router = APIRouter()


@router.get("/v1/accounts/{account:path}/scores", responses=answers(OfAccount, 304, 404, 409, 503))
def scores(account: AccountId, request: Request, live: Loaded, caller: Asking) -> Response:
    """One element per configured outcome; one without a score says why. No score at all is an error: 404 or 409."""
    caller.require(account)
    tag = Tag(request, live, caller.owner)
    if tag.known:
        return tag.unchanged()
    answer = tag.on(_told(live, account))
    live.prepared.keep(tag.of, account, bytes(answer.body))
    return answer


def prepare(live: Live, most: int = AT_START) -> None:
    """Make the answers of so many accounts beforehand: those with the highest scores of each outcome."""
    of = (live.batches, str(today(live.workspace)))
    scored = [served for served in live.served.values() if not isinstance(served.batch, PropensityError)]
    highest = dict.fromkeys(account for served in scored for account in list(served.shown.scores)[:most])
    try:
        for served in scored:
            served.scores(list(highest))  # all at once: an answer has every outcome, and one by one takes minutes
        for account in highest:
            live.prepared.keep(of, account, bytes(Json(_told(live, account)).body))
    except PropensityError as error:
        LOG.error("the scores are not prepared: %s %s", error.message, error.hint)


def _told(live: Live, account: str) -> dict[str, Any]:
    found = [_of_outcome(live, account, outcome) for outcome, _ in live.workspace.config.outcomes]
    if not any("probability" in one for one in found):
        raise live.refusal(account)
    return {"account": account, "scores": found}


def _of_outcome(live: Live, account: str, outcome: str) -> dict[str, Any]:
    try:
        return told(live.workspace, live.score(outcome, account))
    except PropensityError as error:
        if error.status == 500:
            raise
        return {"outcome": outcome, "status": "unscored", "error": error.message, "hint": error.hint}
