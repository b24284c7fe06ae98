"""``GET /v1/accounts/{account}/signals``: every signal of an account as of a date, with its age and source."""

from __future__ import annotations

from fastapi import APIRouter

from serving.endpoints import AccountId, Asking, AsOf, Loaded, answers, day_of
from serving.web.accounts import Signals
from serving.web.guard import Json
from serving.work.signals import signals as of_account

SCOPE = "read"
OWNED = True
router = APIRouter()


@router.get("/v1/accounts/{account:path}/signals", responses=answers(Signals, 400, 404, 409, 503))
def signals(account: AccountId, live: Loaded, caller: Asking, as_of: AsOf = None) -> Json:
    """From the frame of that date, the last one by default; a date without a frame is refused, and those there are named."""
    caller.require(account)
    day = day_of(as_of)
    found = live.kept(("signals", account, day), lambda: of_account(live.workspace, account, day).as_dict(), log=False)
    return Json(found)
