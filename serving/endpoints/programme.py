"""``GET /v1/programme``: what the advocacy programme came to."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from features.workspace import Workspace
from serving.endpoints import Loaded, answers
from serving.web.findings import Programme
from serving.web.tags import Tag
from serving.work.programme import programme as came_to

SCOPE = "read"
router = APIRouter()


@router.get("/v1/programme", responses=answers(Programme, 304, 400, 503))
def programme(
    request: Request,
    live: Loaded,
    days: Annotated[
        int | None,
        Query(ge=28, le=3_660, description="Length of the period; by default that of [programme].", examples=[90]),
    ] = None,
) -> Response:
    """Participation, NPS, revenue touched, the closed loop and the funnel; what is not known says why."""
    tag = Tag(request, live, None, written=True)
    if tag.known:
        return tag.unchanged()
    return tag.on(live.kept.beside(told, days))


def told(workspace: Workspace, days: int | None) -> dict[str, Any]:
    return came_to(workspace, days=days).as_dict()
