"""What was found unsteady, as data."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Literal

from features.steadiness.usual import Range

Kind = Literal["freshness", "volume", "null share", "vanished", "shrunk", "mean", "median"]


@dataclass(frozen=True)
class Finding:
    """``what`` (a table, TABLE.COLUMN or a feature) is ``now`` outside ``low`` to ``high``, which is usual."""

    what: str
    kind: Kind
    now: float
    low: float | None
    high: float | None
    text: str


@dataclass(frozen=True)
class Steadiness:
    """All findings, and which tables (or ``features``) have too little past to judge."""

    findings: list[Finding] = field(default_factory=list)
    too_little_past: list[str] = field(default_factory=list)

    def __add__(self, other: Steadiness) -> Steadiness:
        return Steadiness(self.findings + other.findings, self.too_little_past + other.too_little_past)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> Steadiness:
        return cls([Finding(**finding) for finding in raw["findings"]], raw["too_little_past"])


def stale(table: str, last: date, now: int, usual: int) -> Finding:
    text = f"no fact for {now} days, the last on {last}; at most {usual} days are usual"
    return Finding(table, "freshness", now, 0, usual, text)


def volume(table: str, now: int, usual: Range, days: int, until: date) -> Finding:
    text = f"{now:,} facts in the {days} days to {until}; {usual.low:,.0f} to {usual.high:,.0f} are usual"
    return Finding(table, "volume", now, usual.low, usual.high, text)


def null_share(what: str, now: float, usual: Range, when: str) -> Finding:
    text = f"empty in {now:.1%} of the rows {when}; {usual.low:.1%} to {usual.high:.1%} is usual"
    return Finding(what, "null share", now, usual.low, usual.high, text)


def level(what: str, kind: Literal["mean", "median"], now: float, usual: Range, as_of: date) -> Finding:
    text = f"{kind} {now:,.4g} as of {as_of}; {usual.low:,.4g} to {usual.high:,.4g} is usual"
    return Finding(what, kind, now, usual.low, usual.high, text)


def vanished(what: str, since: date | None) -> Finding:
    until = f" (data until {since})" if since else ""
    text = f"was there at the last intake{until}, is no longer exported or mapped"
    return Finding(what, "vanished", 0, 1, 1, text)


def shrunk(table: str, before: int, now: int, since: date | None) -> Finding:
    of = f" of the time until {since}" if since else ""
    text = f"had {before:,} rows{of} at the last intake, has {now:,}: what has gone can no longer be replayed"
    return Finding(table, "shrunk", now, before, None, text)
