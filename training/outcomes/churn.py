"""Churn: no live contract at the end of the horizon (a renewal within the grace counts), or no activity in it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from features.settings.outcomes import Churn, Outcome
from features.workspace import Config
from training.outcomes import terms
from training.outcomes.future import Future

VERSION = 1


def label(future: Future, outcome: Outcome) -> npt.NDArray[np.bool_]:
    assert isinstance(outcome, Churn)
    if outcome.kind == "contract":
        return ~terms.any_live(future)
    return ~future.any_fact(defined_by(future.workspace.config, outcome))


def defined_by(config: Config, outcome: Outcome) -> tuple[str, ...]:
    """Everything that contracts tell, or the activity whose absence it is."""
    assert isinstance(outcome, Churn)
    return terms.STREAMS if outcome.kind == "contract" else config.cohort.activity
