"""``woodelf-explainer``, which takes no splits by category, on one thread. Runs in an environment of its own."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pandas as pd
from woodelf import WoodelfExplainer

AT_ONCE = {"contributions": 20_000}  # it prepares its tables for each call
ALONE = False


def load(model: Path, threads: int) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    booster = lgb.Booster(model_file=str(model))
    explainer, names = WoodelfExplainer(booster), booster.feature_name()
    return {"contributions": lambda rows: np.asarray(explainer.shap_values(pd.DataFrame(rows, columns=names)))}


def version() -> str:
    return importlib.metadata.version("woodelf-explainer")
