"""Killed at any moment, the next run gives what an undisturbed run gives.

Each command runs as a process of its own on a tiny workspace and is killed (SIGKILL) after a part of the time that an
undisturbed run takes. ``PROPENSITY_KILLS`` kills per command, three by default; more for a full sweep.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from features.workspace import Workspace, load
from serving.store import Store
from tests import commands, company
from tests.commands import Command
from training.registry import Registry

KILLS = int(os.environ.get("PROPENSITY_KILLS", "3"))
COMMANDS = ("features", "train", "score")
CONFIG = {**company.CONFIG, "outcomes": {"churn": company.CONFIG["outcomes"]["churn"]}}
IMPORTS = 0.2
"""The share of a run in which the process only starts."""


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
        begun = time.monotonic()
        assert commands.run(command, "--workspace", workspace.root).status == 0
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
        "leftovers": sorted(
            file.name for file in root.rglob("*.part") if workspace.state / "frames" not in file.parents
        ),
    }


def _killed(command: str, root: Path, after: float) -> None:
    process = subprocess.Popen(
        [commands.PROPENSITY, command, "--workspace", root], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _moments(command: str) -> list[float]:
    """When to kill, as shares of an undisturbed run: one in each of equal parts, at a random place within it."""
    drawn = random.Random(f"moments of {command}")
    return [IMPORTS + (1 - IMPORTS) * (part + drawn.random()) / KILLS for part in range(KILLS)]


@pytest.mark.parametrize(
    ("command", "moment"), [(command, moment) for command in COMMANDS for moment in _moments(command)]
)
def test_a_run_after_a_kill_comes_to_the_same(
    command: str, moment: float, undisturbed: Undisturbed, propensity: Command, tmp_path: Path
) -> None:
    root = tmp_path / "company"
    shutil.copytree(undisturbed.before[command], root)
    _killed(command, root, moment * undisturbed.seconds[command])
    if command == "score":
        _is_whole_or_empty(root, propensity)
    for following in COMMANDS[COMMANDS.index(command) :]:
        done = propensity(following, "--workspace", root)
        # A kill between promoting and ending leaves a champion that the same model is not better than.
        assert done.status in ((0, 3) if (following, command) == ("train", "train") else (0,)), done
    assert _came_to(root) == _came_to(undisturbed.after)


def _is_whole_or_empty(root: Path, propensity: Command) -> None:
    """A killed `score` leaves all of the scores or none, and either way they can be asked for."""
    done = propensity("list", "churn", "--workspace", root, "--top", 10_000, "--json")
    stored = Store(load(root)).shown("churn")
    if stored is None:
        assert (done.status, "there are no churn scores yet" in done.document["error"]) == (2, True)
    else:
        assert (done.status, len(done.document["lines"])) == (0, stored.rows)
