"""``GET /v1/stories``: which stories open deals want and no advocate tells."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from serving.endpoints import PATIENCE, Loaded, answers, situation_of
from serving.web.findings import Stories
from serving.web.live import Live
from serving.web.tags import Tag
from serving.work.stories import Stories as Wanted
from serving.work.stories import stories as wanted

SCOPE = "read"
router = APIRouter()


@router.get("/v1/stories", responses=answers(Stories, 304, 400, 503))
def stories(
    request: Request,
    live: Loaded,
    top: Annotated[int, Query(ge=1, le=1_000, description="How many gaps.", examples=[5])] = 10,
) -> Response:
    """By the value of the deals, the dearest gap first, each with whom to recruit."""
    tag = Tag(request, live, None, written=True)
    if tag.known:
        return tag.unchanged()
    return tag.on(known(live, top).as_dict())


def known(live: Live, top: int, seconds: float = PATIENCE) -> Wanted:
    """Raises PropensityError (503) where it takes longer than so many seconds; it goes on being found out."""
    now = situation_of(live, seconds)
    return live.kept.soon(("stories", top), lambda: wanted(live.workspace, top, now=now), seconds)
