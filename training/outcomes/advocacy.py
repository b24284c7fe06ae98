"""Advocacy: a completed act within the horizon, or the feedback that the user names as one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from features.facts import UNIT
from features.settings.outcomes import Advocacy, Outcome
from features.workspace import Config
from training.outcomes.future import Future

VERSION = 1


def label(future: Future, outcome: Outcome) -> npt.NDArray[np.bool_]:
    assert isinstance(outcome, Advocacy)
    streams = defined_by(future.workspace.config, outcome)
    if outcome.kind == "feedback":
        return future.any_fact(streams, f"value >= {outcome.at_least * UNIT}")
    return future.any_fact(streams)


def defined_by(config: Config, outcome: Outcome) -> tuple[str, ...]:
    """The answers to the instrument, or the acts done."""
    assert isinstance(outcome, Advocacy)
    if outcome.kind == "feedback":
        return (f"feedback.{outcome.instrument.lower()}",)
    return tuple(f"advocacy.done.{kind}" for kind in outcome.acts)
