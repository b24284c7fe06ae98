"""A file of touches → entries of the log: ``account`` and one of ``planned`` and ``done`` are needed in every row."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path

from features.errors import PropensityError, one_of
from serving.stores.log import Entry, digest

COLUMNS = ("touch", "account", "contact", "kind", "planned", "done", "outcome", "by")
EVENTS = ("planned", "done")


def entries(file: Path, by: str) -> list[Entry]:
    """Every entry of a file; a row without an id of its own is known by its content. Raises PropensityError naming the row."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, strict=True)
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise PropensityError(f"{file} cannot be read: {error}", "Give a CSV in UTF-8 with commas.") from error
    there = set(reader.fieldnames or ())
    if "account" not in there or not there & set(EVENTS) or there - set(COLUMNS):
        raise PropensityError(
            f"{file} has the columns {one_of(there)}",
            f"It may have {one_of(COLUMNS)}; account and planned or done are needed.",
        )
    return [entry for number, row in enumerate(rows, start=2) for entry in _row(file, number, row, by)]


def _row(file: Path, number: int, row: dict[str, str], by: str) -> list[Entry]:
    told = {name: (value or "").strip() or None for name, value in row.items() if isinstance(name, str)}
    account, kind, who = told.get("account"), told.get("kind") or "call", told.get("by") or by
    at = {event: _instant(file, number, told[event]) for event in EVENTS if told.get(event)}
    if account is None or not at or None in row:
        raise PropensityError(
            f"{file}, line {number}: {'too many cells' if None in row else 'account, and planned or done, are needed'}",
            "Mend the line; nothing was written.",
        )
    touch = told.get("touch") or f"t-{digest(account, told.get('contact'), kind, *map(str, at.values()))[:12]}"
    found = [
        Entry("outreach", touch, event, account, when, who, told.get("contact"), kind) for event, when in at.items()
    ]
    if (said := told.get("outcome")) is not None:
        found.append(
            Entry("outreach", touch, "outcome", account, max(at.values()), who, told.get("contact"), value=said)
        )
    return found


def _instant(file: Path, number: int, text: str | None) -> datetime:
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError as error:
        raise PropensityError(
            f"{file}, line {number}: {text!r} is no date", "Write YYYY-MM-DD, or with a time."
        ) from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)
