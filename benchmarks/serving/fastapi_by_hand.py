"""FastAPI as people write it: pydantic checks the row, the model is asked through a DataFrame."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pandas as pd
from fastapi import FastAPI
from pydantic import create_model

from benchmarks.serving.cases import OUTCOME
from features.workspace import load
from training.registry import Registry


def application() -> FastAPI:
    registry = Registry(load(Path(os.environ["PROPENSITY_WORKSPACE"])))
    model = registry.load(registry.require_champion(OUTCOME))
    fields: dict[str, Any] = dict.fromkeys(model.encoder.columns, (float | str | None, None))
    shape = create_model("Row", **fields)
    app = FastAPI()

    def score(row: Any) -> dict[str, float]:
        return {"probability": float(model.scores(pd.DataFrame([row.model_dump()])).probability[0])}

    score.__annotations__["row"] = shape
    app.post("/score")(score)
    return app
