"""Killed at any moment, the next run gives what an undisturbed run gives.

Each command runs as a process of its own on a tiny workspace and is killed (SIGKILL) after a part of the time that an
undisturbed run takes from the moment it begins to read. ``PROPENSITY_KILLS`` kills per command, one by default; more
for a full sweep.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL

import pytest

from features.workspace import Workspace, load
from serving.stores.store import Store
from tests import commands, company
from tests.commands import Command
from training.registry import Registry

KILLS = int(os.environ.get("PROPENSITY_KILLS", "1"))
COMMANDS = ("features", "train", "score")
CONFIG = {**company.CONFIG, "outcomes": {"churn": company.CONFIG["outcomes"]["churn"]}}
DECIDES = {"features": ("frames",), "train": ("frames", "champion"), "score": ("frames", "champion", "scores")}
"""What each command, the earlier ones done, decides."""


@dataclass(frozen=True)
class Undisturbed:
    """A workspace as it was before each command, what the last one came to, and how long each took."""

    before: dict[str, Path]
    after: Path
    seconds: dict[str, float]


@pytest.fixture(scope="module")
def undisturbed(prepared: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """The registry is empty but there, since MLflow takes long to make one."""
    root = tmp_path_factory.mktemp("undisturbed")
    workspace = company.found(root / "company", accounts=100, **CONFIG)
    shutil.copy(prepared.root / "mlflow.db", workspace.root)
    before, seconds = {}, {}
    for command in COMMANDS:
        before[command] = root / f"before {command}"
        shutil.copytree(workspace.root, before[command])
        with _reading(command, workspace.root) as process:
            begun = time.monotonic()
            assert process.wait(300) == 0
        seconds[command] = time.monotonic() - begun
    return Undisturbed(before, workspace.root, seconds)


def _came_to(root: Path) -> dict[str, object]:
    """Everything that a run decides: frames by their content, the champion's bytes, every score."""
    workspace = load(root)
    frames = sorted(f"{file.parent.name} {file.stem}" for file in workspace.frames.rglob("*.parquet"))
    champion = Registry(workspace).champion("churn")
    scores = Store(workspace).top("churn", 10_000) if Store(workspace).shown("churn") else []
    return {
        "frames": frames,
        "champion": champion and champion.sha256,
        "scores": [(s.account, s.probability, s.low, s.high, s.reasons, s.row_hash, s.frame_hash) for s in scores],
    }


def _reading(command: str, root: Path) -> subprocess.Popen[bytes]:
    """The command at the moment at which it begins to read."""
    process = subprocess.Popen([commands.PROPENSITY, command, "--workspace", root], stdout=DEVNULL, stderr=DEVNULL)
    before = set((root / "state").glob("*"))
    while process.poll() is None and set((root / "state").glob("*")) == before:
        time.sleep(0.002)
    return process


def _moments(command: str) -> list[float]:
    """When to kill, as shares of an undisturbed run: one in each of equal parts, at a random place within it."""
    drawn = random.Random(f"moments of {command}")  # noqa: S311
    return [(part + drawn.random()) / KILLS for part in range(KILLS)]


@pytest.mark.parametrize(
    ("command", "moment"), [(command, moment) for command in COMMANDS for moment in _moments(command)]
)
def test_a_run_after_a_kill_comes_to_the_same(
    command: str, moment: float, undisturbed: Undisturbed, propensity: Command, tmp_path: Path
) -> None:
    root = tmp_path / "company"
    shutil.copytree(undisturbed.before[command], root)
    with _reading(command, root) as process:
        time.sleep(moment * undisturbed.seconds[command])
        process.kill()
    if command == "score":
        _is_whole_or_empty(root, propensity)
    done = propensity(command, "--workspace", root)
    # A kill between promoting and ending leaves a champion than which the same model is not better.
    assert done.status in ((0, 3) if command == "train" else (0,)), done
    found, expected = _came_to(root), _came_to(undisturbed.after)
    for decided in DECIDES[command]:
        assert found[decided] == expected[decided] != [], decided
    assert not [file for file in root.rglob("*.part") if file.parent.parent.name != "frames"]


def test_training_that_is_terminated_says_so_and_can_be_repeated(
    undisturbed: Undisturbed, propensity: Command, tmp_path: Path
) -> None:
    """SIGTERM as soon as there is a run, while boosters are being fitted."""
    root = tmp_path / "company"
    shutil.copytree(undisturbed.before["train"], root)
    with _reading("train", root) as process:
        while process.poll() is None and "RUNNING" not in _runs(root):
            time.sleep(0.01)
        process.terminate()
        assert process.wait(300) == 128 + signal.SIGTERM
    assert set(_runs(root)) == {"FAILED"}
    assert Registry(load(root)).champion("churn") is None
    assert propensity("train", "--workspace", root).status == 0
    assert _came_to(root)["champion"] == _came_to(undisturbed.after)["champion"]


def _runs(root: Path) -> list[str]:
    """Of MLflow's runs, how each stands, without the time that MLflow takes."""
    with sqlite3.connect(f"file:{root / 'mlflow.db'}?mode=ro", uri=True, timeout=60) as database:
        found = [status for (status,) in database.execute("select status from runs")]
    database.close()
    return found


def _is_whole_or_empty(root: Path, propensity: Command) -> None:
    """A killed `score` leaves all of the scores or none, and either way they can be asked for."""
    done = propensity("list", "churn", "--workspace", root, "--top", 10_000, "--json")
    stored = Store(load(root)).shown("churn")
    if stored is None:
        assert (done.status, "there are no churn scores yet" in done.document["error"]) == (2, True)
    else:
        assert (done.status, len(done.document["lines"])) == (0, stored.rows)
