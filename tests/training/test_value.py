"""What a list is worth: by hand on five accounts, and properties that hold on any."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.settings.decisions import Economics
from training import metrics, value

TERMS = Economics(margin=0.5, save_rate=0.4, contact_cost=100, offer=200, arr=1000)
DAY = date(2026, 1, 31)
DAYS = np.array([DAY] * 5, dtype=object)
P = np.array([0.9, 0.5, 0.5, 0.1, 0.9])
ARR = np.array([10_000.0, 10_000.0, 2_000.0, 10_000.0, np.nan])
Y = np.array([1.0, 0.0, 1.0, 0.0, 0.0])
ACCOUNTS = np.array(["a", "b", "c", "d", "e"], dtype=object)


def test_expected_profit_by_hand() -> None:
    """0.9 · 0.4 · (10,000 · 0.5 − 200) − 0.1 · 200 − 100 = 1,608, and so on; without an ARR the terms' own counts."""
    assert value.expected(P, ARR, TERMS) == pytest.approx([1608, 760, -40, -88, -12])


def test_the_list_is_cut_at_capacity_and_calls_nobody_at_a_loss() -> None:
    assert value.listed(P, ARR, DAYS, 1, TERMS).tolist() == [True, False, False, False, False]
    assert value.listed(P, ARR, DAYS, 5, TERMS).tolist() == [True, True, False, False, False]


def test_what_a_list_came_to_by_hand() -> None:
    """The first leaves: 0.4 · 4,800 − 100 = 1,820; the second would have stayed and takes the offer: −300."""
    weights = metrics.draws(ACCOUNTS, 50, 1)
    found = value.at_capacity(Y, P, ARR, DAYS, 2, TERMS, weights)
    assert found.profit.value == pytest.approx(1820 - 300)
    assert found.precision.value == pytest.approx(0.5)
    assert found.as_dict()["note"] == value.ASSUMED


def test_capacity_is_per_date() -> None:
    days = np.array([DAY, DAY, date(2026, 2, 28), date(2026, 2, 28), date(2026, 2, 28)], dtype=object)
    chosen = value.listed(P, np.full(5, 10_000.0), days, 1, TERMS)
    assert [int(chosen[:2].sum()), int(chosen[2:].sum())] == [1, 1]


def test_two_lists_are_compared_on_the_same_draws() -> None:
    weights = metrics.draws(ACCOUNTS, 50, 1)
    same = value.compared(Y, P, P, ARR, DAYS, 2, TERMS, weights)
    assert (same.value, same.low, same.high) == (0, 0, 0)
    better = value.compared(Y, np.where(Y == 1, 0.9, 0.0), np.where(Y == 1, 0.0, 0.9), ARR, DAYS, 2, TERMS, weights)
    assert better.value > 0


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1e6)), min_size=1, max_size=40),
    st.integers(1, 10),
    st.sampled_from([0.1, 7.0, 1000.0]),
)
def test_the_list_does_not_depend_on_the_order_of_rows_nor_on_the_currency(
    accounts: list[tuple[float, float]], capacity: int, rate: float
) -> None:
    accounts = list(dict.fromkeys(accounts))
    p, arr = (np.array(column) for column in zip(*accounts, strict=True))
    days = np.array([DAY] * len(p), dtype=object)
    chosen = value.listed(p, arr, days, capacity, TERMS)
    assert chosen.sum() <= capacity
    worth = value.expected(p, arr, TERMS)
    assert (worth[chosen] > 0).all()
    turned = value.listed(p[::-1], arr[::-1], days, capacity, TERMS)[::-1]
    assert sorted(worth[chosen]) == pytest.approx(sorted(worth[turned]))
    other = TERMS.model_copy(update={name: getattr(TERMS, name) * rate for name in ("contact_cost", "offer", "arr")})
    elsewhere = value.listed(p, arr * rate, days, capacity, other)
    assert sorted(worth[elsewhere]) == pytest.approx(sorted(worth[chosen]), rel=1e-6, abs=1e-6)


def test_the_expected_maximum_profit_rises_with_better_ranking_and_is_told_only_where_it_means_something() -> None:
    rng = np.random.default_rng(0)
    y = (rng.random(2000) < 0.2).astype(float)
    arr = np.full(2000, 5000.0)
    good, chance = (value.empc(y, p, arr, TERMS) for p in (0.2 + 0.6 * y, rng.random(2000)))
    assert good is not None
    assert chance is not None
    assert good > chance
    assert value.empc(np.ones(5), P, ARR, TERMS) is None
    assert value.empc(Y, P, np.full(5, 10.0), TERMS) is None
