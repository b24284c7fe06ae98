"""``GET /v1/effect``: what calls did, beside the accounts that were held out at random."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from features.workspace import Workspace
from serving.endpoints import Loaded, answers
from serving.web.findings import Effect
from serving.web.tags import Tag
from serving.work import effect as outcomes
from serving.work import uplift

SCOPE = "read"
router = APIRouter()


@router.get("/v1/effect", responses=answers(Effect, 304, 400, 503))
def effect(request: Request, live: Loaded) -> Response:
    """By what is known by now of those on lists that were planned; which save rate lists go by, and whether by uplift."""
    tag = Tag(request, live, None, written=True)
    if tag.known:
        return tag.unchanged()
    return tag.on(live.kept("effect", lambda: _measured(live.workspace), long=True))


def _measured(workspace: Workspace) -> dict[str, Any]:
    drawn = outcomes.trial(workspace)
    found, (terms, rate) = outcomes.measured(workspace, drawn), outcomes.terms(workspace, drawn)
    judged, _ = uplift.judged(workspace, drawn, terms)
    return found.as_dict() | {"lists_go_by": rate.as_dict(), "uplift": judged.as_dict()}
