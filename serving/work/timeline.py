"""What happened to an account by a day, from the canonical tables and from what was written down here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from features import frame
from features.tables import TABLES
from features.windows import moment
from features.workspace import Workspace
from serving.decisions.timeline import TOLD, Event, Told, logged
from serving.stores.log import STARTS
from serving.stores.store import Store
from serving.work.known import Known

OURS = {"outreach": "outreach", "advocacy": "ask"}
"""Tables of which some rows were written down here first, and what these are about in the log: they are told once."""


@dataclass(frozen=True)
class Timeline:
    """The last first."""

    account: str
    name: str
    as_of: date
    events: list[Event]

    def as_dict(self, top: int) -> dict[str, Any]:
        return {
            "account": self.account,
            "name": self.name,
            "as_of": str(self.as_of),
            "count": len(self.events),
            "events": [one.as_dict() for one in self.events[:top]],
        }


def timeline(workspace: Workspace, account: str, day: date | None = None) -> Timeline:
    """What was known by the end of ``day``; without one, what is known by now."""
    until = frame.observed_until(workspace)
    known = Known(workspace, day or until, by_now=day is None, accounts=(account,))
    ours = {about: known.entries(about) for about in STARTS}
    told = {entry.thing for entries in ours.values() for entry in entries}
    found = [event for one in TOLD for event in _events(known, one) if not (one.table in OURS and event.thing in told)]
    found += [logged(entry) for entries in ours.values() for entry in entries]
    found.sort(key=lambda event: event.at)
    found.reverse()  # of what came at once, what was written last comes first
    name = Store(workspace).names([account]).get(account, account)
    return Timeline(account, name, known.day, found)


def _events(known: Known, told: Told) -> Iterator[Event]:
    table = TABLES[told.table]
    instants = dict.fromkeys([*told.words, *(name for name in told.also if name in table.of_type("time"))])
    others = dict.fromkeys(name for name in (told.key, *told.also) if name not in instants and name != "contact")
    contact = "p.contact" if "contact" in table.by_name else "NULL"
    select = [contact, *(f"{{{name}}}" for name in instants), *(f't."{name}"' for name in others)]
    names = ["contact", *instants, *others]
    some = " OR ".join(f"{{{name}}} IS NOT NULL" for name in told.words)
    for line in known.rows(told.table, ", ".join(select), some):
        row = dict(zip(names, line, strict=True))
        yield from told.events([row | {name: None if row[name] is None else moment(row[name]) for name in instants}])
