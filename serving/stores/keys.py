"""Keys of the service: made by command, shown once, kept as a hash; each has a scope and may be one owner's alone."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from features.errors import PropensityError, one_of
from serving.stores.store import METADATA, Store

SCOPES = ("read", "write", "admin")
"""Each may do what those before it may."""
PREFIX = "pk"

KEYS = sa.Table(
    "api_keys",
    METADATA,
    sa.Column("id", sa.String(12), primary_key=True),
    sa.Column("name", sa.String, nullable=False, unique=True),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("scope", sa.String(5), nullable=False),
    sa.Column("owner", sa.String),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("revoked_at", sa.DateTime(timezone=True)),
    comment="keys of the service; of a key itself only its hash, so it can be shown once",
)


@dataclass(frozen=True)
class Key:
    """A key as it is kept. ``owner`` None: all accounts; else only those of this owner. ``revoked_at`` None: it works."""

    id: str
    name: str
    sha256: str
    scope: str
    owner: str | None
    created_at: datetime
    revoked_at: datetime | None = None

    def may(self, scope: str) -> bool:
        return SCOPES.index(self.scope) >= SCOPES.index(scope)

    def as_dict(self) -> dict[str, Any]:
        """What may be shown: not even the hash."""
        revoked = None if self.revoked_at is None else self.revoked_at.isoformat()
        shown = {"id": self.id, "name": self.name, "scope": self.scope, "owner": self.owner}
        return shown | {"created_at": self.created_at.isoformat(), "revoked_at": revoked}


ANYBODY = Key("", "open", "", "admin", None, datetime.min.replace(tzinfo=UTC))
"""Who asks where no key was ever made and the service listens on loopback."""
_NOBODY = Key("", "", hashlib.sha256(secrets.token_bytes()).hexdigest(), "read", None, ANYBODY.created_at)


def holder(secret: str, keys: Mapping[str, Key]) -> Key | None:
    """Whose key this is, of ``keys`` by their ids; None where it is nobody's or was revoked.

    The id finds the key, and what is secret is compared in constant time, whether there is such an id or not.
    """
    parts = secret.split("_", 2)
    key = keys.get(parts[1], _NOBODY) if len(parts) == 3 else _NOBODY
    same = hmac.compare_digest(_hash(secret), key.sha256)
    return key if same and key.id and key.revoked_at is None else None


def _hash(secret: str) -> str:
    """Keys are 192 bits drawn at random, so nothing slower than SHA-256 is needed."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


class Keys:
    """The keys of one workspace, in its application store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def create(self, name: str, scope: str, owner: str | None = None) -> tuple[Key, str]:
        """A new key, and what its holder has to send: nobody can find that out again.

        Raises PropensityError where the name is taken (409), by a revoked key too, since the audit log names it.
        """
        if scope not in SCOPES:
            raise PropensityError(f"there is no scope {scope!r}", f"Scopes are {', '.join(SCOPES)}.")
        if not name.strip() or not name.isprintable() or len(name) > 100:
            raise PropensityError("a key needs a name that can be printed", "Say who will use it: --name 'crm sync'.")
        if owner is not None and not owner.strip():
            raise PropensityError(
                "the owner of a key is blank", "Name one, or leave it out: then it is for all accounts."
            )
        number = secrets.token_hex(6)
        secret = f"{PREFIX}_{number}_{secrets.token_hex(24)}"
        key = Key(number, name, _hash(secret), scope, owner, datetime.now(UTC))
        try:
            with self.store.writing() as connection:
                connection.execute(KEYS.insert(), vars(key))
        except sa.exc.IntegrityError as error:
            raise PropensityError(
                f"there is or was a key called {name!r}",
                "Give it another name: the audit log tells keys by their names.",
                status=409,
            ) from error
        return key, secret

    def all(self) -> list[Key]:
        """The oldest first, revoked ones too."""
        with self.store.engine.connect() as connection:
            found = connection.execute(sa.select(KEYS).order_by(KEYS.c.created_at, KEYS.c.id))
            return [Key(**{name: _aware(value) for name, value in row._mapping.items()}) for row in found]

    def revoke(self, name: str) -> Key:
        """A key that is revoked already stays as it is; raises PropensityError (404) where there is none."""
        with self.store.writing() as connection:
            chosen = (KEYS.c.name == name) & KEYS.c.revoked_at.is_(None)
            connection.execute(KEYS.update().where(chosen).values(revoked_at=datetime.now(UTC)))
        keys = {key.name: key for key in self.all()}
        if name not in keys:
            raise PropensityError(f"no key is called {name!r}", f"Keys are {one_of(keys)}.", status=404)
        return keys[name]


def _aware(value: Any) -> Any:
    """SQLite gives instants back without their zone, which is UTC."""
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value
