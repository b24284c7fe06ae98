"""What each family of features is worth on real input: the example retrained without it, on the same test dates.

    python -m benchmarks.ablation [--data FOLDER]

The data is that of ``benchmarks.real``. Each run is added to ``benchmarks/results/test_date_runs.jsonl`` as what it is:
a measurement, by which nothing is chosen.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import results
from benchmarks.real import PROJECT, taken_in
from training import alarm
from training.ablation import Ablation, ablate

EXAMPLE = "platform365"
OUTCOMES = ("churn", "advocacy")
NOTE = "ablation: a measurement, nothing chosen by it"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=PROJECT.parent / "shared" / "data")
    data = parser.parse_args().data
    if not (data / EXAMPLE).is_dir():
        sys.exit(f"{data / EXAMPLE} is not there: name the folder of the data with --data")
    rows: list[dict[str, Any]] = []
    with TemporaryDirectory() as scratch:
        here = taken_in(EXAMPLE, data, Path(scratch))
        for outcome in OUTCOMES:
            begun = time.perf_counter()
            found = ablate(here, outcome, lambda step: print(step, file=sys.stderr))
            rows += lines(f"{EXAMPLE} {outcome}", found, time.perf_counter() - begun)
            results.save("ablation", rows)
        for outcome, ringing in alarm.standing(here).items():
            print(f"{outcome}: {len(ringing)} suspected leaks", *map(str, ringing), sep="\n  ", file=sys.stderr)


def lines(task: str, found: Ablation, seconds: float) -> list[dict[str, Any]]:
    """One row for the model with all columns, and one for the change without each family."""
    told = {"task": task, "test": ", ".join(map(str, found.test)), "n": found.n, "positives": found.positives}
    told |= {"note": NOTE}
    results.record("test_date_runs", told | {"auc": found.auc.value, "log_loss": found.log_loss.value})
    whole = {"columns": found.columns, "log_loss": found.log_loss.as_dict(), "auc": found.auc.as_dict()}
    rows = [told | {"without": "nothing", "missed": None, "seconds": round(seconds, 1), **whole}]
    return rows + [told | {"without": one.family, **one.as_dict()} for one in found.without]


if __name__ == "__main__":
    main()
