"""``POST /v1/score/features``: scores of feature rows that the caller brings, for "what if"."""

from __future__ import annotations

import math
from difflib import get_close_matches
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from features.errors import PropensityError, one_of
from features.feature import Column
from serving.endpoints import Loaded, answers
from serving.web.answers import OfRows
from serving.web.guard import Json

SCOPE = "read"
OWNED = True
MOST = 1_000
router = APIRouter()


class Rows(BaseModel):
    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        json_schema_extra={"examples": [{"outcome": "churn", "rows": [{"days_to_renewal": 40}]}]},
    )

    outcome: str
    rows: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=MOST)]


@router.post("/v1/score/features", responses=answers(OfRows, 400, 404, 503))
def score(asked: Rows, live: Loaded) -> Json:
    """Probability, interval and reasons of each row, in order. A feature that is left out is null.

    Numbers for numeric features, text for categorical ones; anything else, and an unknown name, is an error.
    """
    served = live.of(asked.outcome)
    scores = served.scorer.of_rows(_checked(served.by_name, asked.rows))
    return Json(
        {
            "outcome": asked.outcome,
            "model_version": served.scorer.version.number,
            "scores": [score.as_dict() for score in scores],
        }
    )


def _checked(columns: dict[str, Column], rows: list[dict[str, Any]]) -> list[dict[str, str | float | None]]:
    """The rows, every value found to be what its feature takes."""
    if unknown := sorted({name for row in rows for name in row} - columns.keys()):
        raise _unknown(unknown, list(columns))
    return [
        {name: _value(columns[name], number, value) for name, value in row.items()} for number, row in enumerate(rows)
    ]


def _unknown(unknown: list[str], names: list[str]) -> PropensityError:
    near = {match for name in unknown[:10] for match in get_close_matches(name, names, n=3, cutoff=0.4)}
    return PropensityError(
        f"the model has no feature called {one_of(name[:80] for name in unknown)}",
        f"Closest are {one_of(near)}." if near else f"There are {one_of(names)}.",
    )


def _value(column: Column, row: int, value: Any) -> str | float | None:
    if column.categorical:
        if value is None or isinstance(value, str):
            return value
        raise _wrong(column, row, "text")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not _finite(value):
        raise _wrong(column, row, "a finite number")
    return float(value)


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _wrong(column: Column, row: int, kind: str) -> PropensityError:
    return PropensityError(f"rows.{row}.{column.name} is not {kind}", f"Give {kind} or null: {column.declaration.doc}.")
