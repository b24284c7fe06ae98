"""One competitor, once, in a process of its own: scores and explains rows, and prints what it took as JSON.

    python -m benchmarks.scoring.run MODULE MODEL ROWS THREADS OUT

A competitor has ``load(model, threads)``, which returns what it does with rows: a function for each task. Contributions
to the first rows are written to OUT, to be compared. It runs in the peers' own environments too.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.features.run import peak_mb

COMPARED = 500
ALONE = 100
SECONDS = 3.0
"""Rows are taken until so much time has gone by, all of them different."""

Clock = Callable[[], float]
Work = Callable[[np.ndarray], np.ndarray]


def main() -> None:
    module, model, file, threads, out = sys.argv[1:]
    rows = np.load(file, mmap_mode="r")
    clock = time.process_time if int(threads) == 1 else time.perf_counter  # of one thread, so that others do not count
    peer = importlib.import_module(f"benchmarks.scoring.{module}")
    begun = time.perf_counter()
    tasks: dict[str, Work] = peer.load(Path(model), int(threads))
    told: dict[str, Any] = {"load": time.perf_counter() - begun, "version": peer.version(), "tasks": {}}
    for name, work in tasks.items():
        if peer.ALONE:
            work(np.array(rows[-8:]))  # what compiles does so before the clock starts
        told["tasks"][name], first = batch(work, clock, rows, peer.AT_ONCE.get(name, 20_000))
        if name == "contributions":
            np.save(out, first[:COMPARED])
        if int(threads) == 1 and peer.ALONE:
            told["tasks"][f"{name}, one row"] = alone(work, clock, rows)
    print(json.dumps(told))


def batch(work: Work, clock: Clock, rows: np.ndarray, at_once: int) -> tuple[dict[str, float], np.ndarray]:
    """What it took, and what was made of the first rows."""
    done, seconds, first = 0, 0.0, None
    while seconds < SECONDS and done < len(rows):
        part = np.array(rows[done : done + at_once])
        begun = clock()
        made = work(part)
        seconds += clock() - begun
        done += len(part)
        first = made if first is None else first
    assert first is not None
    return {"rows": done, "seconds": seconds, "peak_mb": peak_mb()}, first


def alone(work: Work, clock: Clock, rows: np.ndarray) -> dict[str, float]:
    """The median time of one row, each another one."""
    took = []
    for number in range(ALONE):
        row = np.array(rows[[number]])
        begun = clock()
        work(row)
        took.append(clock() - begun)
    return {"rows": 1, "seconds": median(took), "peak_mb": peak_mb()}


if __name__ == "__main__":
    main()
