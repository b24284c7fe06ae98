"""A model on rows later than anything it has learnt from: its numbers, what it stands beside, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.errors import PropensityError
from features.workspace import Config, Workspace
from training import alarm, gate, metrics, slices, value
from training.alarm import Alarm
from training.baselines import BASELINES
from training.dataset import Dataset
from training.gate import Check, Verdict
from training.ladder import PRIOR
from training.metrics import Estimate
from training.model import Model, Scores, honour
from training.outcomes import configured
from training.registry import Registry
from training.slices import Slice
from training.value import Value

Vector = npt.NDArray[np.float64]
SAVED_BY_A_CALL = ("churn", "contraction")
"""Outcomes that a call is to prevent: for these a list has a value in money."""


@dataclass(frozen=True)
class Judged:
    """A model and its scores on the test fold, with what it stands beside. ``value`` is None where a list has none."""

    model: Model
    learn: Dataset
    test: Dataset
    scores: Scores
    metrics: dict[str, Estimate]
    baselines: dict[str, dict[str, Estimate]]
    slices: list[Slice]
    coverage: list[dict[str, float]]
    value: Value | None
    empc: float | None
    verdict: Verdict
    alarms: list[Alarm]


def judge(
    workspace: Workspace, registry: Registry, outcome: str, model: Model, learn: Dataset, test: Dataset
) -> Judged:
    """Every number of a model on the test fold, each with its interval by account, and whether the gate lets it pass."""
    config = workspace.config
    weights = metrics.draws(test.accounts, config.training.bootstraps, config.training.seed)
    scores = model.scores(test.frame)
    fitted, seen = model.encoder.matrix(learn.frame), model.encoder.matrix(test.frame)
    theirs = {name: baseline(fitted, learn.y, seen, model.encoder) for name, baseline in BASELINES.items()}
    comparisons = [gate.compare(name, test.y, scores.probability, p, weights) for name, p in theirs.items()]
    verdict = gate.decide(comparisons, _champion(config, registry, outcome, learn, test, scores.probability, weights))
    verdict = gate.abstains(verdict) if model.rung == PRIOR else verdict
    found = alarm.alarms(workspace, outcome, learn, test, weights)
    saves = outcome in SAVED_BY_A_CALL
    arr, capacity = arr_of(test), configured(workspace, outcome).capacity
    return Judged(
        model,
        learn,
        test,
        scores,
        metrics.judge(test.y, scores.probability, weights),
        {name: metrics.judge(test.y, p, weights) for name, p in theirs.items()},
        slices.judged(test, slices.met(test, learn), scores.probability, weights),
        metrics.coverage(test.y, scores.probability, scores.low, scores.high),
        value.at_capacity(test.y, scores.probability, arr, test.as_of, capacity, config.value, weights)
        if saves
        else None,
        value.empc(test.y, scores.probability, arr, config.value) if saves else None,
        gate.heed(verdict, [str(ringing) for ringing in found if not ringing.trusted]),
        found,
    )


def arr_of(rows: Dataset) -> Vector:
    """The ARR of each row as of its date, null where it is not known."""
    if "arr" not in rows.frame:
        return np.full(len(rows), np.nan)
    return rows.frame["arr"].to_numpy(dtype=np.float64)


def _champion(
    config: Config,
    registry: Registry,
    outcome: str,
    learn: Dataset,
    test: Dataset,
    ours: Vector,
    weights: metrics.Weights,
) -> list[Check]:
    """What a challenger has to show against the champion on the same rows; nothing where there is none to compare with."""
    current = registry.champion(outcome)
    if current is None:
        return []
    model = registry.load(current)
    try:
        honour(model, test.plan)
    except PropensityError:
        return []
    theirs = model.scores(test.frame).probability
    name = f"champion (version {current.number})"
    checks: list[Check] = [
        gate.compare(name, test.y, ours, theirs, weights),
        gate.calibration(name, test.y, ours, theirs, weights),
    ]
    gaps = metrics.losses(test.y, ours) - metrics.losses(test.y, theirs)
    if (found := slices.worst(test, slices.met(test, learn), gaps, weights)) is not None:
        checks.append(gate.NoWorse(f"log loss in segment {found[0]}", name, found[1]))
    if outcome in SAVED_BY_A_CALL:
        capacity = config.outcomes.of(outcome).capacity
        profit = value.compared(test.y, ours, theirs, arr_of(test), test.as_of, capacity, config.value, weights)
        checks.append(gate.NoWorse("value at capacity", name, -profit))
    return checks
