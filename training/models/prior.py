"""The shrunken prior: the share of yes, and of each segment as far as its accounts are many enough to tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import logit

from training.models.component import Learnt, Progress
from training.sample import Cut, Matrix, Sample, Vector

SEGMENTS = ("segment", "kind")
"""The column whose categories are told apart: the first of these that is there."""
STRENGTHS = (np.inf, 200.0, 50.0, 15.0)
"""How many events' worth of rows the overall share counts for, weakest pull last; endless: segments are not told apart."""


@dataclass(frozen=True)
class Prior:
    """Log-odds for everybody, and what the category in ``column`` adds; ``spread`` is the variance of the former."""

    columns: int
    log_odds: float
    spread: float
    column: int | None = None
    shifts: tuple[float, ...] = ()
    kind: str = "prior"

    def raw(self, matrix: Matrix) -> Vector:
        return self.log_odds + self._shift(matrix)

    def with_variance(self, matrix: Matrix) -> tuple[Vector, Vector]:
        return self.raw(matrix), np.full(len(matrix), self.spread)

    def contributions(self, matrix: Matrix) -> Matrix:
        out = np.zeros((len(matrix), self.columns + 1))
        if self.column is not None:
            out[:, self.column] = self._shift(matrix)
        out[:, -1] = self.log_odds
        return out

    def as_data(self) -> tuple[dict[str, Any], dict[str, str]]:
        return {**vars(self), "shifts": list(self.shifts)}, {}

    @classmethod
    def from_data(cls, data: dict[str, Any], texts: dict[str, str]) -> Prior:
        return cls(**{**data, "shifts": tuple(data["shifts"])})

    def _shift(self, matrix: Matrix) -> Vector:
        if self.column is None:
            return np.zeros(len(matrix))
        codes = matrix[:, self.column]
        known = ~np.isnan(codes)
        out = np.zeros(len(matrix))
        out[known] = np.array(self.shifts)[codes[known].astype(np.int64)]
        return out


def fit(rows: Sample, cuts: list[Cut], seed: int, progress: Progress = lambda _: None) -> Learnt:
    """The strength of the pull is the one that foretells accounts left out best."""
    unseen = {strength: np.zeros(len(rows)) for strength in STRENGTHS}
    for learn, left in cuts:
        for strength, raw in unseen.items():
            raw[left] = _fitted(rows.where(learn), strength).raw(rows.matrix[left])
    best = min(
        STRENGTHS,
        key=lambda strength: float((rows.counts * np.logaddexp(0, (1 - 2 * rows.y) * unseen[strength])).mean()),
    )
    return Learnt(_fitted(rows, best), unseen[best])


def _fitted(rows: Sample, strength: float) -> Prior:
    counts = rows.counts
    size, yes = counts.sum() / rows.overlap, counts * rows.y
    rate = (yes.sum() / rows.overlap + 1) / (size + 2)
    spread = 1 / max(size * rate * (1 - rate), 1.0)
    overall, columns = float(logit(rate)), len(rows.encoder.columns)
    named = next((name for name in SEGMENTS if rows.encoder.categories.get(name)), None)
    if named is None or np.isinf(strength):
        return Prior(columns, overall, spread)
    column, categories = rows.encoder.columns.index(named), rows.encoder.categories[named]
    codes = rows.matrix[:, column]
    pull, shifts = strength * rows.overlap, []
    for code in range(len(categories)):
        there = codes == code
        shifts.append(float(logit((yes[there].sum() + pull * rate) / (counts[there].sum() + pull))) - overall)
    return Prior(columns, overall, spread, column, tuple(shifts))
