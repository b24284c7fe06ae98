"""What takes long is made beside whoever asks: they are told so, and find it when they ask again."""

from __future__ import annotations

from threading import Event

import pytest

from features.errors import PropensityError
from serving.web.later import MOST, Later

GENEROUS = 60.0


def test_what_is_there_is_given_at_once_and_what_is_not_is_made_once() -> None:
    later, go_on = Later(), Event()
    made: list[None] = []

    def make() -> int:
        made.append(None)
        assert go_on.wait(GENEROUS)
        return len(made)

    assert [later("one", make, patience=0) for _ in range(3)] == [None] * 3
    go_on.set()
    # What was begun by others may be old: it is asked for once more, of what has kept it by then.
    assert later("one", make, GENEROUS) == 2
    assert later("one", make, GENEROUS) == 3, "and nothing is kept here"


def test_what_went_wrong_is_raised_to_who_asks_next_and_then_tried_again() -> None:
    later, go_on = Later(), Event()

    def fails() -> int:
        assert go_on.wait(GENEROUS)
        raise PropensityError("no", "not at all")

    assert later("one", fails, patience=0) is None
    go_on.set()
    with pytest.raises(PropensityError, match="no"):
        later("one", fails, GENEROUS)
    assert later("one", lambda: 7, GENEROUS) == 7


def test_only_so_many_are_in_the_making_at_once() -> None:
    later, go_on = Later(), Event()
    begun: list[int] = []

    def make(number: int) -> int:
        begun.append(number)
        assert go_on.wait(GENEROUS)
        return number

    for number in range(MOST + 3):
        assert later(number, lambda number=number: make(number), patience=0) is None  # type: ignore[misc]
    go_on.set()
    assert later(0, lambda: 5, GENEROUS) == 5
    assert later(MOST + 2, lambda: 99, GENEROUS) == 99, "once one is made, the next one's turn comes"
    assert set(begun) == set(range(MOST))
