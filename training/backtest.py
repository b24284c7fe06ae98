"""The backtest: at every origin that the data allows, learn from what was known then, and judge on what came after.

It answers what one test fold cannot: does it hold at all times, for whom, and how fast does a model grow old? A
measurement: the gate decides on the last block alone, and nothing here is chosen by it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from features.errors import PropensityError
from features.files import replaced
from features.workspace import Config, Workspace
from training import metrics, slices, value
from training.baselines import BASELINES
from training.beforehand import facts, not_ahead
from training.dataset import Dataset, dataset
from training.judge import SAVED_BY_A_CALL, arr_of, beside
from training.learn import Learned, learned
from training.metrics import Estimate
from training.outcomes import configured
from training.sample import Vector
from training.slices import Slice
from training.splits import Fold, blocks, rolling

Progress = Callable[[str], None]
WORTH = 5
"""Yes and no that an origin must have, each, before and after it, to be told."""
SHOWN = ("log_loss", "auc", "average_precision", "brier", "ece")


@dataclass(frozen=True)
class Origin:
    """A block of as_of dates, foretold by a model that knew only what was known before it."""

    days: tuple[date, ...]
    learnt_from: int
    rung: str
    n: int
    positives: int
    metrics: dict[str, Estimate]
    baselines: dict[str, dict[str, Estimate]]
    profit: Estimate | None

    def as_dict(self) -> dict[str, Any]:
        return {
            "days": [str(day) for day in self.days],
            "learnt_from": self.learnt_from,
            "rung": self.rung,
            "n": self.n,
            "positives": self.positives,
            "metrics": _told(self.metrics),
            "baselines": {name: _told(found) for name, found in self.baselines.items()},
            "profit_per_date": self.profit.as_dict() if self.profit else None,
        }


@dataclass(frozen=True)
class Aged:
    """How models do on blocks so many blocks later, ``days`` after the last date they have learnt from, on average."""

    days: int
    origins: int
    log_loss: float
    auc: float


@dataclass(frozen=True)
class Backtest:
    """Every origin; all of them together, in whole and in parts; how models age; and what shuffled labels come to."""

    outcome: str
    origins: list[Origin]
    metrics: dict[str, Estimate]
    baselines: dict[str, dict[str, Estimate]]
    slices: list[Slice]
    ages: list[Aged]
    shuffled: Estimate
    skipped: list[str]

    def as_dict(self) -> dict[str, Any]:
        return {
            "outcome": self.outcome,
            "origins": [origin.as_dict() for origin in self.origins],
            "metrics": _told(self.metrics),
            "baselines": {name: _told(found) for name, found in self.baselines.items()},
            "slices": [one.as_dict() for one in self.slices],
            "ages": [vars(one) for one in self.ages],
            "shuffled_auc": self.shuffled.as_dict(),
            "skipped": self.skipped,
        }


@dataclass(frozen=True)
class _Block:
    """An origin's model and what it foretold, with what is needed to judge it later."""

    fold: Fold
    found: Learned
    learn: Dataset
    test: Dataset
    p: Vector
    theirs: dict[str, Vector]


def backtest(
    workspace: Workspace, outcome: str, most: int | None = None, progress: Progress = lambda _: None
) -> Backtest:
    """Roll the origin over all as_of dates (blocks of ``training.test_dates``; the last ``most``, if stated), and keep what came of it
    under ``state/backtests``.

    Raises PropensityError where the workspace cannot give the data, or too little of it for a single origin.
    """
    settings, config = configured(workspace, outcome), workspace.config.training
    progress(f"{outcome}: frame")
    rows = dataset(workspace, outcome)
    days = sorted(set(rows.as_of.tolist()))
    folds = blocks(days, settings.span, config.test_dates)
    folds = folds if most is None else folds[-most:]
    foretold, skipped = [], []
    for number, fold in enumerate(folds, 1):
        about = f"{outcome}: origin {number} of {len(folds)} ({fold.test[0]})"
        learn, test = rows.at(list(fold.fit)), rows.at(list(fold.test))
        if (unfit := _few(learn, test) or _ahead(workspace.config, outcome, fold)) is not None:
            skipped.append(f"{fold.test[0]}: {unfit}")
            continue
        known = facts(workspace, outcome, rows)
        inner = rolling(list(fold.fit) + list(fold.test), settings.span, len(fold.test), config.folds)
        found = learned(rows, inner, config, known, _about(progress, about))
        foretold.append(_foretold(fold, found, learn, test))
    if not foretold:
        raise PropensityError(
            f"{outcome}: no origin has {WORTH} yes and {WORTH} no before and after it ({'; '.join(skipped)})",
            "Take in more history, start as_of.since earlier, shorten the outcome's horizon, or set personas.until earlier.",
        )
    progress(f"{outcome}: judging")
    made = _judged(workspace, outcome, foretold, skipped)
    with replaced(place(workspace, outcome)) as part:
        part.write_text(json.dumps(made.as_dict(), indent=1), encoding="utf-8")
    return made


def place(workspace: Workspace, outcome: str) -> Path:
    """Where the last backtest of an outcome is kept."""
    return workspace.state / "backtests" / f"{outcome}.json"


def kept(workspace: Workspace, outcome: str) -> dict[str, Any]:
    """The last backtest of an outcome (``Backtest.as_dict``); raises PropensityError (404) where there was none."""
    configured(workspace, outcome)
    file = place(workspace, outcome)
    if not file.is_file():
        raise PropensityError(
            f"{outcome} has not been tested back in this workspace",
            f"`propensity backtest {outcome}` does that; it takes minutes, and is kept.",
            status=404,
        )
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def _about(progress: Progress, where: str) -> Progress:
    return lambda what: progress(f"{where}: {what}")


def _few(learn: Dataset, test: Dataset) -> str | None:
    for what, rows in (("before it", learn), ("in it", test)):
        yes, no = int(rows.y.sum()), int((1 - rows.y).sum())
        if min(yes, no) < WORTH:
            return f"{yes} yes and {no} no {what}"
    return None


def _ahead(config: Config, outcome: str, fold: Fold) -> str | None:
    try:
        not_ahead(config, outcome, fold)
    except PropensityError as refused:
        return refused.message
    return None


def _foretold(fold: Fold, found: Learned, learn: Dataset, test: Dataset) -> _Block:
    theirs = beside(found.model, learn, test, BASELINES)
    return _Block(fold, found, learn, test, found.model.scores(test.frame).probability, theirs)


def _judged(workspace: Workspace, outcome: str, made: list[_Block], skipped: list[str]) -> Backtest:
    config = workspace.config
    capacity, saves = configured(workspace, outcome).capacity, outcome in SAVED_BY_A_CALL

    def draws(rows: Dataset) -> metrics.Weights:
        return metrics.draws(rows.accounts, config.training.bootstraps, config.training.seed)

    origins = []
    for block in made:
        weights, test = draws(block.test), block.test
        profit = None
        if saves:
            listed = (test.y, block.p, arr_of(test), test.as_of, capacity, config.value, weights)
            profit = value.at_capacity(*listed).profit
        origins.append(
            Origin(
                block.fold.test,
                len(block.learn),
                block.found.model.rung,
                len(test),
                int(test.y.sum()),
                _shown(metrics.judge(test.y, block.p, weights)),
                {name: _shown(metrics.judge(test.y, p, weights)) for name, p in block.theirs.items()},
                profit,
            )
        )
    test = _together([block.test for block in made])
    met = np.concatenate([slices.met(block.test, block.learn) for block in made])
    p, weights = np.concatenate([block.p for block in made]), draws(test)
    theirs = {name: np.concatenate([block.theirs[name] for block in made]) for name in made[0].theirs}
    return Backtest(
        outcome,
        origins,
        _shown(metrics.judge(test.y, p, weights)),
        {name: _shown(metrics.judge(test.y, q, weights)) for name, q in theirs.items()},
        slices.judged(test, met, p, weights),
        list(_ages(made)),
        _shuffled(test, p, weights, config.training.seed),
        skipped,
    )


def _ages(made: list[_Block]) -> Iterator[Aged]:
    """Every model on every later block, by how old it was then: the same model on later and later dates."""
    found: dict[int, list[tuple[int, float, float]]] = {}
    for position, block in enumerate(made):
        for foretoldlater, later in enumerate(made[position:]):
            age = (later.fold.test[0] - block.fold.fit[-1]).days
            p = block.found.model.scores(later.test.frame).probability
            once = np.ones((1, len(p)))
            loss, area = (float(metric(later.test.y, p, once)[0]) for metric in (metrics.log_loss, metrics.auc))
            found.setdefault(foretoldlater, []).append((age, loss, area))
    for numbers in found.values():
        ages, losses, areas = zip(*numbers, strict=True)
        yield Aged(round(float(np.mean(ages))), len(numbers), float(np.mean(losses)), float(np.mean(areas)))


def _shuffled(test: Dataset, p: Vector, weights: metrics.Weights, seed: int) -> Estimate:
    """AUC against labels shuffled among the accounts of each date: 0.5, or the judging itself is wrong."""
    rng, y = np.random.default_rng(seed), test.y.copy()
    for day in dict.fromkeys(test.as_of.tolist()):
        rows = np.flatnonzero(test.as_of == day)
        y[rows] = rng.permutation(y[rows])
    return metrics.estimate(metrics.over_draws(metrics.auc, y, p, weights))


def _together(parts: list[Dataset]) -> Dataset:
    first = parts[0]
    treated = (
        None if first.treated is None else np.concatenate([part.treated for part in parts if part.treated is not None])
    )
    frame = pd.concat([part.frame for part in parts], ignore_index=True)
    return replace(first, frame=frame, y=np.concatenate([part.y for part in parts]), treated=treated)


def _shown(found: dict[str, Estimate]) -> dict[str, Estimate]:
    return {name: found[name] for name in SHOWN}


def _told(found: dict[str, Estimate]) -> dict[str, Any]:
    return {name: estimate.as_dict() for name, estimate in found.items()}
