"""A score and its reasons: plain data, as stored, listed and served."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any


@dataclass(frozen=True)
class Reason:
    """One reason: what was seen, and what it adds to the log-odds (positive raises the probability)."""

    text: str
    feature: str
    contribution: float

    @property
    def direction(self) -> str:
        return "raises" if self.contribution > 0 else "lowers"

    def as_dict(self) -> dict[str, object]:
        return asdict(self) | {"direction": self.direction}


@dataclass(frozen=True)
class Score:
    """One account's score of one outcome, and everything that is needed to make it again.

    ``probability`` and its 90% interval are between 0 and 1; ``rank`` 1 is the highest, ``percentile`` 100 too.
    """

    score_id: str
    outcome: str
    account: str
    as_of: date
    probability: float
    low: float
    high: float
    rank: int
    percentile: float
    model_version: int
    row_hash: str
    frame_hash: str
    reasons: list[Reason] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return {
            **{name: value for name, value in vars(self).items() if name not in ("reasons", "as_of")},
            "as_of": self.as_of.isoformat(),
            "reasons": [reason.as_dict() for reason in self.reasons],
        }


def score_id(account: str, day: date, outcome: str, version: int, row_hash: str) -> str:
    """A score is this hash: account, as_of, outcome, model version and the feature row it came from."""
    return hashlib.sha256("\x1f".join([account, str(day), outcome, str(version), row_hash]).encode()).hexdigest()[:20]
