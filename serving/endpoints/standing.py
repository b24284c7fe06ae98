"""``GET /v1/accounts/{account}/state``: where one account stands, by which rules, and where it stood before."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from serving.endpoints import AccountId, Asking, Loaded, answers
from serving.web.findings import StateOf
from serving.web.tags import Tag
from serving.work.states import MONTHS, told

SCOPE = "read"
OWNED = True
router = APIRouter()


@router.get("/v1/accounts/{account:path}/state", responses=answers(StateOf, 304, 400, 404, 503))
def standing(
    account: AccountId,
    request: Request,
    live: Loaded,
    caller: Asking,
    months: Annotated[int, Query(ge=1, le=120, description="How many ends of a month.", examples=[3])] = MONTHS,
) -> Response:
    """The rules of each state with its own numbers, its loyalty, its risk and growth, and its states month by month."""
    caller.require(account)
    tag = Tag(request, live, caller.owner, written=True)
    if tag.known:
        return tag.unchanged()
    found = live.kept(("state", account, months), lambda: told(live.workspace, account, months))
    return tag.on(found.as_dict())
