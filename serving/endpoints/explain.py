"""``GET /v1/accounts/{account}/explain``: what each feature was, and what it added."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
from fastapi import APIRouter

from features.feature import Column
from serving.endpoints import Loaded
from serving.families import share
from serving.guard import Json

router = APIRouter()
SCOPE = "read"
OWNED = True


@router.get("/v1/accounts/{account:path}/explain")
def explain(account: str, outcome: str, live: Loaded) -> Json:
    """The score, its reasons, and every feature, the strongest first.

    ``base`` plus all contributions is ``log_odds``, and ``probability`` is 1 / (1 + exp(-log_odds)). The contributions
    are there added up by family and by role too.
    """
    served, score = live.of(outcome), live.score(outcome, account)
    row = served.rows([account])
    *contributions, base = served.scorer.model.contributions(row)[0].tolist()
    shares = share(served.scorer.model, served.scorer.plan, row)
    features = [
        _feature(column, row[column.name].iloc[0], contribution)
        for column, contribution in zip(served.columns, contributions, strict=True)
    ]
    features.sort(key=lambda feature: -abs(feature["contribution"]))
    return Json(
        {
            "score": score.as_dict(),
            "base": base,
            "log_odds": math.fsum([base, *contributions]),
            "families": shares.families,
            "roles": shares.roles,
            "features": features,
        }
    )


def _feature(column: Column, value: Any, contribution: float) -> dict[str, Any]:
    known = None if pd.isna(value) else value if column.categorical else float(value)
    declaration = column.declaration
    return {
        "name": column.name,
        "value": known,
        "text": column.explain(known),
        "contribution": contribution,
        "family": declaration.family,
        "unit": declaration.unit,
        "window_days": column.window or None,
        "doc": declaration.doc,
    }
