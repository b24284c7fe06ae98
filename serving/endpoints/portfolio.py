"""``GET /v1/portfolio``: every measure at a level; totals are exactly the sums of their groups."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from serving.endpoints import Loaded, answers
from serving.web.findings import Portfolio
from serving.web.tags import Tag
from serving.work.portfolio import whole

SCOPE = "read"
Level = Literal["account", "line_of_business", "country", "owner", "segment", "partner", "industry", "global"]
Within = Annotated[str | None, Query(min_length=1, max_length=200, description="Only what is in this group.")]
Label = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=200,
        description="Only accounts that are called so, in the words of the answer.",
    ),
]
router = APIRouter()


@router.get("/v1/portfolio", responses=answers(Portfolio, 304, 400, 404, 503))
def portfolio(
    request: Request,
    live: Loaded,
    by: Annotated[Level, Query(description="The level.", examples=["country"])] = "global",
    top: Annotated[int, Query(ge=0, le=10_000, description="How many groups, by ARR.")] = 100,
    start: Annotated[int, Query(ge=0, le=10_000_000, description="How many groups are passed over before.")] = 0,
    account: Within = None,
    line_of_business: Within = None,
    country: Within = None,
    owner: Within = None,
    segment: Within = None,
    partner: Within = None,
    industry: Within = None,
    business: Label = None,
    loyalty: Label = None,
    states: Label = None,
) -> Response:
    """Accounts, ARR, ARR at risk, states, loyalty and NPS of every group, and of all of them together."""
    tag = Tag(request, live, None, written=True)
    if tag.known:
        return tag.unchanged()
    levels = {
        "account": account,
        "line_of_business": line_of_business,
        "country": country,
        "owner": owner,
        "segment": segment,
        "partner": partner,
        "industry": industry,
        "business": business,
        "loyalty": loyalty,
        "states": states,
    }
    within = {level: group for level, group in levels.items() if group is not None}
    everything = live.kept("portfolio", lambda: whole(live.workspace), long=True, log=False)
    return tag.on(everything.at(by, within, start, top).as_dict())
