"""What training came to, written down in MLflow: numbers, charts and the model itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from features.errors import PropensityError
from features.workspace import Workspace
from training import card
from training.judge import Judged
from training.learn import digest
from training.outcomes import configured
from training.registry import Registry, Version

RESULT = "result.json"
SHOWN_PARAMETERS = ("learning_rate", "num_leaves", "max_depth", "feature_fraction")


def record(workspace: Workspace, registry: Registry, told: dict[str, Any], judged: Judged, scratch: Path) -> Version:
    """Everything of a run; promoting comes after it, so a kill before that leaves the champion as it was."""
    from training.charts.judged import pictures  # noqa: PLC0415 - a fifth of a second, which only what draws needs

    outcome = judged.model.facts["outcome"]
    files = scratch / "artifacts"
    files.mkdir()
    pictures(judged, told, files)
    (files / "features.txt").write_text("\n".join(judged.model.encoder.columns), encoding="utf-8")
    (files / "alarms.json").write_text(json.dumps(told["alarms"], indent=1), encoding="utf-8")
    (files / RESULT).write_text(json.dumps(told, indent=1, default=str), encoding="utf-8")
    page = card.of(told, judged)
    (files / "model_card.md").write_text(card.render(page), encoding="utf-8")
    registry.log(_parameters(workspace, told, judged), {}, files)
    name, facts = f"{workspace.config.name}-{outcome}", judged.model.facts
    registry.log_data(judged.learn.frame, name, facts["data"])
    tested = registry.log_data(judged.test.frame, name, digest(judged.test), "test")
    facts["verdict"] = told["verdict"]
    folder = scratch / "model"
    sha256 = judged.model.save(folder)
    example = judged.test.frame[list(judged.model.encoder.columns)].head(5)
    tags = {"verdict": told["verdict"], "data": facts["data"], "plan": facts["plan"], "rung": judged.model.rung}
    tags |= {"trained": _range(facts["trained_on"]), "tested": _range(told["test"])}
    return registry.register(outcome, folder, sha256, example, tags, _numbers(judged), tested, card.describe(page))


def recorded(registry: Registry, version: Version) -> dict[str, Any]:
    """What training came to when it made a version (``Result.as_dict``).

    Raises PropensityError (404) where its run has no record of that.
    """
    text = registry.text(version, RESULT)
    if text is None:
        raise PropensityError(
            f"the run of version {version.number} of {version.outcome} has no record of how it was judged",
            f"`propensity train {version.outcome}` makes a version that has one.",
            status=404,
        )
    found: dict[str, Any] = json.loads(text)
    return found


def _range(days: list[str]) -> str:
    return f"{days[0]} to {days[-1]}"


def _parameters(workspace: Workspace, told: dict[str, Any], judged: Judged) -> dict[str, Any]:
    settings = configured(workspace, judged.model.facts["outcome"]).model_dump(mode="json")
    return {
        **{name: judged.model.facts["growth"][name] for name in SHOWN_PARAMETERS},
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
