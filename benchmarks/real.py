"""Real input: the examples, trained and judged at their test dates, beside every baseline and the trial.

    python -m benchmarks.real [--data FOLDER]

The settings stand in ``examples/*/propensity.toml`` and were chosen on earlier dates; each run on a test date is added
to ``benchmarks/results/test_date_runs.jsonl``. The data is not part of the project: FOLDER (default: ../shared/data)
must hold ``platform365/`` and ``ravenstack/``.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import results
from features import intake
from features.workspace import Workspace, load
from training.result import Result
from training.train import train

PROJECT = Path(__file__).parent.parent
TRIAL = {
    ("platform365", "churn"): {"auc": 0.891, "log_loss": 0.264},
    ("platform365", "advocacy"): {"auc": 0.917, "log_loss": 0.084},
    ("online_retail", "churn"): {"auc": 0.779, "log_loss": 0.574},
}
"""A half-hour trial by hand on the same tasks: the numbers to beat."""
TASKS = (("platform365", "churn"), ("platform365", "advocacy"), ("ravenstack", "churn"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=PROJECT.parent / "shared" / "data")
    data = parser.parse_args().data
    rows: list[dict[str, Any]] = []
    for example in dict.fromkeys(example for example, _ in TASKS):
        if not (data / example).is_dir():
            sys.exit(f"{data / example} is not there: name the folder of the data with --data")
        with TemporaryDirectory() as scratch:
            rows += judged(example, data, Path(scratch))
    results.save("real", rows)


def taken_in(example: str, data: Path, root: Path) -> Workspace:
    """An example in a workspace of its own, with its tables."""
    shutil.copy(PROJECT / "examples" / example / "propensity.toml", root)
    (root / "data").symlink_to((data / example).resolve())
    here = load(root)
    with intake.read(here) as found:
        found.write_tables()
    return here


def judged(example: str, data: Path, root: Path) -> list[dict[str, Any]]:
    """Every outcome of an example, from raw files to verdict."""
    here = taken_in(example, data, root)
    rows = []
    for task, outcome in TASKS:
        if task == example:
            begun = time.perf_counter()
            result = train(here, outcome, lambda step: print(step, file=sys.stderr))
            rows += _rows(example, result, time.perf_counter() - begun)
    return rows


def _rows(example: str, result: Result, seconds: float) -> list[dict[str, Any]]:
    task = {"task": f"{example} {result.outcome}", "test": ", ".join(map(str, result.test)), "n": result.n}
    task |= {"positives": result.positives, "verdict": result.verdict}
    ours = {name: estimate.as_dict() for name, estimate in result.metrics.items()}
    results.record("test_date_runs", task | {name: found["value"] for name, found in ours.items()})
    rows = [task | {"who": "propensity", "seconds": round(seconds, 1), **ours}]
    for name, found in result.baselines.items():
        rows.append(task | {"who": name, **{metric: estimate.as_dict() for metric, estimate in found.items()}})
    if trial := TRIAL.get((example, result.outcome)):
        rows.append(task | {"who": "trial by hand", **{metric: {"value": value} for metric, value in trial.items()}})
    return rows


if __name__ == "__main__":
    main()
