"""``GET /v1/accounts/{account}/eligibility``: whether it may be asked to speak up for us, and when it will."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from serving.endpoints import AccountId, Asking, Loaded, answers, situation_of
from serving.web.answers import Eligible
from serving.web.tags import Tag

SCOPE = "read"
OWNED = True
router = APIRouter()


@router.get("/v1/accounts/{account:path}/eligibility", responses=answers(Eligible, 304, 404, 503))
def eligibility(account: AccountId, request: Request, live: Loaded, caller: Asking) -> Response:
    """Every rule that it does not meet, and the earliest day on which it will."""
    caller.require(account)
    tag = Tag(request, live, caller.owner, written=True)
    if tag.known:
        return tag.unchanged()
    return tag.on(situation_of(live).eligibility(account).as_dict())
