"""The only place that aggregates: facts and rows (account, as_of) in, exact integers out; compiled.

A row sees the facts of its account that happened before its as_of *and* were
known before it. The ends of all spans cut an account's time into segments; one
pass over the facts adds each to its segment, and every span of every as_of is
then a difference of prefix sums, a scan of a few segments, or a look into bit
sets of segments (who was there) and days. A fact that arrived after the first
as_of that could have seen it waits until the as_of that may.

What depends on the order of facts inside a span is in ``features.sequences``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from features.facts import NO_VALUE, Facts
from features.windows import Bounds

Integers = npt.NDArray[np.int64]
NEVER = int(np.iinfo(np.int64).max)
_NONE = int(NO_VALUE)
THREADS = min(8, os.cpu_count() or 1)


class Measure(IntEnum):
    """What can be read of a stream over a span. Values are millionths; instants microseconds; of nothing, 0 or NEVER."""

    COUNT = 0  # facts
    VALUED = 1  # facts that have a value
    TOTAL = 2  # sum of the values
    MOMENT = 3  # sum of the local days
    LOW = 4  # smallest value, or NEVER
    HIGH = 5  # largest value, or -NEVER
    EARLIEST = 6  # instant of the first fact, or NEVER
    LATEST = 7  # instant of the last fact, or NEVER
    FIRST_VALUE = 8  # or NO_VALUE
    LAST_VALUE = 9  # or NO_VALUE
    CONTACTS = 10  # distinct contacts
    LABELS = 11  # distinct labels
    DAYS = 12  # distinct local days


COUNT, VALUED, TOTAL, MOMENT, LOW, HIGH, EARLIEST, LATEST, FIRST_VALUE, LAST_VALUE, CONTACTS, LABELS, DAYS = map(
    int, Measure
)
_ADDITIVE = 4


class Stream(NamedTuple):
    """The facts with this label, of contacts in this role ("" for any)."""

    label: str = ""
    role: str = ""


class Ask(NamedTuple):
    """A measure of a stream (by position) over a span (by position)."""

    measure: int
    stream: int
    span: int


@dataclass(frozen=True)
class Rows:
    """The rows to fill: account (position within the facts' range) and position of its as_of, sorted by both."""

    account: npt.NDArray[np.int32]
    at: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.account)


def measure(facts: Facts, rows: Rows, bounds: Bounds, streams: Sequence[Stream], asks: Sequence[Ask]) -> Integers:
    """One line per ask, one column per row."""
    out = np.zeros((len(asks), len(rows)), dtype=np.int64)
    wanted = np.array(asks, dtype=np.int64).reshape(-1, 3)
    begins, members = memberships(facts, streams)
    compiled = (facts.arrays, begins, members, len(facts.roles) + 1, _slots(wanted, len(streams)), wanted)
    in_parallel(_measure, rows, bounds, compiled, out)
    return out


def total_of(facts: Facts, rows: Rows, bounds: Bounds, which: Measure, stream: Stream = Stream()) -> Integers:  # noqa: B008
    """One measure of one stream over the one span of ``bounds``."""
    return measure(facts, rows, bounds, [stream], [Ask(which, 0, 0)])[0]


def memberships(facts: Facts, streams: Sequence[Stream]) -> tuple[Integers, Integers]:
    """For each pair of label and role (-1 first, so at ``(label + 1) * (roles + 1) + role + 1``) the streams it is in."""
    found: list[list[int]] = [
        [number for number, stream in enumerate(streams) if stream.label in ("", label) and stream.role in ("", role)]
        for label in (None, *facts.labels)
        for role in (None, *facts.roles)
    ]
    begins = np.concatenate([[0], np.cumsum([len(line) for line in found])]).astype(np.int64)
    return begins, np.array([number for line in found for number in line], dtype=np.int64)


_KEPT = ((LOW, HIGH), (EARLIEST, LATEST, FIRST_VALUE, LAST_VALUE), (CONTACTS,), (LABELS,), (DAYS,))
"""What is kept of a stream only where it is asked for: extremes, places, contacts, labels, days."""


def _slots(asks: Integers, streams: int) -> Integers:
    """Per stream and kind of thing kept, its position among the streams for which that is kept; -1: it is not."""
    slots = np.full((streams, len(_KEPT)), -1, dtype=np.int64)
    for kind, measures in enumerate(_KEPT):
        wanted = np.unique(asks[np.isin(asks[:, 0], measures), 1])
        slots[wanted, kind] = np.arange(len(wanted))
    return slots


def in_parallel(compiled: Callable[..., None], rows: Rows, bounds: Bounds, given: tuple[Any, ...], out: Any) -> None:
    """Accounts are independent: rows are cut where an account begins, several pieces per thread."""
    edges = _edges(rows.account)
    edge = (bounds.as_of, bounds.begin, bounds.end, bounds.begin_day, bounds.end_day)

    def run(piece: int) -> None:
        compiled(*given, rows.account, rows.at, *edge, edges[piece], edges[piece + 1], out)

    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(run, range(len(edges) - 1)))


def _edges(account: npt.NDArray[np.int32]) -> list[int]:
    n, pieces = len(account), 4 * THREADS
    cuts = {int(np.searchsorted(account, account[n * piece // pieces])) for piece in range(1, pieces)} if n else set()
    return sorted({0, n} | cuts)


@numba.njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _segments(as_of, begin, end, at, first, last):  # type: ignore[no-untyped-def]  # pragma: no cover
    """The instants at which anything of these rows begins or ends, and where each row's spans lie among them."""
    spans = begin.shape[1]
    edges = np.empty((last - first) * (2 * spans + 1), dtype=np.int64)
    n = 0
    for row in range(first, last):
        edges[n] = as_of[at[row]]
        n += 1
        for span in range(spans):
            edges[n], edges[n + 1] = begin[at[row], span], end[at[row], span]
            n += 2
    edges = np.unique(edges)
    low = np.empty((last - first, spans), dtype=np.int64)
    high = np.empty((last - first, spans), dtype=np.int64)
    for row in range(first, last):
        for span in range(spans):
            low[row - first, span] = np.searchsorted(edges, begin[at[row], span]) + 1
            high[row - first, span] = np.searchsorted(edges, end[at[row], span]) + 1
    return edges, low, high


@numba.njit(nogil=True, inline="always")  # type: ignore[untyped-decorator]
def _ones(bits):  # type: ignore[no-untyped-def]  # pragma: no cover
    """How many bits are set."""
    bits = bits - ((bits >> np.uint64(1)) & np.uint64(0x5555555555555555))
    bits = (bits & np.uint64(0x3333333333333333)) + ((bits >> np.uint64(2)) & np.uint64(0x3333333333333333))
    bits = (bits + (bits >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((bits * np.uint64(0x0101010101010101)) >> np.uint64(56))


@numba.njit(nogil=True, inline="always")  # type: ignore[untyped-decorator]
def _mask(word, low, high):  # type: ignore[no-untyped-def]  # pragma: no cover
    """The bits [low, high) as they fall into one 64-bit word; there is at least one."""
    begin = max(low - 64 * word, 0)
    end = min(high - 64 * word, 64)
    bits = np.uint64(0xFFFFFFFFFFFFFFFF)
    if end < 64:
        bits = (np.uint64(1) << np.uint64(end)) - np.uint64(1)
    return bits & ~((np.uint64(1) << np.uint64(begin)) - np.uint64(1))


@numba.njit(nogil=True)  # type: ignore[untyped-decorator]
def _present(sets, slot, low, high):  # type: ignore[no-untyped-def]  # pragma: no cover
    """How many members of a slot have a bit in [low, high)."""
    found = 0
    if high > low:
        first, last = low >> 6, (high - 1) >> 6
        for word in range(first, last + 1):
            mask = _mask(word, low, high)
            if word == first:
                for member in range(sets.shape[2]):
                    found += (sets[slot, word, member] & mask) != 0
            else:  # only those not counted yet
                for member in range(sets.shape[2]):
                    if sets[slot, word, member] & mask:
                        fresh = 1
                        for earlier in range(first, word):
                            if sets[slot, earlier, member] & _mask(earlier, low, high):
                                fresh = 0
                        found += fresh
    return found


@numba.njit(nogil=True)  # type: ignore[untyped-decorator]
def _bits_between(words, slot, low, high):  # type: ignore[no-untyped-def]  # pragma: no cover
    """How many bits of a slot are set in [low, high)."""
    low, high = max(low, 0), min(high, 64 * words.shape[1])
    found = 0
    if high > low:
        for word in range(low >> 6, ((high - 1) >> 6) + 1):
            found += _ones(words[slot, word] & _mask(word, low, high))
    return found


@numba.njit(nogil=True)  # type: ignore[untyped-decorator]
def _bounds_of(codes, lo, hi):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Smallest code that is not -1, and how many there are from it to the largest."""
    least, most = np.int64(2**31), np.int64(-1)
    for i in range(lo, hi):
        if codes[i] >= 0:
            least = min(least, np.int64(codes[i]))
            most = max(most, np.int64(codes[i]))
    return least, max(most - least + 1, 0)


@numba.njit(nogil=True)  # type: ignore[untyped-decorator]
def _first_place(places, slot, which, low, high):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Segments come in the order of time, so the first that has any has the first."""
    place = np.int64(-1)
    for segment in range(low, high):
        if places[slot, segment, which] != NEVER:
            place = places[slot, segment, which]
            break
    return place


@numba.njit(nogil=True)  # type: ignore[untyped-decorator]
def _last_place(places, slot, which, low, high):  # type: ignore[no-untyped-def]  # pragma: no cover
    place = np.int64(-1)
    for segment in range(high - 1, low - 1, -1):
        if places[slot, segment, which] >= 0:
            place = places[slot, segment, which]
            break
    return place


@numba.njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _measure(  # type: ignore[no-untyped-def]  # pragma: no cover
    facts,
    begins,
    members,
    roles,
    slots,
    asks,
    account,
    at,
    as_of,
    begin,
    end,
    begin_day,
    end_day,
    first_row,
    last_row,
    out,
):
    offsets, occurred, known, value, day, contact, label, role = facts
    streams = slots.shape[0]
    kept = np.empty(slots.shape[1], dtype=np.int64)  # how many streams have each kind of thing kept
    for kind in range(slots.shape[1]):
        kept[kind] = slots[:, kind].max() + 1
    edges, low, high = _segments(as_of, begin, end, at, first_row, first_row)
    like = first_row  # the row whose segments these are
    row = first_row
    while row < last_row:
        a = account[row]
        after = row
        while after < last_row and account[after] == a:
            after += 1
        same = len(low) == after - row
        for k in range(after - row):
            same = same and at[row + k] == at[like + k]
        if not same:
            edges, low, high = _segments(as_of, begin, end, at, row, after)
            like = row
        lo, hi = offsets[a], offsets[a + 1]
        count = len(edges) + 1
        sums = np.zeros((streams, count, _ADDITIVE), dtype=np.int64)
        extremes = np.empty((kept[0], count, 2), dtype=np.int64)
        extremes[:, :, 0], extremes[:, :, 1] = NEVER, -NEVER
        places = np.empty((kept[1], count, 4), dtype=np.int64)
        places[:, :, 0], places[:, :, 2] = NEVER, NEVER
        places[:, :, 1], places[:, :, 3] = -1, -1
        origin = np.zeros(3, dtype=np.int64)
        people = things = dates = np.int64(0)
        if kept[2]:
            origin[0], people = _bounds_of(contact, lo, hi)
        if kept[3]:
            origin[1], things = _bounds_of(label, lo, hi)
        if kept[4] and hi > lo:
            origin[2], dates = day[lo], day[hi - 1] - day[lo] + 1
        words = (count >> 6) + 1
        who = np.zeros((kept[2], words, people), dtype=np.uint64)
        what = np.zeros((kept[3], words, things), dtype=np.uint64)
        when = np.zeros((kept[4], (dates >> 6) + 1), dtype=np.uint64)
        # Facts to be merged next, and those that wait for an as_of that may see them; where each fact lies.
        todo, late, lies_in = np.empty(hi - lo, np.int64), np.empty(hi - lo, np.int64), np.empty(hi - lo, np.int64)
        ready = waiting = 0
        segment, sees = 0, row
        for i in range(lo, hi):
            while segment < len(edges) and occurred[i] >= edges[segment]:
                segment += 1
            while sees < after and occurred[i] >= as_of[at[sees]]:
                sees += 1
            if sees == after:
                break
            lies_in[i - lo] = segment
            if known[i] < as_of[at[sees]]:
                todo[ready] = i
                ready += 1
            else:
                late[waiting] = i
                waiting += 1
        prefix = np.zeros((streams, count + 1, _ADDITIVE), dtype=np.int64)
        for r in range(row, after):
            t = as_of[at[r]]
            still = 0
            for k in range(waiting):
                if known[late[k]] < t:
                    todo[ready] = late[k]
                    ready += 1
                else:
                    late[still] = late[k]
                    still += 1
            waiting = still
            for k in range(ready):
                i = todo[k]
                v, segment = value[i], lies_in[i - lo]
                bit = np.uint64(1) << np.uint64(segment & 63)
                pair = (label[i] + 1) * roles + role[i] + 1
                for m in range(begins[pair], begins[pair + 1]):
                    stream = members[m]
                    sums[stream, segment, 0] += 1
                    sums[stream, segment, 3] += day[i]
                    if v != _NONE:
                        sums[stream, segment, 1] += 1
                        sums[stream, segment, 2] += v
                    slot = slots[stream, 0]
                    if slot >= 0 and v != _NONE:
                        extremes[slot, segment, 0] = min(extremes[slot, segment, 0], v)
                        extremes[slot, segment, 1] = max(extremes[slot, segment, 1], v)
                    slot = slots[stream, 1]
                    if slot >= 0:
                        places[slot, segment, 0] = min(places[slot, segment, 0], i)
                        places[slot, segment, 1] = max(places[slot, segment, 1], i)
                        if v != _NONE:
                            places[slot, segment, 2] = min(places[slot, segment, 2], i)
                            places[slot, segment, 3] = max(places[slot, segment, 3], i)
                    slot = slots[stream, 2]
                    if slot >= 0 and contact[i] >= 0:
                        who[slot, segment >> 6, contact[i] - origin[0]] |= bit
                    slot = slots[stream, 3]
                    if slot >= 0 and label[i] >= 0:
                        what[slot, segment >> 6, label[i] - origin[1]] |= bit
                    slot = slots[stream, 4]
                    if slot >= 0:
                        date = day[i] - origin[2]
                        when[slot, date >> 6] |= np.uint64(1) << np.uint64(date & 63)
            if ready > 0:
                for stream in range(streams):
                    for segment in range(count):
                        for kind in range(_ADDITIVE):
                            prefix[stream, segment + 1, kind] = (
                                prefix[stream, segment, kind] + sums[stream, segment, kind]
                            )
                ready = 0
            for number in range(len(asks)):
                which, stream, span = asks[number, 0], asks[number, 1], asks[number, 2]
                begins_at, ends_at = low[r - row, span], high[r - row, span]
                if which < _ADDITIVE:
                    out[number, r] = prefix[stream, ends_at, which] - prefix[stream, begins_at, which]
                elif which == CONTACTS:
                    out[number, r] = _present(who, slots[stream, 2], begins_at, ends_at)
                elif which == DAYS:
                    out[number, r] = _bits_between(
                        when, slots[stream, 4], begin_day[at[r], span] - origin[2], end_day[at[r], span] - origin[2]
                    )
                elif which == LABELS:
                    out[number, r] = _present(what, slots[stream, 3], begins_at, ends_at)
                elif which == LOW:
                    found = np.int64(NEVER)
                    for segment in range(begins_at, ends_at):
                        found = min(found, extremes[slots[stream, 0], segment, 0])
                    out[number, r] = found
                elif which == HIGH:
                    found = np.int64(-NEVER)
                    for segment in range(begins_at, ends_at):
                        found = max(found, extremes[slots[stream, 0], segment, 1])
                    out[number, r] = found
                elif which == EARLIEST:
                    place = _first_place(places, slots[stream, 1], 0, begins_at, ends_at)
                    out[number, r] = occurred[place] if place >= 0 else NEVER
                elif which == LATEST:
                    place = _last_place(places, slots[stream, 1], 1, begins_at, ends_at)
                    out[number, r] = occurred[place] if place >= 0 else NEVER
                elif which == FIRST_VALUE:
                    place = _first_place(places, slots[stream, 1], 2, begins_at, ends_at)
                    out[number, r] = value[place] if place >= 0 else _NONE
                else:
                    place = _last_place(places, slots[stream, 1], 3, begins_at, ends_at)
                    out[number, r] = value[place] if place >= 0 else _NONE
        row = after
