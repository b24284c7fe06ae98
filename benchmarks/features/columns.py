"""The columns that everybody makes, as data. Only the standard library: the peers' own environments import this.

A fact counts as of an instant t if it occurred before t and was known before t (``recorded_at``, else when it
occurred); a window of n days is ``[t - n days, t)`` in UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

EVENTS = ("login", "report", "export", "api", "invite", "admin")
WINDOWS = (7, 30, 90, 180)
DAY = 86_400_000_000
"""Microseconds."""
KEY = ("account", "as_of")
"""Code of the account, and the instant in microseconds."""
USAGE = {"count": "events", "total": "value", "contacts": "people", "active_days": "days"}
"""What is asked of usage over windows → how its columns are called."""


@dataclass(frozen=True)
class Column:
    """``what`` is asked ``of`` these facts, with this ``label``, through a ``window`` (0: everything visible)."""

    name: str
    of: str
    what: str
    window: int = 0
    label: str = ""
    longer: int = 0


def usage_name(event: str, what: str, window: int = 0) -> str:
    """``usage_days_7d``, ``usage_login_recency``; no event: all of them."""
    stem = f"usage_{event}_" if event else "usage_"
    return f"{stem}{USAGE.get(what, what)}" + (f"_{window}d" if window else "")


def _usage() -> list[Column]:
    found = []
    for event in ("", *EVENTS):
        for what in USAGE:
            found += [Column(usage_name(event, what, n), "usage", what, n, event) for n in WINDOWS]
        found.append(Column(usage_name(event, "recency"), "usage", "recency", 0, event))
    return found


def _over(stem: str, of: str, what: str, windows: tuple[int, ...], label: str = "") -> list[Column]:
    return [Column(f"{stem}_{n}d", of, what, n, label) for n in windows]


PACES = [Column(f"usage_pace_{a}d_{b}d", "usage", "pace", a, longer=b) for a, b in pairwise(WINDOWS)]
"""Events by the day in a window over those in the next longer one; null where there are none."""
TICKETS = [
    *_over("tickets_opened", "opened", "count", (30, 90, 180)),
    Column("tickets_open", "open", "level"),
    *_over("resolution_hours", "resolved", "mean", (90, 180)),
]
SURVEYS = [
    *_over("csat_mean", "feedback", "mean", (90, 180), "CSAT"),
    Column("csat_last", "feedback", "last", label="CSAT"),
    *_over("nps_mean", "feedback", "mean", (180,), "NPS"),
    Column("nps_last", "feedback", "last", label="NPS"),
]
COLUMNS = [*_usage(), *PACES, *TICKETS, *SURVEYS]
NAMES = [column.name for column in COLUMNS]


def boundaries(as_of: list[int]) -> list[int]:
    """The days (since 1970) on which a window of any as_of begins or ends, ascending."""
    days = [instant // DAY for instant in as_of]
    return sorted({day - n for day in days for n in (0, *WINDOWS)})
