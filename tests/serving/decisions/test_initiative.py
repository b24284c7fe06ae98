"""The value of an initiative: by hand, and what holds whatever the accounts and the evidence."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.decisions.initiative import Evidence, initiative

SURE = 1_000_000
ARR = np.array([10_000.0, 30_000.0])


def _evidence(change: float, error: float = 0.0, freedom: int = SURE) -> Evidence:
    return Evidence(change, error, freedom, False, "a panel")


def test_by_hand() -> None:
    """40,000 of ARR, 2% more stay, a margin of 70%: 560 come in, 500 are spent. It breaks even at 500/28,000."""
    found = initiative(ARR, 0.1, _evidence(0.02), margin=0.7, cost=500, seed=7)
    assert (found.accounts, found.arr) == (2, 40_000)
    assert found.expected == pytest.approx(60)
    assert (found.low, found.high) == pytest.approx((60, 60))
    assert found.pays == 1
    assert found.needed == pytest.approx(500 / 28_000)
    assert found.points_needed(10) == pytest.approx(10 * (500 / 28_000) / 0.02)
    assert "pay" in found.verdict


def test_the_interval_is_that_of_the_evidence() -> None:
    """An error of 1% on 28,000: 280, of which 1.645 on either side; the chance to pay is that of z above -60/280."""
    found = initiative(ARR, 0.5, _evidence(0.02, 0.01), margin=0.7, cost=500, seed=7)
    assert found.expected == pytest.approx(60, abs=8)
    assert found.low == pytest.approx(60 - 1.645 * 280, abs=15)
    assert found.high == pytest.approx(60 + 1.645 * 280, abs=15)
    assert found.pays == pytest.approx(0.585, abs=0.015)
    assert "either way" in found.verdict


def test_few_accounts_scatter_more() -> None:
    few, many = (initiative(ARR, 0.5, _evidence(0.02, 0.01, freedom), 0.7, 0, 7) for freedom in (3, SURE))
    assert few.high - few.low > 1.3 * (many.high - many.low)  # t of 3: 2.35 in place of 1.645


def test_nobody_is_kept_who_would_have_stayed() -> None:
    """More is hoped for than the 1% who would leave: 280 come in, not 560; 500 are never earned."""
    found = initiative(ARR, 0.01, _evidence(0.02), margin=0.7, cost=500, seed=7)
    assert found.change == 0.01
    assert found.expected == pytest.approx(280 - 500)
    assert found.needed is None
    assert found.points_needed(10) is None
    assert "cost more" in found.verdict


def test_what_does_harm_breaks_even_at_no_points() -> None:
    found = initiative(ARR, 0.1, _evidence(-0.02), margin=0.7, cost=500, seed=7)
    assert found.expected == pytest.approx(-1060)
    assert found.points_needed(10) is None


def test_without_margin_or_arr_nothing_is_earned() -> None:
    for arr, margin in ((ARR, 0.0), (np.zeros(2), 0.7)):
        found = initiative(arr, 0.1, _evidence(0.02), margin, cost=500, seed=7)
        assert (found.expected, found.needed) == (-500, None)


@settings(max_examples=30, deadline=None)
@given(
    arr=st.lists(st.floats(1, 1e6), min_size=1, max_size=20),
    change=st.floats(-0.2, 0.2),
    error=st.floats(0, 0.1),
    leaving=st.floats(0.001, 0.5),
    cost=st.floats(0, 1e6),
    rate=st.floats(0.1, 10),
)
def test_currency_order_and_bounds(
    arr: list[float], change: float, error: float, leaving: float, cost: float, rate: float
) -> None:
    told = initiative(np.array(arr), leaving, _evidence(change, error), 0.7, cost, 7)
    other = initiative(np.array(arr[::-1]) * rate, leaving, _evidence(change, error), 0.7, cost * rate, 7)
    assert other.expected == pytest.approx(told.expected * rate, rel=1e-6, abs=1e-6 * rate * sum(arr))
    assert told.low <= told.high <= sum(arr) * 0.7 * leaving - cost + 1e-6 * sum(arr)
    assert told.expected >= sum(arr) * 0.7 * (leaving - 1) - cost - 1e-6 * sum(arr)
