"""Why a score moved: the change of an account's log-odds, exactly, as what its data and what the model did to it.

First the data moves and the new model looks on, then the models change over the old data. A column's share of the data
part is what it contributes now less what the same model would have said of its old value; its share of the model part is
what the new model says of the old value less what the old one did.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.special import expit

from features.errors import PropensityError
from training.explain import Group, totals
from training.model import Model

START, SEASON = "starting point", "time of the year"
"""What a model says before it looks at any column: of the same date in the model part, of another in the data part."""
APART = (START, SEASON)
Side = tuple[Model, pd.DataFrame]


@dataclass(frozen=True)
class Movement:
    """A change and its parts per column, in calibrated log-odds (``in_probability``: in probability).

    The columns of ``data`` and ``model`` sum to ``after`` - ``before``. ``unknown`` are columns of the new model that
    the old row did not have, or had under another definition: to the new model they were null then.
    """

    before: float
    after: float
    data: dict[str, float]
    model: dict[str, float]
    unknown: tuple[str, ...] = ()

    @property
    def change(self) -> float:
        return self.after - self.before

    @property
    def data_part(self) -> float:
        return math.fsum(self.data.values())

    @property
    def model_part(self) -> float:
        return math.fsum(self.model.values())

    def in_probability(self) -> Movement:
        """The same of a movement in log-odds, each share scaled alike, so that they sum to the change in probability."""
        by = _slope(self.before, self.after)

        def scaled(shares: dict[str, float]) -> dict[str, float]:
            return {name: by * share for name, share in shares.items()}

        ends = float(expit(self.before)), float(expit(self.after))
        return replace(self, before=ends[0], after=ends[1], data=scaled(self.data), model=scaled(self.model))

    def by(self, group: Group) -> Movement:
        """The shares of columns added up; starting point and season stay by themselves."""

        def group_of(name: str) -> str:
            return name if name in APART else group(name)

        return replace(self, data=totals(self.data, group_of), model=totals(self.model, group_of))


def movement(before: Side, after: Side) -> Movement:
    """From a model and a row of one account to another model, or the same, and another row of it.

    A row is a frame of one line. Columns are matched by name; a model that knows of
    seasons takes the rows' ``as_of``.
    """
    (old, then), (new, now) = before, after
    for row in (then, now):
        if len(row) != 1:
            raise PropensityError(f"a movement is that of one row, not of {len(row)}", "Give the rows of one account.")
    unknown = tuple(name for name in new.encoder.columns if name not in then or _redefined(name, old, new))
    as_new = _without(then, unknown)
    was, there, here = _shares(old, then), _shares(new, as_new), _shares(new, now)
    return Movement(
        float(old.odds(then)[0]),
        float(new.odds(now)[0]),
        {SEASON if name == START else name: here[name] - there[name] for name in here},
        {name: there.get(name, 0.0) - was.get(name, 0.0) for name in {**there, **was}},
        unknown,
    )


def _shares(model: Model, row: pd.DataFrame) -> dict[str, float]:
    names = (*model.encoder.columns, START)
    return dict(zip(names, model.contributions(row)[0].tolist(), strict=True))


def _redefined(name: str, old: Model, new: Model) -> bool:
    """Does the old model's row hold something else under this name?"""
    meant, means = old.facts["meanings"], new.facts["meanings"]
    return name in meant and meant[name] != means[name]


def _without(row: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    if not columns:
        return row
    return pd.concat([row.drop(columns=list(columns), errors="ignore"), _nothing(row.index, columns)], axis=1)


def _nothing(index: pd.Index, columns: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame(np.nan, index=index, columns=list(columns))


def _slope(one: float, other: float) -> float:
    """(p2 - p1) / (o2 - o1) for log-odds, and its limit where they are the same."""
    low, high = min(one, other), max(one, other)
    apart = high - low
    steep = -math.expm1(-apart) / apart if apart > 0 else 1.0
    return float(expit(high) * expit(-low)) * steep
