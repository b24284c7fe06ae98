"""The time of the year: by how much the share of yes is above or below what the accounts' own features say.

Accounts tell little of Christmas. Where a business says that it has a yearly season (``season = "year"``), the gap that
is expected at a date is the last one known, moved on by what happened over the same weeks a year before. One or two
years show no more than one or two seasons, so this is the user's knowledge, not the data's: it is off by default.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import expit

Vector = npt.NDArray[np.float64]
YEAR = 364
"""Fifty-two weeks, so that a Monday is compared with a Monday."""
NEAR = 21
"""Days by which a date a year before may lie outside the dates that were seen."""


@dataclass(frozen=True)
class Season:
    """``gaps``: at each of ``days`` (ordinals, ascending), what has to be added to calibrated log-odds for the mean
    probability to be the share that came true.
    """

    days: tuple[int, ...]
    gaps: tuple[float, ...]

    def shift(self, days: Sequence[date] | npt.NDArray[np.object_]) -> Vector:
        """What is added to the log-odds of rows at these dates; nothing where no year before them was seen."""
        of = {day: self._at(day.toordinal()) for day in dict.fromkeys(days)}
        return np.array([of[day] for day in days], dtype=np.float64)

    @property
    def variance(self) -> float:
        """How far off it may be: by half of how far the dates are apart, which is a guess and not a measurement."""
        return float(np.var(self.gaps)) / 2

    def _at(self, day: int) -> float:
        years = max(1, -((self.days[-1] - day) // YEAR))
        before = day - YEAR * years
        now, then = self.days[-1], self.days[-1] - YEAR * years
        if before < self.days[0] - NEAR or then < self.days[0] - NEAR:
            return 0.0
        return float(self.gaps[-1] + self._gap(before) - self._gap(then)) if now < day else self._gap(day)

    def _gap(self, day: int) -> float:
        return float(np.interp(day, self.days, self.gaps))


def fit(odds: Vector, y: Vector, as_of: npt.NDArray[np.object_]) -> Season:
    """The gap at each date between ``odds``, foretold of accounts that had not been met, and what came true."""
    days = sorted(set(as_of.tolist()))
    gaps = []
    for day in days:
        rows = as_of == day
        rate = (y[rows].sum() + 1) / (rows.sum() + 2)
        gaps.append(float(brentq(_missing, -20, 20, args=(odds[rows], rate))))
    return Season(tuple(day.toordinal() for day in days), tuple(gaps))


def _missing(gap: float, odds: Vector, rate: float) -> float:
    return float(expit(odds + gap).mean() - rate)
