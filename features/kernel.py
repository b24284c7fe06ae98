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

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from features.facts import NO_VALUE, Facts
from features.windows import ALWAYS, Bounds

Integers = npt.NDArray[np.int64]
NEVER = int(np.iinfo(np.int64).max)
_NONE = int(NO_VALUE)


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
_UNKEPT, _SIX, _LOW_SIX = np.uint32(2**32 - 1), np.uint32(6), np.uint32(63)
_CHUNK = 256
"""Facts that are added together, few enough that they stay near the processor."""


class Stream(NamedTuple):
    """The facts with this label, of contacts in this role ("" for any)."""

    label: str = ""
    role: str = ""


class Ask(NamedTuple):
    """A measure of a stream (by position) over a span (by position)."""

    measure: int
    stream: int
    span: int


class Names(NamedTuple):
    """What facts of a kind are told apart by."""

    labels: tuple[str, ...]
    roles: tuple[str, ...]

    @classmethod
    def of(cls, facts: Facts) -> Names:
        return cls(facts.labels, facts.roles)


@dataclass(frozen=True)
class Rows:
    """The rows to fill, in any order: account (position within the facts' range) and position of its as_of."""

    account: npt.NDArray[np.int32]
    at: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.account)

    @cached_property
    def in_order(self) -> tuple[npt.NDArray[np.generic], ...]:
        """By account and as_of, as compiled code takes them: which row each is, its account, its as_of."""
        order = np.lexsort((self.at, self.account))
        return order, self.account[order], self.at[order]


@dataclass(frozen=True)
class Question:
    """Asks of one kind of facts as compiled code takes them: worked out once, for any rows and any accounts."""

    asks: Integers
    given: tuple[Any, ...]
    edges: tuple[npt.NDArray[np.int64], ...]

    @classmethod
    def of(cls, names: Names, bounds: Bounds, streams: Sequence[Stream], asks: Sequence[Ask]) -> Question:
        wanted = np.array(asks, dtype=np.int64).reshape(-1, 3)
        given = (*_cells(names, streams, wanted), *_early(wanted, bounds, len(streams)))
        return cls(wanted, given, edges_of(bounds))

    def answers(self, facts: Facts, rows: Rows) -> Integers:
        """One line per ask, one column per row."""
        out = np.zeros((len(self.asks), len(rows)), dtype=np.int64)
        _measure(facts.arrays, *self.given, self.asks, *rows.in_order, *self.edges, out)
        return out


def total_of(facts: Facts, rows: Rows, bounds: Bounds, which: Measure, stream: Stream = Stream()) -> Integers:  # noqa: B008
    """One measure of one stream over the one span of ``bounds``."""
    return _single(Names.of(facts), bounds, which, stream).answers(facts, rows)[0]


@lru_cache(maxsize=2**8)
def _single(names: Names, bounds: Bounds, which: Measure, stream: Stream) -> Question:
    return Question.of(names, bounds, [stream], [Ask(which, 0, 0)])


def memberships(names: Names, streams: Sequence[Stream]) -> list[tuple[int, ...]]:
    """The streams of each pair of label and role; -1 comes first, so a pair is ``(label + 1) * (roles + 1) + role + 1``."""
    named = {stream.label for stream in streams}  # of a label that none names, all are alike
    of = {
        label: [
            tuple(
                number
                for number, stream in enumerate(streams)
                if stream.label in ("", label) and stream.role in ("", role)
            )
            for role in (None, *names.roles)
        ]
        for label in (None, *named)
    }
    return [pair for label in (None, *names.labels) for pair in of[label if label in named else None]]


def edges_of(bounds: Bounds) -> tuple[npt.NDArray[np.int64], ...]:
    """Where spans begin and end, as compiled code takes them."""
    return (bounds.as_of, bounds.begin, bounds.end, bounds.begin_day, bounds.end_day)


_KEPT = ((LOW, HIGH), (EARLIEST, FIRST_VALUE), (LATEST, LAST_VALUE), (CONTACTS,), (LABELS,), (DAYS,))
"""What is kept of a stream only where it is asked for: extremes, first and last places, contacts, labels, days."""


def _cells(names: Names, streams: Sequence[Stream], asks: Integers) -> tuple[Any, ...]:
    """Where facts are added up. Each goes into one cell, however many streams it is in: those of one set of streams
    share a cell. A stream is a cell itself, and the others' are merged into it.

    Returns, per pair of label and role, its cell (-1: it is in no stream) and where its streams begin in the list of
    them that follows; the merges (from, into); and per cell and kind of thing kept the position among those that keep it
    (_UNKEPT: it does not).
    """
    pairs = memberships(names, streams)
    different = list(dict.fromkeys(pair for pair in pairs if pair))
    made_of = [sum(number in pair for pair in different) for number in range(len(streams))]
    cell_of: dict[tuple[int, ...], int] = {(): -1}
    wants = [
        [bool(np.isin(asks[asks[:, 1] == number, 0], kind).any()) for kind in _KEPT] for number in range(len(streams))
    ]
    merges = []
    for of in different:
        own = of if len(of) == 1 else [number for number in of if made_of[number] == 1]
        cell_of[of] = own[0] if own else len(wants)
        if not own:
            wants.append([False] * len(_KEPT))
        into = [number for number in of if number != cell_of[of]]
        merges += [(cell_of[of], number) for number in into]
        wants[cell_of[of]] = [any(kind) for kind in zip(wants[cell_of[of]], *(wants[n] for n in into), strict=True)]
    kept = np.array(wants)
    slots = np.where(kept, np.cumsum(kept, axis=0) - 1, _UNKEPT).astype(np.uint32)
    home = np.array([cell_of[pair] for pair in pairs])
    begins = np.concatenate([[0], np.cumsum([len(pair) for pair in pairs])])
    members = np.array([number for pair in pairs for number in pair], dtype=np.int64)
    return home, begins, members, np.array(merges, dtype=np.int64).reshape(-1, 2), len(names.roles) + 1, slots


def _early(asks: Integers, bounds: Bounds, streams: int) -> tuple[bool, Integers]:
    """Whether every fact from before all windows matters; if not, of which streams the last one does (2: with a value)."""
    always = bounds.begin[0, asks[:, 2]] == ALWAYS if len(bounds.begin) else np.zeros(len(asks), dtype=bool)
    seeks = np.zeros(streams, dtype=np.int64)
    seeks[asks[always & (asks[:, 0] == LATEST), 1]] = 1
    seeks[asks[always & (asks[:, 0] == LAST_VALUE), 1]] = 2
    return bool(np.any(always & ~np.isin(asks[:, 0], (LATEST, LAST_VALUE)))), seeks


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
    if high <= low:
        return 0
    first, last = low >> 6, (high - 1) >> 6
    begin, end = ~np.uint64(0) << np.uint64(low & 63), ~np.uint64(0) >> np.uint64(63 - ((high - 1) & 63))
    if first == last:
        return _ones(words[slot, first] & begin & end)
    found = _ones(words[slot, first] & begin) + _ones(words[slot, last] & end)
    for word in range(first + 1, last):
        found += _ones(words[slot, word])
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
def _emptied(cells, streams, sizes, segments):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Room for what is kept of each cell and segment."""
    return (
        np.zeros((cells, segments, _ADDITIVE), dtype=np.int64),
        np.zeros((streams, segments + 1, _ADDITIVE), dtype=np.int64),
        np.empty((sizes[0], segments, 2), dtype=np.int64),
        np.empty((sizes[1], segments, 2), dtype=np.int64),
        np.empty((sizes[2], segments, 2), dtype=np.int64),
    )


@numba.njit(nogil=True)  # type: ignore[untyped-decorator]
def _start(occurred, known, value, label, role, lo, hi, edge, t, begins, members, roles, seeks):  # type: ignore[no-untyped-def]  # pragma: no cover
    """The first fact that matters, where of those before all windows only each stream's last does: looked for backwards
    until every row sees one.
    """
    start = lo + np.searchsorted(occurred[lo:hi], edge)
    left = seeks.copy()
    missing = np.count_nonzero(left)
    while missing > 0 and start > lo:
        start -= 1
        if known[start] < t:
            pair = (label[start] + 1) * roles + role[start] + 1
            for m in range(begins[pair], begins[pair + 1]):
                stream = members[m]
                if left[stream] == 1 or (left[stream] == 2 and value[start] != _NONE):
                    left[stream] = 0
                    missing -= 1
    return start


@numba.njit(nogil=True)  # type: ignore[untyped-decorator]
def _add(kept, slots, found, facts, origins):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Facts go into cells and segments: lines of ``found``."""
    sums, extremes, firsts, lasts, who, what, when = kept
    _, _, _, value, day, contact, label, _ = facts
    person, thing, date = origins[0], origins[1], origins[2]
    for k in range(found.shape[0]):
        i, cell, segment = found[k, 0], found[k, 1], found[k, 2]
        v = value[i]
        sums[cell, segment, COUNT] += 1
        sums[cell, segment, MOMENT] += day[i]
        if v != _NONE:
            sums[cell, segment, VALUED] += 1
            sums[cell, segment, TOTAL] += v
        slot = slots[cell, 0]
        if slot != _UNKEPT and v != _NONE:
            extremes[slot, segment, 0] = min(extremes[slot, segment, 0], v)
            extremes[slot, segment, 1] = max(extremes[slot, segment, 1], v)
        slot = slots[cell, 1]
        if slot != _UNKEPT:
            firsts[slot, segment, 0] = min(firsts[slot, segment, 0], i)
            if v != _NONE:
                firsts[slot, segment, 1] = min(firsts[slot, segment, 1], i)
        slot = slots[cell, 2]
        if slot != _UNKEPT:
            lasts[slot, segment, 0] = max(lasts[slot, segment, 0], i)
            if v != _NONE:
                lasts[slot, segment, 1] = max(lasts[slot, segment, 1], i)
        word, bit = segment >> _SIX, np.uint64(1) << np.uint64(segment & _LOW_SIX)
        slot = slots[cell, 3]
        if slot != _UNKEPT and contact[i] >= 0:
            who[slot, word, np.uint32(contact[i] - person)] |= bit
        slot = slots[cell, 4]
        if slot != _UNKEPT and label[i] >= 0:
            what[slot, word, np.uint32(label[i] - thing)] |= bit
        slot = slots[cell, 5]
        if slot != _UNKEPT:
            on = np.uint32(day[i] - date)
            when[slot, on >> _SIX] |= np.uint64(1) << np.uint64(on & _LOW_SIX)


@numba.njit(nogil=True)  # type: ignore[untyped-decorator]
def _merge(kept, slots, merges):  # type: ignore[no-untyped-def]  # pragma: no cover
    """What is in one cell goes into another as well."""
    sums, extremes, firsts, lasts, who, what, when = kept
    for m in range(len(merges)):
        one, two = merges[m, 0], merges[m, 1]
        for segment in range(sums.shape[1]):
            for kind in range(_ADDITIVE):
                sums[two, segment, kind] += sums[one, segment, kind]
        a, b = slots[one], slots[two]
        if b[0] != _UNKEPT:
            for segment in range(extremes.shape[1]):
                extremes[b[0], segment, 0] = min(extremes[b[0], segment, 0], extremes[a[0], segment, 0])
                extremes[b[0], segment, 1] = max(extremes[b[0], segment, 1], extremes[a[0], segment, 1])
        if b[1] != _UNKEPT:
            for segment in range(firsts.shape[1]):
                firsts[b[1], segment, 0] = min(firsts[b[1], segment, 0], firsts[a[1], segment, 0])
                firsts[b[1], segment, 1] = min(firsts[b[1], segment, 1], firsts[a[1], segment, 1])
        if b[2] != _UNKEPT:
            for segment in range(lasts.shape[1]):
                lasts[b[2], segment, 0] = max(lasts[b[2], segment, 0], lasts[a[2], segment, 0])
                lasts[b[2], segment, 1] = max(lasts[b[2], segment, 1], lasts[a[2], segment, 1])
        if b[3] != _UNKEPT:
            _unite(who[a[3]], who[b[3]])
        if b[4] != _UNKEPT:
            _unite(what[a[4]], what[b[4]])
        if b[5] != _UNKEPT:
            for word in range(when.shape[1]):
                when[b[5], word] |= when[a[5], word]


@numba.njit(nogil=True)  # type: ignore[untyped-decorator]
def _unite(one, into):  # type: ignore[no-untyped-def]  # pragma: no cover
    for word in range(one.shape[0]):
        for member in range(one.shape[1]):
            into[word, member] |= one[word, member]


@numba.njit(nogil=True)  # type: ignore[untyped-decorator]
def _first_place(firsts, slot, which, low, high):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Segments come in the order of time, so the first that has any has the first."""
    for segment in range(low, high):
        if firsts[slot, segment, which] != NEVER:
            return firsts[slot, segment, which]
    return np.int64(-1)


@numba.njit(nogil=True)  # type: ignore[untyped-decorator]
def _last_place(lasts, slot, which, low, high):  # type: ignore[no-untyped-def]  # pragma: no cover
    for segment in range(high - 1, low - 1, -1):
        if lasts[slot, segment, which] >= 0:
            return lasts[slot, segment, which]
    return np.int64(-1)


@numba.njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _measure(  # type: ignore[no-untyped-def]  # pragma: no cover
    facts,
    home,
    begins,
    members,
    merges,
    roles,
    slots,
    whole,
    seeks,
    asks,
    order,
    account,
    at,
    as_of,
    begin,
    end,
    begin_day,
    end_day,
    out,
):
    offsets, occurred, known, value, day, contact, label, role = facts
    cells, streams, rows = slots.shape[0], len(seeks), len(account)
    sizes = np.zeros(slots.shape[1], dtype=np.int64)  # how many cells keep each kind of thing
    for kind in range(slots.shape[1]):
        for cell in range(cells):
            sizes[kind] += slots[cell, kind] != _UNKEPT
    # Made once and used again: for a few facts, getting memory would take longer than adding them up.
    batch, late, arrived = np.empty((_CHUNK, 3), np.uint32), np.empty((0, 2), np.int64), np.empty((0, 3), np.uint32)
    origins, numbers = np.zeros(3, dtype=np.int64), np.zeros(3, dtype=np.int64)  # of contacts, labels, days
    who, what = np.zeros((0, 0, 0), dtype=np.uint64), np.zeros((0, 0, 0), dtype=np.uint64)
    when = np.zeros((0, 0), dtype=np.uint64)
    row = np.int64(0)  # not a literal, of which numba would compile an edition
    edges, low, high = _segments(as_of, begin, end, at, row, row)
    sums, prefix, extremes, firsts, lasts = _emptied(cells, streams, sizes, len(edges) + 1)
    like = row  # the row whose segments these are
    while row < rows:
        a = account[row]
        after = row
        while after < rows and account[after] == a:
            after += 1
        same = len(low) == after - row
        for k in range(after - row):
            same = same and at[row + k] == at[like + k]
        if not same:
            edges, low, high = _segments(as_of, begin, end, at, row, after)
            sums, prefix, extremes, firsts, lasts = _emptied(cells, streams, sizes, len(edges) + 1)
            like = row
        lo, hi = offsets[a], offsets[a + 1]
        if not whole and hi > lo:
            edge = edges[0] if edges[0] != ALWAYS else edges[1]
            lo = _start(
                occurred, known, value, label, role, lo, hi, edge, as_of[at[row]], begins, members, roles, seeks
            )
        count = len(edges) + 1
        sums[:], extremes[:, :, 0], extremes[:, :, 1], firsts[:], lasts[:] = 0, NEVER, -NEVER, NEVER, -1
        words = (count >> 6) + 1
        if sizes[3]:
            origins[0], numbers[0] = _bounds_of(contact, lo, hi)
            who = np.zeros((sizes[3], words, numbers[0]), dtype=np.uint64)
        if sizes[4]:
            origins[1], numbers[1] = _bounds_of(label, lo, hi)
            what = np.zeros((sizes[4], words, numbers[1]), dtype=np.uint64)
        if sizes[5]:
            if hi > lo:
                earliest, newest = day[lo], day[lo]  # where clocks go back over midnight, days are not in order
                for i in range(lo, hi):
                    earliest, newest = min(earliest, day[i]), max(newest, day[i])
                origins[2], numbers[2] = earliest, newest - earliest + 1
            when = np.zeros((sizes[5], (numbers[2] >> 6) + 1), dtype=np.uint64)
        if len(late) < hi - lo:
            late = np.empty((2 * (hi - lo), 2), np.int64)
        kept = (sums, extremes, firsts, lasts, who, what, when)
        # Facts that arrive in time for the first as_of after them, each into its cell; the others wait.
        ready, waiting, segment, sees, t = 0, 0, 0, row, as_of[at[row]]
        for i in range(lo, hi):
            while segment < len(edges) and occurred[i] >= edges[segment]:
                segment += 1
            while sees < after and occurred[i] >= t:
                sees += 1
                t = as_of[at[min(sees, after - 1)]]
            if sees == after:
                break
            if known[i] >= t:
                late[waiting, 0], late[waiting, 1] = i, segment
                waiting += 1
                continue
            cell = home[(label[i] + 1) * roles + role[i] + 1]
            if cell >= 0:
                batch[ready, 0], batch[ready, 1], batch[ready, 2] = i, cell, segment
                ready += 1
            if ready == _CHUNK:
                _add(kept, slots, batch, facts, origins)
                ready = 0
        _add(kept, slots, batch[:ready], facts, origins)
        _merge(kept, slots, merges)
        clean = 0  # up to which segment the prefix sums are right; before the first they are 0
        if len(arrived) < waiting * streams:
            arrived = np.empty((2 * waiting * streams, 3), np.uint32)
        for r in range(row, after):
            t = as_of[at[r]]
            ready = still = 0
            for k in range(waiting):
                i, segment = late[k, 0], late[k, 1]
                if known[i] < t:
                    clean = min(clean, segment)
                    pair = (label[i] + 1) * roles + role[i] + 1
                    for m in range(begins[pair], begins[pair + 1]):
                        arrived[ready, 0], arrived[ready, 1], arrived[ready, 2] = i, members[m], segment
                        ready += 1
                else:
                    late[still, 0], late[still, 1] = i, segment
                    still += 1
            waiting = still
            if ready:
                _add(kept, slots, arrived[:ready], facts, origins)
            upto = np.searchsorted(edges, t) + 1
            for stream in range(streams):
                for segment in range(clean, upto):
                    for kind in range(_ADDITIVE):
                        prefix[stream, segment + 1, kind] = prefix[stream, segment, kind] + sums[stream, segment, kind]
            clean = max(clean, upto)
            place = order[r]
            for number in range(len(asks)):
                which, stream, span = asks[number, 0], asks[number, 1], asks[number, 2]
                begins_at, ends_at = low[r - row, span], high[r - row, span]
                if which < _ADDITIVE:
                    out[number, place] = prefix[stream, ends_at, which] - prefix[stream, begins_at, which]
                elif which == CONTACTS:
                    out[number, place] = _present(who, slots[stream, 3], begins_at, ends_at)
                elif which == DAYS:
                    out[number, place] = _bits_between(
                        when, slots[stream, 5], begin_day[at[r], span] - origins[2], end_day[at[r], span] - origins[2]
                    )
                elif which == LABELS:
                    out[number, place] = _present(what, slots[stream, 4], begins_at, ends_at)
                elif which == LOW:
                    found = np.int64(NEVER)
                    for segment in range(begins_at, ends_at):
                        found = min(found, extremes[slots[stream, 0], segment, 0])
                    out[number, place] = found
                elif which == HIGH:
                    found = np.int64(-NEVER)
                    for segment in range(begins_at, ends_at):
                        found = max(found, extremes[slots[stream, 0], segment, 1])
                    out[number, place] = found
                elif which == EARLIEST or which == LATEST:
                    if which == EARLIEST:
                        i = _first_place(firsts, slots[stream, 1], 0, begins_at, ends_at)
                    else:
                        i = _last_place(lasts, slots[stream, 2], 0, begins_at, ends_at)
                    out[number, place] = occurred[i] if i >= 0 else NEVER
                else:
                    if which == FIRST_VALUE:
                        i = _first_place(firsts, slots[stream, 1], 1, begins_at, ends_at)
                    else:
                        i = _last_place(lasts, slots[stream, 2], 1, begins_at, ends_at)
                    out[number, place] = value[i] if i >= 0 else _NONE
        row = after
