"""The web application: endpoints, and one shape for every error."""

from __future__ import annotations

import gc
import logging
import os

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from features.errors import PropensityError
from features.workspace import Workspace
from serving import pages
from serving.endpoints import (
    account,
    advocates,
    alerts,
    asked,
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
    history,
    initiative,
    judged,
    levers,
    lists,
    log,
    models,
    movement,
    now,
    opinions,
    opt_outs,
    outreach,
    overrides,
    people,
    portfolio,
    programme,
    quality,
    score,
    scores,
    search,
    signals,
    standing,
    states,
    stored,
    stories,
    stream,
    timeline,
    what_if,
    worth,
)
from serving.stores.audit import Audit
from serving.stores.keys import Keys
from serving.stores.sessions import Sessions
from serving.stores.store import Store, is_down, unreached
from serving.web import html
from serving.web.admission import admission
from serving.web.backroom import UNEXPECTED
from serving.web.door import LOOPBACK, Door
from serving.web.gauges import HELD
from serving.web.guard import METRICS, Protection, answer
from serving.web.journal import log_to_stderr
from serving.web.live import Live
from serving.web.openapi import described
from serving.web.ready import Ready
from serving.web.reception import Reception
from serving.web.watch import Watcher

LOG = logging.getLogger("propensity")

ENDPOINTS = (
    score,
    stream,
    features,
    account,
    now,
    scores,
    stored,
    explain,
    movement,
    what_if,
    levers,
    curve,
    search,
    signals,
    people,
    timeline,
    history,
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
    asked,
    asks,
    models,
    judged,
    champions,
    quality,
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
    for page in pages.modules():
        asked = [] if page.SCOPE is None else [Depends(admission(page))]
        app.include_router(page.router, dependencies=asked, include_in_schema=False)
    app.include_router(html.router)
    app.include_router(_metrics)
    described(app, ENDPOINTS)
    HELD.app = app
    app.add_middleware(Ready)
    app.add_exception_handler(PropensityError, _told)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(SQLAlchemyError, _stored)
    app.add_exception_handler(Exception, _failed)
    return app


def start(app: FastAPI, workspace: Workspace) -> Watcher:
    """Load the workspace, and follow it from then on."""
    log_to_stderr()
    put_together(app)
    workspace.store_seconds = workspace.config.service.store_seconds
    loopback = os.environ.get(LOOPBACK) == "yes"

    def guarded() -> None:
        if getattr(app.state, "protection", None) is None:
            protect(app, workspace, loopback).watch()

    watcher = Watcher(app, workspace, guarded, account.prepare, _settle)
    watcher.begin()
    watcher.watch(workspace.config.service.watch_seconds)
    return watcher


def put_together(app: FastAPI) -> None:
    """Every route: FastAPI does it when one is looked for, and whoever came first would wait a second."""
    for route in app.routes:
        route.matches({"type": "http", "method": "GET", "path": "/", "headers": []})


def _settle() -> None:
    """What was replaced is let go, and what is there stays, so the garbage collector need not walk it again."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def ready(app: FastAPI) -> bool:
    """Something is loaded, and nothing that is there is unusable."""
    live: Live | None = getattr(app.state, "live", None)
    return live is not None and live.ready


def protect(app: FastAPI, workspace: Workspace, loopback: bool) -> Protection:
    """Let in who may come in, from now on; ``loopback``: nobody but this machine can reach the service.

    Where it has a public address, others reach it through something on this machine, whatever their requests look like.
    """
    store, login = Store(workspace), workspace.config.login
    door = Door(Keys(store), loopback and login.public_url is None)
    reception = Reception(door, Sessions(store), login)
    app.state.protection = made = Protection(door, reception, Audit(store), workspace.config.service)
    return made


_metrics = APIRouter()


@_metrics.get("/metrics", include_in_schema=False)
def metrics() -> Response:
    return Response(generate_latest(METRICS), media_type=CONTENT_TYPE_LATEST)


async def _told(request: Request, error: Exception) -> Response:
    assert isinstance(error, PropensityError)
    return answer(request.scope, error)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return answer(request.scope, html.invalid(error.errors()))


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message, hint = TOLD.get(error.status_code, (str(error.detail), "See /v1/openapi.json."))
    made = answer(request.scope, PropensityError(message, hint, status=error.status_code))
    made.headers.update(error.headers or {})
    return made


async def _stored(request: Request, error: Exception) -> Response:
    """The store is down: 503. Anything else about it is a mistake of ours: 500, and the log says which."""
    if not is_down(error):
        raise error
    LOG.error("the application store cannot be reached: %s", type(error).__name__)
    return answer(request.scope, unreached(error))


async def _failed(request: Request, _: Exception) -> Response:
    return answer(request.scope, UNEXPECTED)
