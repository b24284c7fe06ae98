"""Half-open time, written once.

An instant is an integer: microseconds since 1970-01-01 UTC. An as_of *date*
means the midnight that ends it, in the workspace's zone. Windows are calendar
days: the lookback of n days is ``[t - n, t)``, the horizon is
``[t + lead, t + lead + n)``. No other module compares instants with ``<=``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from features.errors import PropensityError

MICROSECONDS_PER_DAY = 86_400_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ALWAYS = -(2**62)
"""Where a span begins that looks at everything."""

Instants = npt.NDArray[np.int64]


@lru_cache(maxsize=2**16)
def midnight(day: date, zone: str) -> int:
    """The instant at which ``day`` begins in ``zone``."""
    local = datetime.combine(day, time(), tzinfo=ZoneInfo(zone))
    return (local - EPOCH) // timedelta(microseconds=1)


def moment(instant: int) -> datetime:
    """An instant as people write it, in UTC."""
    return EPOCH + timedelta(microseconds=instant)


def as_of_instant(day: date, zone: str) -> int:
    """The instant that an as_of date means: the midnight that ends it."""
    return midnight(day + timedelta(days=1), zone)


def as_of_instants(days: Iterable[date], zone: str) -> Instants:
    return np.array([as_of_instant(day, zone) for day in days], dtype=np.int64)


def lookback_starts(days: Sequence[date], windows: Sequence[int], zone: str) -> Instants:
    """Where each lookback begins: one row per as_of date, one column per window of n days."""
    starts = [[midnight(day + timedelta(days=1 - n), zone) for n in windows] for day in days]
    return np.array(starts, dtype=np.int64).reshape(len(days), len(windows))


@dataclass(frozen=True)
class Span:
    """A stretch of time as seen from an as_of: the ``days`` before it (0: everything), moved ``back`` by so many."""

    days: int = 0
    back: int = 0


@dataclass(frozen=True, eq=False)
class Bounds:
    """Where each span lies for each as_of (rows: as_of, columns: span): instants, and local days since 1970. Shared by
    all who ask for the same.
    """

    as_of: Instants
    begin: Instants
    end: Instants
    begin_day: Instants
    end_day: Instants


def bounds(days: Sequence[date], spans: Sequence[Span], zone: str) -> Bounds:
    """Half-open like everything: ``[as_of - back - days, as_of - back)``."""
    return _bounds(tuple(days), tuple(spans), zone)


@lru_cache(maxsize=2**8)
def _bounds(days: tuple[date, ...], spans: tuple[Span, ...], zone: str) -> Bounds:
    shape = (len(days), len(spans))
    ends = [[day + timedelta(days=1 - span.back) for span in spans] for day in days]
    begins = [
        [end - timedelta(days=span.days) if span.days else None for end, span in zip(line, spans, strict=True)]
        for line in ends
    ]
    return Bounds(
        as_of_instants(days, zone),
        np.array([[ALWAYS if d is None else midnight(d, zone) for d in line] for line in begins], np.int64).reshape(
            shape
        ),
        np.array([[midnight(d, zone) for d in line] for line in ends], np.int64).reshape(shape),
        np.array([[ALWAYS if d is None else day_number(d) for d in line] for line in begins], np.int64).reshape(shape),
        np.array([[day_number(d) for d in line] for line in ends], np.int64).reshape(shape),
    )


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return day.toordinal() - date(1970, 1, 1).toordinal()


def horizon(day: date, lead: int, days: int, zone: str) -> tuple[int, int]:
    """The half-open interval in which an outcome counts, for the as_of date ``day``."""
    start = day + timedelta(days=1 + lead)
    return midnight(start, zone), midnight(start + timedelta(days=days), zone)


def to_datetime(instant: int) -> datetime:
    return EPOCH + timedelta(microseconds=int(instant))


def local_day(instant: int, zone: str) -> date:
    """The calendar day on which an instant falls in ``zone``."""
    return to_datetime(instant).astimezone(ZoneInfo(zone)).date()


def grid(since: date, until: date, every: str) -> list[date]:
    """As_of dates from ``until`` backwards to ``since``, oldest first.

    ``every`` is ``month`` (the same day of each month, or its last) or ``N days``.
    """
    dates: list[date] = []
    step = 0
    while (day := _step_back(until, every, step)) >= since:
        dates.append(day)
        step += 1
    return dates[::-1]


def parse_every(every: str) -> int | None:
    """Days of the step, or None for calendar months."""
    words = every.split()
    if every in ("month", "1 month"):
        return None
    if len(words) == 2 and words[0].isdigit() and words[1] in ("day", "days") and int(words[0]) > 0:
        return int(words[0])
    raise PropensityError(f"as_of.every is {every!r}", 'Use "month" or a number of days such as "14 days".')


def _step_back(until: date, every: str, steps: int) -> date:
    days = parse_every(every)
    if days is not None:
        return until - timedelta(days=days * steps)
    month_index = until.year * 12 + until.month - 1 - steps
    year, month = divmod(month_index, 12)
    if month_end(until) == until:
        return month_end(date(year, month + 1, 1))
    return date(year, month + 1, min(until.day, month_end(date(year, month + 1, 1)).day))


def month_end(day: date) -> date:
    following = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return following - timedelta(days=1)
