"""``GET /v1/beacon``: which metric earns the name beacon, out of time."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from features.errors import PropensityError
from features.workspace import Workspace
from serving.endpoints import AnyOutcome, Loaded, answers
from serving.web.findings import Beacon
from serving.web.tags import Tag
from training import beacon as metrics
from training.outcomes import chosen

SCOPE = "read"
router = APIRouter()


@router.get("/v1/beacon", responses=answers(Beacon, 304, 400, 404, 503))
def beacon(request: Request, live: Loaded, outcome: AnyOutcome = None) -> Response:
    """NPS, CSAT, CES, ratings and usage, by role and touchpoint, judged by what came after. Made once for each intake,
    which takes a minute or two.
    """
    names = chosen(live.workspace, outcome)
    tag = Tag(request, live, None, written=True)
    if tag.known:
        return tag.unchanged()
    asked = names if outcome else [name for name in metrics.ASKED if name in names]
    found: dict[str, dict[str, Any]] = {"outcomes": {}, "skipped": {}}
    for name in asked:
        told = live.kept.beside(judged, name, log=False)
        if "error" not in told:
            found["outcomes"][name] = told
        elif outcome:
            raise PropensityError(told["error"], told["hint"], status=told["status"])
        else:
            found["skipped"][name] = told["error"]
    return tag.on(found)


def judged(workspace: Workspace, outcome: str) -> dict[str, Any]:
    """What is found; or the refusal, which is kept too, since it takes as long to come to."""
    try:
        return metrics.beacon(workspace, outcome).as_dict()
    except PropensityError as error:
        return error.as_dict()
