"""CatBoost as it comes, stopped early on accounts that it has not seen."""

from __future__ import annotations

import numpy as np
from catboost import CatBoostClassifier, Pool

from benchmarks.models.rows import SEED, Rows, Vector, as_words, held_out

PACKAGE = "catboost"
MOST_ROUNDS, PATIENCE = 2000, 50


def probabilities(train: Rows, test: Rows) -> Vector:
    learnt, categorical = as_words(train), list(train.categorical)
    stop = held_out(train.accounts)
    data = Pool(learnt[~stop], train.label[~stop], cat_features=categorical)
    watch = Pool(learnt[stop], train.label[stop], cat_features=categorical)
    model = CatBoostClassifier(
        iterations=MOST_ROUNDS,
        early_stopping_rounds=PATIENCE,
        random_seed=SEED,
        verbose=False,
        allow_writing_files=False,
    )
    model.fit(data, eval_set=watch)
    return np.asarray(model.predict_proba(Pool(as_words(test), cat_features=categorical))[:, 1])
