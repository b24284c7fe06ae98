"""What MLflow runs for ``mlflow.pyfunc.load_model("models:/churn@champion")``: our model, built from code, no pickle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel, PythonModelContext

from training import model as models


class Probability(PythonModel):  # type: ignore[misc]
    """Features of one account a row in, calibrated probability out.

    Rows that carry no ``as_of`` are taken as of no time of the year: a model with a season then leaves it out.
    """

    def load_context(self, context: PythonModelContext) -> None:
        self.model = models.load(Path(context.artifacts["model"]), context.model_config["contract_sha256"])

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        return pd.DataFrame({"probability": self.model.scores(model_input).probability})


set_model(Probability())
