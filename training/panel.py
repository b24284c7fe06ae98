"""Slopes from a panel of accounts over dates: what goes with a metric that is a point higher, for the same account.

*Observational*: nobody drew at random whose metric would move, and what moved it may move the outcome too. Accounts and
dates are compared with themselves, which takes away what lasts about an account and what happens to all; errors are
clustered by account.

Leaving ends an account's rows, so an account's own mean is bent by what came of it, and fixed effects find half of what
there is or less (a test shows it). Whether accounts stay is therefore told by how far a metric is from the account's own
past: an instrument that what comes later does not touch. What does not end the rows, such as growth, has fixed effects.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import t as student

from training.metrics import COVERAGE, Names, Vector

WEAK = 10.0
"""A first stage with a smaller F says that accounts hardly differ from their own past."""
FEWEST = 30
"""Accounts of which an error by account takes some."""
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Slope:
    """Change of the outcome per point of the metric, with its standard error, from so many accounts and rows."""

    value: float
    error: float
    accounts: int
    rows: int

    @property
    def reach(self) -> float:
        """Half of the 95% interval."""
        return float(student.ppf((1 + COVERAGE) / 2, max(self.accounts - 1, 1))) * self.error

    @property
    def shown(self) -> bool:
        return abs(self.value) > self.reach

    def times(self, points: float) -> dict[str, float]:
        """The change for so many points, and its 95% interval."""
        return {
            "value": self.value * points,
            "low": (self.value - self.reach) * points,
            "high": (self.value + self.reach) * points,
        }


@dataclass(frozen=True)
class Panel:
    """Rows in any order: whose they are, as of when, the metric (null where not known) and the outcome (likewise)."""

    accounts: Names | Codes
    as_of: Names | Codes
    metric: Vector
    outcome: Vector

    @cached_property
    def codes(self) -> tuple[Codes, Codes]:
        """Accounts and dates as numbers, in the order of their names."""
        return _codes(self.accounts), _codes(self.as_of)

    def with_metric(self, metric: Vector) -> Panel:
        return Panel(*self.codes, metric, self.outcome)


def own_past(panel: Panel) -> Vector:
    """How far the metric is from its mean on the account's earlier dates; null on the first, and where not known."""
    accounts, dates = panel.codes
    frame = pd.DataFrame({"account": accounts, "as_of": dates, "x": panel.metric})
    ordered = frame.sort_values(["account", "as_of"], kind="stable").dropna()
    by = ordered.groupby("account")["x"]
    before = by.cumcount().to_numpy(dtype=float)
    earlier = by.cumsum().to_numpy() - ordered["x"].to_numpy()
    away = ordered["x"].to_numpy() - np.divide(earlier, before, out=np.full(len(before), np.nan), where=before > 0)
    found = np.full(len(frame), np.nan)
    found[ordered.index.to_numpy()] = away
    return found


def against_own_past(panel: Panel) -> Slope | None:
    """The slope by instrument, with date effects: None where too few accounts differ from their own past."""
    away = own_past(panel)
    keep = ~np.isnan(away) & ~np.isnan(panel.outcome)
    accounts, dates = (_codes(codes[keep]) for codes in panel.codes)
    if not keep.any() or len(np.unique(accounts)) < FEWEST:
        return None
    y, x, z = (_less_date(column[keep], dates) for column in (panel.outcome, panel.metric, away))
    if _first_stage(x, z, accounts) < WEAK:
        return None
    from linearmodels.iv import IV2SLS

    found = IV2SLS(y, None, x, z).fit(cov_type="clustered", clusters=accounts)
    return Slope(float(found.params.iloc[0]), float(found.std_errors.iloc[0]), int(accounts.max()) + 1, len(y))


def within(panel: Panel, beside: Sequence[Vector] = ()) -> list[Slope] | None:
    """Slopes with account and date effects: that of the metric, then those of the columns ``beside`` it.

    None where fewer than ``FEWEST`` accounts have a metric that moved.
    """
    columns = np.column_stack([panel.metric, *beside])
    keep = ~np.isnan(columns).any(axis=1) & ~np.isnan(panel.outcome)
    accounts, dates = (_codes(codes[keep]) for codes in panel.codes)
    x = columns[keep]
    by = pd.Series(x[:, 0]).groupby(accounts)
    moved = by.max() > by.min()
    if int(moved.sum()) < FEWEST or len(np.unique(dates)) < 2:
        return None
    often = moved.to_numpy(dtype=bool)[accounts]
    index = pd.MultiIndex.from_arrays([accounts[often], dates[often]])
    data = pd.DataFrame(x[often], index=index, columns=[f"x{number}" for number in range(x.shape[1])])
    y = pd.Series(panel.outcome[keep][often], index=index, name="y")
    from linearmodels.panel import PanelOLS

    fitted: Any = PanelOLS(y, data, entity_effects=True, time_effects=True).fit(
        cov_type="clustered", cluster_entity=True
    )
    return [
        Slope(float(value), float(error), int(moved.sum()), int(often.sum()))
        for value, error in zip(fitted.params, fitted.std_errors, strict=True)
    ]


def shuffled(panel: Panel, rng: np.random.Generator) -> Panel:
    """Each account with the metric of another one on the same dates; null where that one has none."""
    accounts, dates = panel.codes
    table = np.full((int(accounts.max()) + 1, int(dates.max()) + 1), np.nan)
    table[accounts, dates] = panel.metric
    return panel.with_metric(table[rng.permutation(len(table))][accounts, dates])


def _codes(names: Names | Codes) -> Codes:
    found = names if np.issubdtype(names.dtype, np.integer) else names.astype(str)
    return np.unique(found, return_inverse=True)[1].astype(np.int64)


def _less_date(column: Vector, dates: Codes) -> Vector:
    """The column less its mean of each date: what is left of it beside date effects."""
    return column - (np.bincount(dates, column) / np.bincount(dates))[dates]


def _first_stage(x: Vector, z: Vector, accounts: Codes) -> float:
    """F of the instrument, clustered by account: how surely the metric follows its distance from the own past."""
    spread = float(z @ z)
    if spread == 0:
        return 0.0
    slope = float(z @ x) / spread
    error = float((np.bincount(accounts, z * (x - slope * z)) ** 2).sum()) / spread**2
    return slope**2 / error if error > 0 else np.inf
