"""What depends on the order and the mix of the facts inside a span: gaps, streaks, drift, spread, states over time.

One walk over the facts of each row and span, for the streams that ask for it; numbers are floats computed in the
order of the facts, so they do not depend on who else is computed. NaN where there is nothing to say.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numba
import numpy as np
import numpy.typing as npt

from features.facts import NO_VALUE, UNIT, Facts
from features.kernel import Ask, Names, Rows, Stream, edges_of, memberships
from features.windows import ALWAYS, MICROSECONDS_PER_DAY, Bounds

Numbers = npt.NDArray[np.float64]
_NONE, _DAY, _ALWAYS, _UNIT = int(NO_VALUE), float(MICROSECONDS_PER_DAY), int(ALWAYS), float(UNIT)
PERIODS = 12  # stretches of its own past with which an account is compared
ENOUGH = 4  # how many of them it takes


class Shape(IntEnum):
    """What can be said of the facts of a stream over a span, in their order. Numbered apart from kernel.Measure."""

    GAP_DEVIATION = 100  # standard deviation of the days between facts
    STREAK = 101  # weeks with a fact, without a break, up to the end of the span
    DRIFT = 102  # least-squares slope of the values, per day
    TOP_SHARE = 103  # share of the contact with most facts
    ENTROPY = 104  # of the facts over the contacts, in bits
    SPREAD = 105  # standard deviation of the contacts' mean values
    LOWEST = 106  # lowest of the contacts' mean values
    AVERAGE = 107  # time-weighted mean of the running sum
    LASTED = 108  # days for which the running sum was above 0
    UNUSUAL = 109  # count against the same stretch of the account's own past, in deviations
    AHEAD = 110  # days to the next date that the values name
    DEVIATION = 111  # standard deviation of the values
    STANDING = 112  # days for which the running sum has been above 0 without a break
    RISEN = 113  # sum of the net changes of an instant that are above 0
    FALLEN = 114  # of those below 0, without the sign


GAP_DEVIATION, STREAK, DRIFT, TOP_SHARE, ENTROPY, SPREAD, LOWEST, AVERAGE, LASTED, UNUSUAL, AHEAD = list(
    map(int, Shape)
)[:11]
DEVIATION, STANDING, RISEN, FALLEN = list(map(int, Shape))[11:]


@dataclass(frozen=True)
class Question:
    """Asks of one kind of facts as compiled code takes them: worked out once, for any rows and any accounts."""

    asks: npt.NDArray[np.int64]
    member: npt.NDArray[np.bool_]
    edges: tuple[npt.NDArray[np.int64], ...]

    @classmethod
    def of(cls, names: Names, bounds: Bounds, streams: Sequence[Stream], asks: Sequence[Ask]) -> Question:
        wanted = np.array(asks, dtype=np.int64).reshape(-1, 3)
        return cls(wanted, _member(names, streams), edges_of(bounds))

    def answers(self, facts: Facts, rows: Rows) -> Numbers:
        """One line per ask, one column per row."""
        out = np.full((len(self.asks), len(rows)), np.nan)
        _shape(facts.arrays, self.member, self.asks, *rows.in_order, *self.edges, out)
        return out + 0.0  # -0.0 becomes 0.0


def _member(names: Names, streams: Sequence[Stream]) -> npt.NDArray[np.bool_]:
    """Per stream, label and role (each with -1 first): is it in the stream?"""
    pairs = memberships(names, streams)
    member = np.zeros((len(streams), len(pairs)), dtype=np.bool_)
    for number, pair in enumerate(pairs):
        member[list(pair), number] = True
    return member.reshape(len(streams), len(names.labels) + 1, len(names.roles) + 1)


@numba.njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _shape(  # type: ignore[no-untyped-def]  # pragma: no cover
    facts, member, asks, order, account, at, as_of, begin, end, begin_day, end_day, out
):
    offsets, occurred, known, value, day, contact, label, role = facts
    for r in range(len(account)):
        lo, hi = offsets[account[r]], offsets[account[r] + 1]
        t, place = as_of[at[r]], order[r]
        for number in range(len(asks)):
            which, stream, span = asks[number, 0], asks[number, 1], asks[number, 2]
            begins, ends = begin[at[r], span], end[at[r], span]
            reach, until = lo, lo + np.searchsorted(occurred[lo:hi], ends)
            if which == UNUSUAL:  # looks back from the span, and at how long there have been facts
                longest = (PERIODS + 1) * (end_day[at[r], span] - begin_day[at[r], span])
                # A day before, since where clocks go back over midnight days are not quite in order.
                reach = lo + np.searchsorted(day[lo:hi], end_day[at[r], span] - longest - 1)
            elif (
                which < AVERAGE or which >= DEVIATION
            ) and begins > _ALWAYS:  # what looks at the state needs every fact
                reach = lo + np.searchsorted(occurred[lo:hi], begins)
            if which == STREAK:
                out[number, place] = _streak(
                    day, known, label, role, member[stream], reach, until, t, end_day[at[r], span]
                )
                continue
            seen = np.empty(until - reach, dtype=np.int64)
            n = 0
            for i in range(reach, until):
                if known[i] < t and member[stream, label[i] + 1, role[i] + 1]:
                    seen[n] = i
                    n += 1
            seen = seen[:n]
            if n == 0 and which != AVERAGE and which != LASTED and which < STANDING:
                continue
            if which == GAP_DEVIATION:
                out[number, place] = _gap_deviation(occurred, seen)
            elif which == DRIFT:
                out[number, place] = _drift(occurred, value, seen)
            elif which == TOP_SHARE or which == ENTROPY:
                out[number, place] = _concentration(contact, seen, which)
            elif which == SPREAD or which == LOWEST:
                out[number, place] = _between_contacts(contact, value, seen, which)
            elif which == AVERAGE or which == LASTED:
                out[number, place] = _state(occurred, value, seen, begins, ends, which)
            elif which == UNUSUAL:
                first = lo
                while known[first] >= t or not member[stream, label[first] + 1, role[first] + 1]:
                    first += 1
                out[number, place] = _unusual(day, seen, day[first], begin_day[at[r], span], end_day[at[r], span])
            elif which == DEVIATION:
                out[number, place] = _deviation(value, seen)
            elif which == STANDING:
                out[number, place] = _standing(occurred, value, seen, ends)
            elif which == RISEN or which == FALLEN:
                out[number, place] = _moved(occurred, value, seen, 1 if which == RISEN else -1)
            else:
                out[number, place] = _ahead(value, seen, t)


@numba.njit(nogil=True)  # type: ignore[untyped-decorator]
def _gap_deviation(occurred, seen):  # type: ignore[no-untyped-def]  # pragma: no cover
    gaps = len(seen) - 1
    if gaps < 2:
        return np.nan
    mean = (occurred[seen[-1]] - occurred[seen[0]]) / gaps / _DAY
    squares = 0.0
    for k in range(gaps):
        away = (occurred[seen[k + 1]] - occurred[seen[k]]) / _DAY - mean
        squares += away * away
    return math.sqrt(squares / gaps)


@numba.njit(nogil=True)  # type: ignore[untyped-decorator]
def _streak(day, known, label, role, member, reach, until, t, end_day):  # type: ignore[no-untyped-def]  # pragma: no cover
    """From the end backwards, no farther than it lasts."""
    weeks = 0
    for i in range(until - 1, reach - 1, -1):
        if known[i] < t and member[label[i] + 1, role[i] + 1]:
            week = (end_day - 1 - day[i]) // 7
            if week > weeks:
                break
            if week == weeks:
                weeks += 1
    return float(weeks)


@numba.njit(nogil=True)  # type: ignore[untyped-decorator]
def _drift(occurred, value, seen):  # type: ignore[no-untyped-def]  # pragma: no cover
    n, x_mean, y_mean = 0, 0.0, 0.0
    for i in seen:
        if value[i] != _NONE:
            n += 1
            x_mean += (occurred[i] - occurred[seen[0]]) / _DAY
            y_mean += value[i] / _UNIT
    if n < 2:
        return np.nan
    x_mean /= n
    y_mean /= n
    top, bottom = 0.0, 0.0
    for i in seen:
        if value[i] != _NONE:
            x = (occurred[i] - occurred[seen[0]]) / _DAY - x_mean
            top += x * (value[i] / _UNIT - y_mean)
            bottom += x * x
    return top / bottom if bottom > 0 else np.nan


@numba.njit(nogil=True)  # type: ignore[untyped-decorator]
def _contacts(contact, seen):  # type: ignore[no-untyped-def]  # pragma: no cover
    """The contacts among the facts, each once, in the order of their codes."""
    who = np.empty(len(seen), dtype=np.int64)
    n = 0
    for i in seen:
        if contact[i] >= 0:
            who[n] = contact[i]
            n += 1
    return np.unique(who[:n])


@numba.njit(nogil=True)  # type: ignore[untyped-decorator]
def _concentration(contact, seen, which):  # type: ignore[no-untyped-def]  # pragma: no cover
    who = _contacts(contact, seen)
    if len(who) == 0:
        return np.nan
    counts = np.zeros(len(who), dtype=np.int64)
    for i in seen:
        if contact[i] >= 0:
            counts[np.searchsorted(who, contact[i])] += 1
    if which == TOP_SHARE:
        return counts.max() / counts.sum()
    bits = 0.0
    for count in counts:
        share = count / counts.sum()
        bits -= share * math.log(share)
    return bits / math.log(2.0) + 0.0


@numba.njit(nogil=True)  # type: ignore[untyped-decorator]
def _between_contacts(contact, value, seen, which):  # type: ignore[no-untyped-def]  # pragma: no cover
    who = _contacts(contact, seen)
    counts = np.zeros(len(who), dtype=np.int64)
    totals = np.zeros(len(who), dtype=np.int64)
    for i in seen:
        if contact[i] >= 0 and value[i] != _NONE:
            member = np.searchsorted(who, contact[i])
            counts[member] += 1
            totals[member] += value[i]
    n, mean, lowest = 0, 0.0, np.inf
    for k in range(len(who)):
        if counts[k] > 0:
            own = totals[k] / counts[k] / _UNIT
            n += 1
            mean += own
            lowest = min(lowest, own)
    if which == LOWEST:
        return lowest if n > 0 else np.nan
    if n < 2:
        return np.nan
    mean /= n
    squares = 0.0
    for k in range(len(who)):
        if counts[k] > 0:
            away = totals[k] / counts[k] / _UNIT - mean
            squares += away * away
    return math.sqrt(squares / n)


@numba.njit(nogil=True)  # type: ignore[untyped-decorator]
def _state(occurred, value, seen, begins, ends, which):  # type: ignore[no-untyped-def]  # pragma: no cover
    """The running sum over [begins, ends): its time-weighted mean, or the days for which it was above 0."""
    if begins == _ALWAYS:
        if len(seen) == 0:
            return np.nan if which == AVERAGE else 0.0
        begins = occurred[seen[0]]
    level, area, above, since = np.int64(0), 0.0, np.int64(0), begins
    for i in seen:
        if value[i] == _NONE:
            continue
        if occurred[i] > since:
            lasted = occurred[i] - since
            area += (level / _UNIT) * (lasted / _DAY)
            above += lasted if level > 0 else 0
            since = occurred[i]
        level += value[i]
    lasted = ends - since
    area += (level / _UNIT) * (lasted / _DAY)
    above += lasted if level > 0 else 0
    if which == LASTED:
        return above / _DAY
    return area / ((ends - begins) / _DAY)


@numba.njit(nogil=True)  # type: ignore[untyped-decorator]
def _unusual(day, seen, since, begin_day, end_day):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Only stretches that lie after the account's first fact are compared with."""
    days = end_day - begin_day
    periods = min(PERIODS, (begin_day - since) // days)
    if periods < ENOUGH:
        return np.nan
    counts = np.zeros(periods + 1, dtype=np.int64)
    for i in seen:
        ago = (end_day - 1 - day[i]) // days
        if ago <= periods:
            counts[ago] += 1
    mean = counts[1:].sum() / periods
    squares = 0.0
    for count in counts[1:]:
        squares += (count - mean) * (count - mean)
    noise = max(squares / periods, mean)  # counts scatter at least as much as chance does
    return (counts[0] - mean) / math.sqrt(noise) if noise > 0 else np.nan


@numba.njit(nogil=True)  # type: ignore[untyped-decorator]
def _deviation(value, seen):  # type: ignore[no-untyped-def]  # pragma: no cover
    n, total = 0, np.int64(0)
    for i in seen:
        if value[i] != _NONE:
            n += 1
            total += value[i]
    if n < 2:
        return np.nan
    mean, squares = total / n / _UNIT, 0.0
    for i in seen:
        if value[i] != _NONE:
            away = value[i] / _UNIT - mean
            squares += away * away
    return math.sqrt(squares / n)


@numba.njit(nogil=True)  # type: ignore[untyped-decorator]
def _standing(occurred, value, seen, ends):  # type: ignore[no-untyped-def]  # pragma: no cover
    """A sum that falls and rises again at one instant has not broken."""
    level, since, standing = np.int64(0), np.int64(0), 0
    for k in range(len(seen)):
        i = seen[k]
        if value[i] != _NONE:
            level += value[i]
        if k + 1 < len(seen) and occurred[seen[k + 1]] == occurred[i]:
            continue
        if level > 0 and standing == 0:
            since = occurred[i]
        standing = 1 if level > 0 else 0
    return (ends - since) / _DAY if standing > 0 else 0.0


@numba.njit(nogil=True)  # type: ignore[untyped-decorator]
def _moved(occurred, value, seen, sign):  # type: ignore[no-untyped-def]  # pragma: no cover
    """What ends and begins again at one instant, as a renewal does, has not moved."""
    total, net = np.int64(0), np.int64(0)
    for k in range(len(seen)):
        i = seen[k]
        if value[i] != _NONE:
            net += value[i]
        if k + 1 == len(seen) or occurred[seen[k + 1]] != occurred[i]:
            total += max(sign * net, 0)
            net = np.int64(0)
    return total / _UNIT


@numba.njit(nogil=True)  # type: ignore[untyped-decorator]
def _ahead(value, seen, t):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Values are dates, in millionths of days since 1970, rounded as the as_of is here; today's does not lie ahead."""
    today = (t + 43200) // 86400
    following = np.int64(2**63 - 1)
    for i in seen:
        if value[i] != _NONE and today < value[i] < following:
            following = value[i]
    return (following - today) / _UNIT if following != 2**63 - 1 else np.nan
