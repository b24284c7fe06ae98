"""``/app/metrics``: which metric foretells, what a point goes with, and what an initiative would be worth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from markupsafe import Markup
from pydantic import BeforeValidator, Field
from starlette.responses import Response

from features.errors import PropensityError
from serving.endpoints import beacon as of_beacon
from serving.endpoints import initiative as of_initiative
from serving.endpoints import worth as of_worth
from serving.pages import AGAIN, Choice, Page, Show, Showing, answered, chosen
from serving.work.among import choices
from training.beacon import ASKED
from training.charts import beacon as of_metrics
from training.charts import svg
from training.outcomes import configured

SCOPE = "read"
PAGE = Page("Metrics", "/metrics", 5, for_all=True)
CALLS = "calls"
"""In place of a metric: the initiative is calls."""
PATIENCE = 0.3
Points = Annotated[float, Field(ge=-1_000, le=1_000)]
Cost = Annotated[float, Field(ge=0, le=1e15)]
router = APIRouter()


@dataclass(frozen=True)
class Asked:
    """What the calculator is asked; nothing without a cost."""

    metric: str | None
    points: float
    cost: float | None
    segment: str | None
    owner: str | None


def _asked(
    metric: Choice = None,
    points: Annotated[Points | None, BeforeValidator(chosen), Query()] = None,
    cost: Annotated[Cost | None, BeforeValidator(chosen), Query()] = None,
    segment: Choice = None,
    owner: Choice = None,
) -> Asked:
    return Asked(metric, 10 if points is None else points, cost, segment, owner)


@router.get(PAGE.address)
def metrics(show: Showing, asked: Annotated[Asked, Depends(_asked)], outcome: Choice = None) -> Response:
    there = [name for name, _ in show.live.workspace.config.outcomes]
    name = outcome or next((one for one in ASKED if one in there), there[0])
    configured(show.live.workspace, name)
    beacon = _part(show, "beacon", lambda: of_beacon.beacon(show.request, show.live, name))
    worth = _part(show, "worth", lambda: of_worth.worth(show.request, show.live))
    value = None
    if asked.cost is not None:
        value = _part(show, "initiative", lambda: _initiative(show, asked, asked.cost or 0))
    waits = beacon is None or worth is None or (asked.cost is not None and value is None)
    answer = show(
        "metrics.html",
        PAGE,
        status=202 if waits else 200,
        outcomes=[one for one in ASKED if one in there],
        outcome=name,
        beacon=beacon if beacon is None or "unknown" in beacon else beacon["outcomes"][name],
        picture=_picture(show, name, beacon),
        found=of_metrics.FOUND,
        worth=worth,
        value=value,
        asked=asked,
        calls=CALLS,
        waits=waits,
        choices=show.live.kept(("choices", None), lambda: choices(show.live.workspace, None), log=False),
    )
    answer.headers.update(AGAIN if waits else {})
    return answer


def _part(show: Show, part: str, ask: Callable[[], Response]) -> Any:
    """What an endpoint answers, or why it knows nothing; None while it is being computed."""

    def made() -> Any:
        try:
            return answered(ask())
        except PropensityError as error:
            return {"unknown": error.message, "cure": error.hint}

    return show.once_made(made, part, PATIENCE)


def _initiative(show: Show, asked: Asked, cost: float) -> Response:
    calls = asked.metric == CALLS
    metric = None if calls else asked.metric
    return of_initiative.initiative(
        show.request, show.live, cost, metric, asked.points, calls, asked.segment, asked.owner
    )


def _picture(show: Show, outcome: str, beacon: Any) -> Markup | None:
    if beacon is None or "unknown" in beacon or not beacon["outcomes"][outcome]["tried"]:
        return None
    found = beacon["outcomes"][outcome]
    return show.live.kept(
        ("beacon's chart", outcome), lambda: svg(of_metrics.metrics(found["metrics"]), found["headline"]), log=False
    )
