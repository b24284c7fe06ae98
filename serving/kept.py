"""Answers that take long to make, kept until what they are made of changes: a batch, an intake, an entry of the log."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, TypeVar

import sqlalchemy as sa

from features.workspace import Workspace
from serving.log import LOG, Log
from serving.store import BATCHES, is_down

T = TypeVar("T")
MOST = 64
Mark = tuple[Hashable, ...]


class Kept:
    """What was made for one workspace. One thing is made at a time: whoever else wants it waits, and finds it made."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.log = Log(workspace)
        self._making = Lock()
        self._last: Mark | None = None
        self._found: OrderedDict[Hashable, tuple[Mark, Any]] = OrderedDict()

    def mark(self) -> Mark:
        """Which tables are in use, which batches are shown, and how long the log is; as they last were while the store
        is out of reach, so that what was made of them goes on.
        """
        try:
            self._last = self._read()
        except sa.exc.SQLAlchemyError as error:
            if self._last is None or not is_down(error):
                raise
        return self._last

    def _read(self) -> Mark:
        pointer = self.workspace.tables / "current"
        tables = pointer.read_text(encoding="utf-8") if pointer.is_file() else ""
        with self.log.store.engine.connect() as connection:
            batches = connection.execute(sa.select(BATCHES).order_by(BATCHES.c.outcome, BATCHES.c.as_of)).all()
            last = connection.execute(sa.select(sa.func.max(LOG.c.number))).scalar()
        return (tables, last, *(tuple(batch) for batch in batches))

    def __call__(self, what: Hashable, make: Callable[[], T]) -> T:
        """``what`` names the answer and everything it was asked with; an error is not kept."""
        mark = self.mark()
        found = self._found.get(what)
        if found is None or found[0] != mark:
            with self._making:
                mark = self.mark()
                found = self._found.get(what)
                if found is None or found[0] != mark:
                    found = (mark, make())
                    self._found[what] = found
                    while len(self._found) > MOST:
                        self._found.popitem(last=False)
        value: T = found[1]
        return value
