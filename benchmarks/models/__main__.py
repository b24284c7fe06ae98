"""Models beside their peers: the same rows to learn from, the same rows to foretell.

    python -m benchmarks.models [--task "online_retail churn"] [--only propensity catboost] [--repeats 1] [--slower 1]

``--prepare`` writes the tasks anew and runs nobody. Tasks and the peers' environments are kept in ``benchmarks/.worlds``
and ``benchmarks/.envs``. With ``--only``, rows of others stay as they are if they are of the same data; where ours is among
those that ran, they lose what compares them with an earlier run of ours, row by row. The third-party data is not part of the project: --data names the
folder that holds it (default: ../shared/data); a task whose data is absent is skipped, by name.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks import results
from benchmarks.models.measure import AGAINST, COMPETITORS, OURS, PROJECT, logged, measure
from benchmarks.models.tasks import TASKS, prepared


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.models", description=__doc__)
    parser.add_argument("--data", type=Path, default=PROJECT.parent / "shared" / "data")
    parser.add_argument("--task", nargs="+", choices=list(TASKS), default=list(TASKS))
    parser.add_argument("--only", nargs="+", choices=[c.name for c in COMPETITORS], default=[])
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--slower", type=float, default=1, help="all time limits times this, on a slow or busy machine")
    parser.add_argument("--prepare", action="store_true", help="write the tasks anew, and run nobody")
    given = parser.parse_args()
    chosen = [c for c in COMPETITORS if not given.only or c.name in given.only]
    for name in given.task:
        source = given.data / name.split(" ", maxsplit=1)[0]
        if name != "simulated churn" and not source.is_dir():
            print(f"{name} skipped: {source} is not there", file=sys.stderr)
            continue
        task = prepared(name, given.data, anew=given.prepare)
        if given.prepare:
            continue
        rows = list(measure(task, chosen, given.repeats, given.slower))
        names = {row["name"] for row in rows}
        earlier = [
            {key: value for key, value in row.items() if OURS not in names or row["task"] != name or key != AGAINST}
            for row in results.load("models")
            if row["task"] != name or (row["data"] == task.data and row["name"] not in names)
        ]
        results.save("models", rows, earlier)
        for row in rows:
            if row["name"] == OURS and task.span and "log_loss" in row:
                logged(row, task.test_dates)
            print(
                name,
                row["who"],
                *(row.get(key, "–") for key in ("log_loss", "auc", "ece", "seconds", "peak_mb")),
                sep="\t",
            )


if __name__ == "__main__":
    main()
