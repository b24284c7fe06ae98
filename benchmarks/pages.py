"""Every page over a large company: how long it takes the first time and later, beside a route that does nothing.

    python -m benchmarks.pages [--accounts 50000] [--rounds 20] [--workspace FOLDER]

Models are trained on a small company; the large one is a later export of the same world, taken in and scored by them.
Pages are asked for in turn, so that a busy moment of the machine meets all of them; the bare route likewise.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import numpy as np

from benchmarks import results
from benchmarks.every_page import every_page
from benchmarks.screenshots import MAKING, first
from benchmarks.serving.__main__ import PROJECT, copied, ours, running
from benchmarks.serving.cases import BARE
from features import intake
from features.files import replaced
from features.sources.simulated import World, simulate
from features.workspace import FILE, Workspace, load
from serving import demo
from serving.scores import batch
from serving.stores.store import Store
from training.registry import Registry
from training.train import train

ACCOUNTS, MONTHS = 50_000, 18
LEARNT_FROM, LEARNT_MONTHS = 1_500, 24
BUDGET_MS, BUDGET_KB = 1000, 300
PATIENCE = 900.0
BEING_MADE = f"still being made after {PATIENCE:.0f} s; what is timed is the page that says so"
DERIVED = ("tables", "facts", "frames", "parts", "quality")
"""What an intake makes; taken away, so that the large one is the first."""


@dataclass
class Timed:
    """A page, or the bare route. ``first`` is the whole wait with all of them asked for at once, in which one is told that it
    is being made.
    """

    what: str
    address: str
    begun: float = 0.0
    first: float = 0.0
    later: list[float] = field(default_factory=list)
    kb: float = 0.0
    wrong: str = ""

    def begin(self, client: httpx.Client) -> bool:
        """Ask until it is there: whether it is now."""
        self.begun = self.begun or time.perf_counter()
        answer = client.get(self.address)
        self.first = time.perf_counter() - self.begun
        self.kb = answer.num_bytes_downloaded / 1000
        self.wrong = {200: "", MAKING: BEING_MADE}.get(answer.status_code, f"status {answer.status_code}")
        return answer.status_code != MAKING

    def again(self, client: httpx.Client) -> None:
        begun = time.perf_counter()
        answer = client.get(self.address)
        self.later.append(time.perf_counter() - begun)
        if answer.status_code not in (200, MAKING):
            self.wrong = f"status {answer.status_code}"

    def row(self, bare: float, accounts: int) -> dict[str, Any]:
        middle, late = (float(value) for value in np.percentile(self.later, [50, 95]))
        return {
            "who": "propensity",
            "what": self.what,
            "accounts": accounts,
            "ms": round(1000 * middle, 1),
            "p95_ms": round(1000 * late, 1),
            "first_ms": round(1000 * self.first, 1),
            "ratio": round(middle / bare, 1),
            "kb": round(self.kb, 1),
            "budget_ms": BUDGET_MS,
            "wrong": self.wrong,
        }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pages", description=__doc__)
    parser.add_argument("--accounts", type=int, default=ACCOUNTS)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--workspace", type=Path, help="one that is trained and scored, in place of a simulated one")
    parser.add_argument("--out", default="pages", help="name of the results")
    given = parser.parse_args()
    with TemporaryDirectory() as scratch:
        root = copied(given.workspace or made(given.accounts), Path(scratch) / "company")
        found = measure(root, given.rounds)
    results.save(given.out, found)
    for row in found:
        print(*row.values(), sep="\t")


def measure(root: Path, rounds: int) -> list[dict[str, Any]]:
    with (
        running(ours(root), root, anywhere=True) as port,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=600, trust_env=False) as client,
    ):
        timed = visited(client, BARE, rounds)
    usual = float(np.median(timed[0].later))
    accounts = len(Store(load(root)).top("churn", 10_000_000))
    busy = {"load": round(os.getloadavg()[0], 2)}
    return [one.row(usual, accounts) | busy for one in timed]


def visited(client: httpx.Client, bare: str, rounds: int) -> list[Timed]:
    """The bare route, and then every page, after so many rounds through all of them."""
    pages = every_page(asked(str(client.base_url)))
    timed = [Timed("a bare route", bare), *(Timed(name, address) for name, address in pages.items())]
    waiting, until = timed, time.perf_counter() + PATIENCE
    while waiting and time.perf_counter() < until:
        waiting = [one for one in waiting if not one.begin(client)]
        time.sleep(0.2)
    for _ in range(rounds):
        for one in timed:
            one.again(client)
    return timed


def asked(address: str) -> Mapping[str, str]:
    """What the paths of pages leave open."""
    return {"account": first(address.rstrip("/"))}


def made(accounts: int) -> Path:
    """The company of so many accounts, scored; made once."""
    root = PROJECT / "benchmarks" / ".worlds" / f"pages-{accounts}"
    done = root / "scored"
    if not done.is_file():
        shutil.rmtree(root, ignore_errors=True)
        taught(root)
        simulate(World(accounts=accounts, months=MONTHS), root / "data")
        for name in DERIVED:
            shutil.rmtree(root / "state" / name, ignore_errors=True)
        batch.score(taken_in(root))
        with replaced(done) as part:
            part.write_text(f"{accounts}\n", encoding="utf-8")
    assert (root / FILE).is_file()
    return root


def taught(root: Path) -> None:
    """Champions of both outcomes, whatever the gate says of them: it is pages that are measured."""
    demo.prepare(root, World(accounts=LEARNT_FROM, months=LEARNT_MONTHS), lambda done, of: None)
    settings = (root / FILE).read_text(encoding="utf-8")
    with replaced(root / FILE) as part:  # personas are fitted late in a history, and this one is short
        part.write_text(re.sub(r"\[personas\]\n.*\n", "", settings), encoding="utf-8")
    here = taken_in(root)
    quick = here.config.training.model_copy(update=demo.TRAINING)
    here = Workspace(root, here.config.model_copy(update={"training": quick}))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow uses what SQLAlchemy has deprecated; none of it is ours
        registry = Registry(here)
        for outcome, _ in here.config.outcomes:
            result = train(here, outcome)
            assert result.version is not None, result.reasons
            registry.promote(registry.version(outcome, result.version))


def taken_in(root: Path) -> Workspace:
    here = load(root)
    with intake.read(here) as found:
        found.write_tables()
        Store(here).remember(found.names())
    return here


if __name__ == "__main__":
    main()
