"""LightGBM tuned by Optuna within a time limit: log loss on accounts left out in turn, then learnt anew from all rows."""

from __future__ import annotations

import time
from typing import Any

import lightgbm as lgb
import numpy as np
import optuna

from benchmarks.models.rows import SEED, Rows, Vector, as_categories, groups

PACKAGE = "lightgbm"
MOST_ROUNDS, PATIENCE, PARTS = 2000, 50, 3
FOR_THE_LAST_FIT = 0.1
"""The share of the limit that is kept for learning anew."""


def probabilities(train: Rows, test: Rows, limit: float) -> Vector:
    ends = time.perf_counter() + limit * (1 - FOR_THE_LAST_FIT)
    learnt, seen = as_categories(train, test)
    part = groups(train.accounts, PARTS)

    def tried(trial: optuna.Trial) -> float:
        parameters, losses, rounds = _drawn(trial), [], []
        for number in range(PARTS):
            loss, best = _unseen(parameters, learnt, train.label, part == number)
            losses.append(loss)
            rounds.append(best)
            trial.report(float(np.mean(losses)), number)
            if trial.should_prune():
                raise optuna.TrialPruned
        trial.set_user_attr("rounds", int(np.mean(rounds)))
        return float(np.mean(losses))

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        sampler=optuna.samplers.TPESampler(seed=SEED), pruner=optuna.pruners.MedianPruner(n_startup_trials=5)
    )
    study.optimize(tried, timeout=max(ends - time.perf_counter(), 1))
    found = study.best_trial
    data = lgb.Dataset(learnt, train.label)
    booster = lgb.train(_fixed() | found.params, data, max(found.user_attrs["rounds"], 1))
    return np.asarray(booster.predict(seen))


def _drawn(trial: optuna.Trial) -> dict[str, Any]:
    return _fixed() | {
        "learning_rate": trial.suggest_float("learning_rate", 0.01, 0.2, log=True),
        "num_leaves": trial.suggest_int("num_leaves", 4, 128, log=True),
        "min_data_in_leaf": trial.suggest_int("min_data_in_leaf", 5, 500, log=True),
        "feature_fraction": trial.suggest_float("feature_fraction", 0.2, 1.0),
        "bagging_fraction": trial.suggest_float("bagging_fraction", 0.5, 1.0),
        "lambda_l1": trial.suggest_float("lambda_l1", 1e-3, 30, log=True),
        "lambda_l2": trial.suggest_float("lambda_l2", 1e-3, 100, log=True),
    }


def _fixed() -> dict[str, Any]:
    return {"objective": "binary", "bagging_freq": 1, "seed": SEED, "verbosity": -1, "feature_pre_filter": False}


def _unseen(parameters: dict[str, Any], learnt: Any, label: Vector, out: Any) -> tuple[float, int]:
    """Log loss on the accounts left out, and the rounds at which it is least."""
    data = lgb.Dataset(learnt[~out], label[~out])
    watch = lgb.Dataset(learnt[out], label[out], reference=data)
    early = lgb.early_stopping(PATIENCE, verbose=False)
    booster = lgb.train(parameters, data, MOST_ROUNDS, valid_sets=[watch], callbacks=[early])
    return booster.best_score["valid_0"]["binary_logloss"], booster.best_iteration
