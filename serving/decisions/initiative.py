"""What a proposed initiative is worth: Σ ARR·Δp·margin − cost, with an interval, and whether it pays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

Vector = npt.NDArray[np.float64]
DRAWS = 20_000
TAIL = 0.05
"""On either side of the 90% interval."""


@dataclass(frozen=True)
class Evidence:
    """How much more likely an account is to stay (Δp), with its standard error, and where that comes from.

    ``freedom`` is that of the error; ``randomised`` is whether it was drawn at random who got it.
    """

    change: float
    error: float
    freedom: int
    randomised: bool
    said: str


@dataclass(frozen=True)
class Initiative:
    """Value in the workspace's currency. ``needed`` is the Δp at which it breaks even, null where none does."""

    accounts: int
    arr: float
    change: float
    expected: float
    low: float
    high: float
    pays: float
    needed: float | None
    cost: float
    evidence: Evidence

    def points_needed(self, points: float) -> float | None:
        """How many points break even, if ``points`` bring the evidence's change."""
        if self.needed is None or self.evidence.change <= 0:
            return None
        return points * self.needed / self.evidence.change

    @property
    def verdict(self) -> str:
        if self.low > 0:
            return "it is expected to pay, and the interval says so too"
        if self.high < 0:
            return "it is expected to cost more than it brings, and the interval says so too"
        leaning = "bring more than it costs" if self.expected > 0 else "cost more than it brings"
        return f"expected to {leaning}, but it may go either way"

    def as_dict(self) -> dict[str, Any]:
        return {
            "accounts": self.accounts,
            "arr": self.arr,
            "change": self.change,
            "expected": self.expected,
            "low": self.low,
            "high": self.high,
            "interval": "90%",
            "probability_that_it_pays": self.pays,
            "break_even_change": self.needed,
            "cost": self.cost,
            "evidence": {
                "kind": "randomised" if self.evidence.randomised else "observational",
                "said": self.evidence.said,
                "change": self.evidence.change,
                "standard_error": self.evidence.error,
            },
            "verdict": self.verdict,
        }


def initiative(arr: Vector, leaving: float, evidence: Evidence, margin: float, cost: float, seed: int) -> Initiative:
    """Value the evidence for accounts of these ARRs, of whom the share ``leaving`` would leave.

    Nobody can be kept who would have stayed: Δp is never more than ``leaving``, and never less than everybody's leaving.
    """
    noise = student.rvs(max(evidence.freedom, 1), size=DRAWS, random_state=np.random.default_rng(seed))
    total = float(arr.sum())

    def brings(change: Vector) -> Vector:
        return total * margin * np.clip(change, leaving - 1, leaving)

    drawn = brings(evidence.change + evidence.error * noise) - cost
    worth = total * margin
    needed = cost / worth if worth > 0 and cost / worth <= leaving else None
    return Initiative(
        len(arr),
        total,
        float(np.clip(evidence.change, leaving - 1, leaving)),
        float(drawn.mean()),
        float(np.quantile(drawn, TAIL)),
        float(np.quantile(drawn, 1 - TAIL)),
        float((drawn > 0).mean()),
        needed,
        cost,
        evidence,
    )
