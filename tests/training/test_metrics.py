"""Metrics against scikit-learn, against repeated rows, and by hand; the bootstrap keeps accounts together."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as reference

from training import metrics

ONCE = np.ones((1, 300))


def _sample(ties: bool, seed: int = 0) -> tuple[metrics.Vector, metrics.Vector]:
    rng = np.random.default_rng(seed)
    p = rng.random(300)
    y = (rng.random(300) < p).astype(float)
    return y, np.round(p, 1) if ties else p


def _clipped_log_loss(y: metrics.Vector, p: metrics.Vector, **weights: metrics.Vector) -> float:
    p = np.clip(p, metrics.SMALLEST, 1 - metrics.SMALLEST)
    return float(reference.log_loss(y, p, **weights))


REFERENCES = {
    "auc": reference.roc_auc_score,
    "average_precision": reference.average_precision_score,
    "log_loss": _clipped_log_loss,
    "brier": reference.brier_score_loss,
}


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("name", REFERENCES)
def test_metrics_are_those_of_scikit_learn(name: str, ties: bool) -> None:
    y, p = _sample(ties)
    weights = np.random.default_rng(1).integers(0, 4, (3, 300)).astype(float)
    assert metrics.METRICS[name](y, p, ONCE)[0] == pytest.approx(REFERENCES[name](y, p), abs=1e-12)
    for weight, found in zip(weights, metrics.METRICS[name](y, p, weights), strict=True):
        assert found == pytest.approx(REFERENCES[name](y, p, sample_weight=weight), abs=1e-12)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("name", [name for name in metrics.METRICS if name != "ece"])
def test_a_weight_is_a_row_repeated(name: str, ties: bool) -> None:
    y, p = _sample(ties)
    weights = np.random.default_rng(2).integers(0, 4, 300)
    again = np.repeat(np.arange(300), weights)
    metric = metrics.METRICS[name]
    repeated = metric(y[again], p[again], np.ones((1, len(again))))
    assert metric(y, p, weights[None, :].astype(float))[0] == pytest.approx(repeated[0], abs=1e-12)


def test_calibration_error_by_hand() -> None:
    """20 rows, two to a bin: the first bin says 0.1 and sees 0.5, the last says 0.9 and sees 0.5, the rest are right."""
    p = np.repeat([0.1, *[0.5] * 8, 0.9], 2)
    y = np.tile([0.0, 1.0], 10)
    assert metrics.ece(y, p, np.ones((1, 20)))[0] == pytest.approx((2 * 0.4 + 2 * 0.4) / 20)
    first_bin_thrice = np.array([[3.0, 3.0, *[1.0] * 18]])
    assert metrics.ece(y, p, first_bin_thrice)[0] == pytest.approx((6 * 0.4 + 2 * 0.4) / 24)


@pytest.mark.parametrize("name", ["auc", "average_precision"])
@pytest.mark.parametrize("kind", [0.0, 1.0])
def test_one_kind_alone_cannot_be_ranked(name: str, kind: float) -> None:
    found = metrics.METRICS[name](np.full(300, kind), _sample(ties=False)[1], ONCE)[0]
    assert np.isnan(found) if name == "auc" or not kind else found == 1
    assert metrics.estimate(np.array([0.5, np.nan, 0.4, 0.6])).low >= 0.4


def test_certain_and_wrong_costs_much_and_not_infinitely_much() -> None:
    assert metrics.losses(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == pytest.approx(-np.log(metrics.SMALLEST))


def test_draws_keep_accounts_together_and_are_the_same_for_the_same_seed() -> None:
    accounts = np.array([f"a{number % 40}" for number in range(300)], dtype=object)
    weights = metrics.draws(accounts, 50, seed=3)
    assert weights.shape == (51, 300)
    assert (weights[0] == 1).all()
    for number in range(40):
        assert np.ptp(weights[:, accounts == f"a{number}"], axis=1).max() == 0
    firsts = np.unique(accounts.astype(str), return_index=True)[1]
    assert (weights[:, firsts].sum(axis=1) == 40).all()
    assert len({tuple(line) for line in weights}) == 51
    assert (weights == metrics.draws(accounts, 50, seed=3)).all()
    assert (weights != metrics.draws(accounts, 50, seed=4)).any()


def test_intervals_are_wider_where_the_rows_of_an_account_agree() -> None:
    """What resampling rows would hide: 30 accounts of ten equal rows each are 30 observations, not 300."""
    y = np.repeat((np.random.default_rng(5).random(30) < 0.3).astype(float), 10)
    p = np.full(300, 0.3)
    by_account = np.repeat(np.arange(30), 10).astype(str).astype(object)
    by_row = np.arange(300).astype(str).astype(object)
    wide, narrow = (metrics.judge(y, p, metrics.draws(names, 400, 1))["base_rate"] for names in (by_account, by_row))
    assert wide.value == narrow.value == pytest.approx(y.mean())
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)
    assert wide.low < wide.value < wide.high


def test_the_bins_of_reliability_have_every_row_once() -> None:
    y, p = _sample(ties=False)
    points = metrics.reliability(y, p)
    assert sum(count for *_, count in points) == 300
    assert [said for said, *_ in points] == sorted(said for said, *_ in points)
    assert sum(seen * count for _, seen, count in points) == pytest.approx(y.sum())


def test_an_estimate_that_is_no_number_becomes_null() -> None:
    assert metrics.estimate(np.array([np.nan, np.nan])).as_dict() == {"value": None, "low": None, "high": None}
