"""``/app/history/{account}``: its scores as they were shown, the version that made each, and each made again."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from features.errors import PropensityError
from serving.endpoints import AccountId
from serving.endpoints import overrides as of_overrides
from serving.endpoints import stored as of_stored
from serving.pages import Page, Showing, answered
from serving.pages.dossier import BAD, head, or_why
from training.charts import account as charts
from training.charts import svg

SCOPE = "read"
OWNED = True
PAGE = Page("Scores", "/history")
router = APIRouter()


@router.get(PAGE.address + "/{account:path}")
def scores(
    show: Showing, account: AccountId, replay: Annotated[str, Query(pattern="^([0-9a-f]{20})?$")] = ""
) -> Response:
    top = head(show, account, "scores")
    said = answered(of_overrides.overrides(account, show.live, show.caller))
    again = None
    if replay:
        if replay not in {one["score_id"] for scores in top["history"].values() for one in scores}:
            raise PropensityError(f"no score of this account has the id {replay}", "Take one of its list.", status=404)
        again = or_why(lambda: of_stored.replay(replay, show.live, show.caller))
    drawn = {
        outcome: _drawn(scores, outcome, top["labels"][outcome])
        for outcome, scores in top["history"].items()
        if len(scores) > 1
    }
    return show("account/scores.html", PAGE, **top, drawn=drawn, again=again, overrides=said["overrides"])


def _drawn(scores: list[dict[str, Any]], outcome: str, label: str) -> Any:
    shown = [{name: one[name] for name in ("as_of", "probability", "low", "high")} for one in scores]
    first, last = shown[0], shown[-1]
    told = (
        f"{label}: {first['probability']:.0%} as of {first['as_of']}, {last['probability']:.0%} as of {last['as_of']}"
    )
    return svg(charts.history(shown, outcome in BAD), told)
