"""``GET /v1/initiative``: what an initiative would be worth."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from features.errors import PropensityError
from serving.endpoints import Loaded, answers
from serving.web.findings import Initiative
from serving.web.live import Live
from serving.web.tags import Tag
from serving.work.initiative import Proposal, by_calls, by_worth
from training import worth as slopes
from training.worth import Worth

SCOPE = "read"
router = APIRouter()
Group = Annotated[str | None, Query(min_length=1, max_length=200, description="Only accounts of these.")]


@router.get("/v1/initiative", responses=answers(Initiative, 304, 400, 404, 409, 503))
def initiative(
    request: Request,
    live: Loaded,
    cost: Annotated[float, Query(ge=0, le=1e15, description="What it costs in all.", examples=[50_000])],
    metric: Annotated[
        str | None, Query(min_length=1, max_length=200, description="The metric that it is to raise.", examples=["nps"])
    ] = None,
    points: Annotated[float, Query(ge=-1_000, le=1_000, description="By how many points.", examples=[10])] = 10,
    calls: Annotated[bool, Query(description="It is calls, as /v1/effect has measured them.")] = False,
    segment: Group = None,
    owner: Group = None,
) -> Response:
    """ARR kept times margin, less its cost, with an interval and where it breaks even: of a metric, or of calls."""
    if calls == (metric is not None):
        raise PropensityError("an initiative either raises a metric or calls accounts", "Say metric, or calls=true.")
    tag = Tag(request, live, None, written=True)
    if tag.known:
        return tag.unchanged()

    told = [] if metric is None else _worth(live, metric)

    def proposed() -> Proposal:
        if metric is None:
            return by_calls(live.workspace, cost, segment, owner)
        return by_worth(live.workspace, metric, told, points, cost, segment, owner)

    asked = ("initiative", cost, metric, points, segment, owner, *told)
    return tag.on(live.kept(asked, proposed, long=True, log=calls).as_dict())


def _worth(live: Live, metric: str) -> list[Worth]:
    """What /v1/worth says of it, which takes long and is the same for every cost."""
    names = slopes.USUAL if metric in slopes.USUAL else (metric,)
    slopes.chosen(names, live.workspace)
    found = live.kept.beside(slopes.worth, names, log=False)
    return [one for one in found if one.measure.name == metric]
