"""The vocabulary: what a feature may ask of facts. Each entry turns measures of the kernel into one number.

Every aggregation looks at a span of time before as_of: ``over`` windows of n
days, or, without windows, everything. Its ``specs`` are small tables of facts
and answers, run by the tests and shown in the catalogue. They are written as of
day 0: each fact as ``DAY VALUE CONTACT``, the day it happened counted from as_of
(-1 is the last day before it), ``DAY/DAY`` where it became known later, ``-`` for no value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from features.facts import NO_VALUE, UNIT
from features.kernel import NEVER, Measure
from features.sequences import Shape
from features.windows import MICROSECONDS_PER_DAY

Numbers = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Found = Mapping[int, npt.NDArray[np.generic]]


@dataclass(frozen=True)
class Seen:
    """The measures of one stream over one span, one number per row; as_of as instant, the day that ends the span, its days.

    For one row alone, a line may be a column instead of a row: then spans, and so their days, may differ.
    """

    found: Found
    as_of: Integers
    end_day: Integers
    days: int | Integers

    def __getitem__(self, measure: int) -> npt.NDArray[np.int64]:
        return self.found[measure]  # type: ignore[return-value]


@dataclass(frozen=True)
class Aggregation:
    """``needs`` are the measures it is made of; ``missing`` what it says of nothing; ``values``: it looks at values.

    ``window``: must it have one, must it not, or may it. Each of ``specs`` reads ``facts => [n days:] answer``.
    """

    name: str
    doc: str
    missing: str
    needs: tuple[int, ...]
    number: Callable[[Seen], Numbers]
    specs: tuple[str, ...]
    values: bool = False
    window: Literal["may", "must", "never"] = "may"

    def __repr__(self) -> str:
        return self.name


def _where(condition: npt.NDArray[np.bool_], numbers: npt.NDArray[np.generic]) -> Numbers:
    return np.where(condition, numbers, np.nan)


def _count_of(measure: int) -> Callable[[Seen], Numbers]:
    return lambda seen: seen[measure].astype(np.float64)


def _value_of(measure: int) -> Callable[[Seen], Numbers]:
    return lambda seen: _where(seen[measure] != NO_VALUE, seen[measure] / UNIT)


def _extreme_of(measure: int) -> Callable[[Seen], Numbers]:
    return lambda seen: _where(np.abs(seen[measure]) != NEVER, seen[measure] / UNIT)


def _as_it_is(measure: int) -> Callable[[Seen], Numbers]:
    return lambda seen: seen.found[measure].astype(np.float64)


def _since(measure: int) -> Callable[[Seen], Numbers]:
    return lambda seen: _where(seen[measure] != NEVER, (seen.as_of - seen[measure]) / MICROSECONDS_PER_DAY)


def _mean(seen: Seen) -> Numbers:
    valued = np.maximum(seen[Measure.VALUED], 1)
    return _where(seen[Measure.VALUED] > 0, seen[Measure.TOTAL] / valued / UNIT)


def _gap(seen: Seen) -> Numbers:
    gaps = seen[Measure.COUNT] - 1
    first = np.where(gaps > 0, seen[Measure.EARLIEST], 0)
    last = np.where(gaps > 0, seen[Measure.LATEST], 0)
    return _where(gaps > 0, (last - first) / np.maximum(gaps, 1) / MICROSECONDS_PER_DAY)


def _slope(seen: Seen) -> Numbers:
    """Least squares over the daily counts of the span, days without facts included: exact up to one division."""
    # With x a day and m the middle day of the span: sum((x - m) * count) / sum((x - m)^2).
    twice_middle = 2 * seen.end_day - seen.days - 1
    twice_top = 2 * seen[Measure.MOMENT] - twice_middle * seen[Measure.COUNT]
    twelve_bottoms = np.maximum(seen.days * (seen.days * seen.days - 1), 1)
    return 6 * twice_top / twelve_bottoms


count = Aggregation("count", "how many facts", "0", (Measure.COUNT,), _count_of(Measure.COUNT), (
    "-8; -7; -3; -1; -1/+1; 0 => 7 days: 3",
    "-8; -7; -3 => 3",
    "0 => 0",
))  # fmt: skip
total = Aggregation("total", "sum of the values", "0", (Measure.TOTAL,), lambda seen: seen[Measure.TOTAL] / UNIT, (
    "-8 5; -7 2; -1 3; -1 -; 0 9 => 7 days: 5",
    "-1 - => 0",
), values=True)  # fmt: skip
level = Aggregation("level", "running sum: the state at as_of", "0", (Measure.TOTAL,), lambda seen: seen[Measure.TOTAL] / UNIT, (
    "-90 1; -40 1; -2 -1; +3 -1 => 1",
), values=True, window="never")  # fmt: skip
ever = Aggregation("ever", "how many facts, of all time", "0", (Measure.COUNT,), _count_of(Measure.COUNT), (
    "-900; -2; -2/+3; 0 => 2",
), window="never")  # fmt: skip
mean = Aggregation("mean", "mean of the values", "null: nothing has a value", (Measure.VALUED, Measure.TOTAL), _mean, (
    "-9 100; -5 2; -2 3; -1 - => 7 days: 2.5",
    "-1 - => 7 days: null",
), values=True)  # fmt: skip
minimum = Aggregation("minimum", "smallest value", "null: nothing has a value", (Measure.LOW,), _extreme_of(Measure.LOW), (
    "-9 1; -5 2; -2 -3; -1 - => 7 days: -3",
    "-1 - => 7 days: null",
), values=True)  # fmt: skip
maximum = Aggregation("maximum", "largest value", "null: nothing has a value", (Measure.HIGH,), _extreme_of(Measure.HIGH), (
    "-9 100; -5 2; -2 -3; 0 7 => 7 days: 2",
    "-1 - => 7 days: null",
), values=True)  # fmt: skip
first = Aggregation("first", "earliest value", "null: nothing has a value", (Measure.FIRST_VALUE,), _value_of(Measure.FIRST_VALUE), (
    "-9 -; -5 2; -2 3 => 2",
    "-9 1; -5 2; -2 3 => 7 days: 2",
), values=True)  # fmt: skip
last = Aggregation("last", "most recent value", "null: nothing has a value", (Measure.LAST_VALUE,), _value_of(Measure.LAST_VALUE), (
    "-9 1; -5 2; -2 -; 0 3 => 2",
    "-9 1 => 7 days: null",
), values=True)  # fmt: skip
contacts = Aggregation("contacts", "distinct contacts", "0", (Measure.CONTACTS,), _count_of(Measure.CONTACTS), (
    "-9 - zoe; -5 - ann; -4 - ann; -2 - bob; -1 => 7 days: 2",
))  # fmt: skip
distinct = Aggregation("distinct", "distinct labels", "0", (Measure.LABELS,), _count_of(Measure.LABELS), (
    "-9 - - login; -5 - - export; -4 - - export; -2 - - share => 7 days: 2",
))  # fmt: skip
active_days = Aggregation("active_days", "distinct local days", "0", (Measure.DAYS,), _count_of(Measure.DAYS), (
    "-8; -5; -5; -2; -1/+1 => 7 days: 2",
))  # fmt: skip
recency = Aggregation("recency", "days since the last fact", "null: never", (Measure.LATEST,), _since(Measure.LATEST), (
    "-9; -3; -1/+1 => 3",
    "-9 => 7 days: null",
))  # fmt: skip
age = Aggregation("age", "days since the first fact", "null: never", (Measure.EARLIEST,), _since(Measure.EARLIEST), (
    "-9; -3 => 9",
    "0 => null",
))  # fmt: skip
gap = Aggregation("gap", "mean days between facts", "null: fewer than two facts", (Measure.COUNT, Measure.EARLIEST, Measure.LATEST), _gap, (
    "-30; -9; -3; -1 => 10 days: 4",
    "-3 => null",
))  # fmt: skip
gap_deviation = Aggregation("gap_deviation", "standard deviation of the days between facts", "null: fewer than three facts", (Shape.GAP_DEVIATION,), _as_it_is(Shape.GAP_DEVIATION), (
    "-9; -3; -1 => 2",
    "-3; -2 => null",
))  # fmt: skip
streak = Aggregation("streak", "weeks with a fact, without a break, up to as_of", "0", (Shape.STREAK,), _as_it_is(Shape.STREAK), (
    "-40; -16; -9; -8; -3 => 3",
    "-9 => 0",
    "-16; -9; -3 => 14 days: 2",
))  # fmt: skip
slope = Aggregation("slope", "trend of the daily count: facts per day, gained or lost each day", "0", (Measure.COUNT, Measure.MOMENT), _slope, (
    "-3; -2; -2; -1; -1; -1 => 3 days: 1",
    "-3; -2; -1 => 3 days: 0",
    "-2; 0 => 2 days: -1",
), window="must")  # fmt: skip
drift = Aggregation("drift", "trend of the values: their slope over time, per day", "null: fewer than two instants with a value", (Shape.DRIFT,), _as_it_is(Shape.DRIFT), (
    "-5 1; -3 5; -2 - => 7 days: 2",
    "-3 5 => 7 days: null",
), values=True)  # fmt: skip
top_share = Aggregation("top_share", "share of the contact with most facts", "null: no contact is named", (Shape.TOP_SHARE,), _as_it_is(Shape.TOP_SHARE), (
    "-4 - ann; -3 - ann; -2 - ann; -1 - bob; -1 => 7 days: 0.75",
))  # fmt: skip
entropy = Aggregation("entropy", "how evenly facts spread over contacts, in bits: 0 for one contact, 1 for two alike", "null: no contact is named", (Shape.ENTROPY,), _as_it_is(Shape.ENTROPY), (
    "-4 - ann; -3 - bob => 7 days: 1",
    "-4 - ann; -3 - ann => 7 days: 0",
))  # fmt: skip
spread = Aggregation("spread", "standard deviation of the contacts' mean values", "null: fewer than two contacts have a value", (Shape.SPREAD,), _as_it_is(Shape.SPREAD), (
    "-4 8 ann; -3 10 ann; -2 3 bob => 7 days: 3",
    "-4 8 ann; -3 10 ann => 7 days: null",
), values=True)  # fmt: skip
lowest = Aggregation("lowest", "lowest of the contacts' mean values", "null: no contact has a value", (Shape.LOWEST,), _as_it_is(Shape.LOWEST), (
    "-4 8 ann; -3 10 ann; -2 3 bob => 7 days: 3",
), values=True)  # fmt: skip
average = Aggregation("average", "time-weighted mean of the running sum", "null: nothing began yet", (Shape.AVERAGE,), _as_it_is(Shape.AVERAGE), (
    "-90 10; -5 10 => 10 days: 15",
    "-4 10; -2 -10 => 10 days: 2",
), values=True)  # fmt: skip
lasted = Aggregation("lasted", "duration: days on which the running sum was above 0", "0", (Shape.LASTED,), _as_it_is(Shape.LASTED), (
    "-90 1; -5 -1 => 10 days: 5",
    "-4 1 => 10 days: 4",
), values=True)  # fmt: skip
unusual = Aggregation("unusual", "count against the account's own past: deviations from its last 4 to 12 spans of that length", "null: too little past", (Shape.UNUSUAL,), _as_it_is(Shape.UNUSUAL), (
    "-10; -8; -6; -4; -2; -1; -1; -1 => 2 days: 3",
    "-4; -2 => 2 days: null",
), window="must")  # fmt: skip
deviation = Aggregation("deviation", "standard deviation of the values", "null: fewer than two facts have a value", (Shape.DEVIATION,), _as_it_is(Shape.DEVIATION), (
    "-4 8; -3 4; -2 - => 7 days: 2",
    "-4 8 => 7 days: null",
), values=True)  # fmt: skip
standing = Aggregation("standing", "days for which the running sum has been above 0 without a break", "0", (Shape.STANDING,), _as_it_is(Shape.STANDING), (
    "-90 1; -40 -1; -9 1; -5 1; -3 -1 => 9",
    "-90 1; -40 -1 => 0",
), values=True, window="never")  # fmt: skip
risen = Aggregation("risen", "by how much the running sum rose; what ends and begins again at one instant did not", "0", (Shape.RISEN,), _as_it_is(Shape.RISEN), (
    "-90 5; -5 -5; -5 8; -3 -2 => 7 days: 3",
), values=True)  # fmt: skip
fallen = Aggregation("fallen", "by how much the running sum fell; what ends and begins again at one instant did not", "0", (Shape.FALLEN,), _as_it_is(Shape.FALLEN), (
    "-90 5; -5 -5; -5 8; -3 -2 => 7 days: 2",
), values=True)  # fmt: skip
ahead = Aggregation("ahead", "days until the next date that the facts name", "null: none named", (Shape.AHEAD,), _as_it_is(Shape.AHEAD), (
    "-9 +20; -8 +5; -7 -2 => 5",
), values=True, window="never")  # fmt: skip

VOCABULARY = (
    count, total, mean, minimum, maximum, first, last, contacts, distinct, active_days, recency, age, ever, level, average,
    lasted, standing, risen, fallen, deviation, gap, gap_deviation, streak, slope, drift, unusual, top_share, entropy,
    spread, lowest, ahead,
)  # fmt: skip
