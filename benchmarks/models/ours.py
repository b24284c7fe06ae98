"""Propensity: what ``training`` makes of these rows, given as a dataset whose features are plain columns."""

from __future__ import annotations

from datetime import date

import pandas as pd

from benchmarks.models.rows import SEED, Rows, Vector
from features.feature import Attribute, Column
from features.plan import Plan
from features.workspace import Training
from training import calibration
from training import train as product
from training.dataset import Dataset
from training.fit import fit
from training.splits import Fold, rolling

PACKAGE = "propensity"
SETTINGS = Training(seed=SEED, test_dates=1)


def probabilities(train: Rows, test: Rows) -> Vector:
    learn, seen = as_dataset(train), as_dataset(test)
    fitted = fit(learn, SETTINGS.seed, SETTINGS.bags)
    earlier = [
        product._earlier(learn, fold, SETTINGS.seed, SETTINGS.bags, lambda step: None) for fold in _earlier(train, test)
    ]
    raw, rows, _ = product._to_calibrate(fitted, learn, earlier)
    return calibration.fit(raw, rows.y)(fitted.raw(fitted.encoder.matrix(seen.frame)))


def as_dataset(rows: Rows) -> Dataset:
    """Every feature as a column without a declaration of its own."""
    columns = [
        Column(name, Attribute(name, "context", name, "{value}", categorical=name in rows.categorical))
        for name in rows.features
    ]
    frame = pd.concat([pd.DataFrame({"account": rows.accounts, "as_of": rows.as_of}), rows.features], axis=1)
    return Dataset(frame, rows.label, Plan(tuple(columns), {}, {}, {}), pd.DataFrame())


def _earlier(train: Rows, test: Rows) -> list[Fold]:
    """The folds before the one that is judged; a flat table has none."""
    learnt, judged = (sorted(set(rows.as_of.tolist())) for rows in (train, test))
    if learnt == judged:
        return []
    days: list[date] = [*learnt, *judged]
    return rolling(days, train.span, len(judged), SETTINGS.folds)[:-1]
