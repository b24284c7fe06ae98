"""``/app/accounts/{account}``: where an account stands, why, what moved it, what is open, who is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from features.errors import PropensityError
from serving.endpoints import AccountId, situation_of
from serving.endpoints import curve as of_curve
from serving.endpoints import eligibility as of_eligibility
from serving.endpoints import explain as of_explain
from serving.endpoints import movement as of_movement
from serving.endpoints import people as of_people
from serving.endpoints import standing as of_standing
from serving.endpoints import timeline as of_timeline
from serving.pages import Page, Show, Showing, answered
from serving.pages.dossier import Day, head, or_why
from serving.work.states import MONTHS
from training.charts import account as charts
from training.charts import svg

SCOPE = "read"
OWNED = True
PAGE = Page("Account", "/accounts")
LATELY = 12
"""Events on the overview; all are on the page of their own."""
STRONGEST = 8
PATIENCE = 0.3
"""Seconds that the page waits for who may be asked: after a change of the data that is learnt anew for everybody."""
OPEN = ("outreach planned", "ask asked", "ask accepted", "alert raised", "alert snoozed", "opt-out out")
"""What is not over while it is the last that was written down of a thing."""
router = APIRouter()


@router.get(PAGE.address + "/{account:path}")
def account(
    show: Showing,
    account: AccountId,
    as_of: Day = "",
    outcome: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    top = head(show, account, "overview", as_of)
    if (outcome or next(iter(top["history"]))) not in top["history"]:
        raise PropensityError(
            f"there is no outcome {outcome!r} here", "Choose one of those that the page shows.", status=404
        )
    day = as_of or None
    events = answered(of_timeline.timeline(account, show.live, show.caller, day, 10_000))
    given = {
        **top,
        "as_of": as_of,
        "people": answered(of_people.people(account, show.live, show.caller, day)),
        "events": events["events"][:LATELY],
        "count": events["count"],
    }
    if as_of:
        return show("account/then.html", PAGE, scores=_then(top["history"], as_of), **given)
    return show(
        "account/now.html", PAGE, **given, **_now(show, account, outcome or "churn"), open=_open(events["events"])
    )


def _now(show: Show, account: str, outcome: str) -> dict[str, Any]:
    request, live, caller = show.request, show.live, show.caller
    curve = or_why(lambda: of_curve.curve(account, live, caller))
    return {
        "outcome": outcome,
        "state": or_why(lambda: of_standing.standing(account, request, live, caller, MONTHS)),
        "why": or_why(lambda: of_explain.explain(account, outcome, request, live, caller)),
        "moved": or_why(lambda: of_movement.movement(account, live, caller, outcome, None)),
        "eligible": or_why(lambda: _eligible(show, account)),
        "curve": curve,
        "chart": _drawn(curve) if "stays" in curve else None,
        "strongest": STRONGEST,
    }


def _eligible(show: Show, account: str) -> Response:
    situation_of(show.live, PATIENCE)
    return of_eligibility.eligibility(account, show.request, show.live, show.caller)


def _drawn(curve: dict[str, Any]) -> Any:
    stays = {int(days): chance for days, chance in curve["stays"].items()}
    last = max(stays)
    return svg(charts.curve(stays), f"The chance to be there still falls to {stays[last]:.0%} after {last} days")


def _then(history: dict[str, list[dict[str, Any]]], day: str) -> dict[str, dict[str, Any] | None]:
    """The last score of each outcome as of the day or before."""
    return {
        outcome: next((one for one in reversed(scores) if one["as_of"] <= day), None)
        for outcome, scores in history.items()
    }


def _open(events: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What somebody began and nobody has ended, the last first; events come so. What is planned for a day may be done
    before it.
    """
    last: dict[str, dict[str, Any]] = {}
    logged = [event for event in events if event["table"] == "log"]
    over = {event["id"] for event in logged if event["what"] not in OPEN}
    for event in logged:
        last.setdefault(event["id"], event)
    return [event for event in last.values() if event["id"] not in over]
