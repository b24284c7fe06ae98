"""BentoML as its tutorial has it: a method of a service, the model asked through a DataFrame."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import pandas as pd

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its own dependencies deprecate each other
    import bentoml

from benchmarks.serving.cases import OUTCOME
from features.workspace import load
from training.registry import Registry

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # BentoML's own dependencies deprecate each other
    import bentoml

    @bentoml.service(name="default", workers=1)
    class Default:
        def __init__(self) -> None:
            registry = Registry(load(Path(os.environ["PROPENSITY_WORKSPACE"])))
            self.model = registry.load(registry.require_champion(OUTCOME))

        @bentoml.api
        def score(self, row: dict[str, Any]) -> float:
            return float(self.model.scores(pd.DataFrame([row])).probability[0])
