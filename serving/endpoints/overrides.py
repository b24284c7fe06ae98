"""``GET /v1/accounts/{account}/overrides``: what people say of its scores, beside what the model said."""

from __future__ import annotations

from fastapi import APIRouter

from serving.endpoints import AccountId, Asking, Loaded, answers
from serving.scores.overrides import overrides as said
from serving.web.answers import Overrides
from serving.web.freshness import told
from serving.web.guard import Json

SCOPE = "read"
OWNED = True
router = APIRouter()


@router.get("/v1/accounts/{account:path}/overrides", responses=answers(Overrides, 404, 503))
def overrides(account: AccountId, live: Loaded, caller: Asking) -> Json:
    """The last of each person and score, the latest first."""
    caller.require(account)
    log = live.kept.log
    found = said(log.entries("override", [account]))
    lines = [one.as_dict() | {"score": told(live.workspace, log.store.score(one.score_id))} for one in found]
    return Json({"account": account, "overrides": lines})
