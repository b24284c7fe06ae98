"""``GET /v1/accounts/{account}/people``: who is there as of a date, in which role, and through whom all contact goes."""

from __future__ import annotations

from fastapi import APIRouter

from serving.endpoints import AccountId, Asking, AsOf, Loaded, answers, day_of
from serving.web.accounts import People
from serving.web.guard import Json
from serving.work.contacts import people as of_account

SCOPE = "read"
OWNED = True
router = APIRouter()


@router.get("/v1/accounts/{account:path}/people", responses=answers(People, 400, 404, 503))
def people(account: AccountId, live: Loaded, caller: Asking, as_of: AsOf = None) -> Json:
    """Everybody we had heard of by then, those who have left last; what nobody knew yet counts for nothing."""
    caller.require(account)
    day = day_of(as_of)
    return Json(live.kept(("people", account, day), lambda: of_account(live.workspace, account, day).as_dict()))
