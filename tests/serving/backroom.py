"""What the tests of the back room let it make."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from features.errors import PropensityError
from features.workspace import Config, Workspace


def workspace(root: Path, name: str) -> Workspace:
    """Of a configuration that is in no file."""
    told = {
        "name": name,
        "tables": {"accounts": {"sql": "SELECT 1"}, "usage": {"sql": "SELECT 1"}},
        "as_of": {"since": "2024-01-01"},
    }
    return Workspace(root, Config.model_validate(told))


@dataclass(frozen=True)
class Made:
    word: str
    numbers: tuple[float, ...]


def what(workspace: Workspace, word: str) -> list[Made]:
    print("this is no answer")  # noqa: T201
    return [Made(word, (0.1 + 0.2, float("nan"), float("inf")))]


def named(workspace: Workspace) -> dict[str, Any]:
    return {"name": workspace.config.name, "process": os.getpid(), "nice": os.nice(0)}


def refused(workspace: Workspace) -> None:
    raise PropensityError("no", "not at all", status=409)


def broken(workspace: Workspace, name: str) -> None:
    raise RuntimeError(f"nobody has thought of {name}")


def killed(workspace: Workspace) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def together(workspace: Workspace, folder: str, many: int) -> int:
    """Which process it is made in, once so many were at it."""
    mine = os.getpid()
    (Path(folder) / f"{mine}.at work").touch()
    while len(list(Path(folder).glob("*.at work"))) < many:
        time.sleep(0.02)
    return mine


def endless(workspace: Workspace, place: str) -> None:
    Path(place).write_text(str(os.getpid()))
    time.sleep(600)
