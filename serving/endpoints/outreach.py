"""``POST /v1/outreach``, ``/v1/outreach/{touch:path}/done`` and ``/outcome``, ``/v1/calls/plan``: touches, as people write them down."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from serving.endpoints import At, By, Loaded, Long, Short, Thing, Writing, answers, instant
from serving.stores.log import Entry
from serving.web.answers import Planned, Wrote
from serving.web.guard import Json
from serving.work import outreach, writing

SCOPE = "write"
OWNED = True
router = APIRouter()


class Touch(BaseModel):
    """A touch that is planned, or done already; ``outcome``, if it is known, is what came of one that is done."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        json_schema_extra={
            "examples": [{"account": "account-0000042", "kind": "e-mail", "at": "2026-07-01T09:30:00Z", "by": "ann"}]
        },
    )

    account: Short
    kind: Short = "call"
    contact: Short | None = None
    done: bool = False
    outcome: Short | None = None
    at: At = None
    by: By = None


class Done(BaseModel):
    """A planned touch was done; ``outcome``, if it is known, is what came of it."""

    model_config = ConfigDict(
        strict=True, extra="forbid", json_schema_extra={"examples": [{"outcome": "stays", "by": "ann"}]}
    )

    outcome: Short | None = None
    at: At = None
    by: By = None


class Outcome(BaseModel):
    """What came of a touch that was done."""

    model_config = ConfigDict(
        strict=True, extra="forbid", json_schema_extra={"examples": [{"outcome": "no answer", "by": "ann"}]}
    )

    outcome: Long
    at: At = None
    by: By = None


class Plan(BaseModel):
    """``capacity``: how many calls; by default the outcome's."""

    model_config = ConfigDict(strict=True, extra="forbid", json_schema_extra={"examples": [{"by": "ann"}]})

    capacity: Annotated[int, Field(ge=1, le=10_000)] | None = None
    by: By = None


CREATED = {**answers(Wrote, 400, 403, 404, 409, 422, 503), **answers(Wrote, status=201)}


@router.post("/v1/outreach", responses=CREATED)
def touch(asked: Touch, writer: Writing) -> Json:
    """201 where it is new, 200 where it was there already."""
    by, at = writer.caller.by(asked.by), instant(asked.at)

    def made() -> list[Entry]:
        return writing.touch(asked.account, by, asked.kind, asked.contact, at, asked.done, asked.outcome)

    return writer.add(by, asked.model_dump_json(), made)


@router.post("/v1/outreach/{touch:path}/done", responses=CREATED)
def done(touch: Thing, asked: Done, writer: Writing) -> Json:
    """409 where it was done already, at another time or by somebody else; 404 where nobody knows it."""
    events = [("done", None), *([] if asked.outcome is None else [("outcome", asked.outcome)])]
    return writer.follow("outreach", touch, events, asked.by, asked.at, asked.model_dump_json())


@router.post("/v1/outreach/{touch:path}/outcome", responses=CREATED)
def outcome(touch: Thing, asked: Outcome, writer: Writing) -> Json:
    """409 where it was not done yet, or something came of it already."""
    return writer.follow("outreach", touch, [("outcome", asked.outcome)], asked.by, asked.at, asked.model_dump_json())


@router.post("/v1/calls/plan", responses={**answers(Planned, 400, 403, 404, 503), **answers(Planned, status=201)})
def plan(asked: Plan, live: Loaded, writer: Writing) -> Json:
    """Write the list of calls down, once for each as_of: 201; where it is written down already nothing changes: 200."""
    by = writer.caller.by(asked.by)
    writer.caller.everybody()
    found = outreach.outreach(live.workspace, asked.capacity)
    new = outreach.plan(live.workspace, found, by)
    planned, held_out = (len(found.called), len(found.held_out)) if new else (0, 0)
    document = {"as_of": str(found.as_of), "planned": planned, "held_out": held_out, "new": new}
    return Json(document, 201 if new else 200)
