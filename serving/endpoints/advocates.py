"""``GET /v1/advocates``: whom to ask to speak up for us."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from serving.endpoints import Asking, Loaded, answers, situation_of
from serving.web.answers import Advocates
from serving.web.tags import Tag
from serving.work.asking import advocates as whom

SCOPE = "read"
OWNED = True
router = APIRouter()


@router.get("/v1/advocates", responses=answers(Advocates, 304, 400, 503))
def advocates(
    request: Request,
    live: Loaded,
    caller: Asking,
    top: Annotated[
        int | None, Query(ge=1, le=10_000, description="How many; by default the outcome's capacity.")
    ] = None,
) -> Response:
    """Accounts that may be asked, the likeliest to act first, with the person and the least effort; and who may not, why."""
    tag = Tag(request, live, caller.owner, written=True)
    if tag.known:
        return tag.unchanged()
    situation = situation_of(live)
    found = live.kept(("advocates", top), lambda: whom(situation, top))
    mine = replace(
        found,
        asked=[one for one in found.asked if caller.sees(one.account)],
        blocked={account: one for account, one in found.blocked.items() if caller.sees(account)},
    )
    return tag.on(mine.as_dict())
