"""How much each ask counts so that those who were asked speak for all who could have been.

By inverse probability of asking, for what the records show (``stabilised``); and, for what they do not show, as positive
and unlabelled: those who would say yes are taken to be asked equally often, whatever they look like (``leaning``). Records
cannot tell whether that is so; where they hold all that asking goes by, it makes too little of those who are seldom asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from training import calibration
from training.metrics import auc
from training.models import linear, trees
from training.models.combined import blended, raw
from training.sample import Sample, Vector

CLIP = 10.0
"""No ask counts for more than so many, nor for less than one in so many."""
SEED, CUTS = 7, 5
SUREST = 0.99
"""Nobody is taken to be surer of a yes than that."""
FEWEST = 20
"""Account-months asked, and not asked, below which nobody can tell who is asked: then all asks count the same."""


@dataclass(frozen=True)
class Overlap:
    """How unlike those who were asked are to those who could have been, and what that costs.

    ``cells`` eligible account-months, ``asked`` of them asked; ``selection``: how well it can be foretold who is asked
    (AUC; 0.5: asks are as good as random). ``unlike``: the share of eligible account-months less likely to be asked than
    all but a hundredth of those asked. ``effective``: as many asks of equal weight tell as much; ``clipped`` asks weigh as
    much, or as little, as is allowed.
    """

    cells: int
    asked: int
    selection: float
    unlike: float
    asks: int
    effective: float
    clipped: int

    def as_dict(self) -> dict[str, Any]:
        return {name: None if np.isnan(value) else value for name, value in vars(self).items()}

    @classmethod
    def from_dict(cls, told: dict[str, Any]) -> Overlap:
        known: dict[str, Any] = {name: np.nan if value is None else value for name, value in told.items()}
        return cls(**known)


def chances(cells: Sample) -> Vector:
    """The chance of being asked of every cell (``y``: was it?), or of a yes of every ask: a penalised logistic regression
    and small trees, in the shares that foretell accounts left out best, and calibrated on these.
    """
    cuts = cells.cuts(CUTS, SEED)
    parts, unseen = blended([linear.fit(cells, cuts, SEED), trees.small(cells, cuts, SEED)], cells.y)
    return calibration.fit(unseen, cells.y)(raw(parts, cells.matrix))


def leaning(y: Vector, said: Vector, chance: Vector) -> Vector:
    """How many times its weight each answer counts if all who would say yes are asked equally often.

    ``said``: the chance of a yes of those who were asked and look like it. Where the chance of being asked is half of what
    those who said yes have on average, whoever asks is taken to have picked out the willing: of all who look like it, half
    as many would say yes. 1 throughout where asks are drawn at random.
    """
    if not y.any():
        return np.ones(len(y))
    kept = np.minimum(1.0, chance / np.average(chance, weights=y))
    sure = np.minimum(said, SUREST)
    return np.where(y == 1, kept, (1 - sure * kept) / (1 - sure))


def clipped(weights: Vector) -> Vector:
    return np.clip(weights, 1 / CLIP, CLIP)


def stabilised(rate: float, chance: Vector) -> Vector:
    """One over the chance of having been asked, times the rate of asks, clipped: 1 where asks are drawn at random."""
    return clipped(rate / chance)


def effective(weights: Vector) -> float:
    """Kish's effective sample size."""
    return float(weights.sum() ** 2 / (weights**2).sum()) if len(weights) else 0.0


def scaled(weights: Vector) -> Vector:
    """The same weights, adding up to the effective sample size, so that nobody is surer than so many asks allow."""
    return weights * effective(weights) / weights.sum() if len(weights) else weights


def overlap(asked: Vector, chance: Vector, weights: Vector) -> Overlap:
    """``asked`` (0 or 1) and ``chance`` of every cell; ``weights`` of the asks learnt from, before they are scaled."""
    once = np.ones((1, len(asked)))
    bounds = np.isclose(weights, CLIP) | np.isclose(weights, 1 / CLIP)
    lowest = float(np.quantile(chance[asked == 1], 0.01, method="lower")) if asked.any() else np.nan
    return Overlap(
        len(asked),
        int(asked.sum()),
        float(auc(asked, chance, once)[0]) if len(asked) else np.nan,
        float((chance < lowest).mean()) if len(asked) else np.nan,
        len(weights),
        effective(weights),
        int(bounds.sum()),
    )
