"""The backtest of asks: at every origin, learn from what had been answered by then, and foretell the asks that came later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from features.errors import PropensityError
from features.settings.training import Training
from training import metrics
from training.asks.fit import LEAST_OF_EACH, Fitted, fit, learnable
from training.asks.past import Past
from training.asks.shares import shares
from training.asks.weights import Overlap
from training.metrics import Estimate
from training.sample import Vector

MONTHS = 3
"""Months of asks that one origin foretells."""
SHOWN = ("log_loss", "auc", "ece", "base_rate")
CORRECTED, UNCORRECTED, RECORDED = "corrected", "uncorrected", "corrected for what is on record"
PER_KIND, PER_KIND_CORRECTED, OVERALL = "share per kind", "share per kind, corrected", "overall share"
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Origin:
    """Asks of the months after ``day``, foretold by what was known at its end."""

    day: date
    learnt_from: int
    rung: str
    n: int
    yes: int
    log_loss: Estimate
    per_kind: Estimate

    def as_dict(self) -> dict[str, Any]:
        estimates = {"log_loss": self.log_loss.as_dict(), "per_kind": self.per_kind.as_dict()}
        return {**vars(self), "day": str(self.day), **estimates}


@dataclass(frozen=True)
class Judged:
    """One way to foretell: its metrics among those asked, among all eligible (each ask counts for those who were not asked,
    as ``weights`` takes them to be: that this holds is not tested), and its log loss beside the share per kind, paired: below 0 is better.
    """

    asked: dict[str, Estimate]
    eligible: dict[str, Estimate]
    gain: Estimate
    gain_eligible: Estimate

    def as_dict(self) -> dict[str, Any]:
        parts = {name: {each: e.as_dict() for each, e in getattr(self, name).items()} for name in ("asked", "eligible")}
        return {**parts, "gain": self.gain.as_dict(), "gain_eligible": self.gain_eligible.as_dict()}


@dataclass(frozen=True)
class AsksBacktest:
    """All origins together. ``bins``: said, seen and count of the corrected, in ten bins."""

    origins: list[Origin]
    n: int
    yes: int
    judged: dict[str, Judged]
    bins: list[tuple[float, float, int]]
    overlap: Overlap
    skipped: list[str]

    def as_dict(self) -> dict[str, Any]:
        return {
            "origins": [one.as_dict() for one in self.origins],
            "n": self.n,
            "yes": self.yes,
            "judged": {name: one.as_dict() for name, one in self.judged.items()},
            "bins": [{"said": said, "seen": seen, "n": n} for said, seen, n in self.bins],
            "overlap": self.overlap.as_dict(),
            "skipped": self.skipped,
        }


@dataclass(frozen=True)
class _Block:
    day: date
    found: Fitted
    asks: pd.DataFrame
    y: Vector
    p: dict[str, Vector]


def backtest(past: Past, until: date, config: Training, progress: Progress = lambda _: None) -> AsksBacktest:
    """Origins every three months, backwards from the last one with three months of asks after it; what came of these is
    what is known by the end of ``until``. Raises PropensityError where not one origin can be judged.
    """
    days = sorted(set(past.cells["as_of"]) | {until})
    starts = days[-1 - MONTHS :: -MONTHS][::-1]
    final = learnable(past, until)
    whole = pd.Series(final.y, final.asks.index)
    blocks, skipped = [], []
    for number, day in enumerate(starts, 1):
        progress(f"origin {number} of {len(starts)} ({day})")
        block = _block(past, day, days[days.index(day) + MONTHS], whole, config)
        if isinstance(block, str):
            skipped.append(f"{day}: {block}")
        else:
            blocks.append(block)
    if not blocks:
        raise PropensityError(
            f"no date has {LEAST_OF_EACH} asks accepted and {LEAST_OF_EACH} not before it, and any after it"
            + (f" ({'; '.join(skipped)})" if skipped else ""),
            "It takes asks that were answered, of accounts that the rules allowed to be asked: map the table advocacy, "
            "start as_of.since earlier, or wait.",
        )
    progress("judging")
    return _judged(blocks, pd.Series(final.weights, final.asks.index), final.overlap, skipped, config)


def _block(past: Past, day: date, ends: date, whole: pd.Series, config: Training) -> _Block | str:
    """What is foretold of the asks made in the cells from ``day`` up to ``ends``, whose answers are known by now."""
    known = learnable(past, day)
    yes, size = int(known.y.sum()), len(known.y)
    if min(yes, size - yes) < LEAST_OF_EACH:
        return f"{yes} yes and {size - yes} no before it"
    here = past.cells.index[(past.cells["as_of"] >= day) & (past.cells["as_of"] < ends)]
    asks = past.asks[past.asks["cell"].isin(here) & past.asks.index.isin(whole.index)]
    if asks.empty:
        return "no ask with an answer after it"
    corrected = fit(past, day, config)
    plain = shares(known.asks["kind"], known.y)
    weighed = shares(known.asks["kind"], known.y, known.weights)
    ways = {
        CORRECTED: corrected.model,
        UNCORRECTED: fit(past, day, config, corrected=False).model,
        PER_KIND: plain,
        PER_KIND_CORRECTED: weighed,
    }
    p = {name: model.scores(asks).probability for name, model in ways.items()}
    p[OVERALL] = np.full(len(asks), (yes + 1) / (size + 2))
    return _Block(day, corrected, asks, whole[asks.index].to_numpy(), p)


def _judged(
    blocks: list[_Block], weights: pd.Series, overlap: Overlap, skipped: list[str], config: Training
) -> AsksBacktest:
    asks = pd.concat([block.asks for block in blocks])
    y = np.concatenate([block.y for block in blocks])
    p = {name: np.concatenate([block.p[name] for block in blocks]) for name in blocks[0].p}
    drawn = metrics.draws(asks["account"].to_numpy(dtype=object), config.bootstraps, config.seed)
    weighed = drawn * weights[asks.index].to_numpy()
    origins = []
    for block in blocks:
        own = metrics.draws(block.asks["account"].to_numpy(dtype=object), config.bootstraps, config.seed)
        loss, theirs = (
            metrics.estimate(metrics.log_loss(block.y, block.p[name], own)) for name in (CORRECTED, PER_KIND)
        )
        made = (block.day, block.found.asks, block.found.rung, len(block.y), int(block.y.sum()))
        origins.append(Origin(*made, loss, theirs))
    return AsksBacktest(
        origins,
        len(y),
        int(y.sum()),
        {name: _one(y, each, p[PER_KIND], drawn, weighed) for name, each in p.items()},
        metrics.reliability(y, p[CORRECTED]),
        overlap,
        skipped,
    )


def _one(y: Vector, p: Vector, beside: Vector, drawn: metrics.Weights, weighed: metrics.Weights) -> Judged:
    def shown(weights: metrics.Weights) -> dict[str, Estimate]:
        found = metrics.judge(y, p, weights)
        return {name: found[name] for name in SHOWN}

    def gain(weights: metrics.Weights) -> Estimate:
        return metrics.estimate(metrics.log_loss(y, p, weights) - metrics.log_loss(y, beside, weights))

    return Judged(shown(drawn), shown(weighed), gain(drawn), gain(weighed))
