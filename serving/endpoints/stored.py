"""``GET /v1/scores/{score_id}``, and ``/replay``: a score as it was shown, and made again from what was kept."""

from __future__ import annotations

from fastapi import APIRouter

from serving.endpoints import Asking, Loaded, ScoreId, answers
from serving.scores.replay import replay as again
from serving.web.answers import Replayed, Told
from serving.web.freshness import told
from serving.web.guard import Json

SCOPE = "read"
OWNED = True
router = APIRouter()


@router.get("/v1/scores/{score_id}", responses=answers(Told, 400, 404, 503))
def stored(score_id: ScoreId, live: Loaded, caller: Asking) -> Json:
    """Whatever batch it was of."""
    found = live.kept.log.store.score(score_id)
    caller.require(found.account)
    return Json(told(live.workspace, found))


@router.get("/v1/scores/{score_id}/replay", responses=answers(Replayed, 400, 404, 410, 503))
def replay(score_id: ScoreId, live: Loaded, caller: Asking) -> Json:
    """Exact, or what differs; an input that is gone is named (400 where it can be built again, 410 where it was erased)."""
    caller.require(live.kept.log.store.score(score_id).account)
    made = again(live.workspace, score_id)
    return Json(
        {
            "identical": made.identical,
            "differences": made.differences,
            "stored": told(live.workspace, made.stored),
            "again": made.again.as_dict(),
        }
    )
