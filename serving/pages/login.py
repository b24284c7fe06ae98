"""``/app/login``: with a key, or by the company's own login; ``/app/logout``."""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from features.errors import PropensityError
from serving.stores.audit import Written
from serving.stores.sessions import AWAY, Person
from serving.web import html, openid, roles
from serving.web.guard import Protection, Visit
from serving.web.html import APP
from serving.web.openid import BACK, Provider
from serving.web.reception import COOKIE, LOGIN, Guest, Reception, cookie, local

SCOPE = None
"""Nobody is logged in yet; who logs out may, whatever else they may."""
AWAY_COOKIE = "propensity_login"
To = Annotated[str, Query(max_length=2_000)]
router = APIRouter()

NOT_SET_OUT = PropensityError(
    "this login was not begun in this browser, or too long ago, or is over", "Log in again.", status=401
)
NO_PROVIDER = PropensityError(
    "no login of your company is configured here",
    "Log in with a key; whoever runs the service configures [login.openid] in propensity.toml.",
    status=404,
)


@router.get(LOGIN)
def ask(request: Request, to: To = APP) -> Response:
    guest: Guest = request.state.guest
    return _form(request, local(to)) if guest.key is None else RedirectResponse(local(to), 303)


@router.post(LOGIN)
def by_key(
    request: Request,
    key: Annotated[str, Form(max_length=500)] = "",
    to: Annotated[str, Form(max_length=2_000)] = APP,
) -> Response:
    try:
        person = _reception(request).by_key(key)
    except PropensityError as error:
        return _form(request, local(to), error)
    return _in(request, person, to)


@router.get(f"{LOGIN}/openid")
def set_out(request: Request, to: To = APP) -> Response:
    reception, state, browser = _reception(request), secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    answer = RedirectResponse(_provider(reception).way(state, browser), 303)
    reception.set_out(state, browser, local(to))
    name = reception.cookie(request.scope, AWAY_COOKIE)
    _keep(request, answer, name, browser, LOGIN, int(AWAY.total_seconds()))
    return answer


@router.get(BACK)
def come_back(request: Request, state: str = "", code: str = "", iss: str | None = None, error: str = "") -> Response:
    reception = _reception(request)
    provider, name = _provider(reception), reception.cookie(request.scope, AWAY_COOKIE)
    browser = cookie(dict(request.scope["headers"]), name) or ""
    way = reception.come_back(state, browser) if state and browser else None
    if way is None:
        raise NOT_SET_OUT.with_traceback(None)
    if not code:
        raise openid.refused(f"it answered {error[:100]!r} and gave no code")
    answer = _in(request, roles.person(provider.settings, provider.claims(state, browser, code, iss)), way)
    answer.delete_cookie(name, path=LOGIN)
    return answer


@router.post(f"{APP}/logout")
def leave(request: Request) -> Response:
    reception, guest = _reception(request), request.state.guest
    if guest.session is not None:
        _written(request, guest.session.name)
        reception.end(guest.session)
    answer = RedirectResponse(LOGIN, 303)
    answer.delete_cookie(reception.cookie(request.scope, COOKIE), path=APP)
    return answer


def _in(request: Request, person: Person, to: str) -> Response:
    """Written down, then done: a new session, and where they wanted to go."""
    reception, guest = _reception(request), request.state.guest
    _written(request, person.name)
    secret = reception.begin(person, guest.session)
    answer = RedirectResponse(local(to), 303)
    _keep(request, answer, reception.cookie(request.scope, COOKIE), secret, APP, None)
    return answer


def _form(request: Request, to: str, error: PropensityError | None = None) -> Response:
    provider = _reception(request).provider
    label = None if provider is None else provider.settings.label
    body = html.render("login.html", to=to, error=error, label=label, openid=f"{LOGIN}/openid", login=LOGIN)
    return HTMLResponse(body, 200 if error is None else error.status, headers=html.HEADERS)


def _keep(request: Request, answer: Response, name: str, value: str, path: str, seconds: int | None) -> None:
    secure = _reception(request).secure(request.scope)
    answer.set_cookie(name, value, seconds, path=path, secure=secure, httponly=True, samesite="lax")


def _written(request: Request, who: str) -> None:
    protection: Protection = request.app.state.protection
    visit: Visit = request.state.visit
    protection.audit.add(Written(who, request.method, request.scope["route"].path, visit.request, 303))


def _reception(request: Request) -> Reception:
    protection: Protection = request.app.state.protection
    return protection.reception


def _provider(reception: Reception) -> Provider:
    if reception.provider is None:
        raise NO_PROVIDER.with_traceback(None)
    return reception.provider
