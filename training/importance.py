"""What a model's features are worth out of time: how much worse it foretells when one of them is another account's.

All columns of a feature, or of a family, are given to the accounts of the same as_of anew, by chance and together. What
other features tell as well is not missed, so the numbers do not add up, and a family can be worth more than the sum of
its features. A measurement, by which nothing may be chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from features import threads
from features.errors import PropensityError
from features.workspace import Workspace
from training import metrics
from training.ablation import MEASURED
from training.dataset import Dataset, Matrix, dataset
from training.metrics import Estimate, Weights
from training.model import Model, honour
from training.models import combined
from training.outcomes import configured
from training.registry import Registry
from training.sample import Vector
from training.splits import known_by

Progress = Callable[[str], None]
MOST_ROWS = 10_000
"""More change little, and take long; accounts are kept whole."""
REPEATS = 3
DRAWS = 200


@dataclass(frozen=True)
class Worth:
    """How much the log loss rises (+) where a feature, or a family of several columns, tells of another account."""

    name: str
    columns: int
    rise: Estimate

    @property
    def shown(self) -> bool:
        """Is it shown to be of use?"""
        return self.rise.low > 0

    def as_dict(self) -> dict[str, Any]:
        return {"columns": self.columns, "log_loss": self.rise.as_dict(), "shown": self.shown}


@dataclass(frozen=True)
class Importance:
    """The worth of every family and feature, the greatest first, on rows later than what the model had learnt from."""

    days: list[date]
    n: int
    positives: int
    log_loss: Estimate
    families: list[Worth]
    features: list[Worth]
    version: int | None = None

    def as_dict(self) -> dict[str, Any]:
        return {
            "what": MEASURED,
            "version": self.version,
            "as_of": [str(day) for day in self.days],
            "n": self.n,
            "positives": self.positives,
            "log_loss": self.log_loss.as_dict(),
            "families": {worth.name: worth.as_dict() for worth in self.families},
            "features": {worth.name: worth.as_dict() for worth in self.features},
        }


def importance(
    model: Model,
    rows: Dataset,
    seed: int,
    repeats: int = REPEATS,
    draws: int = DRAWS,
    most: int = MOST_ROWS,
    progress: Progress = lambda _: None,
) -> Importance:
    """Measure on these rows, which the model must not have learnt from; intervals (95%) draw whole accounts."""
    rows = _some(rows, most, seed)
    trial = _Trial.of(model, rows, seed, repeats, draws)
    known = {column.name: column.declaration for column in rows.plan.columns}
    names = model.encoder.columns
    by_feature = _positions([known[name].name for name in names])
    by_family = _positions([known[name].family for name in names])
    asked = [*by_family.values(), *by_feature.values()]
    found = []
    for number, rise in enumerate(threads.each(trial.rise, asked), 1):
        progress(f"{number} of {len(asked)}")
        found.append(rise)
    families = [Worth(name, len(at), rise) for (name, at), rise in zip(by_family.items(), found, strict=False)]
    features = [
        Worth(name, len(at), rise) for (name, at), rise in zip(by_feature.items(), found[len(by_family) :], strict=True)
    ]
    return Importance(
        sorted(set(rows.as_of.tolist())),
        len(rows),
        int(rows.y.sum()),
        trial.log_loss,
        sorted(families, key=lambda worth: -worth.rise.value),
        sorted(features, key=lambda worth: -worth.rise.value),
    )


def of_champion(workspace: Workspace, outcome: str, progress: Progress = lambda _: None) -> Importance:
    """That of an outcome's champion, on every date whose outcomes nothing it had learnt from overlaps.

    Raises PropensityError where there is no champion, or no such date.
    """
    settings, config = configured(workspace, outcome), workspace.config.training
    registry = Registry(workspace)
    version = registry.require_champion(outcome)
    model, rows = registry.load(version), dataset(workspace, outcome)
    honour(model, rows.plan)
    last = date.fromisoformat(max(model.facts["trained_on"]))
    days = [day for day in sorted(set(rows.as_of.tolist())) if known_by(last, settings.span, day)]
    if not days:
        raise PropensityError(
            f"no as_of date is late enough to judge the champion of {outcome}: it has learnt from rows up to {last}, "
            f"whose outcomes took {settings.span} days to be known",
            "Take in later data, or train again with training.test_dates left out of the training range.",
        )
    found = importance(model, rows.at(days), config.seed, progress=lambda step: progress(f"{outcome}, {step}"))
    return Importance(**(vars(found) | {"version": version.number}))


@dataclass(frozen=True)
class _Trial:
    """A model, the rows it is tried on, their loss as they are, and what they are shuffled and drawn by."""

    model: Model
    matrix: Matrix
    shift: Vector
    y: Vector
    losses: Vector
    weights: Weights
    orders: list[npt.NDArray[np.int64]]

    @classmethod
    def of(cls, model: Model, rows: Dataset, seed: int, repeats: int, draws: int) -> _Trial:
        rng, matrix = np.random.default_rng(seed), model.encoder.matrix(rows.frame)
        shift = model.shift(rows.frame)
        return cls(
            model,
            matrix,
            shift,
            rows.y,
            metrics.losses(rows.y, _probability(model, matrix, shift)),
            metrics.draws(rows.accounts, draws, seed),
            [_shuffled(rows.as_of, rng) for _ in range(repeats)],
        )

    @property
    def log_loss(self) -> Estimate:
        return self._mean(self.losses)

    def rise(self, columns: Sequence[int]) -> Estimate:
        """By how much the loss of each row rises on average, where these columns are another account's."""
        total = np.zeros(len(self.y))
        for order in self.orders:
            spoilt = self.matrix.copy()
            spoilt[:, columns] = self.matrix[order][:, columns]
            total += metrics.losses(self.y, _probability(self.model, spoilt, self.shift)) - self.losses
        return self._mean(total / len(self.orders))

    def _mean(self, of_rows: Vector) -> Estimate:
        return metrics.estimate((self.weights @ of_rows) / self.weights.sum(axis=1))


def _probability(model: Model, matrix: Matrix, shift: Vector) -> Vector:
    return np.asarray(expit(model.sigmoid.odds(combined.raw(model.parts, matrix)) + shift))


def _positions(keys: list[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for position, key in enumerate(keys):
        found.setdefault(key, []).append(position)
    return found


def _shuffled(as_of: npt.NDArray[np.object_], rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """The rows in an order that gives each the place of another of the same as_of."""
    order = np.arange(len(as_of))
    for day in sorted(set(as_of.tolist())):
        there = np.flatnonzero(as_of == day)
        order[there] = rng.permutation(there)
    return order


def _some(rows: Dataset, most: int, seed: int) -> Dataset:
    """Accounts by chance, whole, of which there are so many rows at most."""
    if len(rows) <= most:
        return rows
    names, position = np.unique(rows.accounts.astype(str), return_inverse=True)
    turn = np.random.default_rng(seed).permutation(len(names))
    sizes = np.bincount(position)[np.argsort(turn)]
    return rows.where((turn < np.searchsorted(np.cumsum(sizes), most, side="right"))[position])
