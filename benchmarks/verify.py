"""Statistical sweeps in full: worlds with planted causes, and worlds with nothing planted.

python -m benchmarks.verify [--seeds 10] [--accounts 2000] [--worlds 20000]
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import oracle, results, worlds
from benchmarks.signs import signs
from features import intake
from features.sources.simulated import World
from features.workspace import Workspace
from serving.demo import prepare
from training.registry import Registry
from training.train import train

OUTCOMES = ("churn", "advocacy")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--accounts", type=int, default=2000)
    parser.add_argument("--worlds", type=int, default=20_000, help="random worlds of facts, for kernel and oracle")
    parser.add_argument("--small", type=int, default=200, help="worlds of few accounts whose probabilities are known")
    parser.add_argument("--large", type=int, default=2, help="worlds of many accounts whose probabilities are known")
    given = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for seed in range(given.seeds):
        for signal in (False, True) if seed < 3 else (False,):
            with TemporaryDirectory() as scratch:
                rows += world(World(accounts=given.accounts, seed=seed, signal=signal), Path(scratch))
                results.save("verify", rows)
    worlds.sweep(given.small, given.large)
    agree = oracle.sweep(given.worlds)
    print(f"kernel and oracle {'agree' if agree else 'DIFFER'}", file=sys.stderr)
    wrong = [row for row in rows if not row["as_expected"]]
    print(f"{len(rows) - len(wrong)} of {len(rows)} as expected", file=sys.stderr)
    sys.exit(1 if wrong or not agree else 0)


def world(world: World, root: Path) -> list[dict[str, Any]]:
    """Train every outcome of a world; with nothing planted nothing may be promoted, else every sign must be right."""
    here = prepare(root, world, lambda done, of: None)
    with intake.read(here) as found:
        found.write_tables()
    return [_outcome(here, world, outcome) for outcome in OUTCOMES]


def _outcome(here: Workspace, world: World, outcome: str) -> dict[str, Any]:
    begun = time.perf_counter()
    result = train(here, outcome)
    row: dict[str, Any] = {
        "who": "propensity",
        "world": "planted" if world.signal else "nothing planted",
        "seed": world.seed,
        "accounts": world.accounts,
        "outcome": outcome,
        "verdict": result.verdict,
        "auc": result.metrics["auc"].as_dict() if result.metrics else None,
        "log_loss_gain": result.reasons[0],
        "as_expected": result.promoted == world.signal,
    }
    if world.signal and result.version is not None:
        registry = Registry(here)
        found = signs(here, outcome, registry.load(registry.version(outcome, result.version)))
        row |= {"signs": found, "as_expected": row["as_expected"] and all(sign["right"] for sign in found)}
    row["seconds"] = round(time.perf_counter() - begun, 1)
    print(row["world"], world.seed, outcome, row["verdict"], row["as_expected"], file=sys.stderr)
    return row


if __name__ == "__main__":
    main()
