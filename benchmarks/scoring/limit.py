"""What no one can do without: to read the rows, and write as many numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

AT_ONCE: dict[str, int] = {}
ALONE = False


def load(model: Path, threads: int) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    return {"contributions": lambda rows: np.concatenate([rows, rows[:, :1]], axis=1)}


def version() -> str:
    return np.__version__
