"""Folds respect time: nothing is learnt whose outcome was not known before the test began."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest

from features import windows
from features.errors import PropensityError
from training.splits import blocks, known_by, rolling

MONTHLY = windows.grid(date(2024, 1, 31), date(2026, 3, 31), "month")
FORTNIGHTLY = windows.grid(date(2024, 1, 1), date(2026, 3, 31), "14 days")


@pytest.mark.parametrize("days", [MONTHLY, FORTNIGHTLY], ids=["month", "14 days"])
@pytest.mark.parametrize("span", [1, 28, 90, 134, 365])
@pytest.mark.parametrize("test_dates", [1, 3])
def test_folds_leave_an_embargo(days: list[date], span: int, test_dates: int) -> None:
    folds = rolling(days, span, test_dates, folds=4)
    assert folds[-1].test == tuple(days[-test_dates:])
    for fold in folds:
        assert len(fold.test) == test_dates
        assert max(fold.fit) + timedelta(days=span) <= min(fold.test)
        later = [day for day in days if day > max(fold.fit)]
        assert later[0] + timedelta(days=span) > min(fold.test), "a date that could have been learnt from is left out"
    for earlier, following in pairwise(folds):
        assert max(earlier.test) + timedelta(days=span) <= min(following.test)
        assert set(earlier.fit) < set(following.fit)
        assert set(earlier.test) <= set(following.fit)


def test_the_boundary_is_the_day_on_which_the_outcome_is_known() -> None:
    assert known_by(date(2026, 1, 1), 30, date(2026, 1, 31))
    assert not known_by(date(2026, 1, 1), 30, date(2026, 1, 30))


def test_folds_are_as_many_as_asked_for_or_as_history_allows() -> None:
    assert [len(rolling(MONTHLY, 90, 3, folds)) for folds in (1, 2, 50)] == [1, 2, 5]


@pytest.mark.parametrize(
    ("days", "span", "test_dates"),
    [(MONTHLY[:4], 120, 3), (MONTHLY[:2], 10, 3), ([], 10, 1), (MONTHLY[-1:], 1, 1)],
    ids=["all within the embargo", "fewer dates than the test takes", "no dates", "one date"],
)
def test_too_little_history_says_what_it_takes(days: list[date], span: int, test_dates: int) -> None:
    with pytest.raises(PropensityError) as error:
        rolling(days, span, test_dates, 2)
    assert f"{span} days" in error.value.message
    assert f"{len(days)} as_of dates" in error.value.message
    assert "as_of.since" in error.value.hint


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("span", [28, 90, 200])
def test_blocks_lie_end_to_end_and_what_they_learn_from_was_known_before(size: int, span: int) -> None:
    days = MONTHLY
    found = blocks(days, span, size)
    judged = [day for fold in found for day in fold.test]
    assert judged == days[len(days) - len(judged) :]
    for fold in found:
        assert len(fold.test) == size
        assert fold.fit == tuple(day for day in days if day + timedelta(days=span) <= fold.test[0])
    before = days[: len(days) - len(judged)][-size:]
    assert len(before) < size or days[0] + timedelta(days=span) > before[0], "one block more could have been laid"
