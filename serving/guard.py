"""What surrounds every request: JSON only, headers, one line of log, metrics, and no trace in an answer."""

from __future__ import annotations

import json
import logging
from time import perf_counter
from typing import Any

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
MOST_BYTES = 2_000_000
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")


class Json(JSONResponse):
    """JSON in ASCII, so that no text that JSON can carry fails to be encoded; floats as Python writes them, exactly."""

    def render(self, content: Any) -> bytes:
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode("ascii")


TOO_LARGE = PropensityError(
    f"the body is larger than {MOST_BYTES:,} bytes", "Split it over several requests.", status=413
)
NOT_JSON = PropensityError(
    "the body is not declared as JSON", "Send it with the header Content-Type: application/json.", status=415
)


def answer(error: PropensityError) -> Json:
    """The one shape of an error."""
    return Json(error.as_dict(), error.status)


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
            refusal = _refusal(scope)
            await (answer(refusal) if refusal else self.app)(scope, receive, dressed)
        except Exception:  # the application has answered 500 by now; the trace is for the log alone
            LOG.exception("%s %s failed", scope["method"], _route(scope))
        _record(scope, status, perf_counter() - begun)


def _refusal(scope: Scope) -> PropensityError | None:
    """What can be said before the body is read: a foreign page's form, for one, cannot declare its body as JSON."""
    headers = Headers(scope=scope)
    if int(headers.get("content-length", "0")) > MOST_BYTES:
        return TOO_LARGE
    kind = headers.get("content-type", "").split(";")[0].strip().lower()
    return NOT_JSON if scope["method"] == "POST" and kind != "application/json" else None


def _record(scope: Scope, status: int, seconds: float) -> None:
    method = scope["method"] if scope["method"] in METHODS else "other"
    SECONDS.labels(method, _route(scope), status).observe(seconds)
    LOG.info("%s %s %d %.1f ms", method, _route(scope), status, 1000 * seconds)


def _route(scope: Scope) -> str:
    return getattr(scope.get("route"), "path", "") or "unknown"
