"""From asks to the chance of a yes: the ladder of the other models, on asks that count for those who were not asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from features.settings.training import Training
from training import calibration
from training.asks import weights
from training.asks.past import Past, plan_of, plan_of_cells
from training.asks.shares import Shares, shares
from training.asks.weights import Overlap
from training.dataset import Dataset
from training.learn import learned
from training.model import Model
from training.models import linear
from training.models.combined import Part
from training.sample import Vector, sample
from training.splits import Fold, known_by

LEAST, LEAST_OF_EACH = 60, 15
"""Asks whose answer is known, and yes and no among them, below which there are shares and no model."""
LATER = 0.25
"""The share of the asks, the last ones, on which the rung is chosen and calibrated if they are enough."""
SHARES = "shares"
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Fitted:
    """The chance that an account says yes if it is asked: a model of the ladder, or shares per kind where asks are few.

    ``outside`` asks went to accounts that the rules speak against, and ``unknown`` have no answer yet: neither is learnt
    from. ``why`` says why there is no more than shares, ``steps`` how the rung was chosen.
    """

    model: Model | Shares
    asks: int
    yes: int
    unknown: int
    outside: int
    overlap: Overlap
    corrected: bool
    why: str = ""
    steps: list[str] = field(default_factory=list)

    @property
    def rung(self) -> str:
        return self.model.rung if isinstance(self.model, Model) else SHARES

    def as_dict(self) -> dict[str, Any]:
        told = {name: getattr(self, name) for name in ("rung", "asks", "yes", "unknown", "outside", "corrected", "why")}
        return {**told, "steps": self.steps, "overlap": self.overlap.as_dict()}


@dataclass(frozen=True)
class Learnable:
    """The asks that may be learnt from, their answers, their weights, and what is left out."""

    asks: pd.DataFrame
    y: Vector
    weights: Vector
    unknown: int
    outside: int
    overlap: Overlap


def learnable(past: Past, day: date, hidden: bool = True) -> Learnable:
    """The asks made to eligible accounts that were answered, or never will be, by the end of a day.

    An account-month that was not asked is no row here and has no label: it only helps to tell how likely asks were.
    ``hidden``: asking went by more than is on record, too (``weights.leaning``).
    """
    known = past.by(day)
    y = known.answers(day)
    inside = known.asks["cell"].isin(known.cells.index).to_numpy()
    use = inside & ~np.isnan(y)
    asks, asked = known.asks[use], known.asked
    if min(asked.sum(), (1 - asked).sum()) >= weights.FEWEST:
        rows = dataset(known.cells, asked, plan_of_cells(known.signals))
        chance = pd.Series(weights.chances(sample(rows)), known.cells.index)
    else:
        chance = pd.Series(np.full(len(asked), asked.mean() if len(asked) else 1.0), known.cells.index)
    of_asks = np.asarray(chance[asks["cell"]], dtype=float)
    counts = weights.stabilised(float(asked.mean()) if len(asked) else 1.0, of_asks)
    if hidden:
        counts = weights.clipped(counts * weights.leaning(y[use], _said(asks, y[use], known.signals), of_asks))
    found = weights.overlap(asked, np.asarray(chance, dtype=float), counts)
    return Learnable(asks, y[use], counts, int((inside & np.isnan(y)).sum()), int((~inside).sum()), found)


def _said(asks: pd.DataFrame, y: Vector, signals: tuple[str, ...]) -> Vector:
    """The chance of a yes of each that was asked, by those who were asked; the share of all where they are few."""
    if len(y) < LEAST or min(y.sum(), (1 - y).sum()) < LEAST_OF_EACH:
        return np.full(len(y), (y.sum() + 1) / (len(y) + 2))
    return weights.chances(sample(dataset(asks, y, plan_of(signals))))


def fit(
    past: Past,
    day: date,
    config: Training,
    corrected: bool = True,
    hidden: bool = True,
    progress: Progress = lambda _: None,
) -> Fitted:
    """Learn from what was known by the end of a day. ``corrected``: weighted, so that it speaks of all eligible accounts
    and not only of those like the ones that were asked; ``hidden``: where asking went by more than is on record, too.
    """
    found = learnable(past, day, hidden)
    counts = weights.scaled(found.weights) if corrected else None
    yes, size = int(found.y.sum()), len(found.y)
    told = (size, yes, found.unknown, found.outside, found.overlap, corrected)
    if size < LEAST or min(yes, size - yes) < LEAST_OF_EACH:
        why = f"{size} asks with an answer, {yes} of them yes; a model takes {LEAST}, and {LEAST_OF_EACH} of each"
        return Fitted(shares(found.asks["kind"], found.y, counts), *told, why)
    rows = dataset(found.asks, found.y, plan_of(past.signals), counts)
    made = learned(rows, folds(rows, past.patience), config, {}, progress, growth=None)
    return Fitted(made.model, *told, steps=[str(step) for step in made.choice.steps])


def folds(rows: Dataset, patience: int) -> list[Fold]:
    """All asks to learn from; before that, the last ones foretold from those that had been answered by then."""
    days = sorted(rows.as_of.tolist())
    begins = days[int((1 - LATER) * len(days))]
    every = sorted(set(days))
    before = tuple(day for day in every if known_by(day, patience + 1, begins))
    whole = Fold(tuple(every), (every[-1] + timedelta(days=1),))
    return [Fold(before, tuple(day for day in every if day >= begins)), whole] if before else [whole]


def unasked(cells: pd.DataFrame, y: Vector, signals: tuple[str, ...], overlap: float, config: Training) -> Model | None:
    """The chance that an account acts without being asked: one penalised logistic regression, calibrated on accounts left
    out in turn; None where too few have. ``overlap``: at how many dates one and the same act is seen.
    """
    if min(y.sum(), (1 - y).sum()) / overlap < LEAST_OF_EACH:
        return None
    rows = sample(dataset(cells, y, plan_of_cells(signals)))
    rows = type(rows)(rows.matrix, rows.y, rows.accounts, rows.encoder, overlap)
    found = linear.fit(rows, rows.cuts(config.bags, config.seed), config.seed)
    sigmoid = calibration.fit(found.unseen, y)
    spread = calibration.replicates(found.unseen, y, rows.accounts, config.seed)
    return Model("logistic", (Part(1.0, found.component),), rows.encoder, sigmoid, tuple(spread), {"rows": len(y)})


def dataset(rows: pd.DataFrame, y: Vector, plan: Any, counts: Vector | None = None) -> Dataset:
    """Rows of asks, or of cells, to learn from."""
    kept = rows[["account", "as_of", *plan.names]].reset_index(drop=True)
    kept["row_hash"] = [str(number) for number in range(len(kept))]
    return Dataset(kept, y, plan, pd.DataFrame(), weights=counts)
