"""Propensity, when eleven months are stored and the twelfth is added."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.features import ours

PACKAGE = "propensity"
finish = ours.finish


def warm(tables: Path, as_of: list[int]) -> None:
    ours.warm(tables, as_of)
    ours.frames(ours.workspace(tables), ours.days(as_of[:-1]))


def build(tables: Path, as_of: list[int], out: Path) -> dict[str, Any]:
    ours.build(tables, as_of, out)
    return {"peak_mb": None}
