"""The kernel beside its oracle in many random worlds: the test of the same name, with more of them and other seeds.

    python -m benchmarks.oracle [--worlds 20000] [--processes 2]

Saved in ``benchmarks/results/oracle.json``.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks import results

PROJECT = Path(__file__).parent.parent
TEST = "tests/features/test_kernel.py::test_kernel_agrees_with_the_oracle_to_the_bit"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.oracle", description=__doc__)
    parser.add_argument("--worlds", type=int, default=20_000)
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    sys.exit(0 if sweep(given.worlds, given.processes) else 1)


def sweep(worlds: int, processes: int = 2) -> bool:
    """Compare in so many worlds, each process with a seed of its own; say whether all agree."""
    each = -(-worlds // processes)
    with ThreadPoolExecutor(processes) as pool:
        rows = list(pool.map(lambda seed: compared(seed, each), range(1, processes + 1)))
    results.save("oracle", rows)
    return all(row["as_expected"] for row in rows)


def compared(seed: int, worlds: int) -> dict[str, Any]:
    begun = time.perf_counter()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--hypothesis-seed={seed}", TEST]
    done = subprocess.run(
        command,
        cwd=PROJECT,
        env=os.environ | {"PROPENSITY_WORLDS": str(worlds)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        print(done.stdout[-5000:], file=sys.stderr)
    seconds = round(time.perf_counter() - begun, 1)
    return {"who": "propensity", "seed": seed, "worlds": worlds, "as_expected": not done.returncode, "seconds": seconds}


if __name__ == "__main__":
    main()
