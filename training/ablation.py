"""What each family of features is worth out of time: the model with all of them, and with each family left out.

A measurement on the test fold, by which nothing may be chosen: choose on earlier dates.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from features.errors import PropensityError
from features.feature import Family
from features.workspace import Workspace
from training import metrics
from training.beforehand import facts, not_ahead, too_few
from training.dataset import Dataset, dataset
from training.learn import learned
from training.metrics import Estimate
from training.outcomes import configured
from training.splits import Fold, rolling

Vector = npt.NDArray[np.float64]
Progress = Callable[[str], None]
FAMILIES: tuple[Family, ...] = get_args(Family)
MEASURED = "a measurement on the test fold: nothing may be chosen by it"


@dataclass(frozen=True)
class Without:
    """A family left out: how many columns it has, and how much the log loss and the AUC rise (+) or fall (-)."""

    family: Family
    columns: int
    log_loss: Estimate
    auc: Estimate

    @property
    def missed(self) -> bool:
        """Is the model shown to be worse without it?"""
        return self.log_loss.low > 0

    def as_dict(self) -> dict[str, Any]:
        return {
            "columns": self.columns,
            "log_loss": self.log_loss.as_dict(),
            "auc": self.auc.as_dict(),
            "missed": self.missed,
        }


@dataclass(frozen=True)
class Ablation:
    """The model with everything on the test fold, and what leaving out each family changes there."""

    outcome: str
    test: list[date]
    n: int
    positives: int
    columns: int
    log_loss: Estimate
    auc: Estimate
    without: list[Without]

    def as_dict(self) -> dict[str, Any]:
        return {
            "what": MEASURED,
            "test": [str(day) for day in self.test],
            "n": self.n,
            "positives": self.positives,
            "all": {"columns": self.columns, "log_loss": self.log_loss.as_dict(), "auc": self.auc.as_dict()},
            "without": {one.family: one.as_dict() for one in self.without},
        }


def ablate(workspace: Workspace, outcome: str, progress: Progress = lambda _: None) -> Ablation:
    """Train once with all columns and once without each family; the frames stay as they are.

    Raises PropensityError where the workspace cannot give the data, or too little of it.
    """
    settings, config = configured(workspace, outcome), workspace.config.training
    rows = dataset(workspace, outcome)
    folds = rolling(sorted(set(rows.as_of.tolist())), settings.span, config.test_dates, config.folds)
    not_ahead(workspace.config, outcome, folds[-1])
    learn, test = rows.at(list(folds[-1].fit)), rows.at(list(folds[-1].test))
    if refusal := too_few(learn, test, config.minimum_positives):
        raise PropensityError(
            f"{outcome}: {refusal.reasons[0]}",
            "Take in more history, or lower training.minimum_positives and expect wide intervals.",
        )
    weights = metrics.draws(test.accounts, config.bootstraps, config.seed)
    whole = _foretold(workspace, outcome, rows, folds, _about(progress, "all columns"))
    base = _measured(test.y, whole, weights)
    sizes = {family: sum(column.declaration.family == family for column in rows.plan.columns) for family in FAMILIES}
    without = []
    for family in (family for family, size in sizes.items() if size):
        left = leave_out(rows, family)
        foretold = _foretold(workspace, outcome, left, folds, _about(progress, f"without {family}"))
        loss, area = (
            metrics.estimate(one - all_) for one, all_ in zip(_measured(test.y, foretold, weights), base, strict=True)
        )
        without.append(Without(family, sizes[family], loss, area))
    loss, area = map(metrics.estimate, base)
    return Ablation(
        outcome, list(folds[-1].test), len(test), int(test.y.sum()), len(rows.plan.columns), loss, area, without
    )


def leave_out(rows: Dataset, family: Family) -> Dataset:
    """The same rows under a plan without the columns of a family."""
    kept = tuple(column for column in rows.plan.columns if column.declaration.family != family)
    return replace(rows, plan=replace(rows.plan, columns=kept))


def _foretold(workspace: Workspace, outcome: str, rows: Dataset, folds: list[Fold], progress: Progress) -> Vector:
    """Probabilities on the test fold, by a model that is fitted and calibrated as in training."""
    learn, test = rows.at(list(folds[-1].fit)), rows.at(list(folds[-1].test))
    if not rows.plan.columns:
        return np.full(len(test), learn.y.mean())
    found = learned(rows, folds, workspace.config.training, facts(workspace, outcome, rows), progress)
    return found.model.scores(test.frame).probability


def _about(progress: Progress, which: str) -> Progress:
    return lambda what: progress(f"{what}, {which}")


def _measured(y: Vector, p: Vector, weights: Vector) -> tuple[Vector, Vector]:
    """Log loss and AUC of each draw."""
    loss, area = (metrics.over_draws(metric, y, p, weights) for metric in (metrics.log_loss, metrics.auc))
    return loss, area
