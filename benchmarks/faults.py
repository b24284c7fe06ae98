"""The fault drills in full, on a small made-up company: swaps under load, kills, and a soak, on SQLite and on PostgreSQL.

python -m benchmarks.faults [--swaps 100] [--kills 50] [--minutes 10] [--stores sqlite postgresql]

Half of the kills hit the process that answers, half a process that writes. Each drill becomes a row of
``benchmarks/results/faults.json`` when it is done; rows of stores that are not named stay. Exit status 1 where one went
wrong.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import drills, results
from features.workspace import Workspace, load
from serving.scores import batch
from serving.scores.score import Score
from serving.stores.log import Log
from serving.stores.store import Store
from tests import company, postgres, worlds
from tests.serving.conftest import Server, launch, stop
from training.registry import Registry, Version
from training.train import train

WRITES = 20
"""Entries that are acknowledged before, and after, each kill."""
MORE_MEMORY, MORE_HANDLES = 0.05, 5
Row = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--swaps", type=int, default=100)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--stores", nargs="+", choices=["sqlite", "postgresql"], default=["sqlite", "postgresql"])
    given = parser.parse_args()
    rows: list[Row] = []
    for store in given.stores:
        with TemporaryDirectory() as folder, service(Path(folder), store) as (workspace, server, scores):
            for made in drilled(workspace, server, scores, given):
                rows.append({"who": "propensity", "store": store} | made)
                print(rows[-1], file=sys.stderr)
                results.save(
                    "faults", rows, kept=[row for row in results.load("faults") if row["store"] not in given.stores]
                )
    sys.exit(0 if all(row["as_expected"] for row in rows) else 1)


@contextmanager
def service(folder: Path, store: str) -> Iterator[tuple[Workspace, Server, dict[Version, list[Score]]]]:
    """A trained company with two versions of churn, and the server over it."""
    with postgres.postgresql() as url:
        place = {"store": url.replace("postgresql://", "postgresql+psycopg://")} if store == "postgresql" else {}
        limits = {"watch_seconds": 0.2, "requests_per_minute": 0}
        here = company.found(folder / "company", service=limits, **place)
        worlds.take_in(here)
        Store(here).remember(company.names(here))
        for outcome, _ in here.config.outcomes:
            train(here, outcome)
        batch.score(here)
        first, second = Registry(here).require_champion(drills.OUTCOME), drills.another(here)
        server = launch(here, folder / "server.log")
        try:
            drills.until(lambda: server.client.get("/readyz").status_code == 200, "being ready")
            yield load(here.root), server, {version: drills.scored(here, version) for version in (first, second)}
        finally:
            stop(server)
            Store(here).engine.dispose()


def drilled(
    workspace: Workspace, server: Server, scores: dict[Version, list[Score]], given: argparse.Namespace
) -> Iterator[Row]:
    """One row per drill."""
    truth = {version.number: {one.account: one for one in said} for version, said in scores.items()}
    url, accounts, arbiter = str(server.client.base_url), sorted(next(iter(truth.values()))), server.process.pid
    if given.swaps:
        yield _swaps(workspace, server, scores, truth, given.swaps)
    if given.kills:
        yield _worker_kills(workspace, server, accounts, given.kills // 2)
        yield _writer_kills(workspace, accounts[0], given.kills - given.kills // 2)
    if given.minutes:
        with drills.load(url, truth) as seen:
            samples = drills.soak(arbiter, given.minutes * 60, max(0.2, given.minutes * 60 / 300))
        memory, handles = drills.growth(samples)
        yield {
            "what": "soak",
            "seconds": round(samples[-1].seconds),
            "requests": seen.answers,
            "failed": len(seen.wrong),
            "memory_mb": round(samples[-1].memory / 2**20),
            "more_memory": round(memory, 4),
            "more_handles": handles,
            "as_expected": not seen.wrong and memory < MORE_MEMORY and handles <= MORE_HANDLES,
        }


def _swaps(
    workspace: Workspace, server: Server, scores: dict[Version, list[Score]], truth: drills.Truth, count: int
) -> Row:
    with drills.load(str(server.client.base_url), truth) as seen:
        took = drills.swaps(workspace, server.client, scores, count)
    return {
        "what": "swaps under load",
        "count": count,
        "requests": seen.answers,
        "failed": len(seen.wrong),
        "first_failures": seen.wrong[:3],
        "seconds_to_swap": {"median": round(statistics.median(took), 2), "most": round(max(took), 2)},
        "as_expected": not seen.wrong and len(seen.versions) == len(scores),
    }


def _worker_kills(workspace: Workspace, server: Server, accounts: list[str], count: int) -> Row:
    took = []
    with drills.writing(str(server.client.base_url), accounts) as written:
        for _ in range(count):
            enough = len(written.acknowledged) + WRITES
            drills.until(lambda: len(written.acknowledged) >= enough, "writing")  # noqa: B023
            took.append(drills.kill_worker(server.client, server.process.pid))
        enough = len(written.acknowledged) + WRITES
        drills.until(lambda: len(written.acknowledged) >= enough, "writing again")
    compared = written.compared(Log(workspace))
    return {
        "what": "worker killed while somebody writes",
        "count": count,
        "acknowledged": len(written.acknowledged),
        "broken_off": written.broken,
        "lost": len(compared.lost),
        "twice": len(compared.twice),
        "seconds_to_ready": {"median": round(statistics.median(took), 1), "most": round(max(took), 1)},
        "as_expected": not compared.lost and not compared.twice,
    }


def _writer_kills(workspace: Workspace, account: str, count: int) -> Row:
    begun = time.monotonic()
    killed = [drills.kill_writer(workspace, account, f"writer-{number}", WRITES) for number in range(count)]
    lost = sum(len(gone) for _, gone in killed)
    return {
        "what": "writer killed",
        "count": count,
        "acknowledged": sum(said for said, _ in killed),
        "lost": lost,
        "seconds": round(time.monotonic() - begun),
        "as_expected": not lost,
    }


if __name__ == "__main__":
    main()
