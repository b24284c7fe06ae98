"""How good probabilities are, each number with an interval that resamples whole accounts.

An account appears at many as_of dates, so rows are not independent: the
bootstrap draws accounts, and every row carries how often its account was drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]
Weights = npt.NDArray[np.float64]
Names = npt.NDArray[np.object_]
Metric = Callable[[Vector, Vector, Weights], Vector]
SMALLEST = 1e-6
BINS = 10
COVERAGE = 0.95


@dataclass(frozen=True)
class Estimate:
    """A number with its bootstrap interval (95%)."""

    value: float
    low: float
    high: float

    def __neg__(self) -> Estimate:
        return Estimate(-self.value, -self.high, -self.low)

    def as_dict(self) -> dict[str, float | None]:
        found = {"value": self.value, "low": self.low, "high": self.high}
        return {name: value if np.isfinite(value) else None for name, value in found.items()}

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


def losses(y: Vector, p: Vector) -> Vector:
    """The log loss of each row."""
    p = np.clip(p, SMALLEST, 1 - SMALLEST)
    return -(y * np.log(p) + (1 - y) * np.log1p(-p))


def draws(accounts: Names, count: int, seed: int) -> Weights:
    """Bootstrap weights: one line per draw, one column per row; the first line is the data as it is."""
    names, position = np.unique(accounts.astype(str), return_inverse=True)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=count)
    return np.concatenate([np.ones((1, len(accounts))), drawn[:, position]])


def estimate(per_draw: Vector) -> Estimate:
    """First value as it is, the rest as its bootstrap distribution."""
    usable = per_draw[1:][~np.isnan(per_draw[1:])]
    tail = 100 * (1 - COVERAGE) / 2
    low, high = np.percentile(usable, [tail, 100 - tail]) if len(usable) else (np.nan, np.nan)
    return Estimate(float(per_draw[0]), float(low), float(high))


def log_loss(y: Vector, p: Vector, weights: Weights) -> Vector:
    return _mean(losses(y, p), weights)


def brier(y: Vector, p: Vector, weights: Weights) -> Vector:
    return _mean((y - p) ** 2, weights)


def base_rate(y: Vector, p: Vector, weights: Weights) -> Vector:
    return _mean(y, weights)


def auc(y: Vector, p: Vector, weights: Weights) -> Vector:
    """Probability that a yes ranks above a no, ties counted half; null where there is only one kind."""
    order = np.argsort(p, kind="stable")
    found: Vector = _auc(p[order], y[order], order, weights)
    return found


def average_precision(y: Vector, p: Vector, weights: Weights) -> Vector:
    """Area under the precision–recall steps, one step per distinct probability."""
    order = np.argsort(-p, kind="stable")
    last = np.searchsorted(-p[order], -p[order], side="right") - 1
    yes = weights[:, order] * y[order]
    hits, seen = np.cumsum(yes, axis=1)[:, last], np.cumsum(weights[:, order], axis=1)[:, last]
    precision = np.divide(hits, seen, out=np.zeros_like(hits), where=seen > 0)
    total = yes.sum(axis=1)
    return np.divide((yes * precision).sum(axis=1), total, out=np.full(len(weights), np.nan), where=total > 0)


def ece(y: Vector, p: Vector, weights: Weights) -> Vector:
    """Calibration error: mean gap between said and seen in ten bins of equal count."""
    gaps = np.zeros(len(weights))
    for rows in np.array_split(np.argsort(p, kind="stable"), BINS):
        gaps += np.abs((weights[:, rows] * (y[rows] - p[rows])).sum(axis=1))
    return gaps / weights.sum(axis=1)


METRICS: dict[str, Metric] = {
    "auc": auc,
    "average_precision": average_precision,
    "log_loss": log_loss,
    "brier": brier,
    "ece": ece,
    "base_rate": base_rate,
}


def judge(y: Vector, p: Vector, weights: Weights) -> dict[str, Estimate]:
    """Every metric with its interval."""
    return {name: estimate(over_draws(metric, y, p, weights)) for name, metric in METRICS.items()}


def over_draws(metric: Metric, y: Vector, p: Vector, weights: Weights) -> Vector:
    """One number per draw, a part of the draws at a time so that memory stays bounded."""
    step = max(1, 20_000_000 // max(len(y), 1))
    return np.concatenate([metric(y, p, weights[start : start + step]) for start in range(0, len(weights), step)])


def reliability(y: Vector, p: Vector) -> list[tuple[float, float, int]]:
    """Said, seen and count of ten bins of equal count."""
    bins = [rows for rows in np.array_split(np.argsort(p, kind="stable"), BINS) if len(rows)]
    return [(float(p[rows].mean()), float(y[rows].mean()), len(rows)) for rows in bins]


def coverage(y: Vector, p: Vector, low: Vector, high: Vector) -> list[dict[str, float]]:
    """Per bin of equal count: the mean interval, the share that came true, and whether the one holds the other.

    The truth of a single account is never seen; that of many with about the same score is.
    """
    bins = [rows for rows in np.array_split(np.argsort(p, kind="stable"), BINS) if len(rows)]
    return [
        {
            "n": float(len(rows)),
            "said": float(p[rows].mean()),
            "low": float(low[rows].mean()),
            "high": float(high[rows].mean()),
            "seen": float(y[rows].mean()),
            "covered": float(low[rows].mean() <= y[rows].mean() <= high[rows].mean()),
        }
        for rows in bins
    ]


def _mean(values: Vector, weights: Weights) -> Vector:
    return (weights @ values) / weights.sum(axis=1)


@numba.njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _auc(p, y, order, weights):  # type: ignore[no-untyped-def]  # pragma: no cover
    """One pass over the rows, lowest probability first, for each draw."""
    found = np.empty(len(weights))
    for draw in range(len(weights)):
        below, beaten, yes, i = 0.0, 0.0, 0.0, 0
        while i < len(p):
            tied_yes, tied_no, first = 0.0, 0.0, i
            while i < len(p) and p[i] == p[first]:
                weight = weights[draw, order[i]]
                tied_yes += weight * y[i]
                tied_no += weight * (1 - y[i])
                i += 1
            beaten += tied_yes * (below + tied_no / 2)
            below += tied_no
            yes += tied_yes
        found[draw] = beaten / (yes * below) if yes * below > 0 else np.nan
    return found
