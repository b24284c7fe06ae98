"""Churn: no live contract at the end of the horizon (a renewal within the grace counts), or no activity in it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from features.facts import FACTS
from features.workspace import Churn, Config, Outcome
from training.outcomes.future import Future


def label(future: Future, outcome: Outcome) -> npt.NDArray[np.bool_]:
    assert isinstance(outcome, Churn)
    if outcome.kind == "contract":
        return ~future.any_live_contract()
    return ~future.any_fact(defined_by(future.workspace.config, outcome))


def defined_by(config: Config, outcome: Outcome) -> tuple[str, ...]:
    """Everything that contracts tell, or the activity whose absence it is."""
    assert isinstance(outcome, Churn)
    if outcome.kind == "contract":
        return tuple(dict.fromkeys(fact.kind for fact in FACTS if fact.table == "contracts"))
    return config.cohort.activity
