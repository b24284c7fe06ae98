"""The vocabulary: what a feature may ask of facts. Each entry turns the kernel's exact integers into one number.

Windowed aggregations look at ``[as_of - n days, as_of)``; the others at everything visible at as_of.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features import kernel
from features.facts import UNIT, Facts
from features.kernel import NEVER, Rows, State, Windowed
from features.windows import days_between

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Aggregation:
    """``name`` in the catalogue, what it says of nothing (``missing``), whether it looks through a window, and at values."""

    name: str
    doc: str
    missing: str
    over_window: Callable[[Windowed, int], Numbers] | None = None
    over_state: Callable[[State, npt.NDArray[np.int64]], Numbers] | None = None
    ahead: bool = False
    values: bool = False

    def __repr__(self) -> str:
        return self.name


def _where(condition: npt.NDArray[np.bool_], numbers: Numbers) -> Numbers:
    return np.where(condition, numbers, np.nan)


def _mean(out: Windowed, w: int) -> Numbers:
    counted = np.maximum(out.valued[:, w], 1)
    return _where(out.valued[:, w] > 0, out.total[:, w] / counted / UNIT)


def _extreme(values: npt.NDArray[np.int64]) -> Numbers:
    return _where(np.abs(values) != NEVER, values / UNIT)


count = Aggregation("count", "how many facts", "0", over_window=lambda out, w: out.count[:, w].astype(float))
total = Aggregation("total", "sum of their values", "0", over_window=lambda out, w: out.total[:, w] / UNIT, values=True)
mean = Aggregation("mean", "mean of their values", "null: nothing has a value", over_window=_mean, values=True)
minimum = Aggregation(
    "minimum",
    "smallest value",
    "null: nothing has a value",
    over_window=lambda out, w: _extreme(out.low[:, w]),
    values=True,
)
maximum = Aggregation(
    "maximum",
    "largest value",
    "null: nothing has a value",
    over_window=lambda out, w: _extreme(out.high[:, w]),
    values=True,
)
contacts = Aggregation(
    "contacts", "distinct contacts", "0", over_window=lambda out, w: out.contacts[:, w].astype(float)
)
distinct = Aggregation("distinct", "distinct labels", "0", over_window=lambda out, w: out.labels[:, w].astype(float))
active_days = Aggregation(
    "active_days", "distinct local days", "0", over_window=lambda out, w: out.days[:, w].astype(float)
)
ever = Aggregation("ever", "how many facts, of all time", "0", over_state=lambda out, t: out.count.astype(float))
level = Aggregation(
    "level", "running sum: the state at as_of", "0", over_state=lambda out, t: out.total / UNIT, values=True
)
recency = Aggregation(
    "recency",
    "days since the last fact",
    "null: never",
    over_state=lambda out, t: _where(out.count > 0, days_between(t, out.last)),
)
age = Aggregation(
    "age",
    "days since the first fact",
    "null: never",
    over_state=lambda out, t: _where(out.count > 0, days_between(t, out.first)),
)
last = Aggregation(
    "last",
    "most recent value",
    "null: nothing has a value",
    over_state=lambda out, t: _where(out.valued > 0, out.last_value / UNIT),
    values=True,
)
ahead = Aggregation(
    "ahead", "days until the next date that the facts name", "null: none named", ahead=True, values=True
)

VOCABULARY = (
    count,
    total,
    mean,
    minimum,
    maximum,
    contacts,
    distinct,
    active_days,
    ever,
    level,
    recency,
    age,
    last,
    ahead,
)


def days_ahead(facts: Facts, rows: Rows) -> Numbers:
    following = kernel.following(facts, rows)
    return _where(following != NEVER, following / UNIT - rows.as_of[rows.at] / UNIT / 86400)
