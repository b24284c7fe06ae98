"""Frames and outcomes → rows to learn from."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import cohort, frame
from features.plan import Plan
from features.workspace import Workspace
from training.outcomes import configured, labels

MOST_CATEGORIES = 60
Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Dataset:
    """Rows to which an outcome applies and whose outcome is known: features, ``y`` (0 or 1), account, as_of.

    ``counts`` says how many rows were used, unknown, or outside the outcome, per as_of.
    """

    frame: pd.DataFrame
    y: npt.NDArray[np.float64]
    plan: Plan
    counts: pd.DataFrame
    horizon: int = 0
    """Days in which the outcome counts; 0 where rows are not windows in time."""

    @property
    def as_of(self) -> npt.NDArray[np.object_]:
        return self.frame["as_of"].to_numpy(dtype=object)

    @property
    def accounts(self) -> npt.NDArray[np.object_]:
        return self.frame["account"].to_numpy(dtype=object)

    def at(self, days: list[date]) -> Dataset:
        """The rows of these as_of dates."""
        keep = np.isin(self.as_of, np.array(days, dtype=object))
        return self.where(keep)

    def where(self, keep: npt.NDArray[np.bool_]) -> Dataset:
        return replace(self, frame=self.frame[keep].reset_index(drop=True), y=self.y[keep])

    def __len__(self) -> int:
        return len(self.y)


def dataset(workspace: Workspace, outcome: str, progress: frame.Progress = lambda done, of: None) -> Dataset:
    """The rows of every as_of date of an outcome."""
    settings = configured(workspace, outcome)
    days = cohort.dates(workspace.config, settings, frame.observed_until(workspace))
    rows = frame.feature_frame(workspace, days, progress)
    applies = rows[frame.APPLIES + outcome].to_numpy(dtype=bool)
    y = labels(workspace, outcome, rows)
    known = ~np.isnan(y)
    counts = pd.DataFrame(
        {
            "as_of": rows["as_of"],
            "used": applies & known,
            "yes": applies & (y == 1),
            "unknown": applies & ~known,
            "outside": ~applies,
        }
    )
    keep = applies & known
    per_date = counts.groupby("as_of").sum().reset_index()
    return Dataset(
        rows[keep].reset_index(drop=True), y[keep], frame.current_plan(workspace), per_date, settings.horizon
    )


@dataclass(frozen=True)
class Encoder:
    """Frame → matrix: columns in order; categories by their position in ``categories`` (unseen or missing: null)."""

    columns: tuple[str, ...]
    categories: dict[str, tuple[str, ...]]

    @classmethod
    def fitted(cls, rows: pd.DataFrame, plan: Plan) -> Encoder:
        """Categories come from the training range only; the rarest beyond a limit count as missing."""
        categories = {}
        for column in plan.columns:
            if column.categorical:
                common = Counter(rows[column.name].dropna().tolist()).most_common(MOST_CATEGORIES)
                categories[column.name] = tuple(sorted(name for name, _ in common))
        return cls(tuple(plan.names), categories)

    def matrix(self, rows: pd.DataFrame) -> Matrix:
        frame.require(rows, list(self.columns))
        out = np.empty((len(rows), len(self.columns)), dtype=np.float64)
        numbers = [position for position, name in enumerate(self.columns) if name not in self.categories]
        out[:, numbers] = rows[[self.columns[position] for position in numbers]].to_numpy(dtype=np.float64)
        for position in self.categorical:
            name = self.columns[position]
            codes = {category: float(code) for code, category in enumerate(self.categories[name])}
            out[:, position] = [codes.get(value, np.nan) for value in rows[name].tolist()]
        return out

    @property
    def categorical(self) -> list[int]:
        return [position for position, name in enumerate(self.columns) if name in self.categories]
