"""``/app/programme``: what the advocacy programme came to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BeforeValidator, Field
from starlette.responses import Response

from features.errors import PropensityError
from serving.amounts import percent
from serving.endpoints import programme as of_programme
from serving.endpoints import stories as of_stories
from serving.pages import Page, Showing, answered, chosen
from training.charts import funnel, svg

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
    steps = [] if "unknown" in whole else _steps(whole)
    return show(
        "programme.html",
        PAGE,
        **told,
        picture=show.live.kept(("funnel", days), lambda: svg(funnel.steps(steps), _told(steps))) if steps else None,
        rows=[(step["step"], step["said"]) for step in steps],
        periods=sorted({*PERIODS, told["found"]["days"]}),
        most=OPEN,
    )


def _steps(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What is counted at each step, how many, and of how many of those before."""
    asked, accepted, done = found["accounts_asked"], found["accepted"], found["done"]
    return [
        {"step": "eligible", "what": "accounts", "count": found["eligible"], "said": f"{found['eligible']:,} accounts"},
        {"step": "asked", "what": "accounts", "count": asked["yes"], "said": _of(asked, "accounts")},
        {"step": "accepted", "what": "asks", "count": accepted["yes"], "said": _of(accepted, "asks")},
        {"step": "done", "what": "acts", "count": done["yes"], "said": _of(done, "accepted")},
    ]


def _of(part: Mapping[str, Any], what: str) -> str:
    return f"{part['yes']:,} of {part['of']:,} {what}, {percent(part['rate'])}"


def _told(steps: list[dict[str, Any]]) -> str:
    return "; ".join(f"{step['step']}: {step['said']}" for step in steps)


def _or_why(ask: Callable[[], Response]) -> Any:
    """What an endpoint answers, or why it knows nothing."""
    try:
        return answered(ask())
    except PropensityError as error:
        return {"unknown": error.message, "cure": error.hint}
