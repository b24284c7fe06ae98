"""Scores and exact contributions beside LightGBM's own and ``woodelf-explainer``.

    python -m benchmarks.scoring [--repeats 3] [--who propensity LightGBM]

Rounds go through all competitors, so that a noisy minute does not fall on one of them; each is told by its median.
Contributions are compared with LightGBM's during the run. Models, rows and the peer's environment are kept in
``benchmarks/.worlds`` and ``benchmarks/.envs``.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import lightgbm as lgb
import numpy as np

from benchmarks import results
from benchmarks.envs import NotInstalledError, python
from benchmarks.scoring.models import COLUMNS, MODELS, Measured, model, rows
from benchmarks.scoring.run import COMPARED

PROJECT = Path(__file__).parents[2]
CLOSE = 1e-9
TIME_LIMIT = 1800
Row = dict[str, Any]


@dataclass(frozen=True)
class Competitor:
    """A module with ``load``; ``env`` where it does not run in ours; ``numbers``: it takes no splits by category;
    ``bounded``: its tables double with each level, and trees of unbounded depth take it minutes to prepare.
    """

    who: str
    module: str
    threads: tuple[int, ...] = (1, 2)
    env: str = ""
    numbers: bool = False
    bounded: bool = False

    def takes(self, measured: Measured, threads: int) -> bool:
        return threads in self.threads and (measured.depth > 0 or not self.bounded)


COMPETITORS = (
    Competitor("LightGBM", "lightgbm_own"),
    Competitor("propensity", "ours"),
    Competitor("woodelf-explainer", "woodelf_explainer", (1,), "woodelf", numbers=True, bounded=True),
    Competitor("limit", "limit", (1,)),
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scoring", description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--who", nargs="+", choices=[c.who for c in COMPETITORS], default=[])
    given = parser.parse_args()
    chosen = [c for c in COMPETITORS if not given.who or c.who in {"LightGBM", *given.who}]
    found = measure(chosen, given.repeats)
    results.save("scoring", found)
    for row in found:
        print(
            *(row.get(name, "–") for name in ("model", "threads", "what", "who", "rows_per_second", "ratio")), sep="\t"
        )
    if wrong := [row["who"] for row in found if row["who"] == "propensity" and row.get("equal") is False]:
        sys.exit(f"not equal to LightGBM's: {', '.join(wrong)}")


def measure(competitors: list[Competitor], repeats: int) -> list[Row]:
    """A row for each model, number of threads, task and competitor, with LightGBM's time for the same over its own."""
    cases = [(m, threads, c) for m in MODELS for threads in (1, 2) for c in competitors if c.takes(m, threads)]
    runs: dict[int, list[Row]] = {number: [] for number in range(len(cases))}
    for _ in range(repeats):
        for number, (measured, threads, competitor) in enumerate(cases):
            runs[number].append(once(measured, threads, competitor))
            print(measured.name, threads, competitor.who, runs[number][-1], file=sys.stderr)
    found = [row for number, case in enumerate(cases) for row in summary(*case, runs[number])]
    for row in found:
        what = {"both": "predict", "both, one row": "predict, one row"}.get(row["what"], row["what"])
        peer = [r for r in found if r["who"] == "LightGBM" and r["what"] == what and _same(r, row)]
        if peer and "rows_per_second" in row:
            row["ratio"] = round(row["rows_per_second"] / peer[0]["rows_per_second"], 2)
    return found


def _same(one: Row, other: Row) -> bool:
    return bool(one["model"] == other["model"] and one["threads"] == other["threads"])


def once(measured: Measured, threads: int, competitor: Competitor) -> Row:
    """What one run told; what kept it from running as its ``note``."""
    given = replace(measured, categories=not competitor.numbers)
    with TemporaryDirectory() as scratch:
        out = Path(scratch) / "out.npy"
        command = [
            "-m",
            "benchmarks.scoring.run",
            competitor.module,
            str(model(given)),
            str(rows()),
            str(threads),
            str(out),
        ]
        try:
            command = [python(competitor.env), *command]
            done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False, timeout=TIME_LIMIT)
        except (NotInstalledError, subprocess.SubprocessError) as error:
            return {"note": str(error)}
        if done.returncode:
            print(done.stderr, file=sys.stderr)
            return {"note": done.stderr.strip().splitlines()[-1]}
        told: Row = json.loads(done.stdout.strip().splitlines()[-1])
        return told | ({} if competitor.who == "limit" else {"apart": apart(given, np.load(out))})


def apart(measured: Measured, found: np.ndarray) -> float:
    """The largest difference from LightGBM's contributions, as a share of the row's sum of them without their signs."""
    expected = _expected(measured)
    found = found[:, :COLUMNS]
    return float((np.abs(found - expected[:, :COLUMNS]).max(axis=1) / np.abs(expected).sum(axis=1)).max())


@lru_cache
def _expected(measured: Measured) -> np.ndarray:
    some = np.array(np.load(rows(), mmap_mode="r")[:COMPARED])
    return np.asarray(lgb.Booster(model_file=str(model(measured))).predict(some, pred_contrib=True))


def summary(measured: Measured, threads: int, competitor: Competitor, runs: list[Row]) -> Iterator[Row]:
    """A row for each task: the median of the runs."""
    of: Row = {"who": competitor.who, "model": measured.name, "trees": measured.trees, "leaves": measured.leaves}
    of |= {"threads": threads}
    done = [run for run in runs if "tasks" in run]
    if not done:
        yield of | {"what": "contributions", "note": runs[-1]["note"]}
        return
    note = "of a model of that size that takes categories as numbers" if competitor.numbers else ""
    for what in done[-1]["tasks"]:
        took = [run["tasks"][what] for run in done]
        rates = [task["rows"] / task["seconds"] for task in took]
        row = of | {
            "what": what,
            "rows": took[-1]["rows"],
            "runs": len(done),
            "note": note,
            "version": done[-1]["version"],
        }
        row |= {"rows_per_second": round(median(rates), 1), "spread": [round(min(rates), 1), round(max(rates), 1)]}
        row |= {
            "peak_mb": round(median(task["peak_mb"] for task in took)),
            "load": round(median(r["load"] for r in done), 2),
        }
        if what == "contributions" and "apart" in done[-1]:
            farthest = max(run["apart"] for run in done)
            row |= {"apart": farthest, "equal": farthest <= CLOSE}
        yield row


if __name__ == "__main__":
    main()
