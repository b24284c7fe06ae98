"""LightGBM: one booster per group of accounts left out, so that each row is foretold by one that had not met it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from features.threads import each
from training.models.component import Learnt, Progress, mean_of
from training.sample import Cut, Matrix, Sample, Vector
from training.shapley.contributions import Contributions

ALWAYS: dict[str, Any] = {
    "objective": "binary",
    "bagging_freq": 1,
    "deterministic": True,
    "force_col_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}


@dataclass(frozen=True)
class Growth:
    """How trees are grown. ``rounds`` at most, stopped after ``patience`` without a gain on the accounts left out; no
    patience: all rounds, which a few yes cannot mislead.
    """

    parameters: dict[str, Any]
    rounds: int
    patience: int | None
    least: int
    """Rows that a leaf has at the least, for each as_of date that an event, or an account, is seen at."""
    blind: float = 4.0
    """How many times the variance that boosters show among themselves is the variance of their error. What all of them
    get wrong alike, slopes cut into steps and corners with few rows, none of them shows. Found on worlds of 300 to 20,000
    accounts whose truth is known, and checked on others (``benchmarks/worlds.py``).
    """


SMALL = Growth(
    {"learning_rate": 0.04, "num_leaves": 4, "max_depth": 2, "feature_fraction": 0.3, "bagging_fraction": 0.7}
    | {"lambda_l2": 10.0, "cat_smooth": 100.0},
    rounds=150,
    patience=None,
    least=10,
    blind=8.0,
)
MIDDLE = Growth(
    {"learning_rate": 0.04, "num_leaves": 8, "max_depth": 3, "feature_fraction": 0.4, "bagging_fraction": 0.7}
    | {"lambda_l2": 5.0, "cat_smooth": 50.0},
    rounds=2000,
    patience=60,
    least=20,
)
FULL = Growth(
    {"learning_rate": 0.05, "num_leaves": 15, "max_depth": 6, "feature_fraction": 0.7, "bagging_fraction": 0.7}
    | {"lambda_l2": 5.0, "cat_smooth": 50.0},
    rounds=1500,
    patience=40,
    least=20,
)


FEW = 16
PULL = 8.0
"""As how many boosters more what is usual counts."""


@dataclass(frozen=True)
class Trees:
    """The mean log-odds of several boosters. ``blind`` is what the variance among them is multiplied by, ``usual`` what it
    is on average.
    """

    boosters: tuple[lgb.Booster, ...]
    blind: float
    usual: float
    kind: str = "trees"

    def raw(self, matrix: Matrix) -> Vector:
        return mean_of(self._each(matrix))

    def with_variance(self, matrix: Matrix) -> tuple[Vector, Vector]:
        """How far the boosters are apart tells how much another sample of accounts would have changed their mean. So few
        tell little of a single row, which is why it is pulled towards what is usual.
        """
        each, free = self._each(matrix), len(self.boosters) - 1
        return mean_of(each), self.blind * (PULL * self.usual + free * apart(each)) / (PULL + free)

    def contributions(self, matrix: Matrix) -> Matrix:
        """Exact Shapley values, averaged over the boosters."""
        return mean_of([one.contributions(matrix) for one in self.explained])

    def _each(self, matrix: Matrix) -> list[Vector]:
        """The log-odds of each booster. Of a few rows by our own code, which comes to the same bits: for one row, calling
        LightGBM takes longer than walking its trees.
        """
        if len(matrix) > FEW:
            return [raw_score(booster, matrix) for booster in self.boosters]
        return [one.raw(matrix) for one in self.explained]

    @cached_property
    def explained(self) -> tuple[Contributions, ...]:
        """What explains each booster, and whether it is fast."""
        return tuple(Contributions.of(booster) for booster in self.boosters)

    def as_data(self) -> tuple[dict[str, Any], dict[str, str]]:
        texts = [booster.model_to_string(num_iteration=-1) for booster in self.boosters]
        return {"kind": self.kind, "blind": self.blind, "usual": self.usual}, {
            f"booster-{number}": text for number, text in enumerate(texts)
        }

    @classmethod
    def from_data(cls, data: dict[str, Any], texts: dict[str, str]) -> Trees:
        names = sorted(texts, key=lambda name: int(name.removeprefix("booster-")))
        return cls(tuple(lgb.Booster(model_str=texts[name]) for name in names), data["blind"], data["usual"])


def jackknife(boosters: tuple[lgb.Booster, ...], matrix: Matrix) -> Vector:
    """The variance of the mean log-odds of boosters each of which lacks one group of accounts, per row."""
    return apart([raw_score(booster, matrix) for booster in boosters])


def apart(each: list[Vector]) -> Vector:
    """The same from the log-odds of each."""
    middle = mean_of(each)
    return (len(each) - 1) * mean_of([(one - middle) ** 2 for one in each])


def fit(growth: Growth, rows: Sample, cuts: list[Cut], seed: int, progress: Progress = lambda _: None) -> Learnt:
    """A booster for each cut."""
    least = int(np.clip(growth.least * rows.overlap, 20, max(20, min(400, len(rows) // 20))))
    own: dict[str, Any] = {"min_data_in_leaf": least}
    if rows.directions:
        signs = [rows.directions.get(column, 0) for column in range(rows.matrix.shape[1])]
        own |= {"monotone_constraints": signs, "monotone_constraints_method": "advanced"}
    boosters, unseen = grown(
        growth, own, rows.matrix, rows.y, rows.encoder.categorical, cuts, seed, progress, rows.weights
    )
    usual = float(jackknife(boosters, rows.matrix).mean())
    return Learnt(Trees(boosters, growth.blind, usual), unseen)


def grown(
    growth: Growth,
    own: dict[str, Any],
    matrix: npt.NDArray[Any],
    y: Vector,
    categorical: list[int],
    cuts: list[Cut],
    seed: int,
    progress: Progress,
    weights: Vector | None = None,
) -> tuple[tuple[lgb.Booster, ...], Vector]:
    """A booster for each cut, and for every row its log-odds by the one that had not met it; ``own`` are parameters that
    follow from the rows. One thread each: LightGBM's own wait for each other by spinning, which a busy machine punishes
    badly.
    """
    unseen = np.zeros(len(y))

    def one(number: int) -> lgb.Booster:
        learn, left = cuts[number]
        of_learn, of_left = (None if weights is None else weights[rows] for rows in (learn, left))
        train = lgb.Dataset(matrix[learn], y[learn], weight=of_learn, categorical_feature=categorical)
        watch = lgb.Dataset(matrix[left], y[left], weight=of_left, reference=train)
        stop = [] if growth.patience is None else [lgb.early_stopping(growth.patience, verbose=False)]
        made = lgb.train(
            ALWAYS | growth.parameters | own | {"seed": seed + number},
            train,
            growth.rounds,
            valid_sets=[watch] if stop else None,
            callbacks=stop,
        )
        kept = made.best_iteration if stop else -1
        booster = lgb.Booster(model_str=made.model_to_string(num_iteration=kept))
        unseen[left] = raw_score(booster, matrix[left])
        progress(f"booster {number + 1} of {len(cuts)}")
        return booster

    return tuple(each(one, range(len(cuts)))), unseen


small, middle, full = partial(fit, SMALL), partial(fit, MIDDLE), partial(fit, FULL)


def raw_score(booster: lgb.Booster, matrix: npt.NDArray[Any]) -> Vector:
    """Log-odds, on one thread."""
    return np.asarray(booster.predict(matrix, raw_score=True, num_threads=1))
