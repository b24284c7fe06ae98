"""Work shared among threads: in order, and over as soon as it fails or nobody listens."""

from __future__ import annotations

import time
from threading import Lock

import pytest

from features.threads import THREADS, each

MANY = 100


class Counted:
    """Work that takes a moment, fails at one piece, and knows which it began."""

    def __init__(self, fails_at: int = -1) -> None:
        self.fails_at, self.begun, self.lock = fails_at, list[int](), Lock()

    def __call__(self, piece: int) -> int:
        with self.lock:
            self.begun.append(piece)
        if piece == self.fails_at:
            raise ZeroDivisionError
        time.sleep(0.01)
        return piece * piece


def test_in_order() -> None:
    assert list(each(Counted(), range(MANY))) == [piece * piece for piece in range(MANY)]
    assert list(each(Counted(), [])) == []


def test_nothing_is_begun_after_a_failure() -> None:
    """Also while an earlier piece is still at work."""
    work = Counted(fails_at=1)
    with pytest.raises(ZeroDivisionError):
        list(each(work, range(MANY)))
    assert len(work.begun) <= 2 + 2 * THREADS


def test_nothing_is_begun_when_nobody_listens() -> None:
    work = Counted()
    made = each(work, range(MANY))
    assert next(made) == 0
    made.close()
    assert len(work.begun) < MANY // 2
