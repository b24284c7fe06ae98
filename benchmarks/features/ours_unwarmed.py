"""Propensity, with nothing done beforehand but the ledger: for what the whole process takes."""

from __future__ import annotations

import shutil
from pathlib import Path

from benchmarks.features import ours

PACKAGE = "propensity"


def build(tables: Path, as_of: list[int], out: Path) -> None:
    here = ours.workspace(tables)
    shutil.rmtree(here.frames, ignore_errors=True)
    ours.frames(here, ours.days(as_of))
    shutil.rmtree(here.frames)
