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

registry = Registry(load(Path(os.environ["PROPENSITY_WORKSPACE"])))
model = registry.load(registry.require_champion(OUTCOME))
fields: dict[str, Any] = dict.fromkeys(model.encoder.columns, (float | str | None, None))
Row = create_model("Row", **fields)
app = FastAPI()


@app.post("/score")
def score(row: Row) -> dict[str, float]:  # type: ignore[valid-type]
    return {"probability": float(model.scores(pd.DataFrame([row.model_dump()])).probability[0])}  # type: ignore[attr-defined]
