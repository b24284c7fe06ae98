"""LightGBM as it comes, stopped early on accounts that it has not seen."""

from __future__ import annotations

import lightgbm as lgb
import numpy as np

from benchmarks.models.rows import SEED, Rows, Vector, as_categories, held_out

PACKAGE = "lightgbm"
MOST_ROUNDS, PATIENCE = 2000, 50


def probabilities(train: Rows, test: Rows) -> Vector:
    learnt, seen = as_categories(train, test)
    stop = held_out(train.accounts)
    data = lgb.Dataset(learnt[~stop], train.label[~stop])
    watch = lgb.Dataset(learnt[stop], train.label[stop], reference=data)
    parameters = {"objective": "binary", "seed": SEED, "verbosity": -1}
    early = lgb.early_stopping(PATIENCE, verbose=False)
    booster = lgb.train(parameters, data, MOST_ROUNDS, valid_sets=[watch], callbacks=[early])
    return np.asarray(booster.predict(seen, num_iteration=booster.best_iteration))
