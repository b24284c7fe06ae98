"""``GET /v1/accounts/{account}/history``: its scores as they were shown, and the version that made each."""

from __future__ import annotations

from fastapi import APIRouter

from serving.endpoints import AccountId, Asking, Loaded, answers
from serving.scores.history import history as of_account
from serving.web.accounts import History
from serving.web.freshness import told
from serving.web.guard import Json

SCOPE = "read"
OWNED = True
router = APIRouter()


@router.get("/v1/accounts/{account:path}/history", responses=answers(History, 404, 503))
def history(account: AccountId, live: Loaded, caller: Asking) -> Json:
    """One for each as_of that was scored. What is ``replayable`` can be made again: `/v1/scores/{score_id}/replay`."""
    caller.require(account)
    workspace = live.workspace
    outcomes = {
        outcome: [
            told(workspace, one.score) | {"made_at": one.made_at.isoformat(), "replayable": one.replayable}
            for one in made
        ]
        for outcome, made in of_account(workspace, account).items()
    }
    name = live.kept.log.store.names([account]).get(account, account)
    return Json({"account": account, "name": name, "owner": live.owners[account], "outcomes": outcomes})
