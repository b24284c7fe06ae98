"""Fitting: one booster per group of accounts left out, each stopped early on the accounts it has not seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
from sklearn.model_selection import StratifiedGroupKFold

from features.threads import each
from training.dataset import Dataset, Encoder
from training.model import mean_of, raw_score

Vector = npt.NDArray[np.float64]
Progress = Callable[[str], None]
MOST_ROUNDS = 1500
PATIENCE = 40
PARAMETERS: dict[str, Any] = {
    "objective": "binary",
    "learning_rate": 0.05,
    "num_leaves": 15,
    "max_depth": 6,
    "feature_fraction": 0.4,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "cat_smooth": 50.0,
    "deterministic": True,
    "force_col_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}


@dataclass(frozen=True)
class Fitted:
    """Boosters, and for every row the raw score by the booster that had not seen its account."""

    boosters: tuple[lgb.Booster, ...]
    encoder: Encoder
    unseen: Vector

    def raw(self, matrix: npt.NDArray[np.float64]) -> Vector:
        return mean_of([raw_score(booster, matrix) for booster in self.boosters])


def fit(rows: Dataset, seed: int, bags: int, progress: Progress = lambda _: None) -> Fitted:
    """Fit on these rows. Accounts are kept together, so each booster is stopped on companies it has never met."""
    encoder = Encoder.fitted(rows.frame, rows.plan)
    matrix = encoder.matrix(rows.frame)
    parameters = PARAMETERS | {"seed": seed, "min_data_in_leaf": _leaf_size(rows)}
    unseen = np.zeros(len(rows))
    groups = StratifiedGroupKFold(max(bags, 2), shuffle=True, random_state=seed)
    cuts = list(groups.split(matrix, rows.y, rows.accounts.astype(str)))

    def one(number: int) -> lgb.Booster:
        learn, stop = cuts[number]
        train = lgb.Dataset(matrix[learn], rows.y[learn], categorical_feature=encoder.categorical)
        watch = lgb.Dataset(matrix[stop], rows.y[stop], reference=train)
        booster = lgb.train(
            parameters | {"seed": seed + number},
            train,
            MOST_ROUNDS,
            valid_sets=[watch],
            callbacks=[lgb.early_stopping(PATIENCE, verbose=False)],
        )
        booster = lgb.Booster(model_str=booster.model_to_string(num_iteration=booster.best_iteration))
        unseen[stop] = raw_score(booster, matrix[stop])
        progress(f"booster {number + 1} of {len(cuts)}")
        return booster

    # One thread each: LightGBM's own threads wait for each other by spinning, which a busy machine punishes badly.
    return Fitted(tuple(each(one, range(len(cuts)))), encoder, unseen)


def _leaf_size(rows: Dataset) -> int:
    """Enough rows in a leaf that it is not one account's history: the dates it may appear at, several times over."""
    dates = len(set(rows.as_of.tolist()))
    return int(np.clip(4 * dates, 20, 400))
