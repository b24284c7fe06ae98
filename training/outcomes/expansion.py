"""Expansion: ARR is higher at the end of the horizon than at as_of. An account that has left has not grown: no."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from features.settings.outcomes import Expansion, Outcome
from features.workspace import Config
from training.outcomes import terms
from training.outcomes.future import Future

VERSION = 1


def label(future: Future, outcome: Outcome) -> npt.NDArray[np.bool_]:
    assert isinstance(outcome, Expansion)
    _, higher = terms.arr_moved(future, outcome)
    return higher


def defined_by(config: Config, outcome: Outcome) -> tuple[str, ...]:
    """Everything that contracts tell."""
    return terms.STREAMS
