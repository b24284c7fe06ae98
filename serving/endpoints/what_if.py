"""``POST /v1/accounts/{account}/what-if``: what the model would say if something we can act on were otherwise."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from serving.endpoints import AccountId, Asking, Loaded, answers
from serving.scores.what_if import what_if as ask
from serving.web.answers import WhatIf
from serving.web.guard import Json

SCOPE = "read"
OWNED = True
router = APIRouter()


class Otherwise(BaseModel):
    model_config = ConfigDict(
        strict=True, extra="forbid", json_schema_extra={"examples": [{"outcome": "churn", "changes": {"touches": 3}}]}
    )

    changes: Annotated[
        dict[str, Annotated[float, Field(allow_inf_nan=False)]],
        Field(min_length=1, max_length=20, description="Feature → number; of a feature with windows, the shortest."),
    ]
    outcome: Annotated[str | None, Field(description="One outcome; by default all.")] = None


@router.post("/v1/accounts/{account:path}/what-if", responses=answers(WhatIf, 400, 404, 409, 410, 503))
def what_if(account: AccountId, asked: Otherwise, live: Loaded, caller: Asking) -> Json:
    """No promise that acting does it. What cannot be set, or was never seen in training, is refused and says why."""
    caller.require(account)
    found = ask(live.workspace, account, asked.changes, asked.outcome)
    return Json({"account": account, "outcomes": [one.as_dict() for one in found]})
