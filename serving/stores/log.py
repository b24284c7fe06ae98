"""What people did about accounts: an append-only log, each entry with who and when.

An entry is never changed. What a touch or an ask is by now follows from its entries, and the same entry again changes
nothing, so that a file may be imported twice and a request sent again.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from features.errors import PropensityError, one_of
from features.workspace import Workspace
from serving.stores.store import METADATA, Store

STARTS: dict[str, tuple[str, ...]] = {
    "outreach": ("planned", "held out", "done"),
    "ask": ("asked",),
    "opt-out": ("out",),
    "opinion": ("agrees", "disagrees"),
    "alert": ("raised",),
    "override": ("says",),
}
"""What an entry may be about, and how such a thing begins."""
FOLLOWS: dict[str, dict[str, tuple[str, ...]]] = {
    "outreach": {"planned": ("done",), "done": ("outcome",)},
    "ask": {"asked": ("accepted", "declined"), "accepted": ("done",)},
    "opt-out": {"out": ("in",)},
    "opinion": {},
    "alert": {"raised": ("snoozed", "closed"), "snoozed": ("closed",)},
    "override": {},
}
"""What may come after what; each once."""

AT_ONCE = 5000
"""Names in one query; databases take only so many."""
LOG = sa.Table(
    "log",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("key", sa.String(20), nullable=False, unique=True),
    sa.Column("about", sa.String, nullable=False),
    sa.Column("thing", sa.String, nullable=False),
    sa.Column("event", sa.String, nullable=False),
    sa.Column("account", sa.String, nullable=False),
    sa.Column("contact", sa.String),
    sa.Column("kind", sa.String),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("by", sa.String, nullable=False),
    sa.Column("value", sa.String),
    sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
    sa.UniqueConstraint("thing", "event"),
    sa.Index("log_by_account", "account", "about"),
    comment="append-only: what was planned, done, asked and answered, by whom, and when that was written down",
)


@dataclass(frozen=True)
class Entry:
    """That something happened to a ``thing`` (a touch, an ask, an opt-out, what somebody thinks of a score) at an
    instant, told ``by`` somebody.

    ``contact`` None: nobody in particular, or the account as a whole. ``kind`` is what the touch or the ask is, said when
    it begins; ``value`` what came of it, or that they came first ("reactive"). ``recorded_at`` is when it was written down: None before it is.
    """

    about: str
    thing: str
    event: str
    account: str
    at: datetime
    by: str
    contact: str | None = None
    kind: str | None = None
    value: str | None = None
    recorded_at: datetime | None = None

    @property
    def key(self) -> str:
        """The same entry again has the same key, whenever it is written."""
        told = [self.about, self.thing, self.event, self.account, self.contact, self.kind, self.value, self.by]
        return digest(*told, self.at.astimezone(UTC).isoformat())

    def as_dict(self) -> dict[str, Any]:
        written = None if self.recorded_at is None else self.recorded_at.isoformat()
        return vars(self) | {"at": self.at.isoformat(), "recorded_at": written}


def digest(*parts: str | None) -> str:
    return hashlib.sha256("\x1f".join("" if part is None else f"={part}" for part in parts).encode()).hexdigest()[:20]


Still = Callable[[Sequence[Entry]], None]
Within = Callable[[Connection, Sequence[Entry], int], None]


class Log:
    """The log of one workspace, in its application store."""

    def __init__(self, workspace: Workspace) -> None:
        self.store = Store(workspace)

    def add(
        self,
        entries: Sequence[Entry],
        now: datetime | None = None,
        still: Still | None = None,
        within: Within | None = None,
    ) -> int:
        """Write all of them or none; returns how many are new.

        Raises PropensityError where one cannot follow what is there: an outcome of what was not done, another date of
        what is done, a touch of an account that was held out. ``still`` is asked last, given what the log says of these
        accounts while nobody else can write, and may raise too; ``within`` writes what is to stand or fall with the
        entries, told how many are new.
        """
        written = now or datetime.now(UTC)
        with self.store.writing() as connection:
            _alone(connection)
            if still is not None:
                still(_of(connection, LOG.c.account, {entry.account for entry in entries}))
            known: dict[str, list[Entry]] = defaultdict(list)
            for entry in _of(connection, LOG.c.thing, {entry.thing for entry in entries}):
                known[entry.thing].append(entry)
            fresh = []
            for entry in entries:
                so_far = known[entry.thing]
                if entry.key in {one.key for one in so_far}:
                    continue
                _check(entry, so_far)
                so_far.append(entry)
                fresh.append(_row(entry) | {"recorded_at": written})
            if fresh:
                connection.execute(LOG.insert(), fresh)
            if within is not None:
                within(connection, entries, len(fresh))
        return len(fresh)

    def entries(self, about: str | None = None, accounts: Sequence[str] | None = None) -> list[Entry]:
        """All of a kind, of some accounts if named, in the order in which they were written."""
        with self.store.engine.connect() as connection:
            if accounts is not None:
                found = _of(connection, LOG.c.account, set(accounts))
                return [entry for entry in found if about in (None, entry.about)]
            query = sa.select(LOG).order_by(LOG.c.number)
            query = query if about is None else query.where(LOG.c.about == about)
            return [_entry(row) for row in connection.execute(query)]

    def number(self) -> int:
        """Of the last entry; 0 where there is none."""
        with self.store.engine.connect() as connection:
            return connection.execute(sa.select(sa.func.max(LOG.c.number))).scalar() or 0

    def accounts(self, after: int) -> list[str]:
        """Those of which an entry tells that was written after the one of a number."""
        query = sa.select(LOG.c.account).distinct().where(LOG.c.number > after).order_by(LOG.c.account)
        with self.store.engine.connect() as connection:
            return list(connection.execute(query).scalars())

    def last(
        self,
        most: int,
        before: int | None = None,
        about: str | None = None,
        account: str | None = None,
        among: Sequence[str] | None = None,
    ) -> list[tuple[int, Entry]]:
        """The last entries with their numbers, the last first: of those before a number, of a kind, of one account, of some
        accounts.
        """
        query = sa.select(LOG).order_by(LOG.c.number.desc())
        for column, wanted in ((LOG.c.about, about), (LOG.c.account, account)):
            query = query if wanted is None else query.where(column == wanted)
        query = query if before is None else query.where(LOG.c.number < before)
        chosen = None if among is None else set(among)
        found: list[tuple[int, Entry]] = []
        with self.store.engine.connect() as connection:
            for row in connection.execution_options(yield_per=1000).execute(query if chosen else query.limit(most)):
                if chosen is None or row.account in chosen:
                    found.append((row.number, _entry(row)))
                if len(found) == most:
                    break
        return found

    def of(self, thing: str) -> list[Entry]:
        """The entries of one touch, ask or opt-out; raises PropensityError where there is none."""
        with self.store.engine.connect() as connection:
            found = _of(connection, LOG.c.thing, {thing})
        if not found:
            raise PropensityError(
                f"the log knows nothing of {thing!r}", "Take an id from `propensity outreach log`.", status=404
            )
        return found


def _alone(connection: Connection) -> None:
    """Nobody else writes until this transaction is over, so that what is checked still holds when it is written."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("LOCK TABLE log IN SHARE ROW EXCLUSIVE MODE"))
    else:
        connection.execute(LOG.update().where(sa.false()).values(number=LOG.c.number))


def _check(entry: Entry, known: list[Entry]) -> None:
    about, event = entry.about, entry.event
    if not known:
        if event not in STARTS[about]:
            raise PropensityError(
                f"{about} {entry.thing}: {event!r} of what never began",
                f"It begins with {one_of(STARTS[about])}.",
                status=404,
            )
        return
    first, last = known[0], known[-1]
    if (first.about, first.account) != (about, entry.account):
        raise PropensityError(
            f"{entry.thing} is {first.about} of account {first.account}, not {about} of {entry.account}",
            "Use the id that the log gave.",
            status=409,
        )
    after = FOLLOWS[about].get(last.event, ())
    if event not in after:
        raise PropensityError(
            f"{about} {entry.thing} is {last.event} by {last.by} ({last.at:%Y-%m-%d}): {event!r} cannot follow",
            f"What can follow: {one_of(after)}." if after else "Nothing follows: begin another.",
            status=409,
        )
    if entry.at < _since(last):
        raise PropensityError(
            f"{about} {entry.thing}: {event} on {entry.at:%Y-%m-%d %H:%M} is before {last.event} on {last.at:%Y-%m-%d %H:%M}",
            "Mend the time.",
            status=409,
        )


def _since(last: Entry) -> datetime:
    """From when on something may follow; what is planned for a day may be done before it, once it is planned. What is done
    is told to the second.
    """
    if last.event == "planned" and last.recorded_at is not None:
        return min(last.at, last.recorded_at.replace(microsecond=0))
    return last.at


def _of(connection: Connection, column: sa.Column[Any], wanted: set[str]) -> list[Entry]:
    each = sorted(wanted)
    found: list[sa.Row[Any]] = []
    for start in range(0, len(each), AT_ONCE):
        query = sa.select(LOG).where(column.in_(each[start : start + AT_ONCE]))
        found += connection.execute(query).all()
    return [_entry(row) for row in sorted(found, key=lambda row: row.number)]


def _row(entry: Entry) -> dict[str, Any]:
    return vars(entry) | {"key": entry.key, "at": entry.at.astimezone(UTC)}


def _entry(row: sa.Row[Any]) -> Entry:
    stored = {name: value for name, value in row._mapping.items() if name not in ("number", "key")}
    return Entry(**{name: _aware(value) for name, value in stored.items()})


def _aware(value: Any) -> Any:
    """SQLite gives instants back without their zone, which is UTC."""
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value
