"""Forms of the list: a call that was made or is planned, a number of one's own, an alert that is dealt with."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.responses import Response

from serving.endpoints import Asking, Loaded, Writing, opinions
from serving.endpoints import attended as of_alerts
from serving.endpoints import outreach as of_calls
from serving.pages import answered, asked, back_to
from serving.web.html import APP

SCOPE = "write"
OWNED = True
TODAY = f"{APP}/today"
By = Annotated[str | None, Form()]
Text = Annotated[str, Form()]
Drawn = Annotated[str, Form(pattern=r"^[0-9a-f]{16}$")]
"""Another for each form that is shown, so that one that is sent twice is written once."""
router = APIRouter()


@router.post(f"{APP}/calls")
def call(
    writer: Writing,
    account: Text,
    outcome: Text,
    drawn: Drawn,
    touch: Annotated[str | None, Form()] = None,
    by: By = None,
) -> Response:
    """A call was made: the one that was planned, else a new one."""
    if touch is None:
        made = asked(of_calls.Touch, account=account, done=True, outcome=outcome, by=by)
        of_calls.touch(made, writer.named(drawn))
    else:
        of_calls.done(touch, asked(of_calls.Done, outcome=outcome, by=by), writer.named(drawn))
    return back_to(TODAY, "called")


@router.post(f"{APP}/calls/later")
def later(writer: Writing, account: Text, day: Text, drawn: Drawn, by: By = None) -> Response:
    """A call is put off to a day, on which it is among what is planned."""
    of_calls.touch(asked(of_calls.Touch, account=account, at=day, by=by), writer.named(drawn))
    return back_to(TODAY, "planned")


@router.post(f"{APP}/calls/plan")
def plan(live: Loaded, writer: Writing, by: By = None) -> Response:
    """The list is written down: a touch is planned of everybody on it."""
    made = answered(of_calls.plan(asked(of_calls.Plan, by=by), live, writer))
    return back_to(TODAY, "listed" if made["new"] else "again")


@router.post(f"{APP}/scores/disagree")
def disagree(
    caller: Asking,
    writer: Writing,
    score: Text,
    percent: Annotated[float, Form(ge=0, le=100)],
    why: Text,
    drawn: Drawn,
    by: By = None,
) -> Response:
    """Somebody's own probability, in percent, beside the model's."""
    own = asked(opinions.Own, probability=percent / 100, why=why, by=by)
    opinions.override(score, own, writer.named(drawn))
    return back_to(TODAY, "disagreed")


@router.post(f"{APP}/alerts/close")
def close(writer: Writing, alert: Text, why: Text, by: By = None) -> Response:
    of_alerts.close(alert, asked(of_alerts.Close, why=why, by=by), writer)
    return back_to(TODAY, "closed")


@router.post(f"{APP}/alerts/snooze")
def snooze(writer: Writing, alert: Text, until: Text, by: By = None) -> Response:
    of_alerts.snooze(alert, asked(of_alerts.Snooze, until=until, by=by), writer)
    return back_to(TODAY, "snoozed")
