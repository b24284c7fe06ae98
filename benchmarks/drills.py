"""What is done to a running service, and what became of those who asked it meanwhile.

A drill takes a service that is up and says what it saw; ``tests/faults`` runs each in small, ``benchmarks.faults`` in full.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from features import frame
from features.workspace import Workspace
from serving.scores.score import Score
from serving.scores.scoring import Scorer
from serving.stores.log import Log
from serving.stores.store import Store
from training.calibration import Sigmoid
from training.registry import SHA, Registry, Version

OUTCOME = "churn"
ASKED = 20
"""Accounts in one request."""
PAUSE = 0.04
"""Seconds between an answer and the next request of the same asker: what is drilled is not speed."""
PATIENCE = 120.0
"""Seconds until something that should happen counts as not happening."""
Truth = dict[int, dict[str, Score]]


def another(workspace: Workspace) -> Version:
    """A registered version whose scores are not those of the champion: its calibration is moved a little."""
    registry = Registry(workspace)
    champion = registry.require_champion(OUTCOME)
    model = registry.load(champion)
    moved = replace(model, sigmoid=Sigmoid(model.sigmoid.slope, model.sigmoid.shift + 0.25))
    folder = workspace.state / "models" / "another"
    shutil.rmtree(folder, ignore_errors=True)
    return enrolled(workspace, champion, folder, moved.save(folder))


def enrolled(workspace: Workspace, like: Version, folder: Path, sha256: str) -> Version:
    """A version under which a folder with a model is found; its files are where those that were fetched lie."""
    registry = Registry(workspace)
    registry.versions(like.outcome)  # points MLflow here
    client = registry.client
    source = client.get_model_version(like.outcome, str(like.number))
    made = client.create_model_version(like.outcome, source.source, like.run, tags=dict(source.tags) | {SHA: sha256})
    shutil.rmtree(folder.with_name(sha256), ignore_errors=True)
    folder.rename(folder.with_name(sha256))
    return replace(like, number=int(made.version), sha256=sha256)


def scored(workspace: Workspace, version: Version) -> list[Score]:
    """What a version says of the accounts of the latest batch."""
    batch = Store(workspace).require_shown(version.outcome)
    rows = frame.read(workspace, batch.as_of, batch.frame_hash)
    return Scorer.of(workspace, Registry(workspace), version).score(rows, batch.as_of, batch.frame_hash)


def use(workspace: Workspace, version: Version, scores: list[Score]) -> None:
    """What ``propensity promote`` and ``propensity score`` come to."""
    Registry(workspace).promote(version)
    Store(workspace).save(scores)


@dataclass
class Seen:
    """What those who asked saw: how many answers, of which versions, and every answer that was not as it should be."""

    answers: int = 0
    versions: set[int] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)


def _ask(client: httpx.Client, accounts: list[str], truth: Truth, seen: Seen) -> None:
    """One request; each of its scores must be what the one version that it names says, bit for bit."""
    try:
        answer = client.post("/v1/score", json={"outcome": OUTCOME, "accounts": accounts})
    except httpx.TransportError as error:
        seen.wrong.append(f"{type(error).__name__}: {error}")
        return
    if answer.status_code != 200:
        seen.wrong.append(f"{answer.status_code}: {answer.text[:200]}")
        return
    told = answer.json()
    seen.versions.add(told["model_version"])
    for one in told["scores"]:
        expected = truth[told["model_version"]][one["account"]].as_dict()
        if {name: one[name] for name in expected} != expected:
            seen.wrong.append(f"{one['account']} is not what version {told['model_version']} says")


@contextmanager
def load(url: str, truth: Truth, threads: int = 2) -> Iterator[Seen]:
    """Requests one after the other, from so many at once, as long as this lasts; what is seen is told while it is seen."""
    seen, stop, counting = Seen(), threading.Event(), threading.Lock()
    accounts = sorted(next(iter(truth.values())))

    def again(first: int) -> None:
        with httpx.Client(base_url=url, timeout=PATIENCE, trust_env=False) as client:
            while not stop.is_set():
                first = (first + 7) % len(accounts)
                _ask(client, (accounts + accounts)[first : first + ASKED], truth, seen)
                with counting:
                    seen.answers += 1
                time.sleep(PAUSE)

    asking = [threading.Thread(target=again, args=(number,)) for number in range(threads)]
    for thread in asking:
        thread.start()
    try:
        yield seen
    finally:
        stop.set()
        for thread in asking:
            thread.join()


def until(true: Callable[[], bool], what: str) -> float:
    """Wait until something is so; returns the seconds that it took."""
    begun = time.monotonic()
    while not true():
        if time.monotonic() > begun + PATIENCE:
            raise AssertionError(f"{what}: not within {PATIENCE:.0f} s")
        time.sleep(0.05)
    return time.monotonic() - begun


def health(client: httpx.Client) -> dict[str, Any]:
    """What the service says of the outcome."""
    told: dict[str, Any] = client.get("/v1/health").raise_for_status().json()["outcomes"][OUTCOME]
    return told


def swaps(workspace: Workspace, client: httpx.Client, scores: dict[Version, list[Score]], count: int) -> list[float]:
    """So many swaps, one after the other; returns how many seconds each took from the change to the first such answer."""
    versions, found = list(scores), []
    for number in range(count):
        version = versions[(number + 1) % len(versions)]
        use(workspace, version, scores[version])
        found.append(until(lambda: health(client).get("model_version") == version.number, f"version {version.number}"))  # noqa: B023
    return found


def worker(arbiter: int) -> int:
    """The process that answers: the one child of BentoML's own that keeps the workspace, and so is by far the largest."""
    found = _children(arbiter)
    return max(found, key=resident)


def _children(process: int) -> list[int]:
    try:
        told = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii")
    except FileNotFoundError:
        return []
    return [int(one) for one in told.split()]


def resident(process: int) -> int:
    """Bytes in memory; 0 where the process is gone."""
    try:
        pages = Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1]
    except (FileNotFoundError, ProcessLookupError, IndexError):
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def handles(process: int) -> int:
    """Open files, sockets among them."""
    return len(list(Path(f"/proc/{process}/fd").iterdir()))


@dataclass
class Written:
    """What was acknowledged: key → id in the log; ``lost`` is not there afterwards, ``twice`` is there more than once."""

    acknowledged: dict[str, str] = field(default_factory=dict)
    broken: int = 0
    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)

    def compared(self, log: Log) -> Written:
        """With what the log has."""
        things = [entry.thing for entry in log.entries("outreach") if entry.by == "drill"]
        self.lost = sorted(set(self.acknowledged.values()) - set(things))
        self.twice = sorted({thing for thing in things if things.count(thing) > 1})
        return self


@contextmanager
def writing(url: str, accounts: list[str]) -> Iterator[Written]:
    """Somebody who writes without pause, and sends again with the same key what was not acknowledged."""
    written, stop = Written(), threading.Event()

    def again() -> None:
        with httpx.Client(base_url=url, timeout=PATIENCE, trust_env=False) as client:
            number, key = 0, uuid4().hex
            while not stop.is_set():
                body = {"account": accounts[number % len(accounts)], "kind": f"drill {number}", "by": "drill"}
                try:
                    answer = client.post("/v1/outreach", json=body, headers={"Idempotency-Key": key})
                except httpx.TransportError:
                    written.broken += 1
                    time.sleep(0.05)
                    continue
                if answer.status_code in {200, 201}:
                    written.acknowledged[key] = answer.json()["entries"][0]["thing"]
                    number, key = number + 1, uuid4().hex
                else:
                    written.broken += 1

    thread = threading.Thread(target=again)
    thread.start()
    try:
        yield written
    finally:
        stop.set()
        thread.join()


def kill_worker(client: httpx.Client, arbiter: int) -> float:
    """SIGKILL to the process that answers; returns the seconds until another is ready."""
    killed = worker(arbiter)
    os.kill(killed, signal.SIGKILL)

    def again() -> bool:
        try:
            return worker(arbiter) != killed and client.get("/readyz", timeout=5).status_code == 200
        except (httpx.TransportError, ValueError):
            return False

    return until(again, "another worker")


WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from features.workspace import load
from serving.stores.log import Entry, Log
log = Log(load(Path(sys.argv[1])))
for number in range(1_000_000):
    thing = f"{sys.argv[2]}-{number}"
    log.add([Entry("outreach", thing, "planned", sys.argv[3], datetime.now(UTC), "writer", kind="call")])
    print(thing, flush=True)
"""


def kill_writer(workspace: Workspace, account: str, name: str, after: int) -> tuple[int, list[str]]:
    """SIGKILL to a process that writes to the log; returns how many it had said to have written, and which are not there."""
    command = [sys.executable, "-W", "ignore", "-c", WRITER, str(workspace.root), name, account]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) as process:
        assert process.stdout is not None
        said = [process.stdout.readline().strip() for _ in range(after)]
        process.kill()
        said += process.stdout.read().split()
    there = {entry.thing for entry in Log(workspace).entries("outreach")}
    return len(said), sorted(set(said) - there - {""})


@dataclass(frozen=True)
class Sample:
    """Of the process that answers: seconds since the beginning, bytes in memory, open files."""

    seconds: float
    memory: int
    handles: int


def soak(arbiter: int, seconds: float, every: float) -> list[Sample]:
    """Look at the process that answers, again and again."""
    begun, found, process = time.monotonic(), [], worker(arbiter)
    while (gone := time.monotonic() - begun) < seconds:
        found.append(Sample(gone, resident(process), handles(process)))
        time.sleep(every)
    return found


def growth(samples: list[Sample]) -> tuple[float, int]:
    """How much more memory (share) and how many more handles the last third has than the middle one, at its most."""
    third = len(samples) // 3
    middle, last = samples[third : 2 * third], samples[2 * third :]
    more = max(one.memory for one in last) / max(one.memory for one in middle) - 1
    return more, max(one.handles for one in last) - max(one.handles for one in middle)
