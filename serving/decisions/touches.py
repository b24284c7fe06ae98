"""Touches as they are by now: what the log and the exports say was planned, done, held out and what came of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from serving.log import Entry


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
