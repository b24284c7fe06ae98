"""``GET /v1/alerts``: what calls for somebody's attention."""

from __future__ import annotations

from dataclasses import replace

from fastapi import APIRouter, Request
from starlette.responses import Response

from serving.endpoints import Asking, Loaded, Owner, answers
from serving.web.findings import Alerts
from serving.web.tags import Tag
from serving.work import alerts as all_of

SCOPE = "read"
OWNED = True
router = APIRouter()


@router.get("/v1/alerts", responses=answers(Alerts, 304, 400, 403, 404, 503))
def alerts(request: Request, live: Loaded, caller: Asking, owner: Owner = None) -> Response:
    """Each alert once, with its evidence, owner and deadline, what is at stake first. Reading raises none."""
    whose = caller.whose(owner)
    tag = Tag(request, live, caller.owner, written=True)
    if tag.known:
        return tag.unchanged()
    watch = live.kept("watch", lambda: all_of.Watch.of(live.workspace), long=True, log=False)
    found = live.kept("alerts", lambda: all_of.alerts(live.workspace, write=False, watch=watch.by_now()))
    if whose is not None:
        found = all_of.of_owner(live.workspace, found, whose)
    if caller.owner is not None:
        found = replace(found, snoozed=0)  # how many are is told of everybody alone
    return tag.on(found.as_dict())
