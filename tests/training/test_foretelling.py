"""Metrics against outcomes: by hand, where something is there, and where nothing is; error counted over fixed seeds."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from training import metrics
from training.foretelling import Judged, Rows, Seen, bands, judged, verdict
from training.metrics import Estimate
from training.splits import Fold

MAY, JUNE, JULY = date(2026, 5, 31), date(2026, 6, 30), date(2026, 7, 31)
FOLD = Fold((MAY,), (JUNE,))


def _rows(y: list[float], later: list[float], accounts: list[str] | None = None) -> Rows:
    """Rows as of May, then rows as of June, each of an account of its own unless they are named."""
    number = len(y) + len(later)
    names = [f"a{one:04}" for one in range(number)] if accounts is None else accounts
    days = [MAY] * len(y) + [JUNE] * len(later)
    return Rows(np.array([*y, *later]), np.array(names, dtype=object), np.array(days, dtype=object))


def _one(values: list[float], rows: Rows, fewest: int = 1, coverage: float = 0.0) -> Judged:
    return judged([Seen("m", np.array(values, dtype=float))], rows, [FOLD], coverage, fewest, 200, 7)[0]


def test_direction_threshold_lift_and_auc_by_hand() -> None:
    """Learnt in May: low goes with yes, the lowest fifth ends at 2. In June 1 and 2 are flagged, one of them is a yes."""
    rows = _rows([1, 1, 0, 0, 0, 0], [1, 0, 0, 1, 0, 0, 0, 0])
    found = _one([1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6, 7, np.nan], rows)
    assert (found.end, found.threshold) == ("low", 2.0)
    assert found.coverage == pytest.approx(7 / 8)
    assert (found.accounts, found.yes, found.no) == (7, 2, 5)
    assert found.flagged == pytest.approx(2 / 7)
    assert found.lift is not None
    assert found.auc is not None
    assert found.lift.value == pytest.approx((1 / 2) / (2 / 7))
    # 1 is below all five of the others, 4 below three of them: 8 of 10 pairs
    assert found.auc.value == pytest.approx(0.8)


def test_each_date_is_judged_by_what_was_known_before_it() -> None:
    """In June low goes with yes, in July high does: learnt from May, June is right; learnt from June, July is wrong."""
    days = np.repeat(np.array([MAY, JUNE, JULY], dtype=object), 4)
    y = np.array([1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 1, 1], dtype=float)
    rows = Rows(y, np.array([f"a{number}" for number in range(12)], dtype=object), days)
    seen = [Seen("m", np.tile([1.0, 2, 3, 4], 3))]
    folds = [Fold((MAY,), (JUNE,)), Fold((JUNE,), (JULY,))]
    june, july = (judged(seen, rows, [fold], 0, 1, 50, 7)[0] for fold in folds)
    assert june.auc is not None
    assert july.auc is not None
    assert (june.auc.value, july.auc.value) == (1.0, 0.0)
    both = judged(seen, rows, folds, 0, 1, 50, 7)[0]
    assert both.auc is not None
    assert both.auc.value == pytest.approx(0.5)


def test_dates_are_taken_together_by_rank_so_that_a_metric_that_rises_for_all_says_nothing() -> None:
    """July's answers are all higher than June's, and July has more leavers: only the order within a date counts."""
    days = np.repeat(np.array([MAY, JUNE, JULY], dtype=object), 10)
    y = np.concatenate([np.tile([1.0, 0.0], 5), [1.0] + [0.0] * 9, [1.0] * 9 + [0.0]])
    values = np.concatenate([np.tile([2.0, 1.0], 5), np.ones(10), np.full(10, 9.0)])
    rows = Rows(y, np.array([f"a{number}" for number in range(30)], dtype=object), days)
    folds = [Fold((MAY,), (JUNE,)), Fold((MAY,), (JULY,))]
    found = judged([Seen("m", values)], rows, folds, 0, 1, 50, 7)[0]
    assert found.auc is not None
    assert found.auc.value == pytest.approx(0.5)


def test_what_pointed_the_other_way_later_is_below_chance() -> None:
    y = [1.0] * 100 + [0.0] * 100
    down, up = list(np.arange(200.0)[::-1]), list(np.arange(200.0))
    found = _one(down + up, _rows(y, y))
    assert (found.found, found.end) == ("turned", "high")
    assert found.auc is not None
    assert found.auc.value == pytest.approx(0.0)
    assert _one(down + down, _rows(y, y)).found == "beacon"


@pytest.mark.parametrize(("share", "enough"), [(0.5, True), (0.6, False)])
def test_too_few_answers_are_not_tried(share: float, enough: bool) -> None:
    y = [1.0, 0.0] * 100
    half = [value if number < 100 else np.nan for number, value in enumerate(y)]
    found = _one(y + half, _rows(y, y), 10, share)
    assert (found.found != "too few") is enough
    assert (found.auc is not None) is enough
    assert found.coverage == 0.5


def test_fewest_counts_accounts_not_rows() -> None:
    """One account with the outcome on many rows is one account, learnt from or judged on."""
    y = [1.0] * 50 + [0.0] * 50
    one, many = ["a"] * 50, [f"b{number}" for number in range(50)]
    others = [f"c{number}" for number in range(50)]
    values = list(np.arange(100.0)) * 2
    assert _one(values, _rows(y, y, (one + many) * 2), fewest=2).found == "too few"
    assert _one(values, _rows(y, y, one + many + others + many), fewest=2).found == "too few"
    assert _one(values, _rows(y, y, (others + many) * 2), fewest=2).found == "beacon"


def test_bands_hold_together_and_are_wider_the_more_are_tried() -> None:
    rng = np.random.default_rng(0)
    draws = [np.concatenate([[0.0], rng.normal(size=4000)]) for _ in range(40)]
    (one,) = bands(draws[:1], [100_000])
    assert one.high == pytest.approx(1.96, abs=0.1)
    every = bands(draws, [100_000] * 40)
    assert every[0].high == pytest.approx(3.22, abs=0.15)  # the largest of 40 normal deviates, 95 of 100 times
    assert bands([], []) == []
    few = bands(draws, [9] * 40)
    assert few[0].high > 1.25 * every[0].high  # ten accounts are few


def test_a_constant_has_a_band_of_no_width_and_is_no_beacon() -> None:
    y = [1.0, 0.0] * 100
    found = _one([1.0] * 400, _rows(y, y))
    assert found.found == "not shown"
    assert found.band == Estimate(0.5, 0.5, 0.5)


@given(low=st.floats(0, 1), width=st.floats(0, 0.5))
def test_the_name_is_earned_only_clear_of_chance(low: float, width: float) -> None:
    found = verdict(Estimate(low + width / 2, low, low + width))
    assert (found == "beacon") == (low > 0.5)
    assert (found == "turned") == (low + width < 0.5)


@settings(max_examples=20, deadline=None)
@given(order=st.permutations(range(60)))
def test_the_order_of_rows_does_not_matter(order: list[int]) -> None:
    rng = np.random.default_rng(3)
    y, values = (rng.random(60) < 0.4).astype(float), rng.normal(size=60).round(1)
    rows = _rows(list(y[:30]), list(y[30:]))
    mixed = Rows(rows.y[order], rows.accounts[order], rows.as_of[order])
    one, other = _one(list(values), rows), _one(list(values[order]), mixed)
    assert one.auc is not None
    assert other.auc is not None
    assert one.auc.value == pytest.approx(other.auc.value)
    assert one.auc.low == pytest.approx(other.auc.low)


def _world(seed: int, effect: float, many: int = 10, accounts: int = 100, dates: int = 6) -> list[Judged]:
    """Accounts with lasting habits on some dates; only the first metric may have an effect."""
    rng = np.random.default_rng(seed)
    days = [date(2026, month + 1, 1) for month in range(dates)]
    habit, lasting = rng.normal(size=(many, accounts)), rng.normal(size=accounts)
    values = [np.tile(one, dates) + 0.7 * rng.normal(size=accounts * dates) for one in habit]
    odds = -1 + np.tile(lasting, dates) + effect * values[0]
    y = (rng.random(accounts * dates) < 1 / (1 + np.exp(-odds))).astype(float)
    names = np.tile(np.array([f"a{number}" for number in range(accounts)], dtype=object), dates)
    rows = Rows(y, names, np.repeat(np.array(days, dtype=object), accounts))
    folds = [Fold(tuple(days[:number]), (days[number],)) for number in range(2, dates)]
    return judged([Seen(str(number), one) for number, one in enumerate(values)], rows, folds, 0.1, 10, 200, seed)


def test_where_nothing_is_there_a_beacon_is_as_rare_as_stated() -> None:
    """In 40 worlds of ten metrics each, that any earns the name happens in one of twenty; accounts keep their habits, so
    that a metric that stands out by chance on the earlier dates does so on the later ones too.
    """
    worlds = 40
    wrong = sum(any(one.found == "beacon" for one in _world(seed, effect=0.0)) for seed in range(worlds))
    assert wrong <= binom.ppf(0.99, worlds, 0.05)


def test_what_is_there_is_found_and_ranks_first() -> None:
    found = _world(1, effect=1.2)
    assert [found[0].name, found[0].found, found[0].end] == ["0", "beacon", "high"]
    assert sum(one.found == "beacon" for one in found) == 1


def test_intervals_draw_whole_accounts() -> None:
    """The same account ten times is no ten accounts: the interval is that of once."""
    rng = np.random.default_rng(5)
    y, values = list((rng.random(200) < 0.3).astype(float)), list(rng.normal(size=200))
    names = [f"a{number:03}" for number in range(200)]
    alone = _one(values + values, _rows(y, y, names * 2))
    again = _one(values + values * 10, _rows(y, y * 10, names * 11))
    assert alone.auc is not None
    assert again.auc is not None
    assert again.auc.low == pytest.approx(alone.auc.low)
    end = 1.0 if alone.end == "high" else -1.0
    strangers = metrics.draws(np.arange(2000).astype(object), 200, 7)
    naive = metrics.estimate(metrics.auc(np.array(y * 10), end * np.array(values * 10), strangers))
    assert naive.high - naive.low < 0.6 * (again.auc.high - again.auc.low)
