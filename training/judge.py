"""A model on rows later than anything it has learnt from: its numbers, what it stands beside, and the verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from features.errors import PropensityError
from features.settings.decisions import Economics
from features.workspace import Config, Workspace
from training import alarm, gate, metrics, slices, value
from training.alarm import Alarm
from training.baselines import BASELINES, Baseline
from training.dataset import Dataset
from training.gate import Check, Verdict
from training.ladder import PRIOR
from training.metrics import Estimate
from training.model import Model, Scores, honour
from training.outcomes import configured
from training.slices import Slice
from training.value import Value

if TYPE_CHECKING:
    from training.registry import Registry

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
    return weighed(
        model,
        learn,
        test,
        scores,
        beside(model, learn, test, BASELINES),
        slices.met(test, learn),
        weights,
        alarm.alarms(workspace, outcome, learn, test, weights),
        _champion(config, registry, outcome, learn, test, scores.probability, weights),
        (config.value, configured(workspace, outcome).capacity) if outcome in SAVED_BY_A_CALL else None,
    )


def beside(model: Model, learn: Dataset, test: Dataset, baselines: Mapping[str, Baseline]) -> dict[str, Vector]:
    """What each baseline foretells of the same rows, from the same columns."""
    fitted, seen = model.encoder.matrix(learn.frame), model.encoder.matrix(test.frame)
    return {name: baseline(fitted, learn.y, seen, model.encoder) for name, baseline in baselines.items()}


def weighed(
    model: Model,
    learn: Dataset,
    test: Dataset,
    scores: Scores,
    theirs: dict[str, Vector],
    met: slices.Mask,
    weights: metrics.Weights,
    alarms: list[Alarm],
    champion: Sequence[Check] = (),
    worth: tuple[Economics, int] | None = None,
    cure: str = gate.CURE,
) -> Judged:
    """The numbers and the verdict, given what was foretold. ``theirs`` are the baselines' probabilities, ``met`` marks
    the rows of accounts that were learnt from, ``worth`` are the terms and the capacity where a list has a value.
    """
    p, arr = scores.probability, arr_of(test)
    comparisons = [gate.compare(name, test.y, p, other, weights) for name, other in theirs.items()]
    verdict = gate.decide(comparisons, champion)
    verdict = gate.abstains(verdict) if model.rung == PRIOR else verdict
    return Judged(
        model,
        learn,
        test,
        scores,
        metrics.judge(test.y, p, weights),
        {name: metrics.judge(test.y, other, weights) for name, other in theirs.items()},
        slices.judged(test, met, p, weights),
        metrics.coverage(test.y, p, scores.low, scores.high),
        value.at_capacity(test.y, p, arr, test.as_of, worth[1], worth[0], weights) if worth else None,
        value.empc(test.y, p, arr, worth[0]) if worth else None,
        gate.heed(verdict, [str(ringing) for ringing in alarms if not ringing.trusted], cure),
        alarms,
    )


def learnt_until(model: Model, span: int) -> date:
    """When the last outcome that a model has learnt from was known: rows from then on are new to it."""
    return max(map(date.fromisoformat, model.facts["trained_on"])) + timedelta(days=span)


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
    """What a challenger has to show against the champion on the same rows, those that neither has learnt from; nothing
    where there is none to compare with.
    """
    current = registry.champion(outcome)
    if current is None:
        return []
    model = registry.load(current)
    try:
        honour(model, test.plan)
    except PropensityError:
        return []
    name, until = f"champion (version {current.number})", learnt_until(model, config.outcomes.of(outcome).span)
    fair = test.as_of >= until
    if not fair.any():
        return [gate.Met(name, until)]
    test, ours, weights = test.where(fair), ours[fair], weights[:, fair]
    theirs = model.scores(test.frame).probability
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
