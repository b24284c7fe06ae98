"""Results as data: a list of rows in ``benchmarks/results/NAME.json``, with when, on what and with which versions."""

from __future__ import annotations

import json
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from features.files import replaced

HERE = Path(__file__).parent
RESULTS = HERE / "results"
LIBRARIES = ("lightgbm", "scikit-learn", "numpy", "pandas", "duckdb", "numba", "mlflow")


def stamp() -> dict[str, Any]:
    """When and where a number was made."""
    cores = len(os.sched_getaffinity(0))
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.machine()}, {cores} {'core' if cores == 1 else 'cores'}, Python {platform.python_version()}",
        "versions": {name: version(name) for name in LIBRARIES},
    }


def save(name: str, rows: list[dict[str, Any]], kept: list[dict[str, Any]] | None = None) -> None:
    """Replace the rows of the last run; ``kept`` are rows of an earlier run that stay, with their own stamp."""
    made = stamp()
    with replaced(RESULTS / f"{name}.json") as part:
        part.write_text(json.dumps([*(kept or []), *(row | made for row in rows)], indent=1) + "\n", encoding="utf-8")


def load(name: str) -> list[dict[str, Any]]:
    """The rows of the last run; none where it was never run."""
    file = RESULTS / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else []


def record(name: str, row: dict[str, Any]) -> None:
    """Add a line to a log that is never rewritten, such as the runs on a test date."""
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / f"{name}.jsonl").open("a", encoding="utf-8") as log:
        log.write(json.dumps(row | {"date": stamp()["date"]}) + "\n")


def recorded(name: str) -> list[dict[str, Any]]:
    file = RESULTS / f"{name}.jsonl"
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.is_file() else []
