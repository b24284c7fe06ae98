"""Numbers of a programme with their 95% intervals. What one account does is not independent: accounts are what counts."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import norm, t

from training.metrics import COVERAGE, Estimate, estimate

Vector = npt.NDArray[np.float64]
Z = float(norm.ppf((1 + COVERAGE) / 2))


@dataclass(frozen=True)
class Share:
    """``yes`` of ``of``, with an interval; from 0 to 1 where there is nobody."""

    yes: int
    of: int
    low: float
    high: float

    @property
    def rate(self) -> float | None:
        return self.yes / self.of if self.of else None

    def as_dict(self) -> dict[str, Any]:
        return {"yes": self.yes, "of": self.of, "rate": self.rate, "low": self.low, "high": self.high}


def share(yes: Sequence[bool], accounts: Sequence[str]) -> Share:
    """Wilson's interval. Where accounts have several cases, it is that of as many independent ones as these are worth: fewer
    where those of an account are alike (their design effect), and no more than accounts where all cases are. With few
    accounts that effect is itself uncertain, hence Student's quantile.
    """
    count, total = sum(yes), len(yes)
    if not total:
        return Share(0, 0, 0.0, 1.0)
    _, position = np.unique(np.asarray(accounts, dtype=str), return_inverse=True)
    several, rate = int(position.max()) + 1, count / total
    if several == total or rate in (0.0, 1.0):
        return Share(count, total, *wilson(rate, several))
    if several == 1:
        return Share(count, total, *wilson(rate, 1))
    between = float((np.bincount(position, np.asarray(yes, float) - rate) ** 2).sum()) * several / (several - 1)
    worth = total / max(between / (total * rate * (1 - rate)), 1.0)
    return Share(count, total, *wilson(rate, worth, float(t.ppf((1 + COVERAGE) / 2, several - 1))))


def wilson(rate: float, n: float, z: float = Z) -> tuple[float, float]:
    """Wilson's interval of a rate that was seen in ``n`` independent cases."""
    middle, scale = rate + z**2 / (2 * n), 1 + z**2 / n
    half = z * math.sqrt(rate * (1 - rate) / n + z**2 / (4 * n**2))
    return max((middle - half) / scale, 0.0), min((middle + half) / scale, 1.0)


def verdict(found: Share, target: float) -> str:
    """A share against a target, in words."""
    if not found.of:
        return "unknown: there is nobody to count"
    return against(found.low, found.high, target, f"{target:.0%}")


def against(low: float, high: float, target: float, said: str) -> str:
    if low > target:
        return f"above {said}, and shown to be"
    if high < target:
        return f"below {said}, and shown to be"
    return f"not told apart from {said}: too little is known"


@dataclass(frozen=True)
class Bootstrap:
    """Draws of whole accounts: ``count`` of them, the same for the same ``seed``."""

    count: int = 400
    seed: int = 7

    def values(self, accounts: Sequence[str], statistic: Callable[[Vector], float]) -> Vector:
        """The statistic as it is, then over each draw; it gets a weight for each row."""
        names, position = np.unique(np.asarray(accounts, dtype=str), return_inverse=True)
        rng, even = np.random.default_rng(self.seed), np.full(len(names), 1 / max(len(names), 1))
        drawn = (rng.multinomial(len(names), even)[position].astype(float) for _ in range(self.count))
        return np.array([statistic(np.ones(len(accounts))), *(statistic(weights) for weights in drawn)])

    def of(self, accounts: Sequence[str], statistic: Callable[[Vector], float]) -> Estimate | None:
        """None where there is nothing to count. One account alone says nothing about others: no interval (null)."""
        if not len(accounts):
            return None
        found = estimate(self.values(accounts, statistic))
        return found if len(set(accounts)) > 1 else Estimate(found.value, math.nan, math.nan)

    def mean(self, values: Sequence[float], accounts: Sequence[str]) -> Estimate | None:
        each = np.asarray(values, float)
        return self.of(accounts, lambda weights: weighted_mean(each, weights))

    def median(self, values: Sequence[float], accounts: Sequence[str]) -> Estimate | None:
        each = np.asarray(values, float)
        order = np.argsort(each, kind="stable")
        return self.of(accounts, lambda weights: _median(each[order], weights[order]))


def weighted_mean(values: Vector, weights: Vector) -> float:
    """Null where nobody was drawn."""
    total = weights.sum()
    return float(values @ weights / total) if total else math.nan


def _median(ordered: Vector, weights: Vector) -> float:
    """The value at which half of the weight is passed; between two values where it falls between them."""
    passed, half = np.cumsum(weights), weights.sum() / 2
    if not half:
        return math.nan
    below = ordered[np.searchsorted(passed, half, side="left")]
    above = ordered[min(np.searchsorted(passed, half, side="right"), len(ordered) - 1)]
    return float(below + above) / 2


def told(found: Estimate | None) -> dict[str, float | None] | None:
    """As a document: null where nothing is known."""
    return None if found is None else found.as_dict()
