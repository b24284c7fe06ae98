"""Rows as numbers: what every kind of model learns from, whether it came from a frame or from a flat table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from features.errors import PropensityError, one_of
from training.dataset import Dataset, Encoder

Vector = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
Cut = tuple[Rows, Rows]


@dataclass(frozen=True)
class Sample:
    """``matrix`` as the encoder made it, ``y`` 0 or 1, the account of each row.

    ``overlap`` is at how many as_of dates one and the same event is seen: a horizon of 90 days at monthly dates sees
    it three times, so three rows tell as much as one.
    """

    matrix: Matrix
    y: Vector
    accounts: npt.NDArray[np.object_]
    encoder: Encoder
    overlap: float = 1.0
    directions: Mapping[int, int] = field(default_factory=dict)
    """Columns that may only raise (+1) or lower (-1) the odds."""
    weights: Vector | None = None
    """How much each row counts; none: all the same."""

    def __len__(self) -> int:
        return len(self.y)

    @property
    def counts(self) -> Vector:
        """How much each row counts, 1 where nothing else is said."""
        return np.ones(len(self.y)) if self.weights is None else self.weights

    @property
    def ranges(self) -> dict[str, list[float]]:
        """The lowest and the highest number of each column; columns of texts, and of nothing, are left out."""
        texts, found = self.encoder.categories, {}
        for name, values in zip(self.encoder.columns, self.matrix.T, strict=True):
            there = values[np.isfinite(values)]
            if name not in texts and len(there):
                found[name] = [float(there.min()), float(there.max())]
        return found

    def where(self, rows: Rows | npt.NDArray[np.bool_]) -> Sample:
        weights = None if self.weights is None else self.weights[rows]
        return replace(self, matrix=self.matrix[rows], y=self.y[rows], accounts=self.accounts[rows], weights=weights)

    def cuts(self, count: int, seed: int) -> list[Cut]:
        """Rows to learn from and rows left out, so that each account is left out once, and never met by who foretells it."""
        names = self.accounts.astype(str)
        if len(np.unique(names)) == len(names):  # rows are dealt out far faster than groups of one
            rows = StratifiedKFold(count, shuffle=True, random_state=seed)
            return list(rows.split(self.matrix, self.y))
        groups = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
        return list(groups.split(self.matrix, self.y, names))


def sample(rows: Dataset, encoder: Encoder | None = None) -> Sample:
    """The rows of a dataset; categories are those of these rows unless an encoder is given."""
    used = encoder or Encoder.fitted(rows.frame, rows.plan)
    return Sample(
        used.matrix(rows.frame), rows.y, rows.accounts, used, _overlap(rows), _directions(rows, used), rows.weights
    )


def _directions(rows: Dataset, encoder: Encoder) -> dict[int, int]:
    """Stated of a feature, it holds for all of its windows."""
    stated = rows.directions
    known = {column.name: column for column in rows.plan.columns}
    there = {*known, *(column.declaration.name for column in known.values())}
    if unknown := set(stated) - there:
        raise PropensityError(
            f"directions names {one_of(unknown)}, which this workspace does not compute; there are {one_of(there)}",
            "Name a column or a feature of the catalogue.",
        )
    found = {}
    for position, name in enumerate(encoder.columns):
        if said := stated.get(name) or stated.get(known[name].declaration.name):
            found[position] = 1 if said == "raises" else -1
    return found


def _overlap(rows: Dataset) -> float:
    """As_of dates within one horizon, on average."""
    days = sorted(set(rows.as_of.tolist()))
    if len(days) < 2 or not rows.horizon:
        return 1.0
    step = (days[-1] - days[0]).days / (len(days) - 1)
    return float(np.clip(rows.horizon / step, 1.0, len(days)))
