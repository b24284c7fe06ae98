"""``POST /v1/opt-outs``: an account asked not to be called, or took that back."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from serving.endpoints import At, By, Short, Writing, answers, instant
from serving.web.answers import Wrote
from serving.web.guard import Json
from serving.work import writing

SCOPE = "write"
OWNED = True
router = APIRouter()


class OptOut(BaseModel):
    """``back``: they may be called again."""

    model_config = ConfigDict(
        strict=True, extra="forbid", json_schema_extra={"examples": [{"account": "account-0000042", "by": "ann"}]}
    )

    account: Short
    back: bool = False
    at: At = None
    by: By = None


@router.post("/v1/opt-outs", responses={**answers(Wrote, 400, 403, 404, 409, 422, 503), **answers(Wrote, status=201)})
def opt_out(asked: OptOut, writer: Writing) -> Json:
    """From then on nobody is told to call it, nor to ask it; 409 where it has opted out already."""
    by, at, log = writer.caller.by(asked.by), instant(asked.at), writer.caller.live.kept.log
    return writer.add(by, asked.model_dump_json(), lambda: [writing.opt_out(log, asked.account, by, asked.back, at)])
