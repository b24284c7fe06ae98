"""Our service as it is, and in the same server two routes that do no work: one behind the guard, and a bare one."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from benchmarks.serving.cases import BARE, GUARDED
from serving.service import Propensity, application


async def nothing(_: Request) -> Response:
    return Response(b"{}", media_type="application/json")


class Bare:
    """ASGI middleware: the bare route, before anything of ours."""

    def __init__(self, app: ASGIApp) -> None:
        self.app, self.bare = app, Starlette(routes=[Route(BARE, nothing)])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        bare = scope["type"] == "http" and scope["path"] == BARE
        await (self.bare if bare else self.app)(scope, receive, send)


application().add_route(GUARDED, nothing)
Service: Any = Propensity
Service.middlewares.insert(0, (Bare, {}))
