"""``GET /v1/worth``: what ten points of a metric go with, in renewal and growth."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from serving.endpoints import Loaded, answers
from serving.web.findings import Worth
from serving.web.tags import Tag
from training import worth as slopes

SCOPE = "read"
router = APIRouter()
Metric = Annotated[
    str | None,
    Query(min_length=1, max_length=200, description="One metric; by default all usual ones.", examples=["nps"]),
]


@router.get("/v1/worth", responses=answers(Worth, 304, 400, 404, 503))
def worth(request: Request, live: Loaded, metric: Metric = None) -> Response:
    """Observational, with placebos. Made once for each intake, which takes a minute or two."""
    names = slopes.USUAL if metric is None else (metric,)
    slopes.chosen(names, live.workspace)
    tag = Tag(request, live, None, written=True)
    if tag.known:
        return tag.unchanged()
    found = live.kept.beside(slopes.worth, names, log=False)
    return tag.on({"note": slopes.NOTE, "metrics": {one.measure.name: one.as_dict() for one in found}})
