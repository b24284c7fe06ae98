"""The hazard model: a longer horizon never has a higher chance to stay; what is planted is found; saved bit for bit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import expit

from features.errors import PropensityError
from tests.training import made
from training import hazard
from training.calibration import Sigmoid
from training.dataset import Encoder
from training.hazard import Lives, Retention

HORIZONS = (30, 90, 180, 365)
BASE = np.array([-3.0, -2.0, -1.5, -1.0])


def _lives(logins: np.ndarray, seed: int) -> tuple[Lives, np.ndarray]:
    """Who left when, where ``logins`` lower the odds in every interval; and the true hazards. A third is seen half."""
    rng = np.random.default_rng(seed)
    hazards = expit(BASE - 1.5 * logins[:, None])
    left = rng.random(hazards.shape) < hazards
    there = np.cumsum(left, axis=1) - left == 0
    seen = np.ones(left.shape, dtype=bool)
    seen[rng.random(len(left)) < 0.3, 2:] = False
    return Lives(HORIZONS, there & seen, left & there), hazards


LEARN, TEST = made.rows(300), made.rows(100, seed=1)


@pytest.fixture(scope="module")
def model() -> Retention:
    encoder = Encoder.fitted(LEARN.frame, LEARN.plan)
    lives, _ = _lives(LEARN.frame["logins"].to_numpy(), 1)
    return hazard.fit(encoder.matrix(LEARN.frame), lives, LEARN.accounts, 4, encoder, 7, 2, {"outcome": "churn"})


def test_hazards_and_curve_are_those_planted(model: Retention) -> None:
    lives, hazards = _lives(TEST.frame["logins"].to_numpy(), 2)
    curve = model.curve(TEST.frame)
    assert curve.shape == (len(TEST), len(HORIZONS))
    truth = np.cumprod(1 - hazards, axis=1)
    assert np.abs(curve - truth).mean(axis=0).max() < 0.05
    assert np.abs(curve.mean(axis=0) - truth.mean(axis=0)).max() < 0.03
    flat = np.cumprod(1 - lives.rates)
    assert (((curve - truth) ** 2).mean(axis=0) < ((flat - truth) ** 2).mean(axis=0) / 5).all()


@settings(max_examples=60, deadline=None)
@given(
    arrays(np.float64, (5, len(made.PLAN.names)), elements=st.floats(allow_infinity=True, allow_nan=True)),
    st.lists(st.tuples(st.floats(0.05, 5), st.floats(-10, 10)), min_size=4, max_size=4),
)
def test_no_curve_ever_rises(model: Retention, matrix: np.ndarray, numbers: list[tuple[float, float]]) -> None:
    """Whatever the features, and whatever the calibration has come to."""
    with np.errstate(over="ignore"):
        curve = replace(model, sigmoids=tuple(Sigmoid(*pair) for pair in numbers)).curve_matrix(matrix)
    assert ((curve >= 0) & (curve <= 1)).all()
    assert (np.diff(curve, axis=1) <= 0).all()


def test_one_row_alone_gets_what_it_gets_among_many(model: Retention) -> None:
    among = model.curve(TEST.frame)
    for row in range(0, len(TEST), 97):
        assert np.array_equal(model.curve(TEST.frame.iloc[[row]])[0], among[row])


def test_the_end_of_a_term_is_seen_from_each_interval() -> None:
    matrix = np.array([[1.0, 100.0], [2.0, np.nan]])
    row, interval = np.array([0, 0, 1]), np.array([0, 2, 1])
    cells = hazard.spread(matrix, row, interval, HORIZONS, ("other", hazard.CLOCK))
    nan = np.nan
    expected = [[1, 100, 0, 100, 70], [1, 100, 2, 10, -80], [2, nan, 1, nan, nan]]
    assert np.array_equal(cells, np.array(expected, dtype=np.float32), equal_nan=True)
    without = hazard.spread(matrix, row, interval, HORIZONS, ("other", "another"))
    assert np.isnan(without[:, -2:]).all()


def test_what_is_saved_is_loaded_bit_for_bit(model: Retention, tmp_path: Path) -> None:
    again = Retention.load(tmp_path, model.save(tmp_path))
    assert np.array_equal(again.curve(TEST.frame), model.curve(TEST.frame))
    assert (again.encoder, again.horizons, again.sigmoids) == (model.encoder, model.horizons, model.sigmoids)
    assert again.facts == model.facts
    assert sorted(path.name for path in tmp_path.iterdir()) == ["retention-0.txt", "retention-1.txt", "retention.json"]


def _flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


@pytest.mark.parametrize("name", ["retention-1.txt", "retention.json"])
@pytest.mark.parametrize("damage", [_flip, _cut, Path.unlink], ids=["flipped", "cut", "gone"])
def test_damage_is_noticed_before_lightgbm_parses_anything(
    name: str, damage: Callable[[Path], None], model: Retention, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def parsed(*_: object, **__: object) -> None:
        raise AssertionError("LightGBM parsed a model that had not been verified")

    sha256 = model.save(tmp_path)
    damage(tmp_path / name)
    monkeypatch.setattr(lgb, "Booster", parsed)
    with pytest.raises(PropensityError, match=name) as error:
        Retention.load(tmp_path, sha256)
    assert error.value.status == 503


def test_another_format_is_refused(model: Retention, tmp_path: Path) -> None:
    model.save(tmp_path)
    file = tmp_path / hazard.CONTRACT
    file.write_text(json.dumps(json.loads(file.read_text()) | {"format": 99}))
    with pytest.raises(PropensityError, match="format 99, this version reads 1"):
        Retention.load(tmp_path, hashlib.sha256(file.read_bytes()).hexdigest())
