"""Frames and outcomes → rows to learn from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import cohort, frame
from features.plan import Plan
from features.workspace import Workspace
from training.outcomes import Labelled, configured, labelled
from training.outcomes.specification import spec

MOST_CATEGORIES = 60
Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Dataset:
    """Rows to which an outcome applies and whose outcome is known: features, ``y`` (0 or 1), account, as_of.

    ``counts`` says per as_of what became of all rows: see ``counted``. ``treated`` marks the rows to which somebody
    reached out between as_of and the end of the horizon; none where no outreach is recorded. ``spec`` is what the
    labels mean, with its digest.
    """

    frame: pd.DataFrame
    y: npt.NDArray[np.float64]
    plan: Plan
    counts: pd.DataFrame
    treated: npt.NDArray[np.bool_] | None = None
    spec: dict[str, Any] = field(default_factory=dict)
    directions: dict[str, str] = field(default_factory=dict)
    """Columns or features that only raise or only lower the odds, as the outcome's settings state."""
    horizon: int = 0
    """Days in which the outcome counts; 0 where rows are not windows in time."""
    weights: npt.NDArray[np.float64] | None = None
    """How much each row counts; none: all the same."""

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
        treated = None if self.treated is None else self.treated[keep]
        weights = None if self.weights is None else self.weights[keep]
        rows = self.frame[keep].reset_index(drop=True)
        return replace(self, frame=rows, y=self.y[keep], treated=treated, weights=weights)

    def __len__(self) -> int:
        return len(self.y)


def dataset(
    workspace: Workspace,
    outcome: str,
    progress: frame.Progress = lambda done, of: None,
    only: Collection[str] | None = None,
) -> Dataset:
    """The rows of every as_of date of an outcome; of their columns ``only`` some, for what looks at no others."""
    settings = configured(workspace, outcome)
    days = cohort.dates(workspace.config, settings, frame.observed_until(workspace))
    rows = frame.feature_frame(workspace, days, progress, only=only)
    applies = rows[frame.APPLIES + outcome].to_numpy(dtype=bool)
    found = labelled(workspace, outcome, rows)
    whole = Dataset(
        rows,
        found.y,
        frame.current_plan(workspace),
        counted(rows["as_of"], applies, found),
        found.treated,
        spec(workspace, outcome),
        dict(settings.directions),
        settings.horizon,
    )
    return whole.where(applies & ~np.isnan(found.y))


def counted(as_of: pd.Series, applies: npt.NDArray[np.bool_], found: Labelled) -> pd.DataFrame:
    """Per as_of: how many ``rows`` were ``used``, of which how many ``yes`` and ``treated`` (zero where outreach is not
    recorded); how many ``dropped``, which are those ``outside`` (the outcome does not apply) and ``unknown``, the
    latter ``immature``, ``unrecorded`` or ``ambiguous``."""
    known = ~np.isnan(found.y)
    used, unknown = applies & known, applies & ~known
    treated = np.zeros(len(used), dtype=bool) if found.treated is None else found.treated
    lines = pd.DataFrame(
        {
            "as_of": as_of,
            "rows": np.ones(len(as_of), dtype=bool),
            "used": used,
            "yes": used & (found.y == 1),
            "treated": used & treated,
            "dropped": ~used,
            "outside": ~applies,
            "unknown": unknown,
            "immature": applies & found.immature,
            "unrecorded": applies & found.unrecorded,
            "ambiguous": applies & found.ambiguous,
        }
    )
    return lines.groupby("as_of").sum().reset_index()


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

    def of_rows(self, rows: Sequence[Mapping[str, object]]) -> Matrix:
        """The same from rows, numbers as floats, what is left out null: without a frame, whose making takes longer than a
        prediction.
        """
        out = np.empty((len(rows), len(self.columns)), dtype=np.float64)
        for line, row in zip(out, rows, strict=True):
            values = [row.get(name) for name in self.columns]
            for position, codes in self._codes.items():
                values[position] = codes.get(values[position])
            line[:] = np.array(values, dtype=np.float64)  # None is NaN
        return out

    @cached_property
    def _codes(self) -> dict[int, dict[object, float]]:
        """Of each column of categories, by its position, what they are in the matrix."""
        return {
            position: {category: float(code) for code, category in enumerate(self.categories[self.columns[position]])}
            for position in self.categorical
        }

    @property
    def categorical(self) -> list[int]:
        return [position for position, name in enumerate(self.columns) if name in self.categories]
