"""The gate: a model is promoted only if it is shown to be better, on rows later than anything it has learnt from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

import numpy as np
import numpy.typing as npt

from training.metrics import Estimate, ece, estimate, losses, over_draws

Vector = npt.NDArray[np.float64]
PROMOTED, NO_SIGNAL, NOT_BETTER, SUSPECTED = "promoted", "no usable signal", "not better", "suspected leak"
CURE = "Mend the mapping of what is named, or name it in training.trusted where it was truly known beforehand."


@dataclass(frozen=True)
class Comparison:
    """Log loss of the model minus that of ``rival`` on the same rows, with a paired account bootstrap."""

    rival: str
    gain: Estimate

    @property
    def better(self) -> bool:
        return self.gain.high < 0

    def __str__(self) -> str:
        verdict = "better than" if self.better else "not shown to be better than"
        return (
            f"{verdict} {self.rival}: log loss {self.gain.value:+.4f} "
            f"(95% interval {self.gain.low:+.4f} to {self.gain.high:+.4f})"
        )


@dataclass(frozen=True)
class NoWorse:
    """Ours minus that of ``rival``, where lower is better: it may not be shown to be worse."""

    what: str
    rival: str
    gap: Estimate

    @property
    def better(self) -> bool:
        return not self.gap.low > 0

    def __str__(self) -> str:
        verdict = "not shown to be worse than" if self.better else "worse than"
        return (
            f"{self.what}: {verdict} {self.rival} ({self.gap.value:+.4g}, "
            f"95% interval {self.gap.low:+.4g} to {self.gap.high:+.4g})"
        )


@dataclass(frozen=True)
class Met:
    """A rival that has learnt from all that it would be judged by: nothing can be shown against it."""

    rival: str
    until: date
    better: bool = False

    def __str__(self) -> str:
        return (
            f"{self.rival} has learnt from outcomes until {self.until}, which the whole test fold lies before: "
            "it cannot be judged by it; wait for later dates, or promote by hand"
        )


class Check(Protocol):
    """A condition of promotion, and how it came out in words."""

    @property
    def better(self) -> bool: ...


@dataclass(frozen=True)
class Verdict:
    """What the gate decided and every reason for it."""

    verdict: str
    reasons: list[str] = field(default_factory=list)

    @property
    def promoted(self) -> bool:
        return self.verdict == PROMOTED


def compare(rival: str, y: Vector, ours: Vector, theirs: Vector, weights: Vector) -> Comparison:
    gaps = losses(y, ours) - losses(y, theirs)
    return Comparison(rival, estimate((weights @ gaps) / weights.sum(axis=1)))


def calibration(rival: str, y: Vector, ours: Vector, theirs: Vector, weights: Vector) -> NoWorse:
    """The calibration error of ours minus that of the rival, on the same rows."""
    both = [over_draws(ece, y, p, weights) for p in (ours, theirs)]
    return NoWorse("calibration error", rival, estimate(both[0] - both[1]))


def decide(baselines: list[Comparison], champion: Sequence[Check] = ()) -> Verdict:
    """Promote only what beats every baseline and the champion in log loss, each with its whole interval below 0, and is
    not shown to be worse than the champion in calibration, in value or in any segment.
    """
    everyone: list[Check] = [*baselines, *champion]
    reasons = [str(comparison) for comparison in everyone]
    if all(comparison.better for comparison in everyone):
        return Verdict(PROMOTED, reasons)
    base = next(comparison for comparison in baselines if comparison.rival == "base rate")
    return Verdict(NOT_BETTER if base.better else NO_SIGNAL, reasons)


def abstains(verdict: Verdict) -> Verdict:
    """A model that is no more than the prior tells nobody apart, whatever it happens to beat."""
    return Verdict(
        NO_SIGNAL,
        ["nothing foretells better than the share of yes: the ladder stays on its first rung", *verdict.reasons],
    )


def heed(verdict: Verdict, alarms: list[str], cure: str = CURE) -> Verdict:
    """What is too good to be believed is not promoted, whatever it beats: a leak makes the comparisons worthless."""
    if not alarms:
        return verdict
    told = [f"suspected leak: {alarm}" for alarm in alarms]
    return Verdict(SUSPECTED, [*verdict.reasons, *told, cure])


def too_few(what: str, positives: int, negatives: int, minimum: int) -> Verdict | None:
    """Refuse to learn or judge on too few of either kind, saying how many there are and how many it takes."""
    scarce = min(positives, negatives)
    if scarce >= minimum:
        return None
    kind = "yes" if positives <= negatives else "no"
    return Verdict(
        NO_SIGNAL,
        [f"{what} has {scarce} rows with {kind}; at least {minimum} are needed (training.minimum_positives)"],
    )
