"""The command, as a process of its own or (much faster, the same code) within this one."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from serving import cli

PROPENSITY = Path(sys.executable).with_name("propensity")


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it said."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on standard output; anything else there is an error."""
        return json.loads(self.out)


def run(*arguments: object, timeout: float = 300) -> Done:
    """The real command."""
    done = subprocess.run(
        [PROPENSITY, *map(str, arguments)], capture_output=True, text=True, timeout=timeout, check=False
    )
    return Done(done.returncode, done.stdout, done.stderr)


class Command:
    """The command within this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.capsys, self.monkeypatch = capsys, monkeypatch

    def __call__(self, *arguments: object) -> Done:
        self.monkeypatch.setattr(sys, "argv", ["propensity", *map(str, arguments)])
        self.capsys.readouterr()
        status = 0
        try:
            cli.main()
        except SystemExit as stop:
            assert stop.code is None or isinstance(stop.code, int)
            status = stop.code or 0
        out, err = self.capsys.readouterr()
        return Done(status, out, err)
