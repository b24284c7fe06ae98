"""The application store: scores as they were shown, and the names of accounts. SQLite by default, PostgreSQL by URL."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from features.errors import PropensityError
from features.workspace import Workspace
from serving.scores.score import Reason, Score
from serving.stores import schema

METADATA = sa.MetaData()

SCORES = sa.Table(
    "scores",
    METADATA,
    sa.Column("score_id", sa.String(20), primary_key=True),
    sa.Column("outcome", sa.String, nullable=False),
    sa.Column("account", sa.String, nullable=False),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("probability", sa.Float(53), nullable=False),
    sa.Column("low", sa.Float(53), nullable=False),
    sa.Column("high", sa.Float(53), nullable=False),
    sa.Column("rank", sa.Integer, nullable=False),
    sa.Column("percentile", sa.Float(53), nullable=False),
    sa.Column("model_version", sa.Integer, nullable=False),
    sa.Column("row_hash", sa.String, nullable=False),
    sa.Column("frame_hash", sa.String, primary_key=True),
    sa.Column("reasons", sa.Text, nullable=False),
    sa.Index("scores_by_list", "outcome", "as_of", "rank"),
    sa.Index("scores_by_account", "account", "outcome", "as_of"),
)

BATCHES = sa.Table(
    "batches",
    METADATA,
    sa.Column("outcome", sa.String, primary_key=True),
    sa.Column("as_of", sa.Date, primary_key=True),
    sa.Column("model_version", sa.Integer, nullable=False),
    sa.Column("frame_hash", sa.String, nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
    comment="which scores are shown for an outcome and as_of; earlier ones stay, so that they can be replayed",
)

NAMES = sa.Table(
    "names",
    METADATA,
    sa.Column("account", sa.String, primary_key=True),
    sa.Column("name", sa.String, nullable=False),
    comment="the only place where names are kept; a row can be erased without touching anything else",
)

MOST_ASKED = 10_000
"""Values named in one query: databases take no more than so many."""
LOCKED_SECONDS = 10.0
"""The longest that SQLite waits for whoever writes."""
KEPT, MORE = 5, 15
"""Connections to PostgreSQL that are kept, and how many more there may be: together more than the service has at work."""
_SHOWN = sa.and_(*(SCORES.c[name] == BATCHES.c[name] for name in ("outcome", "as_of", "model_version", "frame_hash")))
"""The scores of the batches that are shown."""


class Store:
    """One workspace's application store."""

    def __init__(self, workspace: Workspace) -> None:
        workspace.state.mkdir(parents=True, exist_ok=True)
        self.engine = _engine(workspace.store_url, workspace.store_seconds, os.getpid())
        schema.upgrade(self.engine)

    def save(self, scores: Sequence[Score]) -> None:
        """Store a batch in one transaction; the same batch again changes nothing."""
        if not scores:
            return
        first = scores[0]
        batch = {
            "outcome": first.outcome,
            "as_of": first.as_of,
            "model_version": first.model_version,
            "frame_hash": first.frame_hash,
            "rows": len(scores),
            "made_at": datetime.now(UTC),
        }
        same = (BATCHES.c.outcome == first.outcome) & (BATCHES.c.as_of == first.as_of)
        again = (SCORES.c.outcome == first.outcome) & (SCORES.c.as_of == first.as_of)
        again &= (SCORES.c.model_version == first.model_version) & (SCORES.c.frame_hash == first.frame_hash)
        with self.writing() as connection:
            connection.execute(SCORES.delete().where(again))
            connection.execute(SCORES.insert(), [_row(score) for score in scores])
            connection.execute(BATCHES.delete().where(same))
            connection.execute(BATCHES.insert(), batch)

    def remember(self, names: Sequence[tuple[str, str]]) -> None:
        """Replace the names of accounts by these."""
        with self.writing() as connection:
            connection.execute(NAMES.delete())
            if names:
                connection.execute(NAMES.insert(), [{"account": account, "name": name} for account, name in names])

    def names(self, accounts: Sequence[str]) -> dict[str, str]:
        """The names of these accounts, however many; an account without one is left out."""
        found: dict[str, str] = {}
        with self.engine.connect() as connection:
            for first in range(0, len(accounts), MOST_ASKED):
                some = list(accounts[first : first + MOST_ASKED])
                rows = connection.execute(sa.select(NAMES).where(NAMES.c.account.in_(some)))
                found |= {row.account: row.name for row in rows}
        return found

    def shown(self, outcome: str) -> sa.Row[Any] | None:
        """The latest batch of an outcome."""
        with self.engine.connect() as connection:
            query = sa.select(BATCHES).where(BATCHES.c.outcome == outcome).order_by(BATCHES.c.as_of.desc()).limit(1)
            return connection.execute(query).first()

    def require_shown(self, outcome: str) -> sa.Row[Any]:
        batch = self.shown(outcome)
        if batch is None:
            raise PropensityError(
                f"there are no {outcome} scores yet", "Run `propensity train`, then `propensity score`.", status=404
            )
        return batch

    def top(self, outcome: str, most: int, accounts: Sequence[str] | None = None) -> list[Score]:
        """The highest of the latest batch, among ``accounts`` where they are given."""
        batch = self.require_shown(outcome)
        query = _of(batch).order_by(SCORES.c.rank)
        if accounts is None:
            return self._scores(query.limit(most))
        among = set(accounts)
        return [score for score in self._scores(query) if score.account in among][:most]

    def of_batch(self, batch: sa.Row[Any]) -> list[Score]:
        """All scores of a batch, the highest first."""
        return self._scores(_of(batch).order_by(SCORES.c.rank))

    def of_account(self, account: str, outcome: str) -> Score | None:
        """An account's score in the latest batch."""
        batch = self.shown(outcome)
        if batch is None:
            return None
        found = self._scores(_of(batch).where(SCORES.c.account == account))
        return found[0] if found else None

    def history(self, account: str, outcome: str) -> list[Score]:
        """An account's scores as they are shown, one for each as_of, oldest first."""
        query = sa.select(SCORES).join(BATCHES, _SHOWN)
        chosen = (SCORES.c.account == account) & (SCORES.c.outcome == outcome)
        return self._scores(query.where(chosen).order_by(SCORES.c.as_of))

    def made(self, outcome: str) -> dict[date, datetime]:
        """When the batch was made that is shown for each as_of."""
        query = sa.select(BATCHES.c.as_of, BATCHES.c.made_at).where(BATCHES.c.outcome == outcome)
        with self.engine.connect() as connection:
            rows = connection.execute(query).all()
        return {row.as_of: row.made_at if row.made_at.tzinfo else row.made_at.replace(tzinfo=UTC) for row in rows}

    def before(self, outcome: str, as_of: date, accounts: Sequence[str]) -> dict[str, float]:
        """What the last batch before a date said of these accounts."""
        earlier = (BATCHES.c.outcome == outcome) & (BATCHES.c.as_of < as_of)
        last = sa.select(sa.func.max(BATCHES.c.as_of)).where(earlier).scalar_subquery()
        query = sa.select(SCORES.c.account, SCORES.c.probability).join(BATCHES, _SHOWN)
        query = query.where(BATCHES.c.outcome == outcome, BATCHES.c.as_of == last, SCORES.c.account.in_(list(accounts)))
        with self.engine.connect() as connection:
            return {row.account: row.probability for row in connection.execute(query)}

    def probabilities(self, outcome: str, as_of: date) -> dict[str, float]:
        """What the scores shown for a date say of each account; nothing where that date has not been scored."""
        query = sa.select(SCORES.c.account, SCORES.c.probability).join(BATCHES, _SHOWN)
        query = query.where(BATCHES.c.outcome == outcome, BATCHES.c.as_of == as_of)
        with self.engine.connect() as connection:
            return {row.account: row.probability for row in connection.execute(query)}

    def score(self, score_id: str) -> Score:
        found = self._scores(sa.select(SCORES).where(SCORES.c.score_id == score_id).order_by(SCORES.c.frame_hash))
        if not found:
            raise PropensityError(
                f"no score has the id {score_id!r}",
                "Take an id from `propensity list` or `propensity explain`.",
                status=404,
            )
        return found[0]

    def _scores(self, query: sa.Select[Any]) -> list[Score]:
        with self.engine.connect() as connection:
            return [_score(row) for row in connection.execute(query)]

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        try:
            with self.engine.begin() as connection:
                yield connection
        except sa.exc.OperationalError as error:
            raise PropensityError(
                f"the application store cannot be written: {error.orig}",
                "Check that it is up, not locked and has room; nothing was changed.",
                status=503,
            ) from error


def is_down(error: Exception) -> bool:
    """Whether it is the store that failed, and not what it was asked."""
    if isinstance(error, sa.exc.DBAPIError):
        wrong = (sa.exc.IntegrityError, sa.exc.ProgrammingError, sa.exc.DataError, sa.exc.NotSupportedError)
        return not isinstance(error, wrong)
    return isinstance(error, sa.exc.TimeoutError)


def unreached(error: Exception) -> PropensityError:
    """What is told of a store that ``is_down``: the kind of error, since its text may hold what was to be stored."""
    return PropensityError(
        f"the application store cannot be reached: {type(error).__name__}",
        "Check that it is up, not locked and has room; scores by account id are served from memory meanwhile.",
        status=503,
    )


def _of(batch: sa.Row[Any]) -> sa.Select[Any]:
    return sa.select(SCORES).where(
        SCORES.c.outcome == batch.outcome,
        SCORES.c.as_of == batch.as_of,
        SCORES.c.model_version == batch.model_version,
        SCORES.c.frame_hash == batch.frame_hash,
    )


@lru_cache(maxsize=16)
def _engine(url: str, seconds: float, _process: int) -> Engine:
    """One per store and process: PostgreSQL's connections are kept and checked before use, SQLite's cost nothing to make.

    An error is logged; what was to be stored is not.
    """
    if url.startswith("postgresql+psycopg:"):
        from serving.stores.patience import patient  # noqa: PLC0415 - psycopg takes its time, and SQLite is the usual

        pool = {"pool_pre_ping": True, "pool_timeout": seconds, "pool_size": KEPT, "max_overflow": MORE}
        return patient(sa.create_engine(url, hide_parameters=True, **pool), seconds)
    if not url.startswith("sqlite:"):
        raise PropensityError(
            f"store begins with {url.partition(':')[0]!r}: that is no database that the application store knows",
            "Write postgresql+psycopg://USER@HOST/DATABASE, or leave it out: then it is a file below state/.",
        )
    engine = sa.create_engine(url, hide_parameters=True, poolclass=sa.NullPool)

    @sa.event.listens_for(engine, "connect")
    def _wal(connection: Any, _: object) -> None:
        connection.execute(f"PRAGMA busy_timeout = {round(1000 * min(seconds, LOCKED_SECONDS))}")
        connection.execute("PRAGMA journal_mode = WAL")

    return engine


def _row(score: Score) -> dict[str, Any]:
    return vars(score) | {"reasons": json.dumps([[r.text, r.feature, r.contribution] for r in score.reasons])}


def _score(row: sa.Row[Any]) -> Score:
    stored = dict(row._mapping)
    stored["reasons"] = [Reason(*reason) for reason in json.loads(stored["reasons"])]
    return Score(**stored)
