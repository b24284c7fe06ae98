"""``POST /v1/scores/{score_id}/opinion`` and ``/override``: what people think of a score, kept beside the model's own."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from serving.endpoints import By, Long, ScoreId, Writing, answers
from serving.web.answers import Wrote
from serving.web.guard import Json
from serving.work import writing

SCOPE = "write"
OWNED = True
CREATED = {**answers(Wrote, 400, 403, 404, 409, 422, 503), **answers(Wrote, status=201)}
router = APIRouter()


class Opinion(BaseModel):
    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        json_schema_extra={"examples": [{"agrees": False, "why": "they just renewed", "by": "ann"}]},
    )

    agrees: bool
    why: Long
    by: By = None


class Own(BaseModel):
    """``probability`` is the person's own."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        json_schema_extra={"examples": [{"probability": 0.8, "why": "their board said so", "by": "ann"}]},
    )

    probability: Annotated[float, Field(ge=0, le=1)]
    why: Long
    by: By = None


@router.post("/v1/scores/{score_id}/opinion", responses=CREATED)
def opinion(score_id: ScoreId, asked: Opinion, writer: Writing) -> Json:
    """Whether somebody thinks that a score is right; once per person and score, after that 409."""
    by, store = writer.caller.by(asked.by), writer.caller.live.kept.log.store
    return writer.add(
        by, asked.model_dump_json(), lambda: [writing.opinion(store, score_id, by, asked.agrees, asked.why)]
    )


@router.post("/v1/scores/{score_id}/override", responses=CREATED)
def override(score_id: ScoreId, asked: Own, writer: Writing) -> Json:
    """Somebody's own probability. No list goes by it; it is shown beside the model's, and said again to be changed."""
    by, store = writer.caller.by(asked.by), writer.caller.live.kept.log.store
    return writer.add(
        by, asked.model_dump_json(), lambda: [writing.override(store, score_id, by, asked.probability, asked.why)]
    )
