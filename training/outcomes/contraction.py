"""Contraction: an account that stays pays less at the end of the horizon than at as_of. One that leaves is a churn, so
that the answer here is no: of the same horizon and grace, at most one of churn, contraction and expansion is a yes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from features.settings.outcomes import Contraction, Outcome
from features.workspace import Config
from training.outcomes import terms
from training.outcomes.future import Future

VERSION = 1


def label(future: Future, outcome: Outcome) -> npt.NDArray[np.bool_]:
    assert isinstance(outcome, Contraction)
    lower, _ = terms.arr_moved(future, outcome)
    return lower


def defined_by(config: Config, outcome: Outcome) -> tuple[str, ...]:
    """Everything that contracts tell."""
    return terms.STREAMS
