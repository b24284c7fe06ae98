"""Why: LightGBM's own contributions in plain English, with the account's own numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from features.feature import Attribute, Column, Feature, Ratio
from features.plan import Plan
from serving.score import Reason
from training.dataset import Matrix
from training.model import Model

REASONS = 3


def reasons(model: Model, plan: Plan, rows: pd.DataFrame, contributions: Matrix) -> list[list[Reason]]:
    """Up to three reasons per row, strongest first.

    A row above its starting point is explained by what raises it, one below by what lowers it. Columns that look at
    the same facts, such as one count over several windows, speak once, together: their contributions are added and
    the strongest of them gives the words.
    """
    columns = {column.name: column for column in plan.columns}
    known = [columns[name] for name in model.encoder.columns]
    groups, members = _groups(known, plan)
    found = []
    for position, row in enumerate(rows.to_dict("records")):
        found.append(_of_row(known, groups, members, contributions[position, :-1], row))
    return found


def _of_row(
    known: list[Column], groups: np.ndarray, members: list[list[int]], contributions: np.ndarray, row: dict[Any, Any]
) -> list[Reason]:
    sums = np.bincount(groups, weights=contributions, minlength=len(members))
    sign = 1.0 if contributions.sum() >= 0 else -1.0
    chosen = []
    for group in np.argsort(-sign * sums, kind="stable")[:REASONS]:
        if sign * sums[group] <= 0:
            break
        strongest = max(members[group], key=lambda column: sign * contributions[column])
        column = known[strongest]
        value = row[column.name]
        text = column.explain(value if isinstance(value, str | float | int) else None)
        chosen.append(Reason(text, column.name, float(sums[group])))
    return chosen


def _groups(known: list[Column], plan: Plan) -> tuple[np.ndarray, list[list[int]]]:
    """Which columns speak of the same thing."""
    keys = [_subject(column, plan) for column in known]
    order = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    groups = np.array([order[key] for key in keys])
    return groups, [list(np.flatnonzero(groups == number)) for number in range(len(order))]


def _subject(column: Column, plan: Plan) -> tuple[str, ...]:
    declaration = column.declaration
    if isinstance(declaration, Ratio):
        top = plan.declarations[declaration.top]
        return (top.of, "ratio") if isinstance(top, Feature) else (declaration.name,)
    if isinstance(declaration, Attribute):
        return (declaration.name,)
    return (declaration.of, declaration.label, declaration.role)
