"""A browser in front of the real service, over a company whose names are attacks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Request, Response, expect

from benchmarks.browser import opened
from benchmarks.every_page import every_page
from features.workspace import Workspace
from tests.browser.attacks import attacked
from tests.serving.conftest import launch, stop

WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 320, "height": 700}
SECONDS = 60
expect.set_options(timeout=1000 * SECONDS)  # a page may say first that it is being made, and look again
MAKING = 202


@dataclass
class Site:
    """A service over a workspace."""

    workspace: Workspace
    address: str


@dataclass
class Heard:
    """What a browser had to complain of; ``expected`` are statuses that a page of errors has by right."""

    address: str
    expected: set[int] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)

    def listen(self, tab: Page) -> Page:
        tab.on("console", self._console)
        tab.on("pageerror", lambda error: self._say("script", error))
        tab.on("requestfailed", self._failed)
        tab.on("request", self._asked)
        tab.on("response", self._answered)
        tab.on("dialog", self._dialog)
        return tab

    def _say(self, what: str, told: Any) -> None:
        self.complaints.append(f"{what}: {told}")

    def _console(self, message: ConsoleMessage) -> None:
        if not any(f"status of {status}" in message.text for status in self.expected):
            self._say("console", message.text)

    def _failed(self, request: Request) -> None:
        """But for what the browser itself gives up: a file to be kept, the rest of a page that is left."""
        if request.failure != "net::ERR_ABORTED":
            self._say("failed", f"{request.url}: {request.failure}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self.address, "data:")):
            self._say("foreign", request.url)

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self.expected:
            self._say(f"status {response.status}", response.url)

    def _dialog(self, dialog: Dialog) -> None:
        self._say("dialog", dialog.message)
        dialog.dismiss()


@pytest.fixture(scope="session")
def hostile(served: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return attacked(served, tmp_path_factory.mktemp("hostile") / "company")


@contextmanager
def serving(workspace: Workspace, log: Path, key: str = "") -> Iterator[Site]:
    """``key``: of whoever may see every page, where one is asked for."""
    server = launch(workspace, log)
    try:
        server.client.headers.update({"Authorization": f"Bearer {key}"} if key else {})
        while server.client.get("/readyz").status_code != 200:
            assert server.process.poll() is None, log.read_text(encoding="utf-8")
            time.sleep(0.1)
        for address in every_page({"account": "a"}).values():  # what takes long is made before it is looked at
            while server.client.get(address).status_code == MAKING:
                time.sleep(0.1)
        yield Site(workspace, f"http://127.0.0.1:{server.port}")
    finally:
        stop(server)


@pytest.fixture(scope="module")
def site(hostile: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Only read by tests, and open to whoever is on this machine."""
    with serving(hostile, tmp_path_factory.mktemp("log") / "server.log") as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Closed with its module: while it is open, nothing else in this process can run a loop of its own."""
    with opened() as found:
        yield found


Tab = Callable[..., Page]


@pytest.fixture
def heard(site: Site) -> Heard:
    return Heard(site.address)


@pytest.fixture
def tab(browser: Browser, site: Site, heard: Heard) -> Iterator[Tab]:
    """Makes tabs, each of a browser that knows nothing yet; whatever they complain of fails the test."""
    with ExitStack() as stack:

        def made(**given: Any) -> Page:
            context = browser.new_context(**({"base_url": site.address, "viewport": WIDE} | given))
            context.set_default_timeout(1000 * SECONDS)
            stack.callback(context.close)
            return heard.listen(context.new_page())

        yield made
    assert heard.complaints == []
