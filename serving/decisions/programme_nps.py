"""NPS now and a year before: in points, and relative to what it was."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from serving.decisions.happened import Answer
from serving.decisions.intervals import Bootstrap, Vector, against, told, weighted_mean
from training.metrics import COVERAGE, Estimate, estimate

POINTS = {"promoter": 100.0, "passive": 0.0, "detractor": -100.0}
DEFINITION = (
    "share of answers of 9 and 10 less share of answers below 7, in points; whole accounts are drawn for the interval, "
    "since the answers of one account are alike"
)


@dataclass(frozen=True)
class Nps:
    """``now`` and ``before`` in points, their difference in points, and relative to before (0.2: up by a fifth); null where
    it is not known. ``why`` says why something is not.
    """

    answers: int
    answers_before: int
    accounts: int
    accounts_before: int
    target: float
    now: Estimate | None = None
    before: Estimate | None = None
    difference: Estimate | None = None
    relative: Estimate | None = None
    why: str = ""

    @property
    def verdict(self) -> str:
        if self.difference is None:
            return f"unknown: {self.why}"
        if self.relative is not None and math.isfinite(self.relative.low):
            return against(self.relative.low, self.relative.high, self.target, f"{self.target:+.0%}")
        moved = (
            "risen" if self.difference.low > 0 else "fallen" if self.difference.high < 0 else "not shown to have moved"
        )
        return f"NPS has {moved}; against {self.target:+.0%} nothing can be said: {self.why}"

    def as_dict(self) -> dict[str, Any]:
        numbers = {name: told(getattr(self, name)) for name in ("now", "before", "difference", "relative")}
        return vars(self) | numbers | {"verdict": self.verdict, "definition": DEFINITION}


def nps(now: Sequence[Answer], before: Sequence[Answer], least: int, target: float, draws: Bootstrap) -> Nps:
    """From the NPS answers of two windows of the same length; unknown where fewer than ``least`` accounts answered."""
    after, then = ([one for one in answers if one.kind in POINTS] for answers in (now, before))
    answered, earlier = (len({one.account for one in part}) for part in (after, then))
    found = Nps(len(after), len(then), answered, earlier, target)
    if min(answered, earlier) < least:
        few = f"{answered} accounts answered now and {earlier} a year before; it takes {least} each time"
        alone = (_points(part, draws) if many >= least else None for part, many in ((after, answered), (then, earlier)))
        return replace(found, now=next(alone), before=next(alone), why=few)
    rows = [one.account for one in (*after, *then)]
    late = np.arange(len(rows)) < len(after)
    points = np.array([POINTS[one.kind] for one in (*after, *then)])

    present = draws.values(rows, lambda weights: weighted_mean(points, weights * late))
    past = draws.values(rows, lambda weights: weighted_mean(points, weights * ~late))
    relative, why = _relative(present, past)
    return replace(
        found,
        now=estimate(present),
        before=estimate(past),
        difference=estimate(present - past),
        relative=relative,
        why=why,
    )


def _points(answers: Sequence[Answer], draws: Bootstrap) -> Estimate | None:
    return draws.mean([POINTS[one.kind] for one in answers], [one.account for one in answers])


def _relative(now: Vector, before: Vector) -> tuple[Estimate | None, str]:
    """The relative change, where what it is relative to is above 0; without an interval where that is not certain."""
    if before[0] <= 0:
        return None, f"a change relative to an NPS of {before[0]:.0f} means nothing; look at the points"
    change = np.divide(now - before, before, out=np.full(len(now), np.nan), where=before > 0)
    if np.mean(before[1:] <= 0) > (1 - COVERAGE) / 2:
        return Estimate(
            float(change[0]), math.nan, math.nan
        ), "the earlier NPS may have been 0 or less; look at the points"
    return estimate(change), ""
