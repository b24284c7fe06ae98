"""``GET /v1/accounts/{account}/levers``: what a what-if of an account can be about, and within what."""

from __future__ import annotations

import math

from fastapi import APIRouter

from serving.endpoints import AccountId, Asking, Loaded, answers
from serving.scores.what_if import levers as of_account
from serving.web.accounts import Levers
from serving.web.guard import Json
from training.what_if import Lever

SCOPE = "read"
OWNED = True
router = APIRouter()


@router.get("/v1/accounts/{account:path}/levers", responses=answers(Levers, 404, 409, 410, 503))
def levers(account: AccountId, live: Loaded, caller: Asking) -> Json:
    """Features that we could act on, as they are now, with the range in which each model has seen them."""
    caller.require(account)
    found = live.kept(("levers", account), lambda: of_account(live.workspace, account), log=False)
    return Json(
        {"account": account, "outcomes": {outcome: list(map(_told, levers)) for outcome, levers in found.items()}}
    )


def _told(lever: Lever) -> dict[str, object]:
    column = lever.column
    return {
        "name": column.declaration.name,
        "column": column.name,
        "doc": column.declaration.doc,
        "unit": column.declaration.unit,
        "window_days": column.window or None,
        "now": None if math.isnan(lever.now) else lever.now,
        "low": lever.low,
        "high": lever.high,
        "whole": lever.whole,
    }
