"""What came of asks, worked by hand: yes, no, unknown, and never anything that was not known yet."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.asks.labels import LEAST_PATIENCE, answers, made, patience

NEVER = np.nan
DAYS = 90


def _asks(*rows: tuple[float, float, float, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["asked", "yes", "no", "recorded"], dtype=float)


@pytest.mark.parametrize(
    ("ask", "by", "expected"),
    [
        ((100, 105, NEVER, NEVER), 105, 1.0),
        ((100, 105, NEVER, NEVER), 104, np.nan),
        ((100, NEVER, 105, NEVER), 105, 0.0),
        ((100, NEVER, 105, NEVER), 104, np.nan),
        ((100, NEVER, NEVER, NEVER), 189, np.nan),
        ((100, NEVER, NEVER, NEVER), 190, 0.0),
        ((100, 189, NEVER, NEVER), 189, 1.0),
        ((100, 190, NEVER, NEVER), 500, 0.0),
        ((100, 105, NEVER, 120), 119, np.nan),
        ((100, 105, NEVER, 120), 120, 1.0),
        ((100, 110, 105, NEVER), 500, 0.0),
        ((100, 105, 110, NEVER), 500, 1.0),
        ((100, NEVER, NEVER, NEVER), 99, np.nan),
    ],
    ids=[
        "accepted", "not accepted yet", "declined", "not declined yet", "silent and in time", "silent for too long",
        "accepted on the last day", "accepted too late", "accepted, not on record", "accepted, on record",
        "a no that they went back on", "a yes that they went back on", "not asked yet",
    ],
)  # fmt: skip
def test_an_answer_is_what_was_known(ask: tuple[float, float, float, float], by: float, expected: float) -> None:
    np.testing.assert_equal(answers(_asks(ask), by, DAYS), [expected])


def test_an_ask_is_made_once_it_is_on_record() -> None:
    asks = _asks((100, NEVER, NEVER, NEVER), (100, NEVER, NEVER, 130))
    assert made(asks, 99).tolist() == [False, False]
    assert made(asks, 100).tolist() == [True, False]
    assert made(asks, 130).tolist() == [True, True]


def test_nobody_says_no_by_silence_in_less_than_a_month() -> None:
    assert (patience(0), patience(90)) == (LEAST_PATIENCE, 90)


ASKS = st.lists(
    st.tuples(
        st.integers(0, 300),
        st.none() | st.integers(0, 200),
        st.none() | st.integers(0, 200),
        st.none() | st.integers(0, 40),
    ),
    min_size=1,
    max_size=20,
)
Drawn = list[tuple[int, int | None, int | None, int | None]]


def _drawn(asks: Drawn) -> pd.DataFrame:
    """``yes``, ``no`` and ``recorded`` are days after the ask."""
    return _asks(
        *((float(asked), *(NEVER if days is None else float(asked + days) for days in later)) for asked, *later in asks)
    )


@given(ASKS, st.integers(0, 400), st.integers(0, 200))
def test_what_is_known_later_changes_nothing_earlier(asks: Drawn, by: int, later: int) -> None:
    """Take away all that happened, or was recorded, after a day: what is said of that day stays the same."""
    rows = _drawn(asks)
    cut = rows.copy()
    for name in ("yes", "no"):
        known = np.fmax(rows[name], rows["recorded"])
        cut[name] = rows[name].where(known <= by)
    np.testing.assert_equal(answers(rows, by, DAYS), answers(cut, by, DAYS))
    before, after = answers(rows, by, DAYS), answers(rows, by + later, DAYS)
    recorded_late = rows["recorded"].notna().to_numpy()
    settled = ~np.isnan(before) & ~recorded_late
    np.testing.assert_equal(before[settled], after[settled])
