"""What training came to, written down in MLflow: numbers, plots and the model itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from features.workspace import Workspace
from training import metrics, plots
from training.card import Card, describe, render
from training.judge import Judged
from training.learn import digest
from training.models.trees import FULL
from training.outcomes import configured
from training.registry import Registry, Version

SHOWN_PARAMETERS = ("learning_rate", "num_leaves", "max_depth", "feature_fraction")


def record(workspace: Workspace, registry: Registry, told: dict[str, Any], judged: Judged, scratch: Path) -> Version:
    """Everything of a run; promoting comes after it, so a kill before that leaves the champion as it was."""
    outcome = judged.model.facts["outcome"]
    files = scratch / "artifacts"
    files.mkdir()
    _pictures(judged, outcome, files)
    (files / "features.txt").write_text("\n".join(judged.model.encoder.columns), encoding="utf-8")
    (files / "alarms.json").write_text(json.dumps(told["alarms"], indent=1), encoding="utf-8")
    (files / "result.json").write_text(json.dumps(told, indent=1, default=str), encoding="utf-8")
    judged.model.facts["verdict"] = told["verdict"]
    card = _card(judged, told)
    (files / "card.md").write_text(render(card), encoding="utf-8")
    numbers, known = _numbers(judged), judged.model.facts
    registry.log(_parameters(workspace, told, judged), numbers, files)
    name = f"{workspace.config.name}-{outcome}"
    registry.log_data(judged.learn.frame, f"{name}-training", known["data"])
    seen = registry.log_data(judged.test.frame, f"{name}-test", digest(judged.test), "test")
    folder = scratch / "model"
    sha256 = judged.model.save(folder)
    example = judged.test.frame[list(judged.model.encoder.columns)].head(5)
    tags = {"verdict": told["verdict"], "data": known["data"], "plan": known["plan"], "rung": judged.model.rung}
    return registry.register(outcome, folder, sha256, example, tags, numbers, seen, describe(card))


def _card(judged: Judged, told: dict[str, Any]) -> Card:
    segments = {f"{one.by}: {one.name}": one.metrics for one in judged.slices if one.metrics}
    return Card(
        judged.model.facts["outcome"],
        judged.model.facts,
        len(judged.model.encoder.columns),
        told["verdict"],
        told["reasons"],
        sorted(set(judged.test.as_of.tolist())),
        len(judged.test),
        int(judged.test.y.sum()),
        judged.metrics,
        judged.baselines,
        segments,
        [str(ringing) for ringing in judged.alarms],
        [f"Rung of the ladder: {judged.model.rung}.", *told["ladder"]],
        run=told["run"],
    )


def _pictures(judged: Judged, outcome: str, folder: Path) -> None:
    days = ", ".join(map(str, sorted(set(judged.test.as_of.tolist()))))
    title = f"{outcome}, {len(judged.test):,} rows at {days}"
    bins = metrics.reliability(judged.test.y, judged.scores.probability)
    plots.reliability(bins, title, folder / "reliability.png")
    plots.against_baselines({"model": judged.metrics} | judged.baselines, title, folder / "baselines.png")
    plots.importance(_importance(judged), f"{outcome}: what moves it most", folder / "importance.png")


def _parameters(workspace: Workspace, told: dict[str, Any], judged: Judged) -> dict[str, Any]:
    settings = configured(workspace, judged.model.facts["outcome"]).model_dump(mode="json")
    return {
        **{name: FULL.parameters[name] for name in SHOWN_PARAMETERS},
        **{f"outcome.{name}": value for name, value in settings.items()},
        "rung": judged.model.rung,
        "columns": len(judged.model.encoder.columns),
        "verdict": told["verdict"],
        "alarms": ", ".join(ringing.feature for ringing in judged.alarms[:20]) or "none",
        "calibration": told["calibration"],
        "test": ", ".join(told["test"]),
        "seed": workspace.config.training.seed,
    }


def _numbers(judged: Judged) -> dict[str, float]:
    found = {"n": float(len(judged.test)), "positives": float(judged.test.y.sum())}
    estimates = dict(judged.metrics)
    if judged.value is not None:
        estimates |= {"value_at_capacity": judged.value.profit, "precision_at_capacity": judged.value.precision}
    for name, estimate in estimates.items():
        found |= {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
    for baseline, measured in judged.baselines.items():
        slug = baseline.replace(" ", "_")
        found |= {f"baseline.{slug}.{name}": estimate.value for name, estimate in measured.items()}
    return found | ({} if judged.empc is None else {"empc": judged.empc})


def _importance(judged: Judged, most: int = 20) -> list[tuple[str, float]]:
    rows = judged.test.frame.head(500)
    strength = np.abs(judged.model.contributions(rows)[:, :-1]).mean(axis=0)
    order = np.argsort(-strength)[:most]
    return [(judged.model.encoder.columns[column], float(strength[column])) for column in order]
