"""From raw scores to probabilities: a sigmoid fitted on rows that the model has not seen, stored as two numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit

Vector = npt.NDArray[np.float64]
REPLICATES = 40
RIDGE = 1.0


@dataclass(frozen=True)
class Sigmoid:
    """p = 1 / (1 + exp(-(slope · raw + shift))), ``raw`` in log-odds: slope 1 and shift 0 change nothing."""

    slope: float
    shift: float

    def odds(self, raw: Vector) -> Vector:
        """Calibrated log-odds."""
        return self.slope * raw + self.shift

    def __call__(self, raw: Vector) -> Vector:
        return np.asarray(expit(self.odds(raw)))


def fit(raw: Vector, y: Vector, weights: Vector | None = None) -> Sigmoid:
    """The most likely sigmoid; a light pull towards slope 1 and shift 0 keeps small samples sane."""
    w = np.ones(len(y)) if weights is None else weights

    def loss(at: Vector) -> tuple[float, Vector]:
        z = at[0] * raw + at[1]
        gap = w * (expit(z) - y)
        value = float((w * (np.logaddexp(0, z) - y * z)).sum()) + RIDGE / 2 * ((at[0] - 1) ** 2 + at[1] ** 2)
        return value, np.array([gap @ raw + RIDGE * (at[0] - 1), gap.sum() + RIDGE * at[1]])

    found = minimize(loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=[(0.05, 5.0), (-10.0, 10.0)])
    return Sigmoid(float(found.x[0]), float(found.x[1]))


def replicates(
    raw: Vector, y: Vector, accounts: npt.NDArray[np.object_], seed: int, counts: Vector | None = None
) -> list[Sigmoid]:
    """The same fit on resampled accounts: how uncertain the calibration is. Rows count ``counts`` each, or all the same."""
    own = np.ones(len(y)) if counts is None else counts
    names, position = np.unique(accounts.astype(str), return_inverse=True)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=REPLICATES)
    return [fit(raw, y, own * weights[position].astype(float)) for weights in drawn]
