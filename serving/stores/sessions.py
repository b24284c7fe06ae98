"""Sessions of people who look at pages: begun by a key or by the company's own login, kept as a hash, gone once over."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from features.errors import PropensityError
from features.settings.login import Login
from serving.stores.keys import Key
from serving.stores.store import METADATA, Store

SESSIONS = sa.Table(
    "sessions",
    METADATA,
    sa.Column("id", sa.String(12), primary_key=True),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("scope", sa.String(5), nullable=False),
    sa.Column("owner", sa.String),
    sa.Column("key", sa.String(12)),
    sa.Column("issuer", sa.String),
    sa.Column("subject", sa.String),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
    comment="who is logged in to the pages; of a session's secret only its hash; a row is gone once it is over",
)
LOGINS = sa.Table(
    "logins",
    METADATA,
    sa.Column("state", sa.String(64), primary_key=True),
    sa.Column("browser", sa.String(64), nullable=False),
    sa.Column("way", sa.String, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    comment="who is at the OpenID provider: hashes of the state and of the browser's cookie, and where they want to go",
)
AWAY = timedelta(minutes=10)
"""How long somebody may be at the provider."""
MOST_AWAY = 10_000
"""How many may be there at once: strangers can begin to log in."""


@dataclass(frozen=True)
class Person:
    """Who logs in, and what they may: by a ``key`` (its id), or as the ``subject`` of an ``issuer``."""

    name: str
    scope: str
    owner: str | None = None
    key: str | None = None
    issuer: str | None = None
    subject: str | None = None

    @classmethod
    def of(cls, key: Key) -> Person:
        return cls(key.name, key.scope, key.owner, key=key.id)


@dataclass(frozen=True)
class Session:
    """A session as it is kept."""

    id: str
    sha256: str
    name: str
    scope: str
    owner: str | None
    key: str | None
    issuer: str | None
    subject: str | None
    created_at: datetime
    seen_at: datetime

    def over(self, limits: Login, now: datetime) -> bool:
        idle, age = now - self.seen_at, now - self.created_at
        return idle >= timedelta(hours=limits.idle_hours) or age >= timedelta(hours=limits.hours)

    def as_key(self) -> Key:
        """Whose it is, as endpoints know who asks. Its id is that of the person: limits count all their sessions together."""
        person = self.key or digest(f"{self.issuer} {self.subject}")[:12]
        return Key(person, self.name, "", self.scope, self.owner, self.created_at)


def digest(secret: str) -> str:
    """Secrets are drawn at random, so nothing slower than SHA-256 is needed."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


_NOBODY = Session("", digest(secrets.token_hex()), "", "read", None, None, None, None, *[datetime.min.replace(tzinfo=UTC)] * 2)  # fmt: skip


def held_by(secret: str, sessions: Mapping[str, Session]) -> Session | None:
    """Whose cookie this is; None where it is nobody's. What is secret is compared in constant time, known id or not."""
    session = sessions.get(secret.partition("_")[0], _NOBODY)
    same = hmac.compare_digest(digest(secret), session.sha256)
    return session if same and session.id else None


class Sessions:
    """The sessions of one workspace, in its application store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def begin(self, person: Person, now: datetime) -> tuple[Session, str]:
        """A new session, and the secret that its cookie holds: nobody can find that out again."""
        number = secrets.token_hex(6)
        secret = f"{number}_{secrets.token_hex(32)}"
        session = Session(number, digest(secret), **vars(person), created_at=now, seen_at=now)
        with self.store.writing() as connection:
            connection.execute(SESSIONS.insert(), vars(session))
        return session, secret

    def all(self) -> list[Session]:
        with self.store.engine.connect() as connection:
            found = connection.execute(sa.select(SESSIONS).order_by(SESSIONS.c.created_at, SESSIONS.c.id))
            return [Session(**{name: _aware(value) for name, value in row._mapping.items()}) for row in found]

    def end(self, ids: Collection[str]) -> None:
        with self.store.writing() as connection:
            connection.execute(SESSIONS.delete().where(SESSIONS.c.id.in_(list(ids))))

    def seen(self, at: Mapping[str, datetime]) -> None:
        """They were used then. Another process may have seen them later: the latest counts."""
        with self.store.writing() as connection:
            for session, instant in at.items():
                chosen = (SESSIONS.c.id == session) & (SESSIONS.c.seen_at < instant)
                connection.execute(SESSIONS.update().where(chosen).values(seen_at=instant))

    def set_out(self, state: str, browser: str, way: str, now: datetime) -> None:
        """Somebody goes to the provider; raises PropensityError (503) where too many are on their way."""
        with self.store.writing() as connection:
            connection.execute(LOGINS.delete().where(LOGINS.c.created_at <= now - AWAY))
            if connection.execute(sa.select(sa.func.count()).select_from(LOGINS)).scalar_one() >= MOST_AWAY:
                raise PropensityError(
                    "too many people are logging in", "Try again in ten minutes, or log in with a key.", status=503
                )
            row = {"state": digest(state), "browser": digest(browser), "way": way, "created_at": now}
            connection.execute(LOGINS.insert(), row)

    def come_back(self, state: str, browser: str, now: datetime) -> str | None:
        """Where they wanted to go; None where nobody set out so, in this browser and not long ago. A state serves once."""
        chosen = (LOGINS.c.state == digest(state)) & (LOGINS.c.created_at > now - AWAY)
        with self.store.writing() as connection:
            found = connection.execute(sa.select(LOGINS.c.browser, LOGINS.c.way).where(chosen)).first()
            if found is None or not hmac.compare_digest(found.browser, digest(browser)):
                return None
            gone = connection.execute(LOGINS.delete().where(chosen)).rowcount
        way: str = found.way
        return way if gone else None


def later(session: Session, seen: datetime | None) -> Session:
    """The session, seen then if that is later than what is known."""
    return session if seen is None or seen <= session.seen_at else replace(session, seen_at=seen)


def _aware(value: Any) -> Any:
    """SQLite gives instants back without their zone, which is UTC."""
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value
