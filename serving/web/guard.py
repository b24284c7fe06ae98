"""What surrounds every request: who asks, how much at once, strict JSON, headers, one line of log, metrics, audit."""

from __future__ import annotations

import json
import logging
import re
import secrets
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from fastapi import FastAPI
from prometheus_client import CollectorRegistry, Gauge, Histogram
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from features.errors import PropensityError
from features.settings.service import Service
from serving.stores.audit import Audit
from serving.stores.keys import ANYBODY, Key
from serving.web import html
from serving.web.body import FULL, NOT_JSON, Bodies, HungUpError, again, checked
from serving.web.door import Door, at_home
from serving.web.reception import Guest, Reception, SeeOther, attempt
from serving.web.room import Rate, Room, too_often

LOG = logging.getLogger("propensity")
METRICS = CollectorRegistry()
SECONDS = Histogram(
    "propensity_request_seconds",
    "Time from request to the end of its answer, by route, never by path: paths hold account ids",
    ["method", "route", "status"],
    registry=METRICS,
)
AT_WORK = Gauge("propensity_requests_at_work", "Requests that are being answered", registry=METRICS)
WAITING = Gauge("propensity_requests_waiting", "Requests that wait for room", registry=METRICS)
HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"cache-control": b"no-store",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"referrer-policy": b"no-referrer",
    b"x-frame-options": b"DENY",
    b"cross-origin-resource-policy": b"same-origin",
}
"""Of every answer, unless it says otherwise itself."""
LATE = (b"warning", b'111 propensity "registry or store out of reach: from what was good last"')
"""Of what is answered while nobody can know whether there is something newer."""
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
BRINGING = ("POST", "PUT", "PATCH", "DELETE")
"""Methods whose body is read."""
HEALTH = ("/livez", "/readyz", "/healthz")
"""BentoML's own, and the only paths of its own that are reached."""
METRICS_PATH = "/metrics"
REFRESH_SECONDS = 2.0
"""A key that is made or revoked, and a session that another process ends, counts within this time."""
RETRY_SECONDS = 5
"""After how long to ask again for what cannot be answered now."""
SANE = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Json(JSONResponse):
    """JSON in ASCII, so that no text that JSON can carry fails to be encoded; floats as Python writes them, exactly."""

    def render(self, content: Any) -> bytes:
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode("ascii")


LOADING = PropensityError("the service is still loading", "Ask again once /readyz answers 200.", status=503)
NUL = PropensityError("the address has a NUL in it", "Leave it out: no id has one.")


def answer(scope: Scope, error: PropensityError, retry: int | None = None) -> Response:
    """The one shape of an error, or under ``APP`` its page; ``retry``: after how many seconds to ask again."""
    made: Response = html.problem(error) if of_pages(scope) else Json(error.as_dict(), error.status)
    if retry is None and error.status == 503:
        retry = RETRY_SECONDS
    if retry is not None:
        made.headers["Retry-After"] = str(retry)
    if error.status == 401:
        made.headers["WWW-Authenticate"] = "Bearer"
    return made


def of_pages(scope: Scope) -> bool:
    """Whether it is a page that is asked for."""
    path: str = scope["path"]
    return path in {"/", html.APP} or path.startswith(f"{html.APP}/")


@dataclass
class Visit:
    """A request while it is here. ``write_down`` is there once it is known to write: it takes the status. ``token`` is what
    a form has to bring back.
    """

    request: str
    key: Key | None = None
    token: str = ""
    write_down: Callable[[int | None], Awaitable[None]] | None = None


class Protection:
    """What guards one workspace's service: keys, sessions, limits, and the audit log."""

    def __init__(self, door: Door, reception: Reception, audit: Audit, settings: Service) -> None:
        self.door, self.reception, self.audit, self.settings = door, reception, audit, settings
        self.room, self.rate, self.bodies = Room(settings), Rate(settings.requests_per_minute), Bodies()
        self.logins = Rate(reception.settings.attempts_per_minute)
        AT_WORK.set_function(lambda: self.room.at_work)
        WAITING.set_function(lambda: self.room.waiting)

    def refresh(self) -> None:
        self.door.refresh()
        self.reception.refresh()

    def watch(self, seconds: float = REFRESH_SECONDS) -> None:
        """Read keys and sessions again and again, beside the requests."""

        def again() -> None:
            while True:
                time.sleep(seconds)
                self.refresh()

        threading.Thread(target=again, name="keys", daemon=True).start()


class Front:
    """BentoML's own answers about health; every other path, also those that BentoML would answer, is ours."""

    def __init__(self, app: ASGIApp, ours: ASGIApp) -> None:
        self.app, self.ours = app, ours

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        bentos = scope["type"] == "lifespan" or (scope["type"] == "http" and scope["path"] in HEALTH)
        await (self.app if bentos else self.ours)(scope, receive, send)


class Guard:
    """ASGI middleware around the web application; ``app.state.protection`` is there once a workspace is loaded."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"")
        visit = Visit(given.decode("ascii") if SANE.fullmatch(given) else secrets.token_hex(8))
        dressed = _Dressed(send, visit, getattr(getattr(self.app.state, "live", None), "unreached", None) is not None)
        begun = perf_counter()
        try:
            await self._guarded(scope, headers, receive, dressed, visit)
        except HungUpError:
            dressed.status = 499
        except SeeOther as other:
            await RedirectResponse(other.location, 303)(scope, receive, dressed)
        except PropensityError as refusal:
            retry = 1 if refusal is FULL or refusal is LOADING else None
            await answer(scope, refusal, retry)(scope, receive, dressed)
        except Exception as error:  # the application has answered 500 by now; the trace is for the log alone
            LOG.exception("%s %s failed", scope["method"], _route(scope), exc_info=error)
        _record(scope, visit, dressed.status, perf_counter() - begun)

    async def _guarded(
        self, scope: Scope, headers: Mapping[bytes, bytes], receive: Receive, send: _Dressed, visit: Visit
    ) -> None:
        protection: Protection | None = getattr(self.app.state, "protection", None)
        if protection is None:
            raise LOADING.with_traceback(None)
        client = (scope.get("client") or ("",))[0]
        guest: Guest | None = None
        if of_pages(scope):
            guest = protection.reception.enter(scope, headers, client)
            visit.key, visit.token = guest.key, guest.token
        elif scope["path"] == METRICS_PATH and at_home(headers, client):
            visit.key = ANYBODY
        else:
            visit.key = protection.door.enter(scope["method"], headers, client)
        if (late := _too_often(protection, scope, visit.key, client)) is not None:
            await answer(scope, *late)(scope, receive, send)
            return
        scope["state"] = {**scope.get("state", {}), "visit": visit, "key": visit.key, "guest": guest}
        if "\0" in scope["path"] or b"%00" in scope["query_string"]:
            raise NUL.with_traceback(None)
        if scope["method"] in BRINGING:
            receive = await self._body(scope, headers, receive, protection, guest)
        if scope["path"] == METRICS_PATH:
            await self.app(scope, receive, send)
            return
        await protection.room.enter()
        send.leave = protection.room.leave
        try:
            await self.app(scope, receive, send)
        finally:
            send.left()

    async def _body(
        self,
        scope: Scope,
        headers: Mapping[bytes, bytes],
        receive: Receive,
        protection: Protection,
        guest: Guest | None,
    ) -> Receive:
        """What was sent along, read and checked; left unread where nobody takes it by this method: that is told then."""
        seconds = protection.settings.body_seconds
        try:
            body = await protection.bodies.bring(scope["method"], headers, receive, seconds, form=guest is not None)
        except PropensityError as refusal:
            if refusal is not NOT_JSON or _taken(self.app, scope):
                raise
            return receive
        await (checked(body) if guest is None else protection.reception.check(guest, scope["path"], body))
        return again(body, receive)


class _Dressed:
    """What sends: adds headers, notes the status, writes down what was written, and makes room once all is handed over,
    so that nobody who reads slowly keeps a place.
    """

    def __init__(self, send: Send, visit: Visit, late: bool) -> None:
        self.send, self.visit, self.late = send, visit, late
        self.status = 500
        self.leave: Any = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            said = {name for name, _ in message["headers"]}
            more = [header for header in HEADERS.items() if header[0] not in said]
            if self.late and self.status < 400:
                more.append(LATE)
            message["headers"] = [*message["headers"], *more, (b"x-request-id", self.visit.request.encode())]
            await self._written()
        elif not message.get("more_body", False):
            self.left()
        await self.send(message)

    async def _written(self) -> None:
        """That it came is written down already, so where this fails it is known that what became of it is not."""
        try:
            if self.visit.write_down is not None:
                await self.visit.write_down(self.status)
        except PropensityError as error:
            LOG.error("the audit log does not know how request %s ended: %s", self.visit.request, error.hint)

    def left(self) -> None:
        if self.leave is not None:
            self.leave()
            self.leave = None


def _too_often(
    protection: Protection, scope: Scope, key: Key | None, client: str
) -> tuple[PropensityError, int] | None:
    """What is told of who asks more often than they may, and when to ask again; by address while they are nobody yet."""
    who, limit = ("address", client) if key is None else ("key", key.id), protection.settings.requests_per_minute
    if key is not ANYBODY and (wait := protection.rate.ask(" ".join(who))) is not None:
        return too_often(limit, who[0]), wait
    if attempt(scope) and (wait := protection.logins.ask(client)) is not None:
        return too_often(protection.reception.settings.attempts_per_minute, "address"), wait
    return None


def _taken(app: FastAPI, scope: Scope) -> bool:
    """Whether there is something at this path for this method."""
    return any(route.matches(scope)[0] is Match.FULL for route in app.router.routes)


def _record(scope: Scope, visit: Visit, status: int, seconds: float) -> None:
    method = scope["method"] if scope["method"] in METHODS else "other"
    route = _route(scope)
    SECONDS.labels(method, route, status).observe(seconds)
    told = {"request": visit.request, "key": visit.key.name if visit.key else None, "method": method, "route": route}
    LOG.info("request", extra={"told": told | {"status": status, "ms": round(1000 * seconds, 2)}})


def _route(scope: Scope) -> str:
    return getattr(scope.get("route"), "path", "") or "unknown"
