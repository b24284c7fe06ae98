"""``GET /v1/lists/{outcome}``: the highest scores of the latest batch, as a list to work through."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from features.errors import PropensityError
from serving import lists
from serving.endpoints import Loaded
from serving.guard import Json

router = APIRouter()
SCOPE = "read"
OWNED = True


@router.get("/v1/lists/{outcome}")
def list_(
    outcome: str,
    live: Loaded,
    top: Annotated[int | None, Query(ge=1, le=10_000)] = None,
    owner: Annotated[str | None, Query(min_length=1)] = None,
) -> Json:
    """The ``top`` lines (by default the outcome's capacity), of one owner if named."""
    if live.owner is not None and owner not in {None, live.owner}:
        raise PropensityError(f"your key is for the accounts of {live.owner}", "Leave owner out.", status=403)
    lines = lists.ranked(live.workspace, outcome, top, live.owner or owner)
    return Json({"outcome": outcome, "lines": [line.as_dict() for line in lines]})
