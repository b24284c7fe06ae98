"""Slopes of panels: by hand, against a known truth over fixed seeds, and where leaving ends an account's rows."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from scipy.stats import binom

from training import panel
from training.panel import Panel, Slope, against_own_past, own_past, shuffled, within

DAYS = np.array([date(2025, month, 1) for month in range(1, 13)], dtype=object)
SEEDS = 50


def _known(seed: int, slope: float, accounts: int = 60, dates: int = 8) -> tuple[Panel, np.ndarray]:
    """Accounts whose level goes with both metric and outcome, in the other direction than the slope; dates likewise."""
    rng = np.random.default_rng(seed)
    level, season = rng.normal(size=(accounts, 1)), rng.normal(size=(1, dates))
    x = 10 * level + 3 * season + 5 * rng.normal(size=(accounts, dates))
    y = slope * x - 0.5 * level + 0.3 * season + 0.2 * rng.normal(size=(accounts, dates))
    names = np.repeat(np.array([f"a{number}" for number in range(accounts)], dtype=object), dates)
    lead = 10 * level + 5 * rng.normal(size=(accounts, dates))
    return Panel(names, np.tile(DAYS[:dates], accounts), x.ravel(), y.ravel()), lead.ravel()


def _leaving(seed: int, slope: float, accounts: int = 400, dates: int = 10) -> Panel:
    """Of those still there, each leaves before the next date with a probability that falls with the metric; accounts with
    a high level also leave less for reasons of their own, which a comparison of accounts takes for the metric's doing.
    """
    rng = np.random.default_rng(seed)
    level = rng.normal(size=accounts)
    x = 20 * level[:, None] + 10 * rng.normal(size=(accounts, dates))
    leaves = 0.15 - 0.03 * level[:, None].clip(-2, 2) - slope * (x - 20 * level[:, None])
    gone = rng.random((accounts, dates)) < leaves.clip(0, 1)
    there = np.cumsum(gone, axis=1) - gone == 0
    who, when = np.nonzero(there)
    names = np.array([f"a{number}" for number in who], dtype=object)
    return Panel(names, DAYS[when], x[there], 1.0 - gone[there])


def test_own_past_by_hand() -> None:
    """2 then 6: four above the only one before; then 5: one above the mean of 2 and 6. A gap counts for nothing."""
    names = np.array(["a", "a", "b", "a", "a"], dtype=object)
    days = DAYS[[0, 1, 0, 2, 3]]
    x = np.array([2, 6, 9, np.nan, 5.0])
    found = own_past(Panel(names, days, x, np.ones(5)))
    np.testing.assert_array_equal(found, [np.nan, 4, np.nan, np.nan, 1])


def test_the_order_of_rows_does_not_matter() -> None:
    made, lead = _known(3, 0.02)
    order = np.random.default_rng(0).permutation(len(made.outcome))
    mixed = Panel(made.accounts[order], made.as_of[order], made.metric[order], made.outcome[order])
    one, other = within(made, [lead]), within(mixed, [lead[order]])
    assert one is not None
    assert other is not None
    assert [slope.value for slope in one] == pytest.approx([slope.value for slope in other])
    assert against_own_past(made) is not None
    assert vars(against_own_past(made)) == pytest.approx(vars(against_own_past(mixed)))


def test_fixed_effects_by_hand() -> None:
    """Two dates: the slope is that of changes on changes, less what all have in common. Half of the accounts rise by one
    point and by 0.2 more than the others, who do not move in either; a third date is not needed.
    """
    number = 40
    names = np.repeat(np.array([f"a{n:02}" for n in range(2 * number)], dtype=object), 2)
    change, gain = np.tile([1.0, 3.0], number), np.tile([0.5, 0.9], number)
    level = np.arange(2.0 * number)
    x = np.column_stack([level, level + change]).ravel()
    y = np.column_stack([-level, -level + gain]).ravel()
    found = within(Panel(names, np.tile(DAYS[:2], 2 * number), x, y))
    assert found is not None
    assert found[0].value == pytest.approx((0.9 - 0.5) / (3.0 - 1.0))
    assert (found[0].accounts, found[0].rows) == (80, 160)


def test_by_instrument_by_hand() -> None:
    """On one date that counts, the slope is that of the outcome over that of the metric, both on the distance."""
    made, _ = _known(1, 0.02, accounts=300, dates=2)
    away = own_past(made)
    keep = ~np.isnan(away)
    z, x, y = (column[keep] - column[keep].mean() for column in (away, made.metric, made.outcome))
    found = against_own_past(made)
    assert found is not None
    assert found.value == pytest.approx((z @ y) / (z @ x))
    left = y - found.value * x
    assert found.error == pytest.approx(np.sqrt(((z * left) ** 2).sum()) / abs(z @ x))


def test_fixed_effects_cover_a_known_slope_as_often_as_stated() -> None:
    covered, after, slope = 0, 0, 0.02
    for seed in range(SEEDS):
        made, lead = _known(seed, slope)
        found = within(made, [lead])
        assert found is not None
        covered += found[0].times(1)["low"] <= slope <= found[0].times(1)["high"]
        after += not found[1].shown
    assert covered >= binom.ppf(0.01, SEEDS, 0.95)
    assert after >= binom.ppf(0.01, SEEDS, 0.95)  # what comes after has nothing to do with it here


@pytest.mark.parametrize("slope", [0.0, 0.004])
def test_the_own_past_covers_where_leaving_ends_the_rows(slope: float) -> None:
    covered, errors = 0, []
    for seed in range(SEEDS):
        found = against_own_past(_leaving(seed, slope))
        assert found is not None
        covered += found.times(1)["low"] <= slope <= found.times(1)["high"]
        errors.append(found.value - slope)
    assert covered >= binom.ppf(0.01, SEEDS, 0.95)
    assert abs(np.mean(errors)) < 0.0004


def test_fixed_effects_find_too_little_where_leaving_ends_the_rows() -> None:
    """Why they are not used there."""
    slopes = [found[0].value for seed in range(5) if (found := within(_leaving(seed, 0.004))) is not None]
    assert len(slopes) == 5
    assert np.mean(slopes) < 0.75 * 0.004


def test_others_metrics_say_nothing() -> None:
    """Twenty shuffles of a world with a strong slope: about one in twenty is shown."""
    made = _leaving(1, 0.008)
    found = against_own_past(made)
    assert found is not None
    assert found.shown
    rng = np.random.default_rng(0)
    slopes = [against_own_past(shuffled(made, rng)) for _ in range(20)]
    assert all(slope is not None for slope in slopes)
    assert sum(slope is not None and slope.shown for slope in slopes) <= binom.ppf(0.99, 20, 0.05)


def test_a_shuffle_moves_whole_accounts_on_the_same_dates() -> None:
    made, _ = _known(0, 0.0, accounts=5, dates=3)
    moved = shuffled(made, np.random.default_rng(4)).metric.reshape(5, 3)
    assert sorted(map(tuple, moved)) == sorted(map(tuple, made.metric.reshape(5, 3)))
    assert not np.array_equal(moved, made.metric.reshape(5, 3))


def test_too_few_accounts_or_a_metric_that_never_moves_give_no_slope() -> None:
    few, _ = _known(0, 0.02, accounts=panel.FEWEST - 1)
    assert against_own_past(few) is None
    assert within(few) is None
    made, _ = _known(0, 0.02)
    still = made.with_metric(np.repeat(made.metric.reshape(60, 8)[:, :1], 8, axis=1).ravel())
    assert against_own_past(still) is None
    assert within(still) is None
    assert against_own_past(made.with_metric(np.full(480, np.nan))) is None


def test_interval_of_a_slope() -> None:
    """30 accounts: Student's t of 29 is 2.045."""
    found = Slope(0.002, 0.001, 30, 100)
    assert found.times(10) == pytest.approx({"value": 0.02, "low": -0.00045, "high": 0.04045}, abs=1e-5)
    assert not found.shown
    assert Slope(-0.003, 0.001, 30, 100).shown
