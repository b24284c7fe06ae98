"""Pages for people: one file each, with its template; a new one is a file here with a ``router`` and a ``PAGE``.

A page lays out what endpoints answer: it asks them in this process (``answered``), as whoever is logged in, and has no
number of its own. So what is on it is what the API says. Its ``SCOPE`` and ``OWNED`` are as those of an endpoint.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Query, Request
from pydantic import BaseModel, BeforeValidator, Field, ValidationError
from starlette.responses import HTMLResponse, RedirectResponse, Response

from serving.endpoints import Asking, Caller, Loaded
from serving.web import html
from serving.web.guard import Visit
from serving.web.html import APP
from serving.web.later import PATIENCE
from serving.web.live import Live

T = TypeVar("T")
AGAIN = {"Refresh": "4", "Retry-After": "4"}
"""After how many seconds to look again for what is in the making."""


@dataclass(frozen=True)
class Page:
    """``path`` comes after ``/app``; ``place`` is where it stands in the navigation, None where it is reached from others.

    ``for_all``: it is about all accounts, so who sees only some is not led there.
    """

    title: str
    path: str
    place: int | None = None
    for_all: bool = False

    @property
    def address(self) -> str:
        return APP + self.path


@cache
def modules() -> tuple[ModuleType, ...]:
    """Every page and every form, found by their files."""
    found = (import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__))
    return tuple(module for module in found if hasattr(module, "router"))


@cache
def places() -> tuple[Page, ...]:
    """The pages of the navigation, in order."""
    found = [module.PAGE for module in modules() if hasattr(module, "PAGE") and module.PAGE.place is not None]
    return tuple(sorted(found, key=lambda page: page.place))


@dataclass(frozen=True)
class Show:
    """Whoever looks at a page, and the way to show it to them."""

    request: Request
    live: Live
    caller: Caller
    visit: Visit

    def __call__(self, template: str, page: Page, status: int = 200, **given: Any) -> HTMLResponse:
        """``template`` filled in with what is ``given``."""
        code = self.request.cookies.get(html.SAID_COOKIE, "")
        said = html.SAID.get(code)
        body = html.render(template, **self._frame(page), said=said, **given)
        answer = HTMLResponse(body, status, headers=html.HEADERS)
        if code:
            answer.delete_cookie(html.SAID_COOKIE, path=APP)
        return answer

    def once_made(self, make: Callable[[], T], part: str = "", patience: float = PATIENCE) -> T | None:
        """What ``make`` comes to, the whole page or a ``part``; None while it is in the making."""
        return self.live.kept.later((self.request.url.path, self.request.url.query, part), make, patience)

    def waiting(self, page: Page, said: str) -> HTMLResponse:
        """In place of what is in the making; the browser asks again by itself, without a script."""
        answer = self("waiting.html", page, status=202, told=said)
        answer.headers.update(AGAIN)
        return answer

    def may(self, scope: str) -> bool:
        """Whether they may write, or more."""
        assert self.visit.key is not None
        return self.visit.key.may(scope)

    def _frame(self, page: Page) -> dict[str, Any]:
        """What every page shows around itself."""
        alone = self.caller.owner is not None
        return {
            "page": page,
            "places": [place for place in places() if not (alone and place.for_all)],
            "token": self.visit.token,
            "key": self.visit.key,
            "named": self.caller.name is not None,
            "workspace": self.live.workspace.config.name,
            "currency": self.live.workspace.config.currency,
            "may_write": self.may("write"),
            "behind": list(self._behind()),
        }

    def _behind(self) -> Iterator[str]:
        """What everybody has to know before they believe a number."""
        if self.live.unreached is not None:
            yield f"{self.live.unreached.message}. What you see is what was good last."
        for outcome, served in self.live.served.items():
            if served.behind is not None:
                yield f"{outcome}: {served.behind.message}. {served.behind.hint}"


async def _show(request: Request, live: Loaded, caller: Asking) -> Show:
    """A page is always shown whole, so endpoints are asked as if nothing of theirs were known."""
    headers = [header for header in request.scope["headers"] if header[0] != b"if-none-match"]
    return Show(Request({**request.scope, "headers": headers}), live, caller, request.state.visit)


Showing = Annotated[Show, Depends(_show)]
"""What a page declares to be shown."""


def chosen(given: object) -> object:
    """What a form leaves blank is not asked for."""
    return None if given == "" else given


Choice = Annotated[Annotated[str, Field(max_length=200)] | None, BeforeValidator(chosen), Query()]
"""One of several, or all of them where it is blank or left out."""


def answered(response: Response) -> Any:
    """What an endpoint answers, as a document."""
    return html.document(bytes(response.body))


M = TypeVar("M", bound=BaseModel)


def asked(model: type[M], **given: Any) -> M:
    """What a form says, as the body that an endpoint takes; raises PropensityError where it takes no such thing."""
    try:
        return model(**given)
    except ValidationError as error:
        raise html.invalid(error.errors()) from error


def back_to(address: str, said: str) -> RedirectResponse:
    """After a form: to a page, which says what was done (a name in ``html.SAID``)."""
    assert said in html.SAID, said
    answer = RedirectResponse(address, 303)
    answer.set_cookie(html.SAID_COOKIE, said, max_age=60, path=APP, httponly=True, samesite="strict")
    return answer
