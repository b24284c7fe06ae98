"""The application asked without a server: as fast as it gets, the same code but for BentoML."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import httpx
from fastapi import FastAPI

from features.workspace import Workspace
from serving.web import application as web
from serving.web.guard import Guard
from serving.web.live import Live

T = TypeVar("T")


def application(workspace: Workspace) -> FastAPI:
    """With the workspace loaded, nothing frozen, and open to this machine."""
    app = web.application()
    web.protect(app, workspace, loopback=True)
    app.state.live = Live.load(workspace)
    return app


class Inside(httpx.BaseTransport):
    """Hands requests of a client to the application."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        self.asgi = httpx.ASGITransport(app=Guard(app), raise_app_exceptions=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        async def asked() -> httpx.Response:
            asynchronous = httpx.Request(
                request.method,
                request.url,
                headers=request.headers,
                content=request.read(),
                extensions=request.extensions,
            )
            answer = await self.asgi.handle_async_request(asynchronous)
            content = await answer.aread()
            return httpx.Response(answer.status_code, headers=answer.headers, content=content)

        return asyncio.run(asked())


def client(app: FastAPI) -> httpx.Client:
    return httpx.Client(transport=Inside(app), base_url="http://127.0.0.1")


def together(app: FastAPI, requests: Callable[[httpx.AsyncClient], list[Awaitable[T]]]) -> list[T]:
    """Several requests at once."""

    async def all_of_them() -> Any:
        transport = httpx.ASGITransport(app=Guard(app))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as asking:
            return await asyncio.gather(*requests(asking))

    found: list[T] = asyncio.run(all_of_them())
    return found
