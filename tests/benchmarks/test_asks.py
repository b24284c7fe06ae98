"""The chance of a yes against the truth, in small: asks are not drawn at random, and the correction makes up for a part."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import asks_page
from benchmarks.asks import against, measured
from features.sources.simulated import World
from training.asks.backtest import CORRECTED, OVERALL, PER_KIND, PER_KIND_CORRECTED, RECORDED, UNCORRECTED

WORLD = World(accounts=500, months=24, seed=3)


def test_the_judge_reckons_rightly() -> None:
    """Two accounts, one of which counts thrice: said 0.5 of both where 0.2 and 0.6 are true."""
    found = against(np.array([0.2, 0.6]), np.array([0.5, 0.5]), np.array([3.0, 1.0]))
    assert found["bias"] == pytest.approx((3 * 0.3 - 0.1) / 4)
    assert found["rmse"] == pytest.approx(((3 * 0.09 + 0.01) / 4) ** 0.5)
    assert found["log_loss"] == pytest.approx(np.log(2))
    assert against(np.array([0.2, 0.6]), np.array([0.2, 0.6]), np.ones(2))["calibration"] == 0


def test_the_chance_of_a_yes_speaks_of_all_who_may_be_asked(tmp_path: Path) -> None:
    found = measured(tmp_path, WORLD)
    ways = found["ways"]
    said = {name: ways[name]["calibration"] for name in ways}
    assert found["yes"] / found["asks"] > 1.5 * found["true"], "who was asked is far more willing than who may be"
    assert said[CORRECTED] < min(said[UNCORRECTED], said[RECORDED])
    assert max(said[UNCORRECTED], said[RECORDED]) < said[PER_KIND]
    assert said[PER_KIND_CORRECTED] < said[PER_KIND]
    assert said[CORRECTED] < 0.1
    assert ways[CORRECTED]["log_loss"] < min(ways[name]["log_loss"] for name in (PER_KIND, PER_KIND_CORRECTED, OVERALL))
    assert ways["the truth"]["calibration"] == 0
    assert asks_page.parts([]) == []
    page = "\n".join(asks_page.parts([found | {"variant": "ordinary", "seed": 3, "accounts": 500, "months": 24}]))
    assert f"{said[CORRECTED]:.3f} with the correction, {said[UNCORRECTED]:.3f} without" in page
