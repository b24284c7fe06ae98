"""What the pages of one account share: its head, the way from one to the others, and parts that may not be there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Query
from starlette.responses import Response

from features.errors import PropensityError
from serving.endpoints import DATE
from serving.endpoints import history as of_history
from serving.pages import Show, answered
from serving.web.html import APP, part

Day = Annotated[str, Query(pattern=f"{DATE}|^$", description="As of the end of this day; empty: by now.")]
TABS = {
    "overview": ("Overview", "/accounts/"),
    "signals": ("Signals", "/signals/"),
    "timeline": ("Timeline", "/timeline/"),
    "what-if": ("What if", "/what-if/"),
    "scores": ("Scores", "/history/"),
}
DATED = ("overview", "signals", "timeline")
"""Pages that can show what was known on another day."""
LABELS = {
    "churn": "Risk of leaving",
    "expansion": "Growth",
    "contraction": "Risk of shrinking",
    "advocacy": "Advocacy",
    "promoter": "Promoter",
}
"""What outcomes are called on the pages of an account."""
BAD = ("churn", "contraction")


def head(show: Show, account: str, tab: str, day: str = "") -> dict[str, Any]:
    """Who it is, and every score that was shown of it; raises PropensityError (404) where it is not theirs to see."""
    told = answered(of_history.history(account, show.live, show.caller))
    return {
        **{name: told[name] for name in ("account", "name", "owner")},
        "history": told["outcomes"],
        "tab": tab,
        "tabs": {one: (title, _address(one, path, account, day)) for one, (title, path) in TABS.items()},
        "labels": {outcome: LABELS.get(outcome, outcome.capitalize()) for outcome in told["outcomes"]},
        "bad": BAD,
    }


def _address(tab: str, path: str, account: str, day: str) -> str:
    dated = f"?as_of={day}" if day and tab in DATED else ""
    return f"{APP}{path}{part(account)}{dated}"


def or_why(ask: Callable[[], Response]) -> Any:
    """What an endpoint answers; where it says that there is none, its ``error`` and what to do about it."""
    try:
        return answered(ask())
    except PropensityError as error:
        if error.status == 500:
            raise
        return error.as_dict()
