"""How work that releases the interpreter lock is shared: one piece after the other on as many threads as there are processors."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

THREADS = min(8, os.cpu_count() or 1)
Piece = TypeVar("Piece")
Made = TypeVar("Made")


def each(work: Callable[[Piece], Made], pieces: Iterable[Piece]) -> Iterator[Made]:
    """What work makes of each piece, in their order; where one fails, those not begun are left."""
    with ThreadPoolExecutor(THREADS) as threads:
        begun = [threads.submit(work, piece) for piece in pieces]
        try:
            for piece in begun:
                yield piece.result()
        finally:
            threads.shutdown(cancel_futures=True)
