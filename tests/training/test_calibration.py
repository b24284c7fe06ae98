"""Calibration finds the sigmoid that was there, and leaves a calibrated score nearly as it is."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from training import calibration
from training.calibration import Sigmoid


def _sample(slope: float, shift: float, rows: int = 20_000) -> tuple[calibration.Vector, calibration.Vector]:
    rng = np.random.default_rng(0)
    raw = rng.normal(-1, 1.5, rows)
    return raw, (rng.random(rows) < expit(slope * raw + shift)).astype(float)


@pytest.mark.parametrize(("slope", "shift"), [(1.0, 0.0), (0.5, -1.0), (2.0, 0.7), (1.0, -2.0)])
def test_a_known_sigmoid_is_recovered(slope: float, shift: float) -> None:
    found = calibration.fit(*_sample(slope, shift))
    assert found.slope == pytest.approx(slope, abs=0.06)
    assert found.shift == pytest.approx(shift, abs=0.06)


def test_few_rows_barely_move_a_score() -> None:
    found = calibration.fit(np.array([-2.0, 2.0]), np.array([1.0, 0.0]))
    assert 0.05 <= found.slope <= 1
    assert abs(found.shift) < 0.1


@pytest.mark.parametrize("kind", [0.0, 1.0])
def test_one_kind_alone_gives_a_finite_sigmoid_that_still_rises(kind: float) -> None:
    found = calibration.fit(_sample(1, 0)[0], np.full(20_000, kind))
    assert np.isfinite([found.slope, found.shift]).all()
    assert found.slope > 0


def test_a_weight_is_a_row_repeated() -> None:
    raw, y = _sample(0.7, -0.5, 400)
    weights = np.random.default_rng(1).integers(0, 3, 400)
    again = np.repeat(np.arange(400), weights)
    weighted, repeated = calibration.fit(raw, y, weights.astype(float)), calibration.fit(raw[again], y[again])
    assert weighted.slope == pytest.approx(repeated.slope, abs=1e-4)
    assert weighted.shift == pytest.approx(repeated.shift, abs=1e-4)


def test_replicates_spread_around_the_fit_and_are_the_same_for_the_same_seed() -> None:
    raw, y = _sample(0.7, -0.5, 600)
    accounts = np.array([f"a{number % 100}" for number in range(600)], dtype=object)
    found = calibration.replicates(raw, y, accounts, seed=1)
    assert found == calibration.replicates(raw, y, accounts, seed=1)
    assert found != calibration.replicates(raw, y, accounts, seed=2)
    assert len(found) == calibration.REPLICATES
    slopes = [sigmoid.slope for sigmoid in found]
    assert min(slopes) < calibration.fit(raw, y).slope < max(slopes)


def test_slope_one_and_shift_zero_change_nothing() -> None:
    raw = np.linspace(-9, 9, 50)
    assert (Sigmoid(1, 0)(raw) == expit(raw)).all()
