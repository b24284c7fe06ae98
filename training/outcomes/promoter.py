"""Survey promoter: the last answer within the horizon is at the threshold or above; without an answer, unknown."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from features.facts import FACTS, UNIT
from features.settings.outcomes import Outcome, Promoter
from features.workspace import Config
from training.outcomes.future import Future

VERSION = 1


def label(future: Future, outcome: Outcome) -> npt.NDArray[np.bool_]:
    """Of several answers at that instant, the lowest decides."""
    assert isinstance(outcome, Promoter)
    answered, score = future.last_value((_answers(outcome),))
    future.clear[~answered] = False
    future.recorded[answered] = True  # whatever was not recorded came before it
    return answered & (score >= round(outcome.at_least * UNIT))


def defined_by(config: Config, outcome: Outcome) -> tuple[str, ...]:
    """The answers to the instrument, and what else is told by their score."""
    assert isinstance(outcome, Promoter)
    told = [fact.kind for fact in FACTS if fact.table == "feedback" and "score" in fact.needs | fact.value_needs]
    return tuple(dict.fromkeys([_answers(outcome), *(kind for kind in told if kind != "feedback")]))


def _answers(outcome: Promoter) -> str:
    return f"feedback.{outcome.instrument.lower()}"
