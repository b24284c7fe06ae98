"""Writing once, however often a request is sent: a key that the sender chose stands for what the first one wrote.

The key is written in the transaction of what it stands for, so a service that is killed has written both or neither.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from features.errors import PropensityError
from serving.stores.log import Entry, Log, Within, digest
from serving.stores.store import METADATA

REQUESTS = sa.Table(
    "requests",
    METADATA,
    sa.Column("who", sa.String, primary_key=True),
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("asked", sa.String(20), nullable=False),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    comment="requests that named themselves, so that the same one again writes nothing and gets the same answer",
)
SWEEP_ONE_IN = 64
"""So many requests that name themselves remove, on average once, those that are too old."""
Answer = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """A request of somebody: the key they chose for it, and a digest of what it asks."""

    who: str
    key: str
    asked: str

    @classmethod
    def of(cls, who: str, key: str, *asked: str) -> Request:
        return cls(who, key, digest(*asked))

    @property
    def sweeps(self) -> bool:
        return int(digest(self.who, self.key), 16) % SWEEP_ONE_IN == 0


def once(
    log: Log, request: Request | None, days: int, write: Callable[[Within | None], tuple[Sequence[Entry], int]]
) -> Answer:
    """What ``write`` wrote, as ``told``; with a key that is known, what was answered then. A key is known for at least so
    many days.

    ``write`` hands on to ``Log.add`` what it is given. Raises PropensityError (422) where the key was used for something
    else.
    """
    if request is None:
        return told(*write(None))
    if (known := _known(log, request)) is not None:
        return known

    def keep(connection: Connection, entries: Sequence[Entry], new: int) -> None:
        now = datetime.now(UTC)
        if request.sweeps:
            connection.execute(REQUESTS.delete().where(REQUESTS.c.at < now - timedelta(days=days)))
        connection.execute(REQUESTS.insert(), vars(request) | {"answer": json.dumps(told(entries, new)), "at": now})

    try:
        return told(*write(keep))
    except (PropensityError, sa.exc.IntegrityError):  # the same request, sent twice at once
        if (known := _known(log, request)) is not None:
            return known
        raise


def told(entries: Sequence[Entry], new: int) -> Answer:
    """``new``: how many of the entries were not in the log before."""
    shown = [{name: value for name, value in entry.as_dict().items() if name != "recorded_at"} for entry in entries]
    return {"new": new, "entries": shown}


def _known(log: Log, request: Request) -> Answer | None:
    same = (REQUESTS.c.who == request.who) & (REQUESTS.c.key == request.key)
    with log.store.engine.connect() as connection:
        found = connection.execute(sa.select(REQUESTS).where(same)).first()
    if found is None:
        return None
    if found.asked != request.asked:
        raise PropensityError(
            f"the Idempotency-Key {request.key!r} was used for another request",
            "Choose a new key for each thing to write, and send it again only with the same body.",
            status=422,
        )
    answer: Answer = json.loads(found.answer)
    return answer
