"""Parts of a test fold that are told apart: segments, tenure, accounts never met, accounts that someone acted on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from training import metrics
from training.dataset import Dataset
from training.metrics import Estimate, Weights

Mask = npt.NDArray[np.bool_]
Vector = npt.NDArray[np.float64]
FEWEST = 5
"""Yes and no that a part must have, each, for its numbers to be told."""
MOST_SEGMENTS = 12
TENURES = (
    ("up to half a year", 0.0, 183.0),
    ("half a year to two years", 183.0, 730.0),
    ("two years and more", 730.0, np.inf),
)


@dataclass(frozen=True)
class Slice:
    """A part and how the model does there; ``metrics`` is empty where there is too little of either kind to say."""

    by: str
    name: str
    n: int
    positives: int
    metrics: dict[str, Estimate]

    def as_dict(self) -> dict[str, Any]:
        return {
            "by": self.by,
            "name": self.name,
            "n": self.n,
            "positives": self.positives,
            "metrics": {name: found.as_dict() for name, found in self.metrics.items()} or None,
        }


def met(test: Dataset, learn: Dataset) -> Mask:
    """Rows of accounts that are among those learnt from."""
    return np.isin(test.accounts.astype(str), np.unique(learn.accounts.astype(str)))


def parts(test: Dataset, met: Mask) -> Iterator[tuple[str, str, Mask]]:
    """By what, which part, and the rows in it."""
    frame = test.frame
    if "segment" in frame:
        for name in frame["segment"].value_counts().index[:MOST_SEGMENTS]:
            yield "segment", str(name), (frame["segment"] == name).to_numpy(dtype=bool)
    if "tenure_days" in frame:
        tenure = frame["tenure_days"].to_numpy(dtype=np.float64)
        for name, low, high in TENURES:
            yield "tenure", name, (tenure >= low) & (tenure < high)
    if test.treated is not None:
        yield "outreach", "somebody reached out in the window", test.treated
        yield "outreach", "nobody reached out in the window", ~test.treated
    yield "accounts", "met in training", met
    yield "accounts", "never met in training", ~met


def judged(test: Dataset, met: Mask, p: Vector, weights: Weights) -> list[Slice]:
    """Every part with its numbers and their intervals by account."""
    found = []
    for by, name, rows in parts(test, met):
        y = test.y[rows]
        enough = min(y.sum(), (1 - y).sum()) >= FEWEST
        told = metrics.judge(y, p[rows], weights[:, rows]) if enough else {}
        if len(y):
            found.append(Slice(by, name, len(y), int(y.sum()), told))
    return found


def worst(test: Dataset, met: Mask, gaps: Vector, weights: Weights) -> tuple[str, Estimate] | None:
    """The segment where ``gaps`` (a loss of ours minus one of theirs, per row) are shown to be worst, if any is told."""
    found: list[tuple[str, Estimate]] = []
    for by, name, rows in parts(test, met):
        y = test.y[rows]
        if by == "segment" and min(y.sum(), (1 - y).sum()) >= FEWEST:
            total = weights[:, rows].sum(axis=1)
            drawn = np.divide(weights[:, rows] @ gaps[rows], total, out=np.full(len(total), np.nan), where=total > 0)
            found.append((name, metrics.estimate(drawn)))
    return max(found, key=lambda one: one[1].low, default=None)
