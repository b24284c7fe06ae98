"""Rows to learn from, made in memory: six numbers and a category, of which three matter."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
from scipy.special import expit

from features import windows
from features.aggregations import count
from features.feature import Attribute, Column, Declaration, Feature
from features.plan import Plan
from training import calibration, ladder
from training.dataset import Dataset
from training.model import Model
from training.sample import sample

NUMBERS = ("usage_recency", "logins", "tickets", "noise_1", "noise_2", "noise_3")
DECLARATIONS: dict[str, Declaration] = {
    name: Feature(name, "usage", count, "interaction", name, f"{name} of {{value}}") for name in NUMBERS
}
DECLARATIONS["segment"] = Attribute("segment", "context", "segment", "segment is {value}")
PLAN = Plan(tuple(Column(name, declared) for name, declared in DECLARATIONS.items()), DECLARATIONS, {}, ())
DAYS = windows.grid(date(2025, 1, 31), date(2025, 12, 31), "month")
SEGMENTS = ("small", "middle", "large", None)


def rows(accounts: int = 200, days: list[date] = DAYS, seed: int = 0) -> Dataset:
    """Accounts at each date; ``logins`` lowers the odds, ``tickets`` raise them, both more so in one segment."""
    rng = np.random.default_rng(seed)
    size = accounts * len(days)
    values = {name: rng.normal(size=size) for name in NUMBERS}
    values["noise_3"][rng.random(size) < 0.2] = np.nan
    segment = np.array(SEGMENTS, dtype=object)[rng.integers(0, len(SEGMENTS), size)]
    odds = -1.5 - 1.2 * values["logins"] + values["tickets"] * np.where(segment == "large", 2.0, 0.5)
    y = (rng.random(size) < expit(odds)).astype(float)
    frame = pd.DataFrame(
        {
            "account": np.tile([f"a{number:04}" for number in range(accounts)], len(days)),
            "as_of": np.repeat(np.array(days, dtype=object), accounts),
            **values,
            "segment": segment,
        }
    )
    return Dataset(frame, y, PLAN, pd.DataFrame(), horizon=31)


def model(learn: Dataset, bags: int = 2, seed: int = 7) -> Model:
    """Fitted and calibrated out of fold, as training does where history is short."""
    inside = sample(learn)
    rung = ladder.climb(inside, seed, bags)[-1]
    spread = calibration.replicates(rung.unseen, learn.y, learn.accounts, seed)
    facts = {"plan": learn.plan.digest, "meanings": learn.plan.meanings, "outcome": "churn", "seen": inside.ranges}
    sigmoid = calibration.fit(rung.unseen, learn.y)
    return Model(rung.name, rung.parts, inside.encoder, sigmoid, tuple(spread), facts)
