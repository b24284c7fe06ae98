"""``Booster.predict``, on so many threads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import lightgbm as lgb
import numpy as np

AT_ONCE = {"contributions": 500}  # as it takes long, and it is the same for any number
ALONE = True


def load(model: Path, threads: int) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    booster = lgb.Booster(model_file=str(model))
    return {
        "predict": lambda rows: booster.predict(rows, raw_score=True, num_threads=threads),
        "contributions": lambda rows: booster.predict(rows, pred_contrib=True, num_threads=threads),
    }


def version() -> str:
    return lgb.__version__
