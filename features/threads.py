"""How work that releases the interpreter lock is shared: one piece after the other on as many threads as there are processors."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import CancelledError, ThreadPoolExecutor
from threading import Event
from typing import TypeVar

THREADS = min(8, os.cpu_count() or 1)
Piece = TypeVar("Piece")
Made = TypeVar("Made")


def each(work: Callable[[Piece], Made], pieces: Iterable[Piece]) -> Generator[Made, None, None]:
    """What work makes of each piece, in their order. Where one fails, or the generator is closed, no other is begun."""
    ended = Event()

    def one(piece: Piece) -> Made:
        if ended.is_set():
            raise CancelledError
        try:
            return work(piece)
        except BaseException:
            ended.set()
            raise

    with ThreadPoolExecutor(THREADS) as threads:
        begun = [threads.submit(one, piece) for piece in pieces]
        try:
            for piece in begun:
                yield piece.result()
        finally:
            ended.set()
