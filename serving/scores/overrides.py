"""What people say in place of the model: their own probability of a score, kept beside it and never put in its place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from serving.stores.log import Entry


@dataclass(frozen=True)
class Override:
    """Somebody's own probability, in place of that of a score; the last that they have said."""

    score_id: str
    account: str
    probability: float
    why: str
    by: str
    at: datetime

    def as_dict(self) -> dict[str, Any]:
        return vars(self) | {"at": self.at.isoformat()}


def overrides(entries: Iterable[Entry]) -> list[Override]:
    """Entries in the order in which they were written → the last of each person and score, the latest first."""
    last: dict[tuple[str, str], Override] = {}
    for entry in entries:
        probability, _, why = (entry.value or "").partition(": ")
        made = Override(entry.kind or "", entry.account, float(probability), why, entry.by, entry.at)
        last.pop((made.score_id, made.by), None)
        last[made.score_id, made.by] = made
    return list(last.values())[::-1]
