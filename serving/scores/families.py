"""What each family of features, and each role, adds to a score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from features import frame
from features.plan import Plan
from features.workspace import Workspace
from serving.scores.score import Score
from serving.scores.stored import Stored
from training import explain
from training.model import Model, honour


@dataclass(frozen=True)
class Shares:
    """Contributions to the calibrated log-odds: families, or roles, and ``start`` sum to ``log_odds``."""

    families: dict[str, float]
    roles: dict[str, float]
    start: float
    log_odds: float

    def as_dict(self) -> dict[str, Any]:
        return dict(vars(self))


def shares(workspace: Workspace, scores: list[Score]) -> dict[str, Shares]:
    """Those of each of an account's scores, by outcome."""
    stored, plan, found = Stored(workspace), frame.current_plan(workspace), {}
    for score in scores:
        model, row = stored.made_from(score)
        honour(model, plan)
        found[score.outcome] = share(model, plan, row)
    return found


def share(model: Model, plan: Plan, row: pd.DataFrame) -> Shares:
    """Those of one feature row, the largest first."""
    *contributions, start = model.contributions(row)[0].tolist()
    named = Named.of(model, plan)
    return Shares(
        named.added(named.families, contributions),
        named.added(named.roles, contributions),
        start,
        float(model.odds(row)[0]),
    )


@dataclass(frozen=True)
class Named:
    """The family and the role of each column that a model takes, in its order."""

    families: list[str]
    roles: list[str]

    @classmethod
    def of(cls, model: Model, plan: Plan) -> Named:
        family, role = explain.families(plan), explain.roles(plan)
        return cls([family(name) for name in model.encoder.columns], [role(name) for name in model.encoder.columns])

    @staticmethod
    def added(groups: list[str], contributions: list[float]) -> dict[str, float]:
        """What each group adds, the largest first."""
        total: dict[str, float] = {}
        for group, one in zip(groups, contributions, strict=True):
            total[group] = total.get(group, 0.0) + one
        return dict(sorted(total.items(), key=lambda item: -abs(item[1])))
