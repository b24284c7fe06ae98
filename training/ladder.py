"""The ladder: shrunken prior → penalised logistic → small trees → all of it with larger trees. One climbs as far as it pays.

A rung must be shown to foretell better than the one that stands, by more than one standard error over accounts;
otherwise the simpler one stays, which with few accounts is the safer bet.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from training import calibration, metrics
from training.models import linear, prior, trees
from training.models.combined import Part, blended
from training.models.trees import Growth
from training.sample import Sample, Vector

Progress = Callable[[str], None]
PRIOR, LOGISTIC, SMALL, FULL = "prior", "logistic", "small trees", "full"
MIDDLE = "trees of three levels"
SURE = 1.0
"""Standard errors by which a rung must be better than a simpler one."""
DRAWS = 200
ENOUGH = 100
"""Events of the rarer kind below which large trees are not grown: they would be stopped by a few lucky accounts."""


@dataclass(frozen=True)
class Rung:
    """A fitted rung: its parts and their weights, and each row's log-odds by those that had not met its account."""

    name: str
    parts: tuple[Part, ...]
    unseen: Vector


@dataclass(frozen=True)
class Step:
    """How a rung did: its log loss on accounts it had not met, its gain over what stood, and whether it was taken."""

    rung: str
    log_loss: float
    gain: float = 0.0
    error: float = 0.0
    taken: bool = True
    over: str = ""

    def __str__(self) -> str:
        if not self.over:
            return f"{self.rung}: log loss {self.log_loss:.4f}"
        verb = "taken" if self.taken else "not taken"
        return (
            f"{self.rung}: {verb}, log loss {self.log_loss:.4f}, {self.gain:+.4f} (± {self.error:.4f}) on {self.over}"
        )


@dataclass(frozen=True)
class Choice:
    rung: str
    steps: list[Step] = field(default_factory=list)


def climb(
    rows: Sample, seed: int, bags: int, progress: Progress = lambda _: None, growth: Growth | None = trees.FULL
) -> list[Rung]:
    """Every rung that these rows bear, simplest first; ``growth`` is that of the large trees, none: none are grown.

    The prior's intervals are made by what the logistic regression holds possible all the same.
    """
    cuts = rows.cuts(max(bags, 2), seed)

    def told(name: str) -> Progress:
        return lambda what: progress(f"{name}, {what}")

    progress(LOGISTIC)
    straight = linear.fit(rows, cuts, seed)
    few = trees.small(rows, cuts, seed, told(SMALL))
    shrunken = prior.fit(rows, cuts, seed)
    rungs = [
        Rung(PRIOR, (Part(1.0, shrunken.component), Part(0.0, straight.component)), shrunken.unseen),
        Rung(LOGISTIC, (Part(1.0, straight.component),), straight.unseen),
        Rung(SMALL, (Part(1.0, few.component),), few.unseen),
    ]
    if growth is None or min(rows.y.sum(), (1 - rows.y).sum()) / rows.overlap < ENOUGH:
        return rungs
    large = [trees.fit(growth, rows, cuts, seed, told(FULL)), trees.middle(rows, cuts, seed, told(MIDDLE))]
    parts, unseen = blended([*large, few, straight], rows.y)
    rungs.append(Rung(FULL, parts, unseen))
    return rungs


def choose(
    rungs: dict[str, Vector], y: Vector, accounts: metrics.Names, seed: int, counts: Vector | None = None
) -> Choice:
    """Climb over what each rung has foretold (log-odds), all of the same rows; ``accounts`` are drawn whole, and rows
    count ``counts`` each, or all the same.
    """
    weights = metrics.draws(accounts, DRAWS, seed) * (1.0 if counts is None else counts)
    losses = {name: metrics.losses(y, calibration.fit(raw, y, counts)(raw)) for name, raw in rungs.items()}
    stands, *higher = rungs
    steps = [Step(stands, float(np.average(losses[stands], weights=counts)))]
    for name in higher:
        gaps = losses[name] - losses[stands]
        gain, error = float(np.average(gaps, weights=counts)), float(((weights @ gaps) / weights.sum(axis=1))[1:].std())
        taken = gain + SURE * error < 0
        steps.append(Step(name, float(np.average(losses[name], weights=counts)), gain, error, taken, stands))
        stands = name if taken else stands
    return Choice(stands, steps)
