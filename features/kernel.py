"""The only place that aggregates: sorted facts and rows (account, as_of) in, exact integers out; compiled.

A row sees the facts of its account that happened before its as_of *and* were
known before it. One backward pass from the as_of serves every window at once:
each visible fact falls into the shortest window that contains it, and longer
windows are running totals of shorter ones.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from features.facts import NO_VALUE, Facts

Integers = npt.NDArray[np.int64]
NEVER = np.iinfo(np.int64).max
_NONE = int(NO_VALUE)
THREADS = min(8, os.cpu_count() or 1)


@dataclass(frozen=True)
class Rows:
    """The rows to fill: account (position within the facts' range) and the position of its as_of, sorted by both.

    ``as_of`` are the instants, ``starts[i, w]`` is where window w of as_of i begins, shortest window first.
    """

    account: npt.NDArray[np.int32]
    at: npt.NDArray[np.int32]
    as_of: Integers
    starts: Integers

    def __len__(self) -> int:
        return len(self.account)


@dataclass(frozen=True)
class Windowed:
    """Per row and window; values in millionths. ``low`` and ``high`` are NEVER and -NEVER where nothing has a value."""

    count: Integers
    valued: Integers
    total: Integers
    low: Integers
    high: Integers
    contacts: Integers
    labels: Integers
    days: Integers


@dataclass(frozen=True)
class State:
    """Per row, over all that is visible. Where ``count`` or ``valued`` is 0, the instants or values are 0 too."""

    count: Integers
    valued: Integers
    total: Integers
    first: Integers
    last: Integers
    last_value: Integers


def windowed(facts: Facts, rows: Rows) -> Windowed:
    shape = (len(rows), rows.starts.shape[1])
    out = Windowed(*(np.zeros(shape, dtype=np.int64) for _ in range(8)))
    _in_parallel(_windowed, facts, rows, out)
    return out


def state(facts: Facts, rows: Rows) -> State:
    out = State(*(np.zeros(len(rows), dtype=np.int64) for _ in range(6)))
    _in_parallel(_state, facts, rows, out)
    return out


def following(facts: Facts, rows: Rows) -> Integers:
    """The smallest visible value beyond the as_of, in millionths of a day (NEVER: none).

    For facts whose value is itself a date, such as the end of a term.
    """
    out = np.full(len(rows), NEVER, dtype=np.int64)
    _in_parallel(_following, facts, rows, out)
    return out


def _in_parallel(compiled: Callable[..., None], facts: Facts, rows: Rows, out: Any) -> None:
    """Accounts are independent: rows are cut where an account begins, one piece per thread."""
    edges = _edges(rows.account)
    arrays = out if isinstance(out, np.ndarray) else tuple(vars(out).values())

    def run(piece: int) -> None:
        begin, end = edges[piece], edges[piece + 1]
        compiled(
            facts.offsets, facts.occurred, facts.known, facts.value, facts.day, facts.contact, facts.label,
            rows.account, rows.at, rows.as_of, rows.starts, begin, end, arrays,
        )  # fmt: skip

    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(run, range(len(edges) - 1)))


def _edges(account: npt.NDArray[np.int32]) -> list[int]:
    n = len(account)
    cuts = {int(np.searchsorted(account, account[n * piece // THREADS])) for piece in range(1, THREADS)} if n else set()
    return sorted({0, n} | cuts)


@numba.njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _windowed(offsets, occurred, known, value, day, contact, label, account, at, as_of, starts, begin, end, out):  # type: ignore[no-untyped-def]  # noqa: C901  # pragma: no cover
    count, valued, total, low, high, contacts, labels, days = out
    windows = starts.shape[1]
    seen_contact = np.full(contact.max() + 2 if len(contact) else 1, -1, dtype=np.int64)
    seen_label = np.full(label.max() + 2 if len(label) else 1, -1, dtype=np.int64)
    for row in range(begin, end):
        t = as_of[at[row]]
        low[row, :] = NEVER
        high[row, :] = -NEVER
        a = account[row]
        lo, hi = offsets[a], offsets[a + 1]
        position = lo + np.searchsorted(occurred[lo:hi], t)
        w, day_counted = 0, np.int64(-(2**62))
        for i in range(position - 1, lo - 1, -1):
            while w < windows and occurred[i] < starts[at[row], w]:
                w += 1
            if w == windows:
                break
            if known[i] >= t:
                continue
            count[row, w] += 1
            v = value[i]
            if v != _NONE:
                valued[row, w] += 1
                total[row, w] += v
                low[row, w] = min(low[row, w], v)
                high[row, w] = max(high[row, w], v)
            c = contact[i]
            if c >= 0 and seen_contact[c] != row:
                seen_contact[c] = row
                contacts[row, w] += 1
            k = label[i]
            if k >= 0 and seen_label[k] != row:
                seen_label[k] = row
                labels[row, w] += 1
            if day[i] != day_counted:
                day_counted = day[i]
                days[row, w] += 1
        for w in range(1, windows):
            count[row, w] += count[row, w - 1]
            valued[row, w] += valued[row, w - 1]
            total[row, w] += total[row, w - 1]
            low[row, w] = min(low[row, w], low[row, w - 1])
            high[row, w] = max(high[row, w], high[row, w - 1])
            contacts[row, w] += contacts[row, w - 1]
            labels[row, w] += labels[row, w - 1]
            days[row, w] += days[row, w - 1]


@numba.njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _state(offsets, occurred, known, value, day, contact, label, account, at, as_of, starts, begin, end, out):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Rows of an account come in the order of as_of, so facts become visible once: sums only ever grow."""
    count, valued, total, first, last, last_value = out
    current = -1
    for row in range(begin, end):
        a = account[row]
        lo, hi = offsets[a], offsets[a + 1]
        if a != current:
            current = a
            visible = np.maximum(occurred[lo:hi], known[lo:hi])
            order = np.argsort(visible)
            taken, with_value, running = 0, 0, np.int64(0)
        t = as_of[at[row]]
        while taken < hi - lo and visible[order[taken]] < t:
            v = value[lo + order[taken]]
            if v != _NONE:
                running += v
                with_value += 1
            taken += 1
        count[row], valued[row], total[row] = taken, with_value, running
        if taken > 0:
            first[row], last[row] = _bounds(visible, occurred[lo:hi], t)
        if with_value > 0:
            last_value[row] = _latest_value(visible, value[lo:hi], t)


@numba.njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _bounds(visible, occurred, t):  # type: ignore[no-untyped-def]  # pragma: no cover
    begin, end = 0, len(visible) - 1
    while visible[begin] >= t:
        begin += 1
    while visible[end] >= t:
        end -= 1
    return occurred[begin], occurred[end]


@numba.njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _latest_value(visible, value, t):  # type: ignore[no-untyped-def]  # pragma: no cover
    at = len(visible) - 1
    while visible[at] >= t or value[at] == _NONE:
        at -= 1
    return value[at]


@numba.njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _following(offsets, occurred, known, value, day, contact, label, account, at, as_of, starts, begin, end, out):  # type: ignore[no-untyped-def]  # pragma: no cover
    for row in range(begin, end):
        t = as_of[at[row]]
        today = t // 86400
        for i in range(offsets[account[row]], offsets[account[row] + 1]):
            visible = occurred[i] < t and known[i] < t
            if visible and value[i] != _NONE and today < value[i] < out[row]:
                out[row] = value[i]
