"""``training.shapley.contributions``, on so many threads."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from pathlib import Path

import lightgbm as lgb
import numpy as np

from features import threads as shared
from training.shapley.contributions import Contributions

AT_ONCE: dict[str, int] = {}
ALONE = True


def load(model: Path, threads: int) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    shared.THREADS = threads
    ours = Contributions.of(lgb.Booster(model_file=str(model)))
    if not ours.fast:
        raise RuntimeError(ours.reason)

    def both(rows: np.ndarray) -> np.ndarray:
        ours.raw(rows)
        return ours.contributions(rows)

    return {"predict": ours.raw, "contributions": ours.contributions, "both": both}


def version() -> str:
    return importlib.metadata.version("propensity")
