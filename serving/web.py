"""The web application: endpoints, and one shape for every error."""

from __future__ import annotations

import gc
import os

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException

from features.errors import PropensityError
from features.workspace import Workspace
from serving import gauges
from serving.admission import admission
from serving.audit import Audit
from serving.door import Door
from serving.endpoints import (
    account,
    advocates,
    alerts,
    asks,
    attended,
    beacon,
    calls,
    champions,
    curve,
    effect,
    eligibility,
    explain,
    features,
    health,
    initiative,
    lists,
    log,
    models,
    movement,
    opinions,
    opt_outs,
    outreach,
    overrides,
    portfolio,
    programme,
    score,
    scores,
    standing,
    states,
    stored,
    stories,
    what_if,
    worth,
)
from serving.guard import METRICS, Protection, answer
from serving.journal import log_to_stderr
from serving.keys import Keys
from serving.live import Live
from serving.openapi import described
from serving.ready import Ready
from serving.store import Store

LOOPBACK = "PROPENSITY_LOOPBACK"
"""Set by ``serving.service.serve`` where nobody but this machine can reach the service; else nobody gets in without a key."""

ENDPOINTS = (
    score,
    features,
    account,
    scores,
    stored,
    explain,
    movement,
    what_if,
    curve,
    lists,
    calls,
    advocates,
    eligibility,
    alerts,
    attended,
    states,
    standing,
    portfolio,
    programme,
    stories,
    effect,
    beacon,
    worth,
    initiative,
    overrides,
    log,
    outreach,
    opt_outs,
    opinions,
    asks,
    models,
    champions,
    health,
)
TOLD = {
    400: ("the body cannot be read", "Send one JSON document in UTF-8, nested a few levels at most."),
    404: ("there is nothing at this path", "The paths are listed in /v1/openapi.json."),
    405: ("this path does not take this method", "The methods of each path are listed in /v1/openapi.json."),
}


def application() -> FastAPI:
    """The application, with nothing loaded: until ``start`` it answers 503."""
    app = FastAPI(
        title="propensity",
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    for endpoint in ENDPOINTS:
        app.include_router(endpoint.router, dependencies=[Depends(admission(endpoint))])
    app.include_router(_metrics)
    described(app, ENDPOINTS)
    app.add_middleware(Ready)
    app.add_exception_handler(PropensityError, _told)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(Exception, _failed)
    return app


def start(app: FastAPI, workspace: Workspace) -> Live:
    """Load the workspace; what is loaded stays, so the garbage collector need not walk it again."""
    log_to_stderr()
    protect(app, workspace, loopback=os.environ.get(LOOPBACK) == "yes").watch()
    live = Live.load(workspace)
    account.prepare(live)
    app.state.live = live
    gc.collect()
    gc.freeze()
    return live


def protect(app: FastAPI, workspace: Workspace, loopback: bool) -> Door:
    """Let in who may come in, from now on; ``loopback``: nobody but this machine can reach the service."""
    store = Store(workspace)
    door = Door(Keys(store), loopback)
    app.state.protection = Protection(door, Audit(store), workspace.config.service)
    return door


_metrics = APIRouter()


@_metrics.get("/metrics", include_in_schema=False)
def metrics(request: Request) -> Response:
    if isinstance(live := getattr(request.app.state, "live", None), Live):
        gauges.tell(live)
    return Response(generate_latest(METRICS), media_type=CONTENT_TYPE_LATEST)


async def _told(_: Request, error: Exception) -> Response:
    assert isinstance(error, PropensityError)
    return answer(error)


async def _invalid(_: Request, error: Exception) -> Response:
    """What pydantic refused, as 400; the input itself is not repeated."""
    assert isinstance(error, RequestValidationError)
    found = [f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors()]
    more = f" (and {len(found) - 5} more)" if len(found) > 5 else ""
    return answer(
        PropensityError("; ".join(found[:5]) + more, "What an endpoint takes is described in /v1/openapi.json.")
    )


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message, hint = TOLD.get(error.status_code, (str(error.detail), "See /v1/openapi.json."))
    made = answer(PropensityError(message, hint, status=error.status_code))
    made.headers.update(error.headers or {})
    return made


async def _failed(_: Request, __: Exception) -> Response:
    return answer(
        PropensityError("something unexpected went wrong", "The log of the service, on stderr, says what.", status=500)
    )
