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
from training.explain import grouped
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
    each = grouped(model, plan, model.contributions(row))
    families, roles = (
        {name: float(values[0]) for name, values in sorted(groups.items(), key=lambda item: -abs(item[1][0]))}
        for groups in (each.families, each.roles)
    )
    return Shares(families, roles, float(each.start[0]), float(model.odds(row)[0]))
