"""``GET /v1/calls``: whom to call, by what a call is expected to bring, cut at the capacity."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from serving.endpoints import Asking, Country, LineOfBusiness, Loaded, Owner, Segment, answers
from serving.web.answers import Calls
from serving.web.tags import Tag
from serving.work.among import Among
from serving.work.outreach import Basis, outreach

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
    segment: Segment = None,
    country: Country = None,
    line_of_business: LineOfBusiness = None,
) -> Response:
    """The list of everybody, or a part of it; what is planned and to be done, what came next, how many each rule keeps back."""
    among = Among(caller.whose(owner), segment, country, line_of_business)
    tag = Tag(request, live, caller.owner, written=True)
    if tag.known:
        return tag.unchanged()
    basis = live.kept("basis of lists", lambda: Basis.of(live.workspace), long=True, log=False)
    found = live.kept(("calls", capacity, among), lambda: outreach(live.workspace, capacity, among, basis=basis))
    return tag.on(found.as_dict())
