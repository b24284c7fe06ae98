"""What was written down here, as rows of canonical tables: an intake reads them beside the exports, and they become facts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from features.files import replaced
from features.tables import ADVOCACY, OUTREACH, Table
from features.workspace import Workspace
from serving.stores.log import Entry, Log

Events = dict[str, Entry]
TYPES = {"id": pa.string(), "category": pa.string(), "flag": pa.bool_(), "time": pa.timestamp("us", tz="UTC")}


def write(workspace: Workspace) -> None:
    """Write the touches and asks of the log where an intake looks for them; nothing where there are none."""
    log = Log(workspace)
    for table, about, told in OWN:
        things: dict[str, Events] = {}
        for entry in log.entries(about):
            things.setdefault(entry.thing, {})[entry.event] = entry
        if things:
            _write(workspace, table, [told(thing, events) for thing, events in things.items()])


def _outreach(thing: str, events: Events) -> dict[str, Any]:
    """A row counts from when the touch was recorded as done, what came of it from when that was recorded."""
    first, *_ = events.values()
    done, outcome = events.get("done"), events.get("outcome")
    plan = events.get("planned") or events.get("held out")
    return {
        "outreach": thing,
        "account": first.account,
        "contact": first.contact,
        "kind": first.kind,
        "planned": plan.at if plan else None,
        "done": done.at if done else None,
        "owner": (done or first).by,
        "outcome": outcome.value if outcome else None,
        "outcome_at": known(outcome) if outcome else None,
        "proactive": first.value != "reactive",
        "held_out": "held out" in events,
        "recorded_at": (done or first).recorded_at,
    }


def _ask(thing: str, events: Events) -> dict[str, Any]:
    """Each answer stands at the instant at which it was known here."""
    first, *_ = events.values()
    instants = {name: known(events[name]) if name in events else None for name in ("accepted", "declined", "done")}
    return {
        "act": thing,
        "account": first.account,
        "contact": first.contact,
        "kind": first.kind,
        "asked": first.at,
        **instants,
        "recorded_at": first.recorded_at,
    }


def known(entry: Entry) -> datetime:
    """When it had happened and was written down."""
    return max(entry.at, entry.recorded_at or entry.at)


OWN: tuple[tuple[Table, str, Callable[[str, Events], dict[str, Any]]], ...] = (
    (OUTREACH, "outreach", _outreach),
    (ADVOCACY, "ask", _ask),
)


def _write(workspace: Workspace, table: Table, rows: Iterable[dict[str, Any]]) -> None:
    listed = list(rows)
    schema = pa.schema([(name, TYPES[table.by_name[name].type]) for name in listed[0]])
    file = workspace.own(table.name)
    file.parent.mkdir(parents=True, exist_ok=True)
    with replaced(file) as part:
        pq.write_table(pa.Table.from_pylist(listed, schema), part)
