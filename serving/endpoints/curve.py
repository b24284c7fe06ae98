"""``GET /v1/accounts/{account}/curve``: the chance that an account is there still after so many days."""

from __future__ import annotations

from fastapi import APIRouter

from serving.endpoints import AccountId, Asking, Loaded, answers
from serving.scores.curves import curve as of_account
from serving.web.answers import Curve
from serving.web.guard import Json

SCOPE = "read"
OWNED = True
router = APIRouter()


@router.get("/v1/accounts/{account:path}/curve", responses=answers(Curve, 400, 404, 409, 503))
def curve(account: AccountId, live: Loaded, caller: Asking) -> Json:
    """As of the last day with data; it takes `propensity retention`."""
    caller.require(account)
    return Json(live.kept(("curve", account), lambda: of_account(live.workspace, account)).as_dict())
