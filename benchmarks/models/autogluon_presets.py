"""AutoGluon by its presets: validating as it comes, on any rows, or with the rows of an account kept together.

As it comes it holds out other dates of the accounts it learns from. Told to keep accounts together, it gets its folds
through ``groups``; its own check for overfitting of stacked models splits rows at random all the same, so it is off
then. Foundation models that fetch weights are left out; folds are fitted one after the other, as its Ray is not
installed.
"""

from __future__ import annotations

from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from autogluon.tabular import TabularPredictor

from benchmarks.models.rows import Rows, Vector, groups

PACKAGE = "autogluon.tabular"
PARTS = 8


def probabilities(train: Rows, test: Rows, preset: str, limit: float, together: bool) -> Vector:
    columns: dict[str, Any] = {"label_": train.label.astype(int)}
    settings: dict[str, Any] = {}
    how: dict[str, Any] = {}
    if together:
        columns["group_"] = groups(train.accounts, PARTS)
        settings, how = {"groups": "group_"}, {"dynamic_stacking": False}
    learnt = pd.concat([train.features, pd.DataFrame(columns)], axis=1)
    with TemporaryDirectory() as scratch:
        predictor = TabularPredictor("label_", eval_metric="log_loss", path=scratch, verbosity=1, **settings)
        predictor.fit(learnt, presets=preset, time_limit=limit, **how)
        return np.asarray(predictor.predict_proba(test.features)[1])
