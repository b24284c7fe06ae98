"""``GET /v1/calls``: whom to call, by what a call is expected to bring, cut at the capacity."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from serving.endpoints import Asking, Loaded, Owner, answers
from serving.web.answers import Calls
from serving.web.tags import Tag
from serving.work.outreach import outreach

SCOPE = "read"
OWNED = True
router = APIRouter()


@router.get("/v1/calls", responses=answers(Calls, 304, 400, 403, 404, 503))
def calls(
    request: Request,
    live: Loaded,
    caller: Asking,
    capacity: Annotated[
        int | None, Query(ge=1, le=10_000, description="How many calls in all; by default the outcome's capacity.")
    ] = None,
    owner: Owner = None,
) -> Response:
    """The list of everybody, or the part of it that is one owner's; what came next, and how many each rule keeps back."""
    whose = caller.whose(owner)
    tag = Tag(request, live, caller.owner, written=True)
    if tag.known:
        return tag.unchanged()
    found = live.kept(("calls", capacity, whose), lambda: outreach(live.workspace, capacity, whose))
    return tag.on(found.as_dict())
