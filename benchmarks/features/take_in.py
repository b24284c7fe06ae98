"""Preparation: from raw files to the canonical Parquet that every competitor reads, and to propensity's own ledger."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

from features import intake, ledger
from features.workspace import load

PACKAGE = "propensity"


def build(root: Path, as_of: list[int], out: Path) -> dict[str, Any]:
    here = load(root)
    shutil.rmtree(here.state / "facts", ignore_errors=True)
    with intake.read(here) as found:
        found.write_tables()
    begun = time.perf_counter()
    ledger.opened(here)
    return {"ledger": time.perf_counter() - begun}
