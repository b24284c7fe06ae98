"""Runs every competitor on every task in fresh processes, and judges what they said by answers they never see.

Everything that decides a result is declared here, beforehand: seeds, presets, time limits, how accounts are held out.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from benchmarks import results
from benchmarks.envs import NotInstalledError, python
from benchmarks.models.tasks import Task
from training import gate, metrics
from training.metrics import Vector

PROJECT = Path(__file__).parents[2]
BOOTSTRAPS, PERFECT, SEED = 400, 1000, 7
OURS = "propensity"
AGAINST = "ours_against"
"""Log loss of ours minus that of another on the same rows, with its interval."""
JUDGED = ("log_loss", "auc", "ece")
SLACK = 3600
"""Seconds that a process may take beyond its limit before it is ended."""
PATIENT = {"OMP_WAIT_POLICY": "PASSIVE"}
"""For everybody alike: threads that wait do not spin, which a busy machine would punish."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Competitor:
    """A module with ``probabilities``, and the options it is given; ``limit`` (seconds per split) among them, if any."""

    name: str
    module: str
    title: str
    env: str = ""
    options: Row = field(default_factory=dict)
    only_over_time: bool = False
    """Differs from another only where an account has several rows."""

    def given(self, task: Task, slower: float = 1) -> Row:
        """The options for a task; on a machine that is so many times slower or busier."""
        scaled = {"limit": self.options["limit"] * task.share_of_limits * slower} if "limit" in self.options else {}
        return self.options | scaled


def _autogluon(preset: str, limit: int, together: bool) -> Competitor:
    name = f"autogluon-{preset.removesuffix('_quality')}{'-together' if together else ''}"
    title = f"AutoGluon {{version}}, {preset}" + (", accounts kept together" if together else ", as it comes")
    options = {"preset": preset, "limit": limit, "together": together}
    return Competitor(name, "autogluon_presets", title, "autogluon", options, only_over_time=together)


COMPETITORS = (
    Competitor(OURS, "ours", OURS),
    Competitor("base-rate", "base_rate", "base rate"),
    Competitor("logistic", "logistic", "logistic regression, scikit-learn {version}"),
    Competitor("lightgbm", "lightgbm_plain", "LightGBM {version}"),
    Competitor("xgboost", "xgboost_plain", "XGBoost {version}", "boosters"),
    Competitor("catboost", "catboost_plain", "CatBoost {version}", "boosters"),
    Competitor("tuned", "lightgbm_tuned", "LightGBM {version}, tuned by Optuna", "boosters", {"limit": 240}),
    _autogluon("good_quality", 120, together=False),
    _autogluon("good_quality", 120, together=True),
    _autogluon("best_quality", 240, together=False),
    _autogluon("best_quality", 240, together=True),
)


@dataclass(frozen=True)
class Said:
    """What one run of a competitor told: probabilities of all test rows, what it took, or why there are none."""

    probability: Vector | None
    seconds: float = 0.0
    peak_mb: float = 0.0
    version: str = ""
    note: str = ""


def measure(task: Task, competitors: list[Competitor], repeats: int, slower: float = 1) -> Iterator[Row]:
    """A row for each competitor. Rounds go through all of them, so that a noisy minute does not fall on one."""
    competitors = [competitor for competitor in competitors if task.span or not competitor.only_over_time]
    runs: dict[str, list[Said]] = {competitor.name: [] for competitor in competitors}
    for number in range(repeats):
        for competitor in competitors:
            said = once(competitor, task, slower)
            told = f"{said.seconds:.1f} s" if said.probability is not None else said.note
            print(f"{task.name}: {competitor.name}, round {number + 1}, {told}", file=sys.stderr)
            runs[competitor.name].append(said)
    yield from (row | {"slower": slower} for row in judged(task, competitors, runs))


def once(competitor: Competitor, task: Task, slower: float = 1) -> Said:
    """All splits of a task, each in a process of its own: seconds add up, memory is the most that any took."""
    parts, took = [], []
    with TemporaryDirectory() as scratch:
        for folder in task.folders():
            out = Path(scratch) / f"{folder.name}.npy"
            try:
                took.append(
                    _process(python(competitor.env), competitor.module, folder, out, competitor.given(task, slower))
                )
            except (NotInstalledError, subprocess.SubprocessError, RuntimeError) as error:
                return Said(None, note=str(error))
            parts.append(np.load(out, allow_pickle=False))
    seconds, peak = sum(one["seconds"] for one in took), max(one["peak_mb"] for one in took)
    return Said(np.concatenate(parts), seconds, peak, took[0]["version"])


def _process(interpreter: str, module: str, folder: Path, out: Path, options: Row) -> Row:
    command = [interpreter, "-m", "benchmarks.models.run", module, str(folder), str(out), json.dumps(options)]
    patience = options.get("limit", 0) + SLACK
    done = subprocess.run(
        command, cwd=PROJECT, env=os.environ | PATIENT, capture_output=True, text=True, check=False, timeout=patience
    )
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        told = done.stderr.strip().splitlines()
        raise RuntimeError(f"{module} failed: {told[-1] if told else done.returncode}")
    found: Row = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def judged(task: Task, competitors: list[Competitor], runs: dict[str, list[Said]]) -> Iterator[Row]:
    """Every competitor's first run judged by the answers, and ours compared with it, row by row; medians of what it took."""
    answers = task.answers()
    y, weights = answers["label"].to_numpy(dtype=float), draws(answers)
    ours = next((said[0].probability for name, said in runs.items() if name == OURS), None)
    about: Row = {
        "task": task.name,
        "data": task.data,
        "train_rows": task.train_rows,
        "splits": len(task.splits),
        "n": len(y),
        "positives": int(y.sum()),
    }
    for competitor in competitors:
        said = runs[competitor.name]
        p, title = said[0].probability, competitor.title.format(version=said[0].version).strip()
        row = about | {"name": competitor.name, "who": title, "options": competitor.given(task)}
        if p is None:
            yield row | {"note": said[0].note}
            continue
        row |= found(y, p, weights) | took(said)
        if ours is not None and competitor.name != OURS:
            row[AGAINST] = gate.compare(competitor.name, y, ours, p, weights).gain.as_dict()
        yield row


def draws(answers: pd.DataFrame) -> Vector:
    """Bootstrap weights that draw whole accounts."""
    return metrics.draws(answers["account"].to_numpy(dtype=object), BOOTSTRAPS, SEED)


def found(y: Vector, p: Vector, weights: Vector) -> Row:
    """The metrics with their intervals, and what calibration error a perfect model would have at this size."""
    estimates = {name: metrics.estimate(metrics.over_draws(metrics.METRICS[name], y, p, weights)) for name in JUDGED}
    told = {name: round(estimate.value, 5) for name, estimate in estimates.items()}
    between = {f"{name}_interval": [round(e.low, 5), round(e.high, 5)] for name, e in estimates.items()}
    return told | {"mean_said": round(float(p.mean()), 4), "ece_perfect_95": round(perfect_ece(p), 5)} | between


def perfect_ece(p: Vector) -> float:
    """The 95th percentile of the calibration error where every probability said is the true one."""
    rng, weights = np.random.default_rng(SEED), np.ones((1, len(p)))
    drawn = [metrics.ece((rng.random(len(p)) < p).astype(float), p, weights)[0] for _ in range(PERFECT)]
    return float(np.percentile(drawn, 95))


def took(said: list[Said]) -> Row:
    seconds = [one.seconds for one in said if one.probability is not None]
    return {
        "seconds": round(statistics.median(seconds), 2),
        "spread": [round(min(seconds), 2), round(max(seconds), 2)],
        "runs": len(seconds),
        "peak_mb": round(max(one.peak_mb for one in said)),
        "note": "",
    }


def logged(row: Row, days: tuple[str, ...]) -> None:
    """Every run of ours on a test date is written down, as elsewhere."""
    told = {"task": row["task"], "test": ", ".join(days), "n": row["n"], "positives": row["positives"]}
    told |= {name: row[name] for name in JUDGED} | {"note": "beside its peers (make bench-models)"}
    results.record("test_date_runs", told)
