"""Propensity: what ``training`` makes of these rows, given as a dataset whose features are plain columns."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd

from benchmarks.models.rows import SEED, Rows, Vector
from features.feature import Attribute, Column
from features.plan import Plan
from features.settings.training import Training
from training.dataset import Dataset
from training.learn import learned
from training.splits import Fold, rolling

PACKAGE = "propensity"
SETTINGS = Training(seed=SEED, test_dates=1)


def probabilities(train: Rows, test: Rows) -> Vector:
    found = learned(as_dataset(train), _folds(train, test), SETTINGS, {"settings": {"season": train.season}})
    return found.model.scores(as_dataset(test).frame).probability


def as_dataset(rows: Rows) -> Dataset:
    """Every feature as a column without a declaration of its own; a row is known by its number."""
    columns = [
        Column(name, Attribute(name, "context", name, "{value}", categorical=name in rows.categorical))
        for name in rows.features
    ]
    keys = {"account": rows.accounts, "as_of": rows.as_of, "row_hash": [str(number) for number in range(len(rows))]}
    frame = pd.concat([pd.DataFrame(keys), rows.features], axis=1)
    return Dataset(frame, rows.label, Plan(tuple(columns), {}, {}, {}), pd.DataFrame(), horizon=rows.span)


def _folds(train: Rows, test: Rows) -> list[Fold]:
    """Earlier folds and the one that is judged; a flat table has that one alone."""
    learnt, judged = (sorted(set(rows.as_of.tolist())) for rows in (train, test))
    if learnt == judged:
        return [Fold(tuple(learnt), (learnt[-1] + timedelta(days=1),))]
    days: list[date] = [*learnt, *judged]
    return rolling(days, train.span, len(judged), SETTINGS.folds)
