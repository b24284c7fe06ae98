"""One outcome from frame to verdict: fit, calibrate, judge beside the baselines, register, promote if it is better."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt

from features.errors import PropensityError
from features.workspace import Config, Workspace
from training import alarm, calibration, gate, metrics, plots
from training.alarm import Alarm
from training.baselines import BASELINES
from training.calibration import Sigmoid
from training.dataset import Dataset, dataset
from training.fit import PARAMETERS, Fitted, fit
from training.gate import Comparison, Verdict
from training.metrics import Estimate
from training.model import Model, honour
from training.outcomes import configured
from training.registry import Registry
from training.splits import Fold, rolling

Vector = npt.NDArray[np.float64]
Progress = Callable[[str], None]
LIBRARIES = ("lightgbm", "mlflow", "numpy", "pandas", "scikit-learn", "duckdb", "numba")
ENOUGH_TO_CALIBRATE = 100
DATES_TO_CALIBRATE = 3


@dataclass
class Result:
    """What training one outcome came to; ``metrics`` and ``baselines`` are of the test fold."""

    outcome: str
    verdict: str
    reasons: list[str]
    version: int | None = None
    run: str | None = None
    test: list[date] = field(default_factory=list)
    n: int = 0
    positives: int = 0
    metrics: dict[str, Estimate] = field(default_factory=dict)
    baselines: dict[str, dict[str, Estimate]] = field(default_factory=dict)
    calibration: str = ""
    earlier: list[dict[str, Any]] = field(default_factory=list)
    windows: list[dict[str, Any]] = field(default_factory=list)
    alarms: list[Alarm] = field(default_factory=list)

    @property
    def promoted(self) -> bool:
        return self.verdict == gate.PROMOTED

    def as_dict(self) -> dict[str, Any]:
        def told(found: dict[str, Estimate]) -> dict[str, Any]:
            counts = {"n": self.n, "positives": self.positives}
            return {name: estimate.as_dict() for name, estimate in found.items()} | counts

        return {
            "verdict": self.verdict,
            "version": self.version,
            "promoted": self.promoted,
            "reasons": self.reasons,
            "test": [str(day) for day in self.test],
            "metrics": told(self.metrics) if self.metrics else None,
            "baselines": {name: told(found) for name, found in self.baselines.items()},
            "alarms": [ringing.as_dict() for ringing in self.alarms],
            "calibration": self.calibration,
            "earlier_folds": self.earlier,
            "windows": self.windows,
            "run": self.run,
        }


@dataclass(frozen=True)
class Judged:
    """A model and its probabilities on the test fold, with what it stands beside."""

    model: Model
    test: Dataset
    probability: Vector
    metrics: dict[str, Estimate]
    baselines: dict[str, dict[str, Estimate]]
    verdict: Verdict
    alarms: list[Alarm]


def train(workspace: Workspace, outcome: str, progress: Progress = lambda _: None) -> Result:
    """Train, judge and register one outcome; the champion changes only if the gate passes.

    Raises PropensityError where the workspace cannot give the data. Everything is logged to MLflow.
    """
    settings = configured(workspace, outcome)
    config = workspace.config.training
    progress(f"{outcome}: frame")
    rows = dataset(workspace, outcome)
    alarm.trusted(workspace.config, rows.plan)
    days = sorted(set(rows.as_of.tolist()))
    folds = rolling(days, settings.span, config.test_dates, config.folds)
    final = folds[-1]
    not_ahead(workspace.config, outcome, final)
    learn, test = rows.at(list(final.fit)), rows.at(list(final.test))
    blank = Result(
        outcome,
        gate.NO_SIGNAL,
        [],
        test=list(final.test),
        n=len(test),
        positives=int(test.y.sum()),
        windows=[
            {str(key): value for key, value in line.items()} | {"as_of": str(line["as_of"])}
            for line in rows.counts.to_dict("records")
        ],
    )
    if refusal := too_few(learn, test, config.minimum_positives):
        return replace(blank, verdict=refusal.verdict, reasons=refusal.reasons)
    registry, tags = Registry(workspace), {"outcome": outcome, "workspace": workspace.config.name}
    with registry.run(outcome, tags) as run, TemporaryDirectory() as scratch:
        model, how, earlier = learnt(workspace, outcome, rows, folds, progress)
        progress(f"{outcome}: judging")
        judged = _judge(workspace, registry, outcome, model, learn, test)
        result = replace(
            blank,
            verdict=judged.verdict.verdict,
            reasons=judged.verdict.reasons,
            run=run,
            metrics=judged.metrics,
            baselines=judged.baselines,
            calibration=how,
            earlier=earlier,
            alarms=judged.alarms,
        )
        progress(f"{outcome}: to MLflow")
        _record(workspace, registry, result, judged, learn, Path(scratch))
    return result


def not_ahead(config: Config, outcome: str, final: Fold) -> None:
    """Refuse personas that were fitted on what the test fold is to foretell."""
    if config.personas is not None and config.personas.until >= final.test[0]:
        raise PropensityError(
            f"personas.until is {config.personas.until}, and the test of {outcome} begins on {final.test[0]}: "
            "personas fitted after that look ahead",
            f"Set personas.until to a date before {final.test[0]}.",
        )


def too_few(learn: Dataset, test: Dataset, minimum: int) -> Verdict | None:
    """The refusal to learn or to judge on too little, if there is too little of either."""
    for what, rows in (("the training range", learn), ("the test fold", test)):
        yes = int(rows.y.sum())
        if refusal := gate.too_few(what, yes, len(rows) - yes, minimum):
            return refusal
    return None


def learnt(
    workspace: Workspace, outcome: str, rows: Dataset, folds: list[Fold], progress: Progress
) -> tuple[Model, str, list[dict[str, Any]]]:
    """Fit on the final fold's past; calibrate on what earlier folds foretold, or where that is too little, out of fold."""
    config, final = workspace.config.training, folds[-1]
    learn = rows.at(list(final.fit))
    fitted = fit(learn, config.seed, config.bags, lambda what: progress(f"{outcome}: {what}"))
    earlier = [
        _earlier(rows, fold, config.seed, config.bags, lambda what: progress(f"{outcome}: earlier fold, {what}"))
        for fold in folds[:-1]
    ]
    raw, seen, how = _to_calibrate(fitted, learn, earlier)
    sigmoid = calibration.fit(raw, seen.y)
    spread = calibration.replicates(raw, seen.y, seen.accounts, config.seed)
    facts = {
        "outcome": outcome,
        "settings": configured(workspace, outcome).model_dump(mode="json"),
        "plan": rows.plan.digest,
        "meanings": rows.plan.meanings,
        "trained_on": [str(day) for day in final.fit],
        "rows": len(learn),
        "data": _digest(learn),
        "base_rate": float(learn.y.mean()),
        "calibration": how,
        "versions": {name: version(name) for name in LIBRARIES} | {"python": platform.python_version()},
    }
    history = [_history(raw, seen, sigmoid) for raw, seen in earlier]
    return Model(fitted.boosters, fitted.encoder, sigmoid, tuple(spread), facts), how, history


def _earlier(rows: Dataset, fold: Fold, seed: int, bags: int, progress: Progress) -> tuple[Vector, Dataset]:
    """Raw scores of an earlier fold's test block, by a model that had learnt only from what was known before it."""
    learn, test = rows.at(list(fold.fit)), rows.at(list(fold.test))
    if min(learn.y.sum(), (1 - learn.y).sum()) < bags:
        return np.zeros(0), test.where(np.zeros(len(test), dtype=bool))
    fitted = fit(learn, seed, bags, progress)
    return fitted.raw(fitted.encoder.matrix(test.frame)), test


def _to_calibrate(fitted: Fitted, learn: Dataset, earlier: list[tuple[Vector, Dataset]]) -> tuple[Vector, Dataset, str]:
    """One later date alone would pass its season off as a lasting shift; it takes several, with enough of both kinds."""
    for raw, seen in reversed(earlier):
        days = sorted(set(seen.as_of.tolist()))
        if len(days) < DATES_TO_CALIBRATE or min(seen.y.sum(), (1 - seen.y).sum()) < ENOUGH_TO_CALIBRATE:
            continue
        return raw, seen, f"on a later fold ({days[0]} to {days[-1]}) than that model had learnt from"
    return fitted.unseen, learn, "on accounts left out in turn: history is too short for a later fold"


def _history(raw: Vector, seen: Dataset, sigmoid: Sigmoid) -> dict[str, Any]:
    if not len(seen):
        return {}
    days = sorted(set(seen.as_of.tolist()))
    weights = np.ones((1, len(seen)))
    found = {name: float(metric(seen.y, sigmoid(raw), weights)[0]) for name, metric in metrics.METRICS.items()}
    return {"from": str(days[0]), "to": str(days[-1]), "n": len(seen), **found}


def _judge(
    workspace: Workspace, registry: Registry, outcome: str, model: Model, learn: Dataset, test: Dataset
) -> Judged:
    config = workspace.config.training
    weights = metrics.draws(test.accounts, config.bootstraps, config.seed)
    ours = model.scores(test.frame).probability
    fitted, seen = model.encoder.matrix(learn.frame), model.encoder.matrix(test.frame)
    theirs = {name: baseline(fitted, learn.y, seen, model.encoder) for name, baseline in BASELINES.items()}
    comparisons = [gate.compare(name, test.y, ours, p, weights) for name, p in theirs.items()]
    champion = _champion(registry, outcome, test, ours, weights)
    found = alarm.alarms(workspace, outcome, learn, test, weights)
    verdict = gate.decide(comparisons, champion)
    return Judged(
        model,
        test,
        ours,
        metrics.judge(test.y, ours, weights),
        {name: metrics.judge(test.y, p, weights) for name, p in theirs.items()},
        gate.heed(verdict, [str(ringing) for ringing in found if not ringing.trusted]),
        found,
    )


def _champion(registry: Registry, outcome: str, test: Dataset, ours: Vector, weights: Vector) -> Comparison | None:
    """The comparison with the champion, unless there is none or it cannot be scored on today's features."""
    current = registry.champion(outcome)
    if current is None:
        return None
    model = registry.load(current)
    try:
        honour(model, test.plan)
    except PropensityError:
        return None
    theirs = model.scores(test.frame).probability
    return gate.compare(f"champion (version {current.number})", test.y, ours, theirs, weights)


def _record(
    workspace: Workspace, registry: Registry, result: Result, judged: Judged, learn: Dataset, scratch: Path
) -> None:
    """Everything to MLflow; promoting is the last step, so a kill before it leaves the champion as it was."""
    pictures = scratch / "artifacts"
    pictures.mkdir()
    title = f"{result.outcome}, {len(judged.test):,} rows at {', '.join(map(str, result.test))}"
    plots.reliability(metrics.reliability(judged.test.y, judged.probability), title, pictures / "reliability.png")
    plots.against_baselines({"model": result.metrics} | result.baselines, title, pictures / "baselines.png")
    plots.importance(_importance(judged), f"{result.outcome}: what moves it most", pictures / "importance.png")
    (pictures / "features.txt").write_text("\n".join(judged.model.encoder.columns), encoding="utf-8")
    told = json.dumps([ringing.as_dict() for ringing in result.alarms], indent=1)
    (pictures / "alarms.json").write_text(told, encoding="utf-8")
    registry.log(_parameters(workspace, result, judged), _numbers(result), pictures)
    registry.log_data(learn.frame.head(1000), f"{workspace.config.name}-{result.outcome}", judged.model.facts["data"])
    folder = scratch / "model"
    judged.model.facts["verdict"] = result.verdict
    sha256 = judged.model.save(folder)
    example = judged.test.frame[list(judged.model.encoder.columns)].head(5)
    tags = {"verdict": result.verdict, "data": judged.model.facts["data"], "plan": judged.model.facts["plan"]}
    made = registry.register(result.outcome, folder, sha256, example, tags)
    result.version = made.number
    if result.promoted:
        registry.promote(made)


def _parameters(workspace: Workspace, result: Result, judged: Judged) -> dict[str, Any]:
    chosen = {name: PARAMETERS[name] for name in ("learning_rate", "num_leaves", "max_depth", "feature_fraction")}
    settings = configured(workspace, result.outcome).model_dump(mode="json")
    rounds = [booster.num_trees() for booster in judged.model.boosters]
    return {
        **chosen,
        **{f"outcome.{name}": value for name, value in settings.items()},
        "rounds": rounds,
        "columns": len(judged.model.encoder.columns),
        "verdict": result.verdict,
        "alarms": ", ".join(ringing.feature for ringing in result.alarms[:20]) or "none",
        "calibration": result.calibration,
        "test": ", ".join(map(str, result.test)),
        "seed": workspace.config.training.seed,
    }


def _numbers(result: Result) -> dict[str, float]:
    found = {"n": float(result.n), "positives": float(result.positives)}
    for name, estimate in result.metrics.items():
        found |= {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
    for baseline, measured in result.baselines.items():
        slug = baseline.replace(" ", "_")
        found |= {f"baseline.{slug}.{name}": estimate.value for name, estimate in measured.items()}
    return found


def _importance(judged: Judged, most: int = 20) -> list[tuple[str, float]]:
    rows = judged.test.frame.head(500)
    strength = np.abs(judged.model.contributions(rows)[:, :-1]).mean(axis=0)
    order = np.argsort(-strength)[:most]
    return [(judged.model.encoder.columns[column], float(strength[column])) for column in order]


def _digest(rows: Dataset) -> str:
    total = hashlib.sha256()
    for row_hash, y in zip(rows.frame["row_hash"].tolist(), rows.y.tolist(), strict=True):
        total.update(f"{row_hash} {y:.0f}".encode())
    return total.hexdigest()[:16]
