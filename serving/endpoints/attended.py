"""``POST /v1/alerts/{alert}/close`` and ``/snooze``: somebody has dealt with an alert, or will later."""

from __future__ import annotations

from datetime import date

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from features.errors import PropensityError
from serving.endpoints import DATE, At, By, Long, Thing, Writing, answers
from serving.web.answers import Wrote
from serving.web.guard import Json

SCOPE = "write"
OWNED = True
CREATED = {**answers(Wrote, 400, 403, 404, 409, 422, 503), **answers(Wrote, status=201)}
router = APIRouter()


class Close(BaseModel):
    """``why``: what was done about it."""

    model_config = ConfigDict(
        strict=True, extra="forbid", json_schema_extra={"examples": [{"why": "they have renewed", "by": "ann"}]}
    )

    why: Long
    at: At = None
    by: By = None


class Snooze(BaseModel):
    """``until``: the day on which it is shown again."""

    model_config = ConfigDict(
        strict=True, extra="forbid", json_schema_extra={"examples": [{"until": "2026-09-01", "by": "ann"}]}
    )

    until: str = Field(pattern=DATE)
    at: At = None
    by: By = None


@router.post("/v1/alerts/{alert:path}/close", responses=CREATED)
def close(alert: Thing, asked: Close, writer: Writing) -> Json:
    """It is not raised again. 404 where nobody has raised it, 409 where it is closed already."""
    return writer.follow("alert", alert, [("closed", asked.why)], asked.by, asked.at, asked.model_dump_json())


@router.post("/v1/alerts/{alert:path}/snooze", responses=CREATED)
def snooze(alert: Thing, asked: Snooze, writer: Writing) -> Json:
    """Not shown before a day; once for each alert."""
    try:
        date.fromisoformat(asked.until)
    except ValueError as error:
        raise PropensityError(f"until is {asked.until!r}, and there is no such day", "Write YYYY-MM-DD.") from error
    return writer.follow("alert", alert, [("snoozed", asked.until)], asked.by, asked.at, asked.model_dump_json())
