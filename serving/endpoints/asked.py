"""``GET /v1/asks``: asks of which something is still to come."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from serving.endpoints import Asking, Loaded, Owner, answers, situation_of
from serving.endpoints.advocates import Skip
from serving.web.answers import OpenAsks
from serving.web.tags import Tag
from serving.work.advocates import waiting

SCOPE = "read"
OWNED = True
router = APIRouter()


@router.get("/v1/asks", responses=answers(OpenAsks, 304, 400, 403, 404, 503))
def asks(
    request: Request,
    live: Loaded,
    caller: Asking,
    top: Annotated[int, Query(ge=1, le=10_000, description="How many.")] = 100,
    skip: Skip = 0,
    owner: Owner = None,
) -> Response:
    """Asked and not answered, or accepted and not done; those written down here first, then by the day, the newest first."""
    whose = caller.whose(owner)
    tag = Tag(request, live, caller.owner, written=True)
    if tag.known:
        return tag.unchanged()
    now, asked = situation_of(live), (top, skip, whose)
    return tag.on(live.kept(("open asks", *asked), lambda: waiting(now, *asked).as_dict()))
