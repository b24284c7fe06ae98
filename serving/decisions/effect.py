"""What a call does, from accounts that were drawn at random and not called: with an interval, and how many it would take."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from scipy.stats import binomtest, norm

COVERAGE, POWER = 0.95, 0.8


@dataclass(frozen=True)
class Arm:
    """Accounts of which it is known what came of them, and how many of these left."""

    accounts: int
    left: int

    @property
    def rate(self) -> float:
        return self.left / self.accounts if self.accounts else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's; from nothing to everything where there is nobody."""
        if not self.accounts:
            return 0.0, 1.0
        found = binomtest(self.left, self.accounts).proportion_ci(COVERAGE, method="wilson")
        return float(found.low), float(found.high)


@dataclass(frozen=True)
class Between:
    """A number and its 95% interval; null where nothing can be said."""

    value: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float | None]:
        return {
            name: None if math.isnan(number) or math.isinf(number) else number for name, number in vars(self).items()
        }


@dataclass(frozen=True)
class Effect:
    """``kept`` is the share of the called that stayed for being called; ``save_rate`` the share of those who would have
    left that did. ``needed`` is how many more accounts it takes, in the same proportion, to show the assumed save rate.
    """

    called: Arm
    held_out: Arm
    kept: Between
    save_rate: Between
    needed: int | None
    assumed: float

    @property
    def shown(self) -> bool:
        """Whether calls are shown to keep accounts, or to drive them away."""
        return self.kept.low > 0 or self.kept.high < 0

    @property
    def verdict(self) -> str:
        """In a sentence."""
        if not self.called.accounts or not self.held_out.accounts:
            return "nothing is known yet: of those called and of those held out, both, somebody's outcome must be known"
        if self.kept.low > 0:
            return f"calls keep accounts: {self.save_rate.value:.0%} of those who would have left stay"
        if self.kept.high < 0:
            return "those who were called left more often than those who were not"
        more = (
            ""
            if self.needed is None
            else f"; to show a save rate of {self.assumed:.0%} you need about {self.needed:,} more"
        )
        return f"no effect is shown{more}"

    def as_dict(self) -> dict[str, Any]:
        return {
            "called": vars(self.called),
            "held_out": vars(self.held_out),
            "kept": self.kept.as_dict(),
            "save_rate": self.save_rate.as_dict(),
            "assumed_save_rate": self.assumed,
            "needed": self.needed,
            "shown": self.shown,
            "verdict": self.verdict,
        }


def effect(called: Arm, held_out: Arm, assumed: float, holdout: float) -> Effect:
    """Compare the arms as they were drawn: whoever was to be called counts as called, reached or not.

    Newcombe's interval for the difference, and the one of Donner and Zou for the ratio, both from Wilson's for each arm.
    """
    return Effect(
        called,
        held_out,
        difference(held_out, called),
        save_rate(held_out, called),
        more_needed(called, held_out, assumed, holdout),
        assumed,
    )


def difference(first: Arm, second: Arm) -> Between:
    """The rate of the first minus that of the second."""
    (low, high), (other_low, other_high) = first.interval, second.interval
    gap = first.rate - second.rate
    if math.isnan(gap):
        return Between(math.nan, -1.0, 1.0)
    return Between(
        gap,
        gap - math.hypot(first.rate - low, other_high - second.rate),
        gap + math.hypot(high - first.rate, second.rate - other_low),
    )


def save_rate(held_out: Arm, called: Arm) -> Between:
    """One minus the ratio of the rates: at most 1, below 0 where calls drive accounts away."""
    p, q = called.rate, held_out.rate
    (low, high), (other_low, other_high) = called.interval, held_out.interval
    if math.isnan(p) or math.isnan(q) or q == 0:
        return Between(math.nan, -math.inf, 1.0)
    bottom, top = other_high * (2 * q - other_high), other_low * (2 * q - other_low)
    least = (p * q - math.sqrt(max((p * q) ** 2 - low * (2 * p - low) * bottom, 0.0))) / bottom if bottom else 0.0
    most = (p * q + math.sqrt(max((p * q) ** 2 - high * (2 * p - high) * top, 0.0))) / top if top > 0 else math.inf
    return Between(1 - p / q, 1 - most, 1 - max(least, 0.0))


def more_needed(called: Arm, held_out: Arm, assumed: float, holdout: float) -> int | None:
    """How many more accounts, ``holdout`` of them held out, would show the assumed save rate with a power of 80%; none
    where enough are there; null where it is assumed that nothing is saved, or nobody is held out.
    """
    rate = held_out.rate if held_out.left else (called.left + 1) / (called.accounts + 2)
    with_calls = rate * (1 - assumed)
    if rate == with_calls or not 0 < holdout < 1:
        return None
    reach = float(norm.ppf((1 + COVERAGE) / 2) + norm.ppf(POWER))
    spread = rate * (1 - rate) / holdout + with_calls * (1 - with_calls) / (1 - holdout)
    needed = math.ceil(reach**2 * spread / (rate - with_calls) ** 2)
    return max(needed - called.accounts - held_out.accounts, 0)
