"""The line of champions, as the history of moves tells it. What moves are and how they are kept: test_registry_places."""

from __future__ import annotations

import pytest

from training.promotion import Move, _line


def moves(*told: tuple[str, int | None, int]) -> list[Move]:
    return [Move(kind, before, after, "", "", "", "", False) for kind, before, after in told]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("told", "current", "expected"),
    [
        ([], 4, [4]),
        ([("promotion", None, 1), ("promotion", 1, 2)], 2, [1, 2]),
        ([("promotion", None, 1), ("promotion", 1, 2), ("rollback", 2, 1), ("promotion", 1, 3)], 3, [1, 3]),
        ([("promotion", None, 1), ("promotion", 1, 2), ("promotion", 2, 1)], 1, [1, 2, 1]),
        ([("promotion", 4, 5)], 5, [4, 5]),  # version 4 was made champion by hand
        ([("promotion", None, 1), ("promotion", 1, 2)], 1, [1]),  # killed before the second took effect
        (
            [("promotion", None, 1), ("promotion", 1, 2), ("promotion", 1, 3)],
            3,
            [1, 3],
        ),  # two at once, or the same kill
        ([("promotion", None, 1), ("promotion", 1, 2)], 7, [1, 2, 7]),  # version 7 by hand
        ([("promotion", None, 1), ("promotion", None, 2)], 2, [2]),  # the alias was taken away in between
    ],
)
def test_the_line_that_led_to_the_champion(
    told: list[tuple[str, int | None, int]], current: int, expected: list[int]
) -> None:
    assert _line(moves(*told), current) == expected
