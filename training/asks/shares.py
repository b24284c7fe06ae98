"""The share of each kind of ask that was accepted, shrunken towards that of all: what is said where asks are few."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import beta

from training.model import COVERAGE, Scores
from training.sample import Vector

PULL = 10.0
"""As many asks as what is usual counts for, where a kind was asked for seldom."""


@dataclass(frozen=True)
class Shares:
    """``kinds`` → yes and no as they count, the pull included; ``usual`` the same for a kind never asked for."""

    usual: tuple[float, float]
    kinds: Mapping[str, tuple[float, float]]

    def scores(self, rows: pd.DataFrame) -> Scores:
        """Of every row (``kind``): the share, and its interval (90%)."""
        each = [self.kinds.get(kind, self.usual) for kind in rows["kind"]]
        yes, no = np.array(each, dtype=float).reshape(-1, 2).T
        tail = (1 - COVERAGE) / 2
        return Scores(yes / (yes + no), beta.ppf(tail, yes, no), beta.ppf(1 - tail, yes, no))

    def as_data(self) -> dict[str, Any]:
        return {"usual": list(self.usual), "kinds": {kind: list(counts) for kind, counts in self.kinds.items()}}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Shares:
        yes, no = data["usual"]
        return cls((yes, no), {kind: (each[0], each[1]) for kind, each in data["kinds"].items()})


def shares(kind: pd.Series, y: Vector, weights: Vector | None = None) -> Shares:
    """Of asks whose answer is known; each counts its weight, or one."""
    counts = np.ones(len(y)) if weights is None else weights
    overall = float(((counts * y).sum() + 1) / (counts.sum() + 2))
    pull = (PULL * overall, PULL * (1 - overall))
    found = {}
    for name in sorted(set(kind)):
        here = (kind == name).to_numpy()
        yes = float((counts * y)[here].sum())
        found[name] = (yes + pull[0], float(counts[here].sum()) - yes + pull[1])
    return Shares(pull, found)
