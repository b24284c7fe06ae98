"""Slow and obviously right: every aggregation in plain Python over a list of facts with two clocks.

Counts and sums are exact Python integers; only the last division is that of ``features.aggregations``, so the numbers
must agree to the bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

UNIT = 1_000_000
MICROSECONDS_PER_DAY = 86_400 * 1_000_000


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


Sees = Callable[[Event, int, int], bool]


def sees(event: Event, start: int, as_of: int) -> bool:
    """Half-open: the window is [start, as_of), and what became known at as_of came too late."""
    return start <= event.occurred < as_of and event.known < as_of


def values(events: Iterable[Event]) -> list[int]:
    return [event.value for event in events if event.value is not None]


def mean(events: list[Event]) -> float | None:
    given = values(events)
    return float(sum(given)) / float(len(given)) / UNIT if given else None


def minimum(events: list[Event]) -> float | None:
    return float(min(given)) / UNIT if (given := values(events)) else None


def maximum(events: list[Event]) -> float | None:
    return float(max(given)) / UNIT if (given := values(events)) else None


def last(events: list[Event], as_of: int) -> float | None:
    given = [event for event in sorted(events, key=lambda event: event.order) if event.value is not None]
    return float(given[-1].value or 0) / UNIT if given else None


def recency(events: list[Event], as_of: int) -> float | None:
    return (as_of - max(event.occurred for event in events)) / MICROSECONDS_PER_DAY if events else None


def age(events: list[Event], as_of: int) -> float | None:
    return (as_of - min(event.occurred for event in events)) / MICROSECONDS_PER_DAY if events else None


def ahead(events: list[Event], as_of: int) -> float | None:
    """The values are themselves dates, in millionths of days since 1970; today's does not lie ahead."""
    following = [value for value in values(events) if value > as_of // 86_400]
    return float(min(following)) / UNIT - float(as_of) / UNIT / 86400 if following else None


OVER_WINDOW: dict[str, Callable[[list[Event]], float | None]] = {
    "count": lambda events: float(len(events)),
    "total": lambda events: float(sum(values(events))) / UNIT,
    "mean": mean,
    "minimum": minimum,
    "maximum": maximum,
    "contacts": lambda events: float(len({event.contact for event in events} - {-1})),
    "distinct": lambda events: float(len({event.label for event in events} - {-1})),
    "active_days": lambda events: float(len({event.day for event in events})),
}
"""By the name of the aggregation: the events of one account that the window sees → its number."""

OVER_STATE: dict[str, Callable[[list[Event], int], float | None]] = {
    "ever": lambda events, as_of: float(len(events)),
    "level": lambda events, as_of: float(sum(values(events))) / UNIT,
    "recency": recency,
    "age": age,
    "last": last,
    "ahead": ahead,
}
"""By the name of the aggregation: everything visible of one account, and the as_of → its number."""

ALWAYS = -(2**63)
"""The start of a window that sees everything."""


def over_window(
    name: str, events: Iterable[Event], account: int, start: int, as_of: int, sees: Sees = sees
) -> float | None:
    return OVER_WINDOW[name]([e for e in events if e.account == account and sees(e, start, as_of)])


def over_state(name: str, events: Iterable[Event], account: int, as_of: int, sees: Sees = sees) -> float | None:
    return OVER_STATE[name]([e for e in events if e.account == account and sees(e, ALWAYS, as_of)], as_of)
