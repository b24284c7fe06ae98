"""Pages of made-up rows: all of them once and in order, however they are cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import PropensityError
from serving.web.book import Cursor, Place, page

PLACES = st.tuples(st.booleans(), st.floats(-9, 9).map(round).map(float), st.text("abc", max_size=2))
ROWS = st.lists(PLACES, unique=True, max_size=30)


def test_a_page_begins_after_the_last_line_of_the_one_before() -> None:
    rows = [(False, 1.0, "a"), (False, 1.0, "b"), (False, 2.0, "c"), (True, 0.0, "d")]
    keep = {0, 2, 3}.__contains__
    assert page(range(4), rows.__getitem__, keep, 2) == ([0, 2], True)
    assert page(range(4), rows.__getitem__, keep, 2, rows[2]) == ([3], False)
    assert page(range(4), rows.__getitem__, keep, 3) == ([0, 2, 3], False)
    assert page(range(4), rows.__getitem__, keep, 2, (False, 1.5, "gone by now")) == ([2, 3], False)


@given(ROWS, st.integers(1, 7), st.sets(st.integers(0, 29)))
def test_pages_together_are_what_is_kept_in_order(rows: list[Place], size: int, kept: set[int]) -> None:
    order = sorted(range(len(rows)), key=rows.__getitem__)
    found: list[int] = []
    after, more = None, True
    while more:
        part, more = page(order, rows.__getitem__, kept.__contains__, size, after)
        assert len(part) == size or not more
        found += part
        after = rows[part[-1]] if part else None
    assert found == [row for row in order if row in kept]


@given(st.text(), st.sampled_from(["rank", "-arr"]), PLACES)
def test_a_cursor_is_read_as_it_was_written(batch: str, sort: str, after: Place) -> None:
    cursor = Cursor(batch, sort, after)
    assert Cursor.of(str(cursor), batch, sort) == cursor


@given(st.text(max_size=40) | st.binary(max_size=40).map(lambda told: told.hex()))
def test_a_cursor_that_nobody_gave_is_refused(text: str) -> None:
    with pytest.raises(PropensityError) as refused:
        Cursor.of(text, "batch", "rank")
    assert refused.value.status in (400, 409)
