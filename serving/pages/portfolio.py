"""``/app/portfolio``: what is at risk and what grows, who is loyal, and every total down to the account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query
from pydantic import BeforeValidator
from starlette.responses import Response

from serving.decisions.loyalty import CELLS, LOYALTIES, UNKNOWN
from serving.decisions.portfolio import LABELS
from serving.decisions.states import CONTINUUM, GONE, NEW
from serving.endpoints import portfolio as of_portfolio
from serving.endpoints import states as of_states
from serving.pages import Choice, Page, Show, Showing, answered, chosen
from training.charts import continuum, svg, transitions

SCOPE = "read"
PAGE = Page("Portfolio", "/portfolio", 3, for_all=True)
PATH = ("country", "line_of_business", "account")
"""The way down, where nobody chooses another."""
LEVELS = {
    "country": "country",
    "line_of_business": "line of business",
    "segment": "segment",
    "owner": "owner",
    "partner": "partner",
    "industry": "industry",
    "account": "account",
}
KINDS = {"business": CELLS, "loyalty": LOYALTIES, "states": CONTINUUM}
MOST = 100
"""Groups on a page."""
router = APIRouter()


def _within(
    country: Choice = None,
    line_of_business: Choice = None,
    segment: Choice = None,
    owner: Choice = None,
    partner: Choice = None,
    industry: Choice = None,
    business: Choice = None,
    loyalty: Choice = None,
    states: Choice = None,
) -> dict[str, str]:
    return {name: value for name, value in locals().items() if value is not None}


@router.get(PAGE.address)
def portfolio(
    show: Showing,
    within: Annotated[dict[str, str], Depends(_within)],
    by: Annotated[of_portfolio.Level | None, BeforeValidator(chosen)] = None,
    start: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
) -> Response:
    asked = {name: within[name] for name in show.request.query_params if name in within}
    level = by if by in LEVELS else _next(asked)

    def made() -> dict[str, Any]:
        return {
            "here": _at(show, level, asked, start),
            "above": _above(show, asked),
            "continuum": None if asked else answered(of_states.states(show.request, show.live, top=0)),
        }

    found = show.once_made(made)
    if found is None:
        return show.waiting(PAGE, "Every contract and every answer is read once for each change of the data.")
    return show(
        "portfolio.html",
        PAGE,
        **found,
        level=level,
        levels=LEVELS,
        kinds=KINDS,
        start=start,
        most=MOST,
        path=[
            (name, value, address(dict(list(asked.items())[:number])))
            for number, (name, value) in enumerate(asked.items())
        ],
        within=asked,
        to=address,
        down=lambda group: address(asked | {level: group}),
        charts=_charts(show, found["continuum"]),
        unsure=[cell for cell in CELLS if UNKNOWN in cell],
        months=_months(found["continuum"]),
        befores=(*CONTINUUM, NEW),
        afters=(*CONTINUUM, GONE),
    )


def address(within: Mapping[str, str], by: str | None = None, start: int = 0) -> str:
    """Of this page, within these groups and labels."""
    said = {**within, **({"by": by} if by else {}), **({"start": str(start)} if start else {})}
    return PAGE.address + ("?" + urlencode(said) if said else "")


def _next(within: Mapping[str, str]) -> str:
    """The level that comes below; accounts where a cell of a picture was chosen."""
    if any(name in LABELS for name in within):
        return PATH[-1]
    return next(level for level in PATH if level not in within)


def _at(show: Show, level: str, within: Mapping[str, str], start: int = 0, top: int = MOST) -> Any:
    return answered(of_portfolio.portfolio(show.request, show.live, level, top, start, **within))  # type: ignore[arg-type]


def _above(show: Show, within: Mapping[str, str]) -> dict[str, Any]:
    """The same accounts as they are told of one level up: a line of its table, or a cell of its picture."""
    if not within:
        return _at(show, "global", {})["total"] | {"told": "Everything, counted at once"}
    *rest, (name, value) = within.items()
    before, outer = dict(rest), f"{rest[-1][1]}" if rest else "everything"
    if name in LABELS:
        return _at(show, "global", before)["total"][name][value] | {"told": f"“{value}” in {outer}"}
    groups = _at(show, name, before, top=10_000)["groups"]
    return next(group for group in groups if group["group"] == value) | {"told": f"{value}, as a line of {outer}"}


def _months(found: Any) -> list[list[str]]:
    months = found["months"] if found else []
    return [[month["as_of"], *(f"{month['states'][state]:,}" for state in continuum.COLOURS)] for month in months]


def _charts(show: Show, found: Any) -> dict[str, Any]:
    if found is None:
        return {}
    months = [(month["as_of"], month["states"]) for month in found["months"]]
    return show.live.kept(
        "portfolio's charts",
        lambda: {
            "months": svg(continuum.months(months), "How many accounts stood where at the end of each month"),
            "moves": svg(
                transitions.matrix(found["transitions"]),
                "Of the accounts in a state, the share that was in each state a month later",
            ),
        },
    )
