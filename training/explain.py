"""Contributions added up by what people speak of: family, role, and subject; every sum is exact."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from features.feature import Attribute, Column, Feature
from features.personas import Crowd
from features.plan import Plan
from training.causes import features
from training.dataset import Matrix
from training.model import Model
from training.models.component import added
from training.sample import Vector

EVERYBODY = "everybody"
GONE = "not there any more"
"""The family and role of a column that the plan does not have, as an older model's may be."""
Group = Callable[[str], str]


@dataclass(frozen=True)
class Grouped:
    """Contributions to the calibrated log-odds, one number per row: either sum, with ``start``, is the log-odds."""

    families: dict[str, Vector]
    roles: dict[str, Vector]
    start: Vector


def grouped(model: Model, plan: Plan, contributions: Matrix) -> Grouped:
    """What ``Model.contributions`` says, by family and by role."""

    def by(group: Group) -> dict[str, Vector]:
        each: dict[str, list[Matrix]] = {}
        for position, name in enumerate(model.encoder.columns):
            each.setdefault(group(name), []).append(contributions[:, position])
        return {name: added(columns) for name, columns in each.items()}

    return Grouped(by(families(plan)), by(roles(plan)), np.array(contributions[:, -1]))


def totals(values: Mapping[str, float], group: Group) -> dict[str, float]:
    """Numbers of columns, added up by group."""
    each: dict[str, list[float]] = {}
    for name, value in values.items():
        each.setdefault(group(name), []).append(value)
    return {name: math.fsum(found) for name, found in each.items()}


def families(plan: Plan) -> Group:
    """Column → its family."""
    return _named(plan, lambda column: column.declaration.family)


def roles(plan: Plan) -> Group:
    """Column → the role of the people whose facts it looks at, where they are all of one."""

    def role(column: Column) -> str:
        found = {feature.role for feature in features(column, plan)}
        return found.pop() or EVERYBODY if len(found) == 1 else EVERYBODY

    return _named(plan, role)


def subjects(plan: Plan) -> Group:
    """Column → what it speaks of, which several columns may."""
    return _named(plan, lambda column: " ".join(subject(column, plan)), lambda name: name)


def subject(column: Column, plan: Plan) -> tuple[str, ...]:
    """What a column speaks of, such as one count over several windows."""
    declaration = column.declaration
    if isinstance(declaration, Feature):
        return (declaration.of, declaration.label, declaration.role)
    if isinstance(declaration, Attribute):
        return (declaration.name,)
    if isinstance(declaration, Crowd):
        return ("personas",)
    first = plan.declarations[declaration.parts[0]]
    return (first.of, "expression") if isinstance(first, Feature) else (declaration.name,)


def _named(plan: Plan, group: Callable[[Column], str], gone: Group = lambda _: GONE) -> Group:
    found = {column.name: group(column) for column in plan.columns}
    return lambda name: found[name] if name in found else gone(name)
