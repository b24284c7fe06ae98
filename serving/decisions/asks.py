"""Asks as they are by now: what the log and the exports say was asked, accepted, declined and done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from features.tables import ADVOCACY_KINDS
from serving.stores.log import Entry

EFFORT = {"social": 1, "review": 1, "community": 2, "referral": 2, "reference": 3, "case study": 4, "speaking": 5}
"""What each kind of act costs who is asked, from a minute to a day."""
assert set(EFFORT) == set(ADVOCACY_KINDS)


@dataclass(frozen=True)
class Ask:
    """One ask; a day is None where that has not happened, or is not known to have."""

    ask: str
    account: str
    contact: str | None
    kind: str
    asked: date
    accepted: date | None = None
    declined: date | None = None
    done: date | None = None

    @property
    def state(self) -> str:
        """How far it has come."""
        for name in ("done", "declined", "accepted"):
            if getattr(self, name) is not None:
                return name
        return "asked"

    @property
    def open(self) -> bool:
        """Something is still to come of it."""
        return self.state in ("asked", "accepted")

    def as_known(self, by: date) -> Ask:
        """Without what had not happened by the end of a day."""
        accepted, declined, done = (
            None if day is None or day > by else day for day in (self.accepted, self.declined, self.done)
        )
        return replace(self, accepted=accepted, declined=declined, done=done)


def asks(entries: Iterable[Entry], zone: ZoneInfo) -> list[Ask]:
    """Entries in the order in which they were written → one ask each, its days in the workspace's zone."""
    each: dict[str, dict[str, Entry]] = {}
    for entry in entries:
        each.setdefault(entry.thing, {})[entry.event] = entry
    found = []
    for thing, events in each.items():
        first = events["asked"]
        days = {name: day_of(entry.at, zone) for name, entry in events.items()}
        found.append(Ask(thing, first.account, first.contact, first.kind or "", **days))
    return found


def day_of(instant: datetime, zone: ZoneInfo) -> date:
    return instant.astimezone(zone).date()
