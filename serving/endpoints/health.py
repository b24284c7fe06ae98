"""``GET /v1/health``: which model and which batch each outcome is served from."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from features.errors import PropensityError
from serving.endpoints import Loaded, answers
from serving.web.answers import Health
from serving.web.freshness import aged
from serving.web.guard import Json
from serving.web.live import Live

SCOPE = "read"
OWNED = True
router = APIRouter()


@router.get("/v1/health", responses=answers(Health, 503))
def health(live: Loaded) -> Json:
    """``status`` is "ok" where every configured outcome is served as it should be: by its champion, with the scores that it
    made, and with registry and store within reach. Else it is "degraded", and ``error`` says why; an outcome that tells
    its ``rows`` is served all the same, from what was good last.
    """
    outcomes = {outcome: _of_outcome(live, outcome) for outcome, _ in live.workspace.config.outcomes}
    whole = not any("error" in told for told in outcomes.values())
    name = live.workspace.config.name
    return Json({"status": "ok" if whole else "degraded", "workspace": name, "outcomes": outcomes})


def _of_outcome(live: Live, outcome: str) -> dict[str, Any]:
    told: dict[str, Any] = {}
    try:
        served = live.of(outcome)
        told["model_version"] = served.scorer.version.number
        told["trained_on_until"] = max(served.scorer.model.facts["trained_on"])
        as_of = served.shown.as_of
        told |= {
            "as_of": as_of.isoformat(),
            **aged(live.workspace, as_of),
            "rows": len(served.shown.scores),
        }
        why = served.behind or live.unreached
        return told if why is None else told | {"error": why.message, "hint": why.hint}
    except PropensityError as error:
        return told | {"error": error.message, "hint": error.hint}
