"""``/app/programme``: what the advocacy programme came to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BeforeValidator, Field
from starlette.responses import Response

from features.errors import PropensityError
from serving.charts import funnel, svg
from serving.endpoints import programme as of_programme
from serving.endpoints import stories as of_stories
from serving.pages import Page, Showing, answered, chosen

SCOPE = "read"
PAGE = Page("Programme", "/programme", 4, for_all=True)
PERIODS = (90, 180, 365, 730)
STORIES, OPEN = 10, 10
router = APIRouter()


@router.get(PAGE.address)
def programme(
    show: Showing,
    days: Annotated[Annotated[int, Field(ge=28, le=3_660)] | None, BeforeValidator(chosen), Query()] = None,
) -> Response:
    def made() -> dict[str, Any]:
        found = answered(of_programme.programme(show.request, show.live, days))
        return {"found": found, "stories": _or_why(lambda: of_stories.stories(show.request, show.live, STORIES))}

    told = show.once_made(made)
    if told is None:
        return show.waiting(PAGE, "Eligibility is looked up at every end of a month, which takes a minute or two once.")
    whole = told["found"]["funnel"]
    return show(
        "programme.html",
        PAGE,
        **told,
        picture=None
        if "unknown" in whole
        else show.live.kept(("funnel", days), lambda: svg(funnel.steps(whole), funnel.told(whole))),
        rows=[] if "unknown" in whole else [(row["step"], row["said"]) for row in funnel.rows(whole)],
        periods=sorted({*PERIODS, told["found"]["days"]}),
        most=OPEN,
    )


def _or_why(ask: Callable[[], Response]) -> Any:
    """What an endpoint answers, or why it knows nothing."""
    try:
        return answered(ask())
    except PropensityError as error:
        return {"unknown": error.message, "cure": error.hint}
