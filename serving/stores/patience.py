"""A PostgreSQL that hangs: it can be connected to and says nothing. It is waited for so long and no longer.

A statement that takes too long the server ends itself. Where not even that is heard, the connection is given up, and for
a while nobody else waits: connecting is refused at once, but for one now and then who tries.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from threading import Lock
from typing import Any, TypeVar

import psycopg
from sqlalchemy import event
from sqlalchemy.engine import Engine

T = TypeVar("T")
LATER = 1.0
"""Seconds that the server has to say itself that a statement took too long."""
AGAIN = 2.0
"""After how many seconds of silence somebody tries again."""


class SilentError(psycopg.OperationalError):
    """Nothing was heard, or nothing has been heard a moment ago."""


class Line:
    """What is known of the way to one server."""

    def __init__(self, seconds: float) -> None:
        self.patience = seconds + LATER
        self._again: float | None = None
        self._lock = Lock()

    def enter(self) -> None:
        """Raises SilentError where somebody else has found it silent, or is trying."""
        with self._lock:
            if self._again is None:
                return
            if time.monotonic() < self._again:
                raise SilentError("the server has said nothing, and is tried again every few seconds")
            self._again = time.monotonic() + self.patience + AGAIN

    def heard(self) -> None:
        self._again = None

    def silent(self) -> None:
        self._again = time.monotonic() + AGAIN

    def listened(self, steps: Generator[Any, Any, T]) -> Generator[Any, Any, T]:
        """The same steps of psycopg's, as long as the server says or takes something in time."""
        ready, until = None, time.monotonic() + self.patience
        try:
            while True:
                ready = yield steps.send(ready)
                now = time.monotonic()
                if ready:
                    until = now + self.patience
                elif now > until:
                    raise SilentError(f"the server has said nothing for {self.patience:g} s")
        except StopIteration as done:
            found: T = done.value
            return found


def patient(engine: Engine, seconds: float) -> Engine:
    """The engine, which waits for no more than about so many seconds, connected or not."""
    line = Line(seconds)

    class Listening(psycopg.Connection[Any]):
        def wait(self, gen: Generator[Any, Any, T], *given: Any, **named: Any) -> T:
            try:
                return super().wait(line.listened(gen), *given, **named)
            except SilentError:
                line.silent()
                self.pgconn.finish()
                raise

    @event.listens_for(engine, "do_connect")
    def _connect(_: object, __: object, given: list[Any], named: dict[str, Any]) -> psycopg.Connection[Any]:
        named.setdefault("connect_timeout", max(2, round(seconds)))
        named.setdefault("options", f"-c statement_timeout={round(1000 * seconds)}")
        line.enter()
        try:
            made = Listening.connect(*given, **named)
        except psycopg.errors.ConnectionTimeout as error:
            line.silent()
            raise SilentError("the server lets nobody in, and says nothing") from error
        except psycopg.OperationalError:
            line.heard()  # that it cannot be connected to is an answer
            raise
        line.heard()
        return made

    return engine
