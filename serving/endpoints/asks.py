"""``POST /v1/asks``, ``/v1/asks/{ask}/accepted``, ``/declined`` and ``/done``: asks for advocacy, one budget for all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from serving.endpoints import At, By, Short, Thing, Writing, answers, instant, situation_of
from serving.stores.log import Entry, Within
from serving.web.answers import Wrote
from serving.web.guard import Json
from serving.work.asking import ask

SCOPE = "write"
OWNED = True
CREATED = {**answers(Wrote, 400, 403, 404, 409, 422, 503), **answers(Wrote, status=201)}
Kind = Literal["social", "review", "community", "referral", "reference", "case study", "speaking"]
router = APIRouter()


class Ask(BaseModel):
    """``contact``: by default the one whom `advocates` names."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        json_schema_extra={"examples": [{"account": "account-0000042", "kind": "review", "by": "ann"}]},
    )

    account: Short
    kind: Kind
    contact: Short | None = None
    at: At = None
    by: By = None


class Answered(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", json_schema_extra={"examples": [{"by": "ann"}]})

    at: At = None
    by: By = None


@router.post("/v1/asks", responses=CREATED)
def make(asked: Ask, writer: Writing) -> Json:
    """409 where it may not be asked, naming every rule and the day on which that is over; no flag overrides it."""
    caller, at = writer.caller, instant(asked.at)
    by, live = caller.by(asked.by), caller.live
    caller.require(asked.account)

    def written(within: Within | None) -> tuple[Sequence[Entry], int]:
        now = situation_of(live)
        made = ask(now, asked.account, asked.kind, asked.contact, by, at, within)
        return [made], 1

    return writer.write(by, asked.model_dump_json(), written)


@router.post("/v1/asks/{ask:path}/accepted", responses=CREATED)
def accepted(ask: Thing, asked: Answered, writer: Writing) -> Json:
    """They said yes."""
    return writer.follow("ask", ask, [("accepted", None)], asked.by, asked.at, asked.model_dump_json())


@router.post("/v1/asks/{ask:path}/declined", responses=CREATED)
def declined(ask: Thing, asked: Answered, writer: Writing) -> Json:
    """They said no."""
    return writer.follow("ask", ask, [("declined", None)], asked.by, asked.at, asked.model_dump_json())


@router.post("/v1/asks/{ask:path}/done", responses=CREATED)
def done(ask: Thing, asked: Answered, writer: Writing) -> Json:
    """They did it."""
    return writer.follow("ask", ask, [("done", None)], asked.by, asked.at, asked.model_dump_json())
