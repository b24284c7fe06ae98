"""What takes long is made beside whoever waits for it, so that a page can say so instead of keeping them waiting."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from concurrent.futures import Future, wait
from threading import Lock, Thread
from typing import Any, TypeVar

T = TypeVar("T")
PATIENCE = 0.6
"""Seconds that somebody is kept waiting: what was made before is there within it."""
MOST = 8
"""So many things are in the making at once; the next one begins when somebody asks again."""


class Later:
    """Nothing is kept here: what is made has to be kept by whoever makes it, and is asked for once more when it is there."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._making: dict[Hashable, Future[Any]] = {}

    def __call__(self, what: Hashable, make: Callable[[], T], patience: float = PATIENCE) -> T | None:
        """What ``make`` comes to, or None while it is in the making; what went wrong is raised to who asks next."""
        with self._lock:
            before = self._making.get(what)
        if before is not None:
            if not wait([before], patience).done:
                return None
            self._forget(what, before)
            before.result()  # what came of it may be old by now, unlike what went wrong
        now = self._begin(what, make)
        if now is None or not wait([now], patience).done:
            return None
        self._forget(what, now)
        found: T = now.result()
        return found

    def _begin(self, what: Hashable, make: Callable[[], T]) -> Future[Any] | None:
        with self._lock:
            if what not in self._making:
                if len(self._making) >= MOST:
                    self._making = {name: one for name, one in self._making.items() if not one.done()}
                if len(self._making) >= MOST:
                    return None
                future: Future[Any] = Future()
                self._making[what] = future
                Thread(target=_make, args=(future, make), name="later", daemon=True).start()
            return self._making[what]

    def _forget(self, what: Hashable, future: Future[Any]) -> None:
        with self._lock:
            if self._making.get(what) is future:
                del self._making[what]


def _make(future: Future[Any], make: Callable[[], Any]) -> None:
    try:
        future.set_result(make())
    except BaseException as error:  # whatever it is, it is raised to who asks
        future.set_exception(error)
