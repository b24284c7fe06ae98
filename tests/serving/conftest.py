"""The real server over the small company, and the application without one."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from features.workspace import Workspace, load
from serving.web import application as web
from serving.web.guard import Guard
from serving.web.live import Live
from tests import postgres

PATIENCE = 240


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """A PostgreSQL of the module's own, as the application store is told of it."""
    with postgres.postgresql() as url:
        yield url.replace("postgresql://", "postgresql+psycopg://")


class Server(SimpleNamespace):
    """The server's process, a client that talks to it, and what it wrote."""

    process: subprocess.Popen[bytes]
    client: httpx.Client
    port: int
    log: Path


def launch(workspace: Workspace, log: Path) -> Server:
    """``serve`` in a process of its own, on a free port; returns once it answers at all."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    code = (
        f"from pathlib import Path; from serving.start import serve; serve(Path({str(workspace.root)!r}), port={port})"
    )
    with log.open("wb") as out:
        process = subprocess.Popen([sys.executable, "-c", code], stdout=out, stderr=out, env=os.environ | {"TZ": "UTC"})
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE, trust_env=False)
    until = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < until:
        try:
            client.get("/livez")
            return Server(process=process, client=client, port=port, log=log)
        except httpx.TransportError:
            time.sleep(0.1)
    process.kill()
    raise AssertionError(f"the server did not come up: {log.read_text(encoding='utf-8')}")


def stop(server: Server) -> int:
    server.client.close()
    server.process.terminate()
    return server.process.wait(PATIENCE)


@pytest.fixture(scope="session")
def server(served: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = launch(served, tmp_path_factory.mktemp("log") / "server.log")
    yield running
    stop(running)


@pytest.fixture
def client(server: Server) -> httpx.Client:
    return server.client


LONG = 240


class Inside:
    """The guarded application without a server, asked one request after the other, from an address of choice."""

    def __init__(self, app: FastAPI, base_url: str = "http://127.0.0.1:3000") -> None:
        self.app, self.base_url = app, base_url

    def ask(self, method: str, path: str, key: str = "", client: str = "127.0.0.1", **rest: Any) -> httpx.Response:
        headers = dict(rest.pop("headers", {}))
        if key:
            headers["Authorization"] = f"Bearer {key}"

        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(Guard(self.app), client=(client, 4321))
            async with httpx.AsyncClient(transport=transport, base_url=self.base_url) as asking:
                return await asking.request(method, path, headers=headers, **rest)

        return asyncio.run(asked())

    def page(self, path: str, key: str = "") -> httpx.Response:
        """Once it is made; until then it says that it is being computed, and that the browser is to look again."""
        until = time.monotonic() + LONG
        while (found := self.ask("GET", path, key)).status_code == 202:
            assert time.monotonic() < until, found.text
            assert "being computed" in found.text
            assert found.headers["Refresh"] == found.headers["Retry-After"]
        assert "Refresh" not in found.headers
        return found


@pytest.fixture(scope="module")
def apart(served: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The workspace again, for keys of its own."""
    root = tmp_path_factory.mktemp("apart") / "copy"
    shutil.copytree(served.root, root, ignore=shutil.ignore_patterns("bentoml", "data"))
    return load(root)


@pytest.fixture(scope="module")
def inside(apart: Workspace) -> Inside:
    """The application over the copy, on loopback."""
    app = web.application()
    web.protect(app, apart, loopback=True)
    app.state.live = Live.load(apart)
    return Inside(app)
