"""``GET /v1/lists/{outcome}``: the highest scores of the latest batch, as a list to work through."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from serving.endpoints import Asking, Loaded, Owner, answers
from serving.scores import lists
from serving.web.answers import List
from serving.web.freshness import aged
from serving.web.tags import Tag

SCOPE = "read"
OWNED = True
router = APIRouter()


@router.get("/v1/lists/{outcome}", responses=answers(List, 304, 400, 403, 404, 503))
def list_(
    outcome: Annotated[str, Path(examples=["churn"])],
    request: Request,
    live: Loaded,
    caller: Asking,
    top: Annotated[
        int | None, Query(ge=1, le=10_000, description="How many; by default the outcome's capacity.")
    ] = None,
    owner: Owner = None,
) -> Response:
    """The ``top`` lines (by default the outcome's capacity), of one owner if named."""
    workspace, whose = live.workspace, caller.whose(owner)
    tag = Tag(request, live, caller.owner, written=True)
    if tag.known:
        return tag.unchanged()
    lines = live.kept(("list", outcome, top, whose), lambda: lists.ranked(workspace, outcome, top, whose))
    told = [line.as_dict() | aged(workspace, line.score.as_of) for line in lines]
    return tag.on({"outcome": outcome, "lines": told})
