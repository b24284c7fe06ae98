"""Whether asking often tires: how many asks were accepted by how many came before them, and how long ago the last was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from features.settings.training import Training
from training import metrics
from training.asks.past import Past
from training.metrics import Estimate
from training.sample import Vector

ASKS = {"none": (0, 1), "1": (1, 2), "2": (2, 3), "3 or more": (3, np.inf)}
DAYS = {"up to 90 days": (0, 90), "90 to 180 days": (90, 180), "180 to 365 days": (180, 365), "longer": (365, np.inf)}
NEVER = "never asked before"


@dataclass(frozen=True)
class Step:
    """Asks of one kind of past: how many were answered, and the share of yes (95%, by account); null where none were."""

    by: str
    name: str
    asks: int
    yes: int
    accepted: Estimate

    def as_dict(self) -> dict[str, Any]:
        return {**vars(self), "accepted": self.accepted.as_dict()}


def fatigue(past: Past, day: date, config: Training) -> list[Step]:
    """Of every ask with an answer by the end of a day, those that the rules spoke against among them: they were made too.

    Who is asked often is not like who is asked seldom, so that a difference need not come from the asking.
    """
    known = past.by(day)
    y = known.answers(day)
    settled = ~np.isnan(y)
    asks, y = known.asks[settled], y[settled]
    drawn = metrics.draws(asks["account"].to_numpy(dtype=object), config.bootstraps, config.seed)
    found = []
    for by, start, steps in (
        ("asks in the year before", "asks_made", ASKS),
        ("since the last ask", "asks_recency", DAYS),
    ):
        column = next((name for name in past.signals if name.startswith(start)), None)
        if column is None:
            continue
        values = asks[column].to_numpy(dtype=float)
        with np.errstate(invalid="ignore"):
            cut = {name: (values >= low) & (values < high) for name, (low, high) in steps.items()}
        if start == "asks_recency":
            cut = {NEVER: np.isnan(values)} | cut
        found += [_step(by, name, y, here, drawn) for name, here in cut.items()]
    return found


def _step(by: str, name: str, y: Vector, here: npt.NDArray[np.bool_], drawn: metrics.Weights) -> Step:
    weights = drawn * here
    total = weights.sum(axis=1)
    share = np.divide(weights @ y, total, out=np.full(len(weights), np.nan), where=total > 0)
    return Step(by, name, int(here.sum()), int(y[here].sum()), metrics.estimate(share))
