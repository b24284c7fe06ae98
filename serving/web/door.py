"""Who may come in: the holder of a key; and where no key was ever made, whoever is on this machine."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Mapping
from functools import lru_cache

import sqlalchemy as sa

from features.errors import PropensityError
from serving.stores.keys import ANYBODY, Key, Keys, holder

LOG = logging.getLogger("propensity")
FORWARDED = (b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip", b"via")
READING = ("GET", "HEAD", "OPTIONS")
LOOPBACK = "PROPENSITY_LOOPBACK"
"""Set by ``serving.start.serve`` where nobody but this machine can reach the service; else nobody gets in without a key."""
Headers = Mapping[bytes, bytes]

NO_KEY = PropensityError(
    "this service takes a key, and there was none that works",
    "Send the header `Authorization: Bearer pk_…`; whoever runs the service makes keys: `propensity key create`.",
    status=401,
)
NOT_HERE = PropensityError(
    "without keys this service answers only on the machine it runs on, asked for by that machine's own name",
    "Ask http://127.0.0.1, or make a key: `propensity key create`.",
    status=401,
)
ELSEWHERE = PropensityError(
    "a page of another site may not write here", "Ask from a program, or from this service's own pages.", status=403
)


class Door:
    """The keys of a workspace, held in memory and read again every few seconds.

    A store that cannot be read leaves them as they last were: the service outlives its store. ``loopback`` says that
    nobody but this machine can reach the service; without that, no key means that nobody comes in.
    """

    def __init__(self, keys: Keys, loopback: bool) -> None:
        self._source, self._loopback = keys, loopback
        self._keys = {key.id: key for key in keys.all()}

    @property
    def open(self) -> bool:
        """Nobody needs a key. One that was revoked is enough to keep the door shut."""
        return self._loopback and not self._keys

    def enter(self, method: str, headers: Headers, client: str) -> Key:
        """Whose request this is; raises PropensityError: 401, or 403 for a foreign page that would write."""
        if method not in READING and headers.get(b"sec-fetch-site", b"none") not in {b"none", b"same-origin"}:
            raise ELSEWHERE.with_traceback(None)
        if self.open:
            if at_home(headers, client):
                return ANYBODY
            raise NOT_HERE.with_traceback(None)
        scheme, _, secret = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        found = self.holder(secret)
        if found is None or scheme.lower() != "bearer":
            raise NO_KEY.with_traceback(None)
        return found

    def holder(self, secret: str) -> Key | None:
        return holder(secret.strip(), self._keys)

    def works(self, id_: str) -> bool:
        """Whether there is a key of this id, and it was not revoked."""
        return (key := self._keys.get(id_)) is not None and key.revoked_at is None

    def refresh(self) -> None:
        try:
            self._keys = {key.id: key for key in self._source.all()}
        except (PropensityError, sa.exc.SQLAlchemyError):
            LOG.warning("the keys cannot be read; those known before still count")


def at_home(headers: Headers, client: str) -> bool:
    """Asked from this machine, by a loopback name, through no proxy that says so.

    The name matters: a page of another site, whose name its owner points at 127.0.0.1, is told apart by it.
    """
    host = headers.get(b"host", b"").decode("latin-1")
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    return is_loopback(name) and is_loopback(client) and not any(header in headers for header in FORWARDED)


@lru_cache(maxsize=256)
def is_loopback(name: str) -> bool:
    try:
        return name.lower() == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
