"""People who look at pages: the application without a model, with a page and a form of its own, and browsers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import httpx
from fastapi import APIRouter, Depends, FastAPI, Form, Request
from starlette.datastructures import State

from features.settings.login import Login
from features.workspace import Workspace
from serving.stores.audit import Audit
from serving.stores.keys import Key, Keys
from serving.stores.sessions import Sessions
from serving.stores.store import Store
from serving.web import application as web
from serving.web.admission import admission
from serving.web.door import Door
from serving.web.guard import Protection, Visit
from serving.web.reception import Reception
from tests import company
from tests.serving.inside import Inside

HOME = "http://127.0.0.1"
PUBLIC = "https://propensity.example"


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 2, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def go(self, **by: float) -> None:
        self.at += timedelta(**by)


@dataclass
class House:
    """A service with its keys, sessions and clock."""

    app: FastAPI
    keys: Keys
    sessions: Sessions
    protection: Protection
    clock: Clock

    def key(self, name: str, scope: str = "write", owner: str | None = None) -> str:
        made = self.keys.create(name, scope, owner)[1]
        self.protection.refresh()
        return made

    def browser(self, base_url: str = HOME, **headers: str) -> httpx.Client:
        return httpx.Client(transport=Inside(self.app), base_url=base_url, headers=headers)

    def logged_in(self, key: str, base_url: str = HOME) -> httpx.Client:
        browser = self.browser(base_url)
        answer = browser.post("/app/login", data={"key": key, "to": "/app/test"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/app/test"), answer.text
        return browser


def house(workspace: Workspace, login: Login | None = None, loopback: bool = False) -> House:
    store, clock = Store(workspace), Clock()
    door, sessions = Door(Keys(store), loopback), Sessions(store)
    reception = Reception(door, sessions, login or Login(attempts_per_minute=0), clock)
    app = _application()
    app.state = State()
    app.state.protection = Protection(door, reception, Audit(store), workspace.config.service)
    return House(app, Keys(store), sessions, app.state.protection, clock)


@cache
def _application() -> FastAPI:
    """One for all houses, of which there is one at a time: it takes its routes a second to be ready."""
    app = web.application()
    for scope in ("read", "write"):
        made = _page(scope)
        app.include_router(made.router, dependencies=[Depends(admission(made))])
    return app


def small(root: Path) -> Workspace:
    return company.found(root, accounts=3)


def _page(scope: str) -> ModuleType:
    """Tells who is there: read by GET, written by POST."""
    made = ModuleType(scope)
    made.SCOPE, made.OWNED, made.router = scope, True, APIRouter()  # type: ignore[attr-defined]

    def tell(request: Request, said: Annotated[str, Form()] = "") -> dict[str, Any]:
        visit: Visit = request.state.visit
        key = visit.key
        assert isinstance(key, Key)
        return {"name": key.name, "scope": key.scope, "owner": key.owner, "token": visit.token, "said": said}

    def look(request: Request) -> dict[str, Any]:
        return tell(request)

    if scope == "read":
        made.router.get("/app/test")(look)
    else:
        made.router.post("/app/test")(tell)
        made.router.get("/v1/test")(look)
    return made
