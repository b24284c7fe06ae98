"""What is usual, judged by the past: every threshold, with its reason, and the ranges that follow from them.

All ranges are the median of earlier values and so many robust spreads to both sides, so that one bad week of the past
neither hides nor raises an alarm. Counts and shares are compared on scales where chance alone has a known spread
(square root, arc sine), so that three facts instead of one, or one empty value of five, are no news.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

PERIOD = 28
"""Days of a period: whole weeks, so that every period has the same weekdays."""
EARLIER = 13
"""Periods or as_of dates to compare with: 13 times 28 days is a year, so that each season has been seen once."""
ENOUGH = 4
"""Fewer earlier periods or dates are too few to tell an odd value from an odd past."""
SPREADS = 4.0
"""Half a range, in spreads. A check looks at some hundred values; at 4 spreads chance raises one in 16,000."""
DRIFT = 0.1
"""A business breathes: counts that differ by a tenth are one spread apart however many there are, so that a table must
lose two fifths or grow by half before it is named."""
SHARE_DRIFT = 0.03
"""The same for shares, on the arc sine scale: at least 0.4 points away from 0%, 6 points away from 50%."""
LEVEL_DRIFT = 0.1
"""The same for a feature's mean and median: this part of its width over accounts is one spread."""
FEWEST = 50
"""Of fewer accounts than this the mean and median of a feature say little."""
CLUMPS = 4
"""A period holds at least so many bursts of facts: invoices sent once a month are counted over 18 weeks."""
ARRIVED = 0.5
"""An earlier period of which less than this part had arrived by its end was loaded afterwards: no past to go by."""
GAPS = 12
"""So many gaps between days with facts are needed to say which gap is usual."""
SILENCE = 3
"""Days without facts that are never news: exports taken at noon, time zones, a holiday."""
LOST = 0.01
"""A part of the rows that may go without a word (accounts that asked to be forgotten, repeats mended); rows beyond it
are history that disappears."""
FEW = 3
"""As many rows may go in any case."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Range:
    """From ``low`` to ``high``, both usual."""

    low: float
    high: float

    def holds(self, value: float) -> bool:
        return self.low <= value <= self.high


def counts(earlier: Sequence[int]) -> Range:
    """How many facts a period usually has."""
    roots = np.array([_root(count) for count in earlier])
    low, high = _around(roots, math.hypot(1, DRIFT * float(np.median(roots)) / 2))
    return Range(max(0, math.ceil(_unroot(low))), math.floor(_unroot(high)))


def shares(earlier: Sequence[int], of: Sequence[int], now_of: int) -> Range:
    """Which share of ``now_of`` rows is usual, where ``earlier`` counts of ``of`` rows were found."""
    angles = np.array([_angle(count, rows) for count, rows in zip(earlier, of, strict=True)])
    low, high = _around(angles, math.hypot(1 / math.sqrt(now_of + 0.5), SHARE_DRIFT))
    return Range(_unangle(low), _unangle(high))


def by_chance(before: float, now: float, of: int) -> float:
    """By how much the middle of a feature differs for no reason, over ``of`` accounts, where its width (the standard
    deviation, for a median the distance of the quartiles) was ``before`` and is ``now``.
    """
    return math.hypot(LEVEL_DRIFT * before, now / math.sqrt(of))


def means(earlier: Sequence[float], by_chance: float) -> Range:
    """Which mean of a feature is usual."""
    return Range(*_around(np.array(earlier), by_chance))


def medians(earlier: Sequence[float], lower: Sequence[float], upper: Sequence[float], by_chance: float) -> Range:
    """Which median of a feature is usual: as for means, and whatever lies between the usual quartiles: a count
    whose median steps from 0 to 1 has not jumped.
    """
    low, high = _around(np.array(earlier), by_chance)
    return Range(min(low, float(np.median(lower))), max(high, float(np.median(upper))))


def silence(gaps: Sequence[int]) -> int:
    """How many days without a fact are usual: twice the longest gap, where that was not an outage itself."""
    return max(SILENCE, min(2 * max(gaps), math.ceil(3 * float(np.quantile(gaps, 0.95)))))


def period(days: Sequence[int], facts: Sequence[int]) -> int:
    """Days of a period for facts that come on these days: whole weeks that hold enough of their bursts.

    The bursts are the busiest days, as many as bring half of the facts.
    """
    order = np.argsort(-np.asarray(facts), kind="stable")
    brought = np.cumsum(np.asarray(facts)[order])
    busy = np.sort(np.asarray(days)[order[: int(np.searchsorted(brought, brought[-1] / 2)) + 1]])
    gap = float(np.median(np.diff(busy))) if len(busy) > 1 else 1.0
    return max(PERIOD, 7 * math.ceil(CLUMPS * gap / 7))


def shrunk(before: int, now: int) -> bool:
    """Have more rows gone than may go without a word?"""
    return before - now > max(FEW, LOST * before)


def _around(earlier: Floats, least: float) -> tuple[float, float]:
    middle = float(np.median(earlier))
    seen = 1.4826 * float(np.median(np.abs(earlier - middle))) * (1 + 3 / len(earlier))  # few understate it
    half = SPREADS * max(seen, least * math.sqrt(1 + 1.6 / len(earlier)))  # few place the middle badly
    return middle - half, middle + half


def _root(count: int) -> float:
    """Anscombe: counts of chance have spread 1 on this scale."""
    return 2 * math.sqrt(count + 0.375)


def _unroot(root: float) -> float:
    return max(root, 0.0) ** 2 / 4 - 0.375


def _angle(count: int, of: int) -> float:
    """Anscombe: shares of chance have spread 1 / sqrt(of) on this scale."""
    return 2 * math.asin(math.sqrt((count + 0.375) / (of + 0.75)))


def _unangle(angle: float) -> float:
    return math.sin(min(max(angle, 0.0), math.pi) / 2) ** 2
