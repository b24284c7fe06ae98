"""From rows and folds to a model: climb the ladder, choose the rung by what was foretold, calibrate on the same."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np

from features.settings.training import Training
from training import calibration, ladder, metrics, season
from training.dataset import Dataset
from training.ladder import Choice, Rung
from training.model import Model
from training.models import combined
from training.models.trees import FULL, Growth
from training.sample import Vector, sample
from training.splits import Fold

Progress = Callable[[str], None]
LIBRARIES = ("lightgbm", "mlflow", "numpy", "pandas", "scikit-learn", "duckdb", "numba")
ENOUGH = 100
DATES = 3
UNSURE = 8.0
"""With few events both the posterior and the jackknife are too sure: they take the normal for granted. Their variance is
multiplied by 1 + UNSURE / events; found on worlds of 300 accounts whose truth is known, and checked on others
(``benchmarks/worlds.py``).
"""


@dataclass(frozen=True)
class Foretold:
    """What each rung foretold (log-odds) for rows that it had not learnt from, and which rows these are."""

    rungs: dict[str, Vector]
    rows: Dataset
    how: str


@dataclass(frozen=True)
class Learned:
    """A model, by what its rung was chosen, and how earlier models did on the blocks that came after them."""

    model: Model
    choice: Choice
    calibration: str
    earlier: list[dict[str, Any]]


def learned(
    rows: Dataset,
    folds: list[Fold],
    config: Training,
    facts: dict[str, Any],
    progress: Progress = lambda _: None,
    growth: Growth | None = FULL,
) -> Learned:
    """Fit on the final fold's past. The rung is chosen, and calibrated, on what earlier models foretold of later dates;
    where that is too little, on accounts left out in turn.
    """
    final = folds[-1]
    learn = rows.at(list(final.fit))
    inside = sample(learn)
    rungs = {rung.name: rung for rung in ladder.climb(inside, config.seed, config.bags, progress, growth)}
    earlier = [
        _earlier(rows, fold, config, growth, lambda what: progress(f"earlier fold, {what}")) for fold in folds[:-1]
    ]
    evidence = _evidence(rungs, learn, earlier)
    seen = evidence.rows
    choice = ladder.choose(evidence.rungs, seen.y, seen.accounts, config.seed, seen.weights)
    raw = evidence.rungs[choice.rung]
    sigmoid = calibration.fit(raw, seen.y, seen.weights)
    spread = calibration.replicates(raw, seen.y, seen.accounts, config.seed, seen.weights)
    yearly = facts.get("settings", {}).get("season") == "year"
    foretold = sigmoid.odds(rungs[choice.rung].unseen)
    known = {
        "trained_on": [str(day) for day in final.fit],
        "rows": len(learn),
        "data": digest(learn),
        "seen": inside.ranges,
        "base_rate": float(learn.y.mean()),
        "calibration": evidence.how,
        "growth": {} if growth is None else growth.parameters,
        "ladder": [str(step) for step in choice.steps],
        "versions": {name: version(name) for name in LIBRARIES} | {"python": platform.python_version()},
    }
    events = min(learn.y.sum(), (1 - learn.y).sum()) / inside.overlap
    model = Model(
        choice.rung,
        rungs[choice.rung].parts,
        inside.encoder,
        sigmoid,
        tuple(spread),
        facts | known,
        season.fit(foretold, learn.y, learn.as_of) if yearly else None,
        float(1 + UNSURE / max(events, 1)),
    )
    history = [_history(block, choice.rung, sigmoid) for block in earlier]
    return Learned(model, choice, evidence.how, history)


def _earlier(rows: Dataset, fold: Fold, config: Training, growth: Growth | None, progress: Progress) -> Foretold:
    """An earlier fold's block, foretold by models that had learnt only from what was known before it."""
    learn, block = rows.at(list(fold.fit)), rows.at(list(fold.test))
    if min(learn.y.sum(), (1 - learn.y).sum()) < config.bags:
        return Foretold({}, block.where(np.zeros(len(block), dtype=bool)), "")
    inside = sample(learn)
    matrix = inside.encoder.matrix(block.frame)
    found = {
        rung.name: combined.raw(rung.parts, matrix)
        for rung in ladder.climb(inside, config.seed, config.bags, progress, growth)
    }
    days = sorted(set(block.as_of.tolist()))
    how = f"on a later fold ({days[0]} to {days[-1]}) than that model had learnt from" if days else ""
    return Foretold(found, block, how)


def _evidence(rungs: dict[str, Rung], learn: Dataset, earlier: list[Foretold]) -> Foretold:
    """One later date alone would pass its season off as a lasting shift; it takes several, with enough of both kinds."""
    for block in reversed(earlier):
        y = block.rows.y
        if len(set(block.rows.as_of.tolist())) >= DATES and min(y.sum(), (1 - y).sum()) >= ENOUGH:
            return block
    unseen = {name: rung.unseen for name, rung in rungs.items()}
    return Foretold(unseen, learn, "on accounts left out in turn: history is too short for a later fold")


def _history(block: Foretold, rung: str, sigmoid: calibration.Sigmoid) -> dict[str, Any]:
    if not len(block.rows):
        return {}
    days = sorted(set(block.rows.as_of.tolist()))
    weights = np.ones((1, len(block.rows)))
    p = sigmoid(block.rungs[rung])
    found = {name: float(metric(block.rows.y, p, weights)[0]) for name, metric in metrics.METRICS.items()}
    return {"from": str(days[0]), "to": str(days[-1]), "n": len(block.rows), **found}


def digest(rows: Dataset) -> str:
    """The rows learnt from, by the hashes of their features and by what came of them."""
    total = hashlib.sha256()
    for row_hash, y in zip(rows.frame["row_hash"].tolist(), rows.y.tolist(), strict=True):
        total.update(f"{row_hash} {y:.0f}".encode())
    return total.hexdigest()[:16]
