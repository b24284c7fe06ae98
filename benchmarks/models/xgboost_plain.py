"""XGBoost as it comes, categories its own way, stopped early on accounts that it has not seen."""

from __future__ import annotations

import numpy as np
import xgboost as xgb

from benchmarks.models.rows import SEED, Rows, Vector, as_categories, held_out

PACKAGE = "xgboost"
MOST_ROUNDS, PATIENCE = 2000, 50


def probabilities(train: Rows, test: Rows) -> Vector:
    learnt, seen = as_categories(train, test)
    stop = held_out(train.accounts)
    model = xgb.XGBClassifier(
        n_estimators=MOST_ROUNDS,
        early_stopping_rounds=PATIENCE,
        eval_metric="logloss",
        enable_categorical=True,
        random_state=SEED,
    )
    model.fit(learnt[~stop], train.label[~stop], eval_set=[(learnt[stop], train.label[stop])], verbose=False)
    return np.asarray(model.predict_proba(seen)[:, 1])
