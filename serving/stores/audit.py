"""What was written through the service: an append-only table of who, when and which route; no body, no path."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from serving.stores.store import METADATA, Store

AUDIT = sa.Table(
    "audit",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("who", sa.String, nullable=False),
    sa.Column("method", sa.String(7), nullable=False),
    sa.Column("route", sa.String, nullable=False),
    sa.Column("request", sa.String(64), nullable=False),
    sa.Column("status", sa.Integer),
    comment="append-only: each writing request when it came (no status yet) and when it was answered; no body, no path",
)


@dataclass(frozen=True)
class Written:
    """A writing request of a key's holder. ``status`` None: it came, and what became of it is in a later entry or, if
    the service was killed, unknown.
    """

    who: str
    method: str
    route: str
    request: str
    status: int | None = None


class Audit:
    """The audit log of one workspace."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def add(self, written: Written) -> None:
        """Raises PropensityError (503) where it cannot be written down."""
        with self.store.writing() as connection:
            connection.execute(AUDIT.insert(), vars(written) | {"at": datetime.now(UTC)})

    def entries(self) -> list[Written]:
        """All, in the order in which they were written."""
        columns = (AUDIT.c.who, AUDIT.c.method, AUDIT.c.route, AUDIT.c.request, AUDIT.c.status)
        with self.store.engine.connect() as connection:
            return [Written(*row) for row in connection.execute(sa.select(*columns).order_by(AUDIT.c.number))]
