"""The web application: endpoints, and one shape for every error."""

from __future__ import annotations

import gc
import logging
import sys

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException

from features.errors import PropensityError
from features.workspace import Workspace
from serving.endpoints import (
    account,
    advocates,
    asks,
    calls,
    champions,
    curve,
    eligibility,
    explain,
    features,
    health,
    lists,
    log,
    models,
    movement,
    opinions,
    opt_outs,
    outreach,
    overrides,
    score,
    scores,
    stored,
    what_if,
)
from serving.guard import METRICS, MOST_BYTES, TOO_LARGE, answer
from serving.live import Live
from serving.openapi import described

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
    413: (TOO_LARGE.message, TOO_LARGE.hint),  # without a declared length, it shows only while the body is read
}


def application() -> FastAPI:
    """The application, with nothing loaded: until ``start`` it answers 503."""
    app = FastAPI(
        title="propensity",
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        max_body_size=MOST_BYTES,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    for endpoint in ENDPOINTS:
        app.include_router(endpoint.router)
    app.include_router(_metrics)
    described(app, ENDPOINTS)
    app.add_exception_handler(PropensityError, _told)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(Exception, _failed)
    return app


def start(app: FastAPI, workspace: Workspace) -> Live:
    """Load the workspace; what is loaded stays, so the garbage collector need not walk it again."""
    log_to_stderr()
    live = Live.load(workspace)
    app.state.live = live
    gc.collect()
    gc.freeze()
    return live


def log_to_stderr() -> None:
    log = logging.getLogger("propensity")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log.handlers, log.propagate = [handler], False
    log.setLevel(logging.INFO)


_metrics = APIRouter()


@_metrics.get("/metrics", include_in_schema=False)
def metrics() -> Response:
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
