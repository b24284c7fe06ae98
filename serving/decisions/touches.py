"""Touches as they are by now: what the log and the exports say was planned, done, held out and what came of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from serving.decisions.asks import day_of
from serving.stores.log import Entry

LISTED = "l-"
"""How the id of a touch begins that a list has planned; only between these was drawn at random."""


@dataclass(frozen=True)
class Touch:
    """One touch. An instant is None where that has not happened, or is not known to have."""

    touch: str
    account: str
    contact: str | None
    kind: str
    owner: str | None
    planned: datetime | None
    done: datetime | None
    outcome: str | None
    held_out: bool

    @property
    def last(self) -> datetime:
        """The last thing that happened to it."""
        found = self.done or self.planned
        assert found is not None
        return found


def touches(entries: Iterable[Entry]) -> list[Touch]:
    """Entries in the order in which they were written → one touch each, in the order in which they began."""
    each: dict[str, dict[str, Entry]] = {}
    for entry in entries:
        each.setdefault(entry.thing, {})[entry.event] = entry
    return [_touch(thing, events) for thing, events in each.items()]


def open_(touch: Touch) -> bool:
    """Planned, and nobody has done it yet."""
    return touch.planned is not None and touch.done is None and not touch.held_out


@dataclass(frozen=True)
class Drawn:
    """An account that a list drew on a day, to be called or to be held out."""

    account: str
    day: date
    held_out: bool


def counted(found: Iterable[Touch], window: int, zone: ZoneInfo) -> list[Drawn]:
    """The draws that tell what a call does: the first of an account, and none again until the ``window`` of days is over
    in which it shows what came of that one. Who is called again meanwhile counts once, as drawn first.
    """
    each = sorted(
        (day_of(touch.planned, zone), touch.account, touch.held_out)
        for touch in found
        if touch.touch.startswith(LISTED) and touch.planned is not None
    )
    last: dict[str, date] = {}
    kept = []
    for day, account, held_out in each:
        if account not in last or day >= last[account] + timedelta(days=window):
            last[account] = day
            kept.append(Drawn(account, day, held_out))
    return kept


def _touch(thing: str, events: dict[str, Entry]) -> Touch:
    first, *_ = events.values()
    planned, done, outcome = (events.get(name) for name in ("planned", "done", "outcome"))
    held = events.get("held out")
    return Touch(
        thing,
        first.account,
        first.contact,
        first.kind or "call",
        (done or first).by,
        (planned or held).at if planned or held else None,  # type: ignore[union-attr]
        done.at if done else None,
        outcome.value if outcome else None,
        held is not None,
    )
