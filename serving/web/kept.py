"""Answers that take long to make, kept until what they are made of changes: a batch, an intake, an entry of the log."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from contextlib import suppress
from threading import Lock
from typing import Any, TypeVar

import sqlalchemy as sa

from features.errors import PropensityError
from features.workspace import Workspace
from serving.stores.log import LOG, Log
from serving.stores.store import BATCHES, is_down
from serving.web.backroom import Rooms
from serving.web.later import Later

T = TypeVar("T")
MOST = 256
"""Of each kind."""
Mark = tuple[Hashable, ...]


class Shelf:
    """What was made of one kind, at most so many: what was asked for longest ago is let go first. One thing is made at a
    time; whoever else wants it waits, and finds it made.
    """

    def __init__(self) -> None:
        self._turn = Lock()
        self._found: OrderedDict[Hashable, tuple[Mark, Any]] = OrderedDict()

    def there(self, what: Hashable, mark: Mark) -> tuple[Mark, Any] | None:
        """What was made of this very state of the data, with that state."""
        found = self._found.get(what)
        if found is None or found[0] != mark:
            return None
        with suppress(KeyError):  # it may have been let go meanwhile
            self._found.move_to_end(what)
        return found

    def __call__(self, what: Hashable, make: Callable[[], Any], mark: Callable[[], Mark]) -> Any:
        found = self.there(what, mark())
        if found is None:
            with self._turn:
                now = mark()
                found = self.there(what, now)
                if found is None:
                    found = self._found[what] = (now, make())
                    while len(self._found) > MOST:
                        self._found.popitem(last=False)
        return found[1]


class Kept:
    """What was made for one workspace: the usual, what takes ``long``, and each kind that is made in another process, so that
    none of these drives another out.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.log = Log(workspace)
        self.later = Later()
        self._last: dict[bool, Mark] = {}
        self._usual, self._long = Shelf(), Shelf()
        self._beside: dict[str, Shelf] = {}
        self._rooms = Rooms(workspace)

    def mark(self, log: bool = True) -> Mark:
        """Which tables are in use, which batches are shown, and, with ``log``, how long the log is; as they last were
        while the store is out of reach, so that what was made of them goes on.
        """
        try:
            self._last[log] = self._read(log)
        except sa.exc.SQLAlchemyError as error:
            if log not in self._last or not is_down(error):
                raise
        return self._last[log]

    def _read(self, log: bool) -> Mark:
        pointer = self.workspace.tables / "current"
        tables = pointer.read_text(encoding="utf-8") if pointer.is_file() else ""
        with self.log.store.engine.connect() as connection:
            batches = connection.execute(sa.select(BATCHES).order_by(BATCHES.c.outcome, BATCHES.c.as_of)).all()
            last = connection.execute(sa.select(sa.func.max(LOG.c.number))).scalar() if log else None
        return (tables, last, *(tuple(batch) for batch in batches))

    def __call__(self, what: Hashable, make: Callable[[], T], long: bool = False, log: bool = True) -> T:
        """``what`` names the answer and everything it was asked with; an error is not kept. Without ``log`` it stays
        whatever is written to the log.
        """
        found: T = (self._long if long else self._usual)(what, make, lambda: self.mark(log))
        return found

    def beside(self, make: Callable[..., T], *given: Any, log: bool = True) -> T:
        """What ``make(workspace, *given)`` comes to in another process (``Rooms``): of what takes minutes."""
        shelf = self._beside.setdefault(make.__module__, Shelf())
        found: T = shelf((make.__qualname__, *given), lambda: self._rooms(make, *given), lambda: self.mark(log))
        return found

    def soon(
        self,
        what: Hashable,
        make: Callable[[], T],
        seconds: float,
        log: bool = True,
        first: Callable[[], object] = lambda: None,
    ) -> T:
        """The same of what may take minutes: made beside the requests, ``first`` before its turn comes. Raises
        PropensityError (503) where it is not there after so many seconds; it goes on being made.
        """
        there = self._long.there(what, self.mark(log))
        if there is not None:
            before: T = there[1]
            return before

        def whole() -> T:
            first()
            return self(what, make, long=True, log=log)

        made = self.later(("kept", what), whole, seconds)
        if made is None:
            raise PropensityError(
                "this is being worked out from the latest data", "Ask again in a minute or two.", status=503
            )
        return made
