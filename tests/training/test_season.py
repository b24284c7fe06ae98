"""The time of the year: the last gap known, moved on by what happened over the same weeks a year before."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from tests.training import made
from training import model as models
from training import season
from training.season import YEAR, Season

START = date(2024, 1, 3)
FORTNIGHTS = [START + timedelta(days=14 * number) for number in range(33)]


def _gap(day: date) -> float:
    return float(np.sin(2 * np.pi * day.toordinal() / YEAR))


def _seen(trend: float = 0.0) -> Season:
    return Season(
        tuple(day.toordinal() for day in FORTNIGHTS),
        tuple(_gap(day) + trend * (day - START).days / YEAR for day in FORTNIGHTS),
    )


@pytest.mark.parametrize("ahead", [14, 42, 98, 182, 270])
def test_a_yearly_wave_is_carried_on(ahead: int) -> None:
    later = FORTNIGHTS[-1] + timedelta(days=ahead)
    assert _seen().shift([later])[0] == pytest.approx(_gap(later), abs=0.02)


def test_a_change_of_level_since_is_kept() -> None:
    later = FORTNIGHTS[-1] + timedelta(days=98)
    ordinary, raised = _seen(), replace(_seen(), gaps=(*_seen().gaps[:-1], _seen().gaps[-1] + 0.5))
    assert raised.shift([later])[0] - ordinary.shift([later])[0] == pytest.approx(0.5)


def test_without_a_year_before_nothing_is_shifted() -> None:
    short = Season(_seen().days[:20], _seen().gaps[:20])
    assert short.shift([FORTNIGHTS[19] + timedelta(days=90)])[0] == 0


def test_the_gap_makes_the_mean_what_came_true() -> None:
    rng = np.random.default_rng(0)
    odds, days = rng.normal(-1, 1, 4000), np.repeat(np.array(FORTNIGHTS[:4], dtype=object), 1000)
    lift = np.repeat([0.0, 1.0, -1.0, 0.5], 1000)
    y = (rng.random(4000) < expit(odds + lift)).astype(float)
    found = season.fit(odds, y, days)
    assert found.days == tuple(day.toordinal() for day in FORTNIGHTS[:4])
    assert np.allclose(found.gaps, [0, 1, -1, 0.5], atol=0.25)


def test_a_model_with_a_season_is_saved_shifted_and_explained(tmp_path: Path) -> None:
    plain = made.model(made.rows(60))
    seasonal = replace(plain, season=_seen())
    again = models.load(tmp_path, seasonal.save(tmp_path))
    assert again.season == seasonal.season
    test = made.rows(20, [FORTNIGHTS[-1] + timedelta(days=98)]).frame
    shift = again.shift(test)
    assert (shift == _seen().shift(test["as_of"].to_numpy(dtype=object))).all()
    assert (shift != 0).all()
    before, after = plain.scores(test), again.scores(test)
    assert np.allclose(
        np.log(after.probability / (1 - after.probability)),
        np.log(before.probability / (1 - before.probability)) + shift,
    )
    assert ((after.high - after.low) > 0).all()
    assert np.allclose(again.contributions(test).sum(axis=1) - plain.contributions(test).sum(axis=1), shift)
