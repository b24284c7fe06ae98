"""``POST /v1/models/{outcome}/promote`` and ``/rollback``: which version is the champion."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from serving.endpoints import Asking, By, Loaded, Long, answers
from serving.web.answers import Move
from serving.web.guard import Json
from training import promotion

SCOPE = "admin"
Outcome = Annotated[str, Path(examples=["churn"])]
Number = Annotated[int, Field(ge=1, le=10**9)]
router = APIRouter()


class Promotion(BaseModel):
    """``version``: by default the challenger; ``force`` where the gate refused it, which takes ``why``."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        json_schema_extra={"examples": [{"version": 2, "why": "better on what came after", "by": "ann"}]},
    )

    version: Number | None = None
    why: Long | None = None
    force: bool = False
    by: By = None


class Rollback(BaseModel):
    """``champion``: the version to go back from, so that a request sent twice goes back once."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        json_schema_extra={"examples": [{"champion": 2, "why": "too many calls in vain", "by": "ann"}]},
    )

    champion: Number
    why: Long | None = None
    by: By = None


@router.post("/v1/models/{outcome}/promote", responses=answers(Move, 400, 403, 404, 409, 503))
def promote(outcome: Outcome, asked: Promotion, live: Loaded, caller: Asking) -> Json:
    """Make a version the champion. It is served once its scores are made and the service has loaded them."""
    by, why = caller.by(asked.by), asked.why or ""
    move = promotion.promote(live.workspace, outcome, asked.version, by=by, why=why, force=asked.force)
    return Json(move.as_dict())


@router.post("/v1/models/{outcome}/rollback", responses=answers(Move, 400, 403, 404, 409, 503))
def rollback(outcome: Outcome, asked: Rollback, live: Loaded, caller: Asking) -> Json:
    """Make the champion before this one the champion again."""
    by, why = caller.by(asked.by), asked.why or ""
    return Json(promotion.rollback(live.workspace, outcome, by=by, why=why, over=asked.champion).as_dict())
