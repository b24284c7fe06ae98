"""Who may see pages: the holder of a session's cookie; and where no key was ever made, whoever is on this machine."""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote, urlsplit

import sqlalchemy as sa
from starlette.types import Scope

from features.errors import PropensityError
from features.settings.login import Login
from serving.stores.keys import ANYBODY, Key
from serving.stores.sessions import Person, Session, Sessions, held_by, later
from serving.web.door import ELSEWHERE, NOT_HERE, READING, Door, Headers, at_home
from serving.web.html import APP
from serving.web.openid import Provider

LOG = logging.getLogger("propensity")
LOGIN = f"{APP}/login"
OPEN = (LOGIN, f"{LOGIN}/", f"{APP}/static/")
"""What people reach before they are logged in: the first itself, and what is below the others."""
COOKIE = "propensity"
WRITE_SEEN = timedelta(minutes=1)
"""A session's last use is written down when it is this much later than what is written there."""
MOST_FIELDS = 200

NOT_LOGGED_IN = PropensityError("you are not logged in, or not any more", "Log in, then do it again.", status=401)
NO_TOKEN = PropensityError(
    "this form is not from a page of yours, or you have logged in again since",
    "Load the page again, and send it from there.",
    status=403,
)
NO_FORM = PropensityError(
    "the body is not a form", "Send it as application/x-www-form-urlencoded, in UTF-8, with one token.", status=415
)
NO_METHOD = PropensityError("pages take GET and POST alone", "What programs ask for is under /v1.", status=405)


class SeeOther(Exception):  # noqa: N818 - it is no error: somebody is led elsewhere
    """They are led to another page of ours."""

    def __init__(self, location: str) -> None:
        super().__init__(location)
        self.location = location


@dataclass(frozen=True)
class Guest:
    """Who asks for a page (None where nobody has to be), what their forms bring along, and their session."""

    key: Key | None
    token: str = ""
    session: Session | None = None


def _now() -> datetime:
    return datetime.now(UTC)


class Reception:
    """The sessions of a workspace, held in memory and read again every few seconds, as the door holds its keys.

    A store that cannot be read leaves them as they last were.
    """

    def __init__(self, door: Door, sessions: Sessions, settings: Login, now: Callable[[], datetime] = _now) -> None:
        self.door, self.settings, self.now = door, settings, now
        self.provider = None if settings.openid is None else Provider(settings, now)
        self._source, self._own = sessions, secrets.token_hex(32)
        self._lock = threading.Lock()
        self._seen: dict[str, datetime] = {}
        self._ended: set[str] = set()
        self._sessions = {session.id: session for session in sessions.all()}

    @property
    def open(self) -> bool:
        """Nobody has to log in."""
        return self.door.open and self.provider is None

    def enter(self, scope: Scope, headers: Headers, client: str) -> Guest:
        """Who asks for a page; raises SeeOther where they have to log in first, PropensityError: 401, 403, 405."""
        method, path = scope["method"], scope["path"]
        if path == "/" and method in READING:
            raise SeeOther(APP)
        if method not in READING and not self._own_page(headers):
            raise ELSEWHERE.with_traceback(None)
        if self.open and not at_home(headers, client):
            raise NOT_HERE.with_traceback(None)
        guest = self._guest(scope, headers)
        if guest.key is None and not is_open(path):
            if method not in READING:
                raise NOT_LOGGED_IN.with_traceback(None)
            raise SeeOther(f"{LOGIN}?to={quote(local(_asked(scope)), safe='/')}")
        if method not in (*READING, "POST"):
            raise NO_METHOD.with_traceback(None)
        return guest

    def _guest(self, scope: Scope, headers: Headers) -> Guest:
        secret = cookie(headers, self.cookie(scope, COOKIE))
        session = None if secret is None else held_by(secret, self._sessions)
        if secret is not None and session is not None and (key := self._key(session)) is not None:
            self._seen[session.id] = self.now()
            return Guest(key, token(secret), session)
        return Guest(ANYBODY, token(self._own)) if self.open else Guest(None)

    def _key(self, session: Session) -> Key | None:
        """Whose session it is; None where it is over, or the key that it was begun with was revoked."""
        known = later(session, self._seen.get(session.id))
        if session.id in self._ended or known.over(self.settings, self.now()):
            return None
        return session.as_key() if session.key is None or self.door.works(session.key) else None

    def _own_page(self, headers: Headers) -> bool:
        """Browsers say from where a form comes; where one does not, the form's token has to do."""
        if (site := headers.get(b"sec-fetch-site")) is not None:
            return site in {b"none", b"same-origin"}
        origin = headers.get(b"origin", b"").decode("latin-1")
        own = (urlsplit(origin).netloc, headers.get(b"host", b"").decode("latin-1"))
        return origin in {"", self.settings.public_url} or (own[0] == own[1] != "")

    def cookie(self, scope: Scope, name: str) -> str:
        """What a cookie is called: over https by a name that nobody can set over http."""
        return f"__Secure-{name}" if self.secure(scope) else name

    def secure(self, scope: Scope) -> bool:
        return self.settings.secure or scope["scheme"] == "https"

    def by_key(self, secret: str) -> Person:
        """Raises PropensityError (401) where the key is nobody's or was revoked."""
        key = self.door.holder(secret)
        if key is None:
            raise PropensityError(
                "this is no key that works", "Whoever runs the service makes keys: `propensity key create`.", status=401
            )
        return Person.of(key)

    def begin(self, person: Person, before: Session | None) -> str:
        """A new session, always: the one before ends. Returns what its cookie holds."""
        with self._lock:
            session, secret = self._source.begin(person, self.now())
            self._sessions = self._sessions | {session.id: session}
        if before is not None:
            self.end(before)
        return secret

    def end(self, session: Session) -> None:
        """At once, here; a store that is away hears of it later."""
        self._ended.add(session.id)
        self.refresh()

    def set_out(self, state: str, browser: str, way: str) -> None:
        self._source.set_out(state, browser, way, self.now())

    def come_back(self, state: str, browser: str) -> str | None:
        return self._source.come_back(state, browser, self.now())

    def refresh(self) -> None:
        """Read the sessions again, write down when they were used, and strike out those that are over."""
        with self._lock:
            try:
                found = {session.id: session for session in self._source.all()}
                self._note(found)
                gone = {session.id for session in found.values() if self._key(session) is None}
                if gone:
                    self._source.end(gone)
            except (PropensityError, sa.exc.SQLAlchemyError):
                LOG.warning("the sessions cannot be read or written; those known before still count")
                return
            self._sessions = {name: session for name, session in found.items() if name not in gone}
            self._ended.intersection_update(self._sessions)
            for name in self._seen.keys() - self._sessions.keys():
                self._seen.pop(name)

    def _note(self, found: dict[str, Session]) -> None:
        used = {
            name: at
            for name, at in dict(self._seen).items()
            if name in found and at - found[name].seen_at >= WRITE_SEEN and self._key(found[name]) is not None
        }
        if used:
            self._source.seen(used)

    def check(self, guest: Guest, path: str, body: bytes) -> None:
        """Raises PropensityError where a body is no form (415), or does not bring the token of whose it is (403)."""
        given = form(body).get("token", "")
        right = guest.token != "" and hmac.compare_digest(given.encode(), guest.token.encode())
        if not right and not is_open(path):
            raise NO_TOKEN.with_traceback(None)


def is_open(path: str) -> bool:
    return path == OPEN[0] or path.startswith(OPEN[1:])


def attempt(scope: Scope) -> bool:
    """Whether somebody tries to log in."""
    path: str = scope["path"]
    return path.startswith(f"{LOGIN}/") or (path == LOGIN and scope["method"] == "POST")


def token(secret: str) -> str:
    """What a session's forms bring along: it follows from the cookie, and the cookie does not follow from it."""
    return hmac.new(secret.encode(), b"form", hashlib.sha256).hexdigest()


def declared_form(kind: str) -> bool:
    main, *parameters = (part.strip().lower() for part in kind.split(";"))
    return main == "application/x-www-form-urlencoded" and all(part in {"charset=utf-8", ""} for part in parameters)


def form(body: bytes) -> dict[str, str]:
    """The fields of a form; raises PropensityError where it is not in UTF-8, has a NUL in it, or two tokens."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, encoding="utf-8", errors="strict", max_num_fields=MOST_FIELDS
        )
    except ValueError:  # UnicodeDecodeError is one
        raise NO_FORM.with_traceback(None) from None
    if any("\0" in text for pair in pairs for text in pair) or sum(name == "token" for name, _ in pairs) > 1:
        raise NO_FORM.with_traceback(None)
    return dict(pairs)


def cookie(headers: Headers, name: str) -> str | None:
    """Its value; None where it is not there, or is there twice: then somebody else has set one of them."""
    parts = (part.strip().partition("=") for part in headers.get(b"cookie", b"").decode("latin-1").split(";"))
    values = {value for called, _, value in parts if called == name}
    return values.pop() if len(values) == 1 else None


def local(to: str) -> str:
    """A page of ours, as it is; for anything else, the first page."""
    plain = all("!" <= sign <= "~" for sign in to) and "\\" not in to
    parts = urlsplit(to) if plain else None
    if parts is None or parts.scheme or parts.netloc or "//" in to or ".." in to or is_open(parts.path):
        return APP
    return to if parts.path == APP or parts.path.startswith(f"{APP}/") else APP


def _asked(scope: Scope) -> str:
    query = scope["query_string"].decode("latin-1")
    path = quote(scope["path"], safe="/")
    return f"{path}?{query}" if query else path
