"""What happened to an account, in words: what each table tells of, and what was written down here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from features.feature import written
from serving.stores.log import Entry

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Event:
    """``table`` is "log" where somebody wrote it down here, and ``by`` says who; ``thing`` is the id of what it is about."""

    at: datetime
    table: str
    what: str
    words: str
    contact: str | None = None
    by: str | None = None
    thing: str | None = None

    def as_dict(self) -> dict[str, Any]:
        told = {name: value for name, value in vars(self).items() if name != "thing"}
        return told | {"at": self.at.isoformat(), "id": self.thing}


@dataclass(frozen=True)
class Told:
    """What the rows of a table tell of: ``also`` are the columns that its words take, besides its instants."""

    table: str
    key: str
    also: tuple[str, ...]
    words: Mapping[str, Callable[[Row], str]]

    def events(self, rows: Iterable[Row]) -> Iterator[Event]:
        """Of rows that have ``contact``, ``key``, ``also``, and every instant of ``words``, None where it is not known."""
        for row in rows:
            for what, said in self.words.items():
                if row[what] is not None:
                    yield Event(row[what], self.table, what, said(row), row["contact"], None, row[self.key])


def _amount(value: float | None) -> str:
    return "an unknown amount" if value is None else written(value, "")


def _with(text: str, more: str | None) -> str:
    return f"{text}: {more}" if more else text


def _mood(row: Row) -> str:
    said = f"{row['instrument']} answer {row['score']:g} of {row['scale']:g}, {row['touchpoint']}"
    return _with(said, f"about {row['topic']}" if row["topic"] else None)


def _ticket(row: Row) -> str:
    about = f", about {row['topic']}" if row["topic"] else ""
    return f"ticket of {row['severity'] or 'normal'} severity{about}"


def _champion(row: Row) -> str:
    return "; our champion contact" if row["champion_contact"] else ""


TOLD = (
    Told(
        "contracts",
        "contract",
        ("arr",),
        {
            "signed": lambda row: f"Contract signed, ARR {_amount(row['arr'])}",
            "cancelled": lambda row: f"Notice given, ARR {_amount(row['arr'])}",
            "ends": lambda _: "A contract's term came to its end",
        },
    ),
    Told(
        "contacts",
        "contact",
        ("role", "champion_contact"),
        {
            "joined": lambda row: f"A contact joined: {row['role'] or 'user'}{_champion(row)}",
            "left": lambda row: f"A contact left: {row['role'] or 'user'}{_champion(row)}",
        },
    ),
    Told(
        "tickets",
        "ticket",
        ("severity", "topic"),
        {
            "opened": lambda row: f"Opened a {_ticket(row)}",
            "escalated": lambda row: f"Escalated the {_ticket(row)}",
            "reopened": lambda row: f"Reopened the {_ticket(row)}",
            "resolved": lambda row: f"Resolved the {_ticket(row)}",
        },
    ),
    Told(
        "feedback",
        "feedback",
        ("instrument", "score", "scale", "touchpoint", "topic"),
        {"responded": _mood},
    ),
    Told(
        "advocacy",
        "act",
        ("kind",),
        {
            "asked": lambda row: f"We asked for a {row['kind']}",
            "accepted": lambda row: f"Said yes to a {row['kind']}",
            "declined": lambda row: f"Said no to a {row['kind']}",
            "done": lambda row: f"Done for us: a {row['kind']}",
        },
    ),
    Told(
        "outreach",
        "outreach",
        ("kind", "outcome", "outcome_at"),
        {"done": lambda row: _with(f"Our touch: {row['kind']}", row["outcome"] if row["outcome_at"] else None)},
    ),
    Told(
        "deals",
        "deal",
        ("product", "value"),
        {
            "opened": lambda row: _with(f"Deal opened, {_amount(row['value'])}", row["product"]),
            "won": lambda row: _with(f"Deal won, {_amount(row['value'])}", row["product"]),
            "lost": lambda row: _with(f"Deal lost, {_amount(row['value'])}", row["product"]),
        },
    ),
)
"""Invoices, costs and what is done in the product are many and tell little one by one: their signals do."""

WRITTEN: Mapping[tuple[str, str], str] = {
    ("outreach", "planned"): "Planned a touch: {kind}",
    ("outreach", "held out"): "Held out: drawn at random and not called",
    ("outreach", "done"): "Our touch: {kind}",
    ("outreach", "outcome"): "What came of the touch: {value}",
    ("ask", "asked"): "We asked for a {kind}",
    ("ask", "accepted"): "Said yes to our ask",
    ("ask", "declined"): "Said no to our ask",
    ("ask", "done"): "Done for us",
    ("opt-out", "out"): "Wants to be left alone",
    ("opt-out", "in"): "May be asked again",
    ("opinion", "agrees"): "Finds the score right: {value}",
    ("opinion", "disagrees"): "Finds the score wrong: {value}",
    ("override", "says"): "Says it otherwise: {value}",
    ("alert", "raised"): "Alert raised: {kind}",
    ("alert", "snoozed"): "Alert put off: {value}",
    ("alert", "closed"): "Alert closed: {value}",
}


def logged(entry: Entry) -> Event:
    """What was written down here."""
    value = entry.value or "nothing said"
    if entry.about == "override":
        chance, _, why = value.partition(": ")
        value = f"{float(chance):.0%}, {why}"
    said = WRITTEN[entry.about, entry.event].format(kind=entry.kind or "touch", value=value)
    return Event(entry.at, "log", f"{entry.about} {entry.event}", said, entry.contact, entry.by, entry.thing)
