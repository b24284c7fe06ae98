"""Churn: no live contract at the end of the horizon (a renewal within the grace counts), or no activity in it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from features.workspace import Churn, Outcome
from training.outcomes.future import Future


def label(future: Future, outcome: Outcome) -> npt.NDArray[np.bool_]:
    assert isinstance(outcome, Churn)
    if outcome.kind == "contract":
        return ~future.any_live_contract()
    return ~future.any_fact(future.workspace.config.cohort.activity)
