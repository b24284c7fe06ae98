"""Whom a call helps most, learnt from accounts of whom it was drawn at random who is called; and whether to go by it.

Plain risk says that a call takes the same share of everybody's chance of leaving. Small trees (LightGBM) learn what
departs from that, on the transformed outcome: a number per account whose mean is what a call does to accounts like it
(``effects``). Whether to go by what they learnt is asked of accounts they had not met.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
from scipy.stats import norm, rankdata

from serving.decisions.effect import COVERAGE, Between

Vector = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
LEAST = 50
"""Of each arm, so many must have left and so many have stayed before anything is learnt."""
ERROR_RATE = 0.05
"""How often uplift may be used where it is no better than plain risk."""
PARTS, ROUNDS = 4, 100
TREES: dict[str, Any] = {
    "objective": "regression",
    "boost_from_average": False,
    "learning_rate": 0.05,
    "num_leaves": 4,
    "max_depth": 2,
    "lambda_l2": 10.0,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "num_threads": 1,
    "deterministic": True,
    "force_col_wise": True,
    "verbosity": -1,
}


@dataclass(frozen=True)
class Tried:
    """Accounts drawn at random: what is known of each (``matrix``, NaN where it is not), ``risk``, its chance of leaving as
    it was said beforehand, whether it was ``called`` and whether it ``left``; ``accounts`` says which rows are of one.

    ``profit`` is what keeping each is worth and ``cost`` what calling it costs, in money.
    """

    matrix: npt.NDArray[np.float64]
    risk: Vector
    called: Flags
    left: Flags
    accounts: npt.NDArray[np.object_]
    profit: Vector
    cost: Vector

    def __len__(self) -> int:
        return len(self.risk)

    @property
    def stayed(self) -> Vector:
        return 1.0 - self.left.astype(np.float64)

    def where(self, rows: Flags) -> Tried:
        return Tried(**{name: column[rows] for name, column in vars(self).items()})


@dataclass(frozen=True)
class Learnt:
    """``rate`` is the share of everybody's risk that a call takes away; ``trees`` what departs from that."""

    rate: float
    trees: lgb.Booster

    def saved(self, matrix: npt.NDArray[np.float64], risk: Vector) -> Vector:
        """By how much a call lowers each account's chance of leaving; below zero where it drives it away."""
        return np.asarray(self.rate * risk + self.trees.predict(matrix, num_threads=1), dtype=np.float64)


@dataclass(frozen=True)
class Judged:
    """What ranking by uplift came to, beside ranking by plain risk and at random, over every capacity alike.

    ``qini`` (uplift) and ``qini_risk``: accounts kept by calls beyond those that as many calls at random keep, per account
    drawn. ``gain`` is the first minus the second, with the bound it must have above zero (one-sided); ``value``,
    ``value_risk`` and ``value_random`` are profit per account drawn. All are null where nothing was learnt.
    """

    accounts: int
    why_not: str = ""
    qini: Between | None = None
    qini_risk: Between | None = None
    gain: Between | None = None
    bound: float = math.nan
    value: Between | None = None
    value_risk: Between | None = None
    value_random: Between | None = None

    @property
    def used(self) -> bool:
        return not self.why_not

    @property
    def verdict(self) -> str:
        """In a sentence."""
        return (
            f"uplift is not used: {self.why_not}" if self.why_not else "uplift is used: it keeps more than plain risk"
        )

    def as_dict(self) -> dict[str, Any]:
        told = {name: found.as_dict() if isinstance(found, Between) else found for name, found in vars(self).items()}
        bound = None if math.isnan(self.bound) else self.bound
        return told | {"bound": bound, "used": self.used, "verdict": self.verdict}


def effects(stayed: Vector, called: Flags, expected: Vector) -> Vector:
    """A number per account whose mean is what a call does to the chance to stay, whoever is averaged over: its surprise
    (``stayed`` minus ``expected``) over the chance of being called, or minus that over the chance of not being called.

    ``expected`` may be anything known beforehand; the nearer to the truth, the less the numbers scatter.
    """
    share = float(called.mean())
    return np.asarray(np.where(called, 1 / share, -1 / (1 - share)) * (stayed - expected))


def depths(score: Vector) -> Vector:
    """The share of capacities, from one account to all, at which each is called if the highest scores are; ties alike."""
    return (rankdata(score) - 0.5) / len(score)


def qini(found: Vector, score: Vector) -> float:
    """The area between the Qini curve of a score and that of chance, per account: the mean over every capacity of what
    calls keep beyond what as many calls at random would. ``found`` are ``effects``.
    """
    return float((found * (depths(score) - 0.5)).mean())


def qini_curve(found: Vector, score: Vector) -> Vector:
    """Accounts kept per account drawn if the first 0, 1, 2 … by score are called."""
    order = np.argsort(-score, kind="stable")
    return np.concatenate([[0.0], np.cumsum(found[order])]) / len(found)


def policy_value(found: Vector, chosen: Flags | Vector, profit: Vector, cost: Vector) -> float:
    """What calling the ``chosen`` brings, per account, in money: what it keeps times what keeping is worth, less its cost.
    ``chosen`` may be a share of capacities (``depths``): then it is the mean over these.
    """
    return float(((found * profit - cost) * chosen).mean())


def learnt(rows: Tried, seed: int) -> Learnt:
    """What a call does, by what is known of an account."""
    found = effects(rows.stayed, rows.called, 1 - rows.risk)
    rate = float(np.clip(found.mean() / max(rows.risk.mean(), 1e-9), 0, 1))
    parameters = TREES | {"seed": seed, "min_data_in_leaf": max(20, len(rows) // 20)}
    return Learnt(
        rate,
        lgb.train(parameters, lgb.Dataset(rows.matrix, found, init_score=rate * rows.risk), num_boost_round=ROUNDS),
    )


def foretold(rows: Tried, seed: int) -> Vector:
    """By how much a call lowers each account's chance of leaving, said by what had not met that account."""
    names, number = np.unique(rows.accounts.astype(str), return_inverse=True)
    part = np.random.default_rng(seed).permutation(len(names))[number] % PARTS
    saved = np.empty(len(rows))
    for one in range(PARTS):
        of = part == one
        saved[of] = learnt(rows.where(~of), seed).saved(rows.matrix[of], rows.risk[of])
    return saved


def too_few(called: Flags, left: Flags) -> str:
    """Why nothing can be learnt from so few; nothing where there are enough."""
    least = min(int((left[called == arm] == kind).sum()) for arm in (True, False) for kind in (True, False))
    if least >= LEAST:
        return ""
    return (
        f"it takes {LEAST} that left and {LEAST} that stayed, of the called and of the held out; the fewest are {least}"
    )


def judged(rows: Tried, seed: int, rate: float) -> Judged:
    """Whether ranking by uplift keeps more accounts than ranking by plain risk, at a one-sided ``ERROR_RATE``, over every
    capacity alike; and does not come to less money. ``rate`` is the save rate that plain risk goes by.

    Uplift is foretold across accounts, so it is judged by accounts it had not met; rows of one account count together.
    """
    if why_not := too_few(rows.called, rows.left):
        return Judged(len(rows), why_not)
    saved = foretold(rows, seed)
    found = effects(rows.stayed, rows.called, 1 - rows.risk)
    ours, theirs = depths(saved), depths(rows.risk)
    gain, spread = _mean(found * (ours - theirs), rows.accounts)
    bound = gain - norm.ppf(1 - ERROR_RATE) * spread
    brings = found * rows.profit - rows.cost
    at_risk = max(rate, 1e-6) * rows.risk * rows.profit  # the order remains where nobody is saved
    by_uplift, by_risk = depths(saved * rows.profit - rows.cost), depths(at_risk - rows.cost)
    values = [_between(brings * depth, rows.accounts) for depth in (by_uplift, by_risk, np.full(len(rows), 0.5))]
    if not bound > 0:
        why_not = "it is not shown to keep more accounts than plain risk"
    elif values[0].value < values[1].value:
        why_not = "it keeps more accounts than plain risk, but came to less money"
    return Judged(
        len(rows),
        why_not,
        _between(found * (ours - 0.5), rows.accounts),
        _between(found * (theirs - 0.5), rows.accounts),
        _between(found * (ours - theirs), rows.accounts),
        float(bound),
        *values,
    )


def _between(each: Vector, accounts: npt.NDArray[np.object_]) -> Between:
    value, spread = _mean(each, accounts)
    reach = float(norm.ppf((1 + COVERAGE) / 2)) * spread
    return Between(value, value - reach, value + reach)


def _mean(each: Vector, accounts: npt.NDArray[np.object_]) -> tuple[float, float]:
    """The mean, and its standard error where the rows of an account are one observation."""
    mean = float(each.mean())
    names, number = np.unique(accounts.astype(str), return_inverse=True)
    sums = np.bincount(number, each - mean, len(names))
    return mean, float(np.sqrt((sums**2).sum())) / len(each)
