"""What a model would say if something we can act on were otherwise: a model's answer, and no promise that acting does it.

One rule keeps a row consistent: what changes in one window of a count or a sum changes by as much in every longer
window; of anything else only the column named changes. What is computed from changed columns is computed anew. What
else is told by the same facts, such as days since the last of them, stays unless it is set as well, and is named.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from features.errors import PropensityError, one_of
from features.expressions import Rank
from features.feature import Attribute, Column, Feature
from features.peers import Peers
from features.personas import Crowd
from features.plan import Plan
from training.causes import features
from training.model import Model, honour
from training.movement import Movement, movement

CAVEAT = "what the model would say, not what acting would cause: accounts that are treated so differ in other ways too"
ADDED_UP = ("count", "total")
COUNTED = ("count", "contacts", "distinct", "active_days", "level")
"""What is told in whole numbers."""


@dataclass(frozen=True)
class Chance:
    """A probability and its interval (90%)."""

    probability: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float]:
        return dict(vars(self))


@dataclass(frozen=True)
class WhatIf:
    """Before and after; ``changed`` is each column's value before (null: unknown) and after, ``held`` are columns told
    by the same facts that stayed as they were.
    """

    before: Chance
    after: Chance
    changed: dict[str, tuple[float, float]]
    held: tuple[str, ...]
    movement: Movement
    caveat: str = CAVEAT

    def as_dict(self) -> dict[str, Any]:
        shares = self.movement.in_probability().data
        return {
            "what": self.caveat,
            "before": self.before.as_dict(),
            "after": self.after.as_dict(),
            "changed": {name: {"from": _json(was), "to": _json(now)} for name, (was, now) in self.changed.items()},
            "held": list(self.held),
            "log_odds": self.movement.change,
            "contributions": {
                name: {"log_odds": share, "probability": shares[name]}
                for name, share in self.movement.data.items()
                if share
            },
        }


def what_if(
    model: Model, plan: Plan, row: pd.DataFrame, changes: Mapping[str, float], peers: Peers | None = None
) -> WhatIf:
    """Score a row of one account again with some features set; a feature's name means its shortest window.

    Only what is declared ``controllable`` can be set, and nothing beyond what was seen in training; ``peers`` are those
    of the row's frame, needed where a rank is to change. Raises PropensityError naming what can be set, and its range.
    """
    honour(model, plan)
    if not changes:
        raise PropensityError("nothing is to be changed", f"Set one of {one_of(settable(model, plan))}.")
    if unsaid := [name for name, value in changes.items() if not math.isfinite(value)]:
        raise PropensityError(f"{one_of(unsaid)} cannot be set to nothing known", "Set a number.")
    row = row.reset_index(drop=True)
    numbers = {column.name: float(row[column.name].iloc[0]) for column in plan.columns if not column.categorical}
    then = dict(numbers)
    chosen = [(_chosen(model, plan, name), value) for name, value in changes.items()]
    moved: set[str] = set()
    for column, value in sorted(chosen, key=lambda choice: choice[0].window):
        moved |= _set(plan, numbers, column, value)
    moved |= _followed(plan, row, numbers, moved, peers)
    changed = {
        name: (then[name], numbers[name]) for name in plan.names if name in moved and _differ(then, numbers, name)
    }
    _within(model, changed)
    other = row.assign(**{name: now for name, (_, now) in changed.items()})
    return WhatIf(
        _chance(model, row), _chance(model, other), changed, _held(plan, moved), movement((model, row), (model, other))
    )


@dataclass(frozen=True)
class Lever:
    """A column that can be set, what it is ``now`` (NaN: not known), and between what it was in training."""

    column: Column
    now: float
    low: float
    high: float

    @property
    def whole(self) -> bool:
        declaration = self.column.declaration
        return isinstance(declaration, Feature) and declaration.agg.name in COUNTED


def levers(model: Model, plan: Plan, row: pd.DataFrame) -> list[Lever]:
    """What a question about this row can be about, in the order of the plan: of a feature with windows, the shortest. What
    was the same for everybody in training is no question.
    """
    seen: dict[str, list[float]] = model.facts.get("seen") or {}
    shortest: dict[str, Column] = {}
    for column in plan.columns:
        if _controllable(column):
            before = shortest.setdefault(column.declaration.name, column)
            shortest[column.declaration.name] = min(before, column, key=lambda one: one.window)
    known = set(model.encoder.columns) & {name for name, (low, high) in seen.items() if low < high}
    return [Lever(one, float(row[one.name].iloc[0]), *seen[one.name]) for one in shortest.values() if one.name in known]


def settable(model: Model, plan: Plan) -> list[str]:
    """The features that a question can be about."""
    known = set(model.encoder.columns)
    found = [column.declaration.name for column in plan.columns if _controllable(column) and column.name in known]
    return list(dict.fromkeys(found))


def _controllable(column: Column) -> bool:
    return isinstance(column.declaration, Feature) and column.declaration.controllable


def _chosen(model: Model, plan: Plan, name: str) -> Column:
    """The column of that name, or the shortest window of the feature of that name."""
    named = [column for column in plan.columns if name in (column.name, column.declaration.name)]
    can = one_of(settable(model, plan))
    if not named:
        raise PropensityError(f"there is no feature {name!r}", f"These can be set: {can}.", status=404)
    column = min(named, key=lambda one: one.window)
    declaration = column.declaration
    if not isinstance(declaration, Feature | Attribute | Crowd):
        raise PropensityError(
            f"{name} is computed ({declaration.formula}), so it cannot be set by itself",
            f"Set what it is computed from. These can be set: {can}.",
        )
    if not _controllable(column):
        raise PropensityError(f"{name} is nothing that we could act on directly", f"These can be set: {can}.")
    if column.name not in model.encoder.columns:
        raise PropensityError(f"the model does not look at {column.name}", f"These can be set: {can}.")
    return column


def _set(plan: Plan, numbers: dict[str, float], column: Column, value: float) -> set[str]:
    """Set a column and the longer windows that must follow; returns which."""
    declaration = column.declaration
    assert isinstance(declaration, Feature)
    if declaration.agg.name not in ADDED_UP or declaration.back:
        numbers[column.name] = value
        return {column.name}
    windows = [one for one in plan.columns if one.declaration is declaration]
    more = value - numbers[column.name]
    for one in windows:
        if one.window >= column.window:
            numbers[one.name] += more
    shorter = [one.name for one in windows if one.window < column.window]
    if declaration.agg.name == "count" and (over := [name for name in shorter if numbers[name] > value]):
        raise PropensityError(
            f"{column.name} cannot be {value:g} while {over[-1]} is {numbers[over[-1]]:g}: the longer window holds the shorter",
            f"Set {over[0]} as well.",
        )
    return {one.name for one in windows if one.window >= column.window}


def _followed(
    plan: Plan, row: pd.DataFrame, numbers: dict[str, float], moved: set[str], peers: Peers | None
) -> set[str]:
    """Compute anew what is made of what has moved, in the order of the plan; returns which."""
    found: set[str] = set()
    for column in plan.columns:
        declaration = column.declaration
        if isinstance(declaration, Feature | Attribute | Crowd):
            continue
        inputs = plan.inputs(column)
        if not (moved | found) & set(inputs):
            continue
        values = [np.array([numbers[name]]) for name in inputs]
        if isinstance(declaration, Rank):
            if peers is None:
                raise PropensityError(
                    f"{column.name} would change, and what it ranks among is gone",
                    "Build the frame again with `propensity features`, and score again.",
                )
            [group] = row[declaration.among].astype(object).where(row[declaration.among].notna(), None)
            numbers[column.name] = float(peers.rank(column.name, [group], values[0])[0])
        else:
            numbers[column.name] = float(declaration.number(column, *values)[0])
        found.add(column.name)
    return found


def _within(model: Model, changed: dict[str, tuple[float, float]]) -> None:
    """Refuse what the model has never seen the like of."""
    seen: dict[str, list[float]] | None = model.facts.get("seen")
    if seen is None:
        raise PropensityError(
            "the model does not say what it has seen in training", "Retrain it with `propensity train`."
        )
    for name, (_, now) in changed.items():
        if math.isnan(now) or name not in model.encoder.columns:
            continue
        if name not in seen:
            raise PropensityError(f"{name} would be {now:g}, and was never known in training", "Change something else.")
        low, high = seen[name]
        if not low <= now <= high:
            raise PropensityError(
                f"{name} would be {now:g}; in training it was between {low:g} and {high:g}",
                "Ask for a change within that range: beyond it the model only guesses.",
            )


def _held(plan: Plan, moved: set[str]) -> tuple[str, ...]:
    direct = [column.declaration for column in plan.columns if column.name in moved]
    kinds = {declaration.of for declaration in direct if isinstance(declaration, Feature)}
    return tuple(
        column.name
        for column in plan.columns
        if isinstance(column.declaration, Feature | Crowd)
        and column.name not in moved
        and any(feature.of in kinds for feature in features(column, plan))
    )


def _differ(then: dict[str, float], now: dict[str, float], name: str) -> bool:
    return then[name] != now[name] and not (math.isnan(then[name]) and math.isnan(now[name]))


def _chance(model: Model, row: pd.DataFrame) -> Chance:
    scores = model.scores(row)
    return Chance(float(scores.probability[0]), float(scores.low[0]), float(scores.high[0]))


def _json(value: float) -> float | None:
    return None if math.isnan(value) else value
