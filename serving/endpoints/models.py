"""``GET /v1/models``: every registered model, what the gate said of it, and how the champion came to be."""

from __future__ import annotations

from fastapi import APIRouter

from serving.endpoints import Loaded, answers
from serving.web.answers import Models
from serving.web.guard import Json
from training import promotion
from training.registry import Registry

SCOPE = "read"
router = APIRouter()


@router.get("/v1/models", responses=answers(Models, 503))
def models(live: Loaded) -> Json:
    """By outcome, the newest version first; of the champion's moves, the oldest."""
    found = promotion.models(live.workspace)
    return Json(
        {
            "opened_by": Registry(live.workspace).opened_by,
            "outcomes": {
                outcome: {
                    "versions": [version.as_dict() for version in versions],
                    "history": [move.as_dict() for move in promotion.history(live.workspace, outcome)],
                }
                for outcome, versions in found.items()
            },
        }
    )
