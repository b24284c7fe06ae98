"""What surrounds every request: JSON only, headers, one line of log, metrics, and no trace in an answer."""

from __future__ import annotations

import logging
from time import perf_counter

from prometheus_client import CollectorRegistry, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from features.errors import PropensityError

LOG = logging.getLogger("propensity")
METRICS = CollectorRegistry()
SECONDS = Histogram(
    "propensity_request_seconds",
    "Time from request to the end of its answer, by route, never by path: paths hold account ids",
    ["method", "route", "status"],
    registry=METRICS,
)
HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")


def answer(error: PropensityError) -> JSONResponse:
    """The one shape of an error."""
    return JSONResponse(error.as_dict(), error.status)


class Guard:
    """ASGI middleware around the web application.

    It is no Starlette application, so BentoML hands it every path that is not its own, unknown ones too.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun, status = perf_counter(), 500

        async def dressed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        try:
            await (self.app if _is_json(scope) else answer(_not_json()))(scope, receive, dressed)
        except Exception:  # the application has answered 500 by now; the trace is for the log alone
            LOG.exception("%s %s failed", scope["method"], _route(scope))
        _record(scope, status, perf_counter() - begun)


def _is_json(scope: Scope) -> bool:
    """A body is taken only as application/json, which a form on a foreign page cannot send."""
    if scope["method"] != "POST":
        return True
    return Headers(scope=scope).get("content-type", "").split(";")[0].strip().lower() == "application/json"


def _not_json() -> PropensityError:
    return PropensityError(
        "the body is not declared as JSON", "Send it with the header Content-Type: application/json.", status=415
    )


def _record(scope: Scope, status: int, seconds: float) -> None:
    method = scope["method"] if scope["method"] in METHODS else "other"
    SECONDS.labels(method, _route(scope), status).observe(seconds)
    LOG.info("%s %s %d %.1f ms", method, _route(scope), status, 1000 * seconds)


def _route(scope: Scope) -> str:
    return getattr(scope.get("route"), "path", "") or "unknown"
