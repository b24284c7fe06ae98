"""``GET /v1/states``: who is satisfied, loyal, an advocate or at risk, month by month, and who became what."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from features.workspace import Workspace
from serving.endpoints import Loaded, answers
from serving.web.findings import State, States
from serving.web.tags import Tag
from serving.work.states import MONTHS, continuum

SCOPE = "read"
router = APIRouter()


@router.get("/v1/states", responses=answers(States, 304, 400, 503))
def states(
    request: Request,
    live: Loaded,
    months: Annotated[
        int, Query(ge=1, le=120, description="How many ends of a month, the last included.", examples=[3])
    ] = MONTHS,
    state: Annotated[State | None, Query(description="Name the accounts in this state; by default everybody.")] = None,
    top: Annotated[int, Query(ge=0, le=10_000, description="How many accounts are named.")] = 100,
) -> Response:
    """Counts and transitions of everybody, and who stands where at the end of the last month, by account."""
    tag = Tag(request, live, None, written=True)
    if tag.known:
        return tag.unchanged()
    found = live.kept.beside(by_month, months, log=False)
    there = [one for one in found["accounts"] if state in (None, one["state"])]
    return tag.on(found | {"count": len(there), "accounts": there[:top]})


def by_month(workspace: Workspace, months: int) -> dict[str, Any]:
    """Of each account where it stands, without the evidence: that is asked for by account."""
    found = continuum(workspace, months).as_dict()
    named = [{name: one[name] for name in ("account", "name", "state", "stage")} for one in found["accounts"]]
    return found | {"accounts": named}
