"""How large trees are best grown: a search by Optuna within the training range, time-boxed, resumed where it was left.

It sees no row of the test fold: what it is scored by are accounts left out within the dates that the final model
learns from. A trial that does badly on the first groups of accounts is not carried through.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from scipy.special import expit

from features.errors import PropensityError
from features.files import replaced
from features.workspace import Workspace
from training import metrics
from training.dataset import Dataset, dataset
from training.learn import digest
from training.models import trees
from training.models.trees import FULL, Growth
from training.outcomes import configured
from training.registry import Registry
from training.sample import Cut, Sample, sample
from training.splits import rolling

Progress = Callable[[str], None]
CUTS = 3
WARM_UP = 5
"""Trials that are carried through whatever they do, so that there is something to compare with."""


@dataclass(frozen=True)
class Searched:
    """The best parameters, their log loss on accounts left out and that of the usual ones, and how many were tried."""

    outcome: str
    parameters: dict[str, Any]
    log_loss: float
    usual: float
    trials: int
    pruned: int

    @property
    def better(self) -> bool:
        return self.log_loss < self.usual

    def as_dict(self) -> dict[str, Any]:
        return vars(self) | {"better": self.better}


def search(workspace: Workspace, outcome: str, minutes: float, progress: Progress = lambda _: None) -> Searched:
    """Try parameters for so many minutes, on top of what earlier searches of the same data have tried.

    What is found is used by the next training of the outcome, as long as its labels mean the same; where nothing is
    better than the usual parameters, these stay. Every trial is a run of its own in MLflow below that of the search.
    """
    settings, config = configured(workspace, outcome), workspace.config.training
    rows = dataset(workspace, outcome)
    folds = rolling(sorted(set(rows.as_of.tolist())), settings.span, config.test_dates, config.folds)
    learn = rows.at(list(folds[-1].fit))
    if min(learn.y.sum(), (1 - learn.y).sum()) < config.minimum_positives:
        raise PropensityError(
            f"{outcome}: {int(learn.y.sum())} yes in {len(learn)} rows are too few to search on",
            "The usual parameters are the safer choice; take in more history to search.",
        )
    inside = sample(learn)
    cuts = inside.cuts(CUTS, config.seed)
    registry = Registry(workspace)
    with registry.run(outcome, {"what": "search", "workspace": workspace.config.name}):
        found = _tried(workspace, outcome, rows, digest(learn), inside, cuts, minutes, registry, progress)
        registry.log({"search": found.parameters}, {"log_loss": found.log_loss, "usual_log_loss": found.usual})
    if found.better:
        with replaced(_place(workspace, outcome)) as part:
            kept = found.as_dict() | {"labels": rows.spec.get("digest")}
            part.write_text(json.dumps(kept, indent=1), encoding="utf-8")
    return found


def found(workspace: Workspace, outcome: str, rows: Dataset) -> Growth:
    """What the last search has found for these labels; the usual growth where there was none."""
    file = _place(workspace, outcome)
    if not file.is_file():
        return FULL
    kept = json.loads(file.read_text(encoding="utf-8"))
    return grown(kept["parameters"]) if kept["labels"] == rows.spec.get("digest") else FULL


def grown(parameters: dict[str, Any]) -> Growth:
    own = {name: value for name, value in parameters.items() if name != "leaf_rows"}
    return Growth(FULL.parameters | own, FULL.rounds, FULL.patience, int(parameters.get("leaf_rows", FULL.least)))


def _tried(
    workspace: Workspace,
    outcome: str,
    rows: Dataset,
    data: str,
    inside: Sample,
    cuts: list[Cut],
    minutes: float,
    registry: Registry,
    progress: Progress,
) -> Searched:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    place = _place(workspace, outcome)
    place.parent.mkdir(parents=True, exist_ok=True)
    seed = workspace.config.training.seed
    study = optuna.create_study(
        storage=f"sqlite:///{place.with_name('search.db')}",
        study_name=f"{outcome} {rows.spec.get('digest')} {data}",
        load_if_exists=True,
        pruner=optuna.pruners.MedianPruner(n_startup_trials=WARM_UP),
    )
    study.sampler = optuna.samplers.TPESampler(seed=seed + len(study.trials))  # a resumed one draws others
    usual = _loss(FULL, inside, cuts, seed)

    def one(trial: optuna.Trial) -> float:
        best = min((done.value for done in study.trials if done.value is not None), default=usual)
        progress(f"trial {trial.number + 1}, best so far {best:.4f} (usual parameters: {usual:.4f})")
        growth = grown(_drawn(trial))
        with registry.child(f"trial {trial.number}"):
            registry.log(trial.params, {})
            loss = _loss(growth, inside, cuts, seed, trial)
            registry.log({}, {"log_loss": loss})
        return loss

    study.optimize(one, timeout=minutes * 60, catch=())
    done = [trial for trial in study.trials if trial.state == optuna.trial.TrialState.COMPLETE]
    pruned = sum(trial.state == optuna.trial.TrialState.PRUNED for trial in study.trials)
    if not done:
        return Searched(outcome, {}, usual, usual, len(study.trials), pruned)
    best = min(done, key=lambda trial: float(trial.value or np.inf))
    return Searched(outcome, best.params, float(best.value or np.inf), usual, len(study.trials), pruned)


def _drawn(trial: optuna.Trial) -> dict[str, Any]:
    return {
        "num_leaves": trial.suggest_int("num_leaves", 4, 63, log=True),
        "max_depth": trial.suggest_int("max_depth", 2, 8),
        "feature_fraction": trial.suggest_float("feature_fraction", 0.05, 1.0, log=True),
        "bagging_fraction": trial.suggest_float("bagging_fraction", 0.4, 1.0),
        "lambda_l2": trial.suggest_float("lambda_l2", 0.1, 100.0, log=True),
        "leaf_rows": trial.suggest_int("leaf_rows", 5, 100, log=True),
        "extra_trees": trial.suggest_categorical("extra_trees", [False, True]),
    }


def _loss(growth: Growth, rows: Sample, cuts: list[Cut], seed: int, trial: optuna.Trial | None = None) -> float:
    """Log loss of accounts left out, group after group so that a bad trial ends early."""
    losses: list[float] = []
    for number, cut in enumerate(cuts):
        learnt = trees.fit(growth, rows, [cut], seed)
        left = cut[1]
        losses.append(float(metrics.losses(rows.y[left], expit(learnt.unseen[left])).mean()))
        if trial is not None:
            trial.report(float(np.mean(losses)), number)
            if trial.should_prune():
                raise optuna.TrialPruned
    return float(np.mean(losses))


def _place(workspace: Workspace, outcome: str) -> Path:
    return workspace.state / "search" / f"{outcome}.json"
