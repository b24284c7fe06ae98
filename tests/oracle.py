"""Slow and obviously right: every aggregation in plain Python over a list of facts with two clocks.

Counts and sums are exact Python integers; only the last steps are floats, in the order of the facts, so the numbers
must agree with the kernel's to the bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise

UNIT = 1_000_000
DAY = 86_400 * 1_000_000
ALWAYS = -(2**62)


@dataclass(frozen=True)
class Event:
    """One fact: instants in microseconds, the value in millionths (None: none), codes of -1 for none."""

    account: int
    occurred: int
    known: int
    value: int | None = None
    contact: int = -1
    label: int = -1
    day: int = 0

    @property
    def order(self) -> tuple[int, int, int, bool, int, int, int]:
        """Facts of one account by instant; a tie goes to what was known first, then to the smaller value, none last."""
        return (self.account, self.occurred, self.known, self.value is None, self.value or 0, self.contact, self.label)


@dataclass(frozen=True)
class Span:
    """A stretch of time and the as_of it is seen from: instants, and the local days at which it begins and ends."""

    begin: int
    end: int
    begin_day: int
    end_day: int
    as_of: int


Sees = Callable[[Event, Span], bool]


def sees(event: Event, span: Span) -> bool:
    """Half-open: what happened at the end of the span, or became known at as_of, came too late."""
    return event.occurred < span.end and event.known < span.as_of


def begun(event: Event, span: Span) -> bool:
    return event.occurred >= span.begin


def values(events: Iterable[Event]) -> list[int]:
    return [event.value for event in events if event.value is not None]


def mean(events: list[Event], span: Span) -> float | None:
    given = values(events)
    return float(sum(given)) / float(len(given)) / UNIT if given else None


def recency(events: list[Event], span: Span) -> float | None:
    return (span.as_of - max(event.occurred for event in events)) / DAY if events else None


def age(events: list[Event], span: Span) -> float | None:
    return (span.as_of - min(event.occurred for event in events)) / DAY if events else None


def gap(events: list[Event], span: Span) -> float | None:
    if len(events) < 2:
        return None
    return (events[-1].occurred - events[0].occurred) / (len(events) - 1) / DAY


def gap_deviation(events: list[Event], span: Span) -> float | None:
    if len(events) < 3:
        return None
    usual = gap(events, span)
    assert usual is not None
    squares = 0.0
    for earlier, later in pairwise(events):
        away = (later.occurred - earlier.occurred) / DAY - usual
        squares += away * away
    return math.sqrt(squares / (len(events) - 1))


def streak(events: list[Event], span: Span) -> float:
    weeks = {max(span.end_day - 1 - event.day, 0) // 7 for event in events}
    unbroken = 0
    while unbroken in weeks:
        unbroken += 1
    return float(unbroken)


def slope(events: list[Event], span: Span) -> float:
    """Of the line through the daily counts, days without facts included; exact until the last division."""
    days = span.end_day - span.begin_day
    twice_middle = span.begin_day + span.end_day - 1
    top = sum(2 * event.day - twice_middle for event in events)
    bottom = days * (days**2 - 1)
    return 6 * top / bottom if bottom else 0.0


def drift(events: list[Event], span: Span) -> float | None:
    valued = [event for event in events if event.value is not None]
    if len(valued) < 2:
        return None
    start = events[0].occurred
    points = [((event.occurred - start) / DAY, float(event.value or 0) / UNIT) for event in valued]
    x_mean, y_mean = 0.0, 0.0
    for x, y in points:
        x_mean += x
        y_mean += y
    x_mean, y_mean = x_mean / len(points), y_mean / len(points)
    top, bottom = 0.0, 0.0
    for x, y in points:
        top += (x - x_mean) * (y - y_mean)
        bottom += (x - x_mean) * (x - x_mean)
    return top / bottom if bottom > 0 else None


def by_contact(events: list[Event]) -> dict[int, list[Event]]:
    found: dict[int, list[Event]] = {}
    for event in sorted(events, key=lambda event: event.contact):
        if event.contact >= 0:
            found.setdefault(event.contact, []).append(event)
    return found


def top_share(events: list[Event], span: Span) -> float | None:
    counts = [len(found) for found in by_contact(events).values()]
    return max(counts) / sum(counts) if counts else None


def entropy(events: list[Event], span: Span) -> float | None:
    counts = [len(found) for found in by_contact(events).values()]
    if not counts:
        return None
    nats = 0.0
    for count in counts:
        nats -= count / sum(counts) * math.log(count / sum(counts))
    return nats / math.log(2.0) + 0.0


def contact_means(events: list[Event], span: Span) -> list[float]:
    means = [mean(found, span) for found in by_contact(events).values()]
    return [number for number in means if number is not None]


def spread(events: list[Event], span: Span) -> float | None:
    means = contact_means(events, span)
    if len(means) < 2:
        return None
    centre = 0.0
    for number in means:
        centre += number
    centre /= len(means)
    squares = 0.0
    for number in means:
        squares += (number - centre) * (number - centre)
    return math.sqrt(squares / len(means))


def states(events: list[Event], span: Span) -> list[tuple[int, int]]:
    """(running sum, how long it lasted) over the span, in order; a span without a beginning begins with the first fact."""
    begin = events[0].occurred if span.begin == ALWAYS else span.begin
    found, level, since = [], 0, begin
    for event in events:
        if event.value is None:
            continue
        if event.occurred > since:
            found.append((level, event.occurred - since))
            since = event.occurred
        level += event.value
    return [*found, (level, span.end - since)]


def average(events: list[Event], span: Span) -> float | None:
    if span.begin == ALWAYS and (not events or events[0].occurred == span.end):
        return None
    area = 0.0
    for level, lasted in states(events, span):
        area += (float(level) / UNIT) * (lasted / DAY)
    begin = events[0].occurred if span.begin == ALWAYS else span.begin
    return area / ((span.end - begin) / DAY)


def lasted(events: list[Event], span: Span) -> float:
    if not events and span.begin == ALWAYS:
        return 0.0
    return sum(lasted for level, lasted in states(events, span) if level > 0) / DAY


def unusual(events: list[Event], span: Span) -> float | None:
    length = span.end_day - span.begin_day
    periods = min(12, (span.begin_day - events[0].day) // length) if events else 0
    if periods < 4:
        return None
    counts = [0] * (periods + 1)
    for event in events:
        ago = (span.end_day - 1 - event.day) // length
        if ago <= periods:
            counts[max(ago, 0)] += 1
    usual = sum(counts[1:]) / periods
    squares = 0.0
    for count in counts[1:]:
        squares += (count - usual) * (count - usual)
    noise = max(squares / periods, usual)
    return (counts[0] - usual) / math.sqrt(noise) if noise > 0 else None


def ahead(events: list[Event], span: Span) -> float | None:
    """The values are themselves dates, in millionths of days since 1970; today's does not lie ahead."""
    today = (span.as_of + 43_200) // 86_400
    following = [value for value in values(events) if value > today]
    return float(min(following) - today) / UNIT if following else None


def deviation(events: list[Event], span: Span) -> float | None:
    given, usual, squares = values(events), mean(events, span), 0.0
    if usual is None or len(given) < 2:
        return None
    for value in given:
        away = float(value) / UNIT - usual
        squares += away * away
    return math.sqrt(squares / len(given))


def net_changes(events: list[Event]) -> dict[int, int]:
    """By instant, in order."""
    found: dict[int, int] = {}
    for event in events:
        found[event.occurred] = found.get(event.occurred, 0) + (event.value or 0)
    return found


def standing(events: list[Event], span: Span) -> float:
    level, since = 0, None
    for instant, change in net_changes(events).items():
        level += change
        since = (instant if since is None else since) if level > 0 else None
    return 0.0 if since is None else (span.end - since) / DAY


def moved(sign: int) -> Callable[[list[Event], Span], float]:
    return lambda events, span: float(sum(max(sign * net, 0) for net in net_changes(events).values())) / UNIT


def extreme(choose: Callable[[list[int]], int]) -> Callable[[list[Event], Span], float | None]:
    return lambda events, span: float(choose(given)) / UNIT if (given := values(events)) else None


Answer = Callable[[list[Event], Span], float | None]
INSIDE: dict[str, Answer] = {
    "count": lambda events, span: float(len(events)),
    "ever": lambda events, span: float(len(events)),
    "total": lambda events, span: float(sum(values(events))) / UNIT,
    "level": lambda events, span: float(sum(values(events))) / UNIT,
    "mean": mean,
    "minimum": extreme(min),
    "maximum": extreme(max),
    "first": extreme(lambda given: given[0]),
    "last": extreme(lambda given: given[-1]),
    "contacts": lambda events, span: float(len({event.contact for event in events} - {-1})),
    "distinct": lambda events, span: float(len({event.label for event in events} - {-1})),
    "active_days": lambda events, span: float(len({event.day for event in events})),
    "recency": recency,
    "age": age,
    "gap": gap,
    "gap_deviation": gap_deviation,
    "streak": streak,
    "slope": slope,
    "drift": drift,
    "top_share": top_share,
    "entropy": entropy,
    "spread": spread,
    "lowest": lambda events, span: min(contact_means(events, span), default=None),
    "ahead": ahead,
    "deviation": deviation,
    "standing": standing,
    "risen": moved(+1),
    "fallen": moved(-1),
}
"""By the name of the aggregation: the visible facts of one account inside the span, in order → its number."""

BEFORE: dict[str, Answer] = {"average": average, "lasted": lasted, "unusual": unusual}
"""The same for those that look at what lies before the span as well."""


def visible(events: Iterable[Event], account: int, span: Span, sees: Sees = sees) -> list[Event]:
    """The facts of an account that a row may see, in order."""
    return sorted((e for e in events if e.account == account and sees(e, span)), key=lambda event: event.order)


def answer(name: str, visible: list[Event], span: Span, begun: Sees = begun) -> float | None:
    if name in BEFORE:
        return BEFORE[name](visible, span)
    return INSIDE[name]([event for event in visible if begun(event, span)], span)
