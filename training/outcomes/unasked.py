"""Acts unasked: an act of advocacy within the horizon that nobody had asked for."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from features.settings.outcomes import Outcome, Unasked
from features.workspace import Config
from training.outcomes.future import Future

VERSION = 1


def label(future: Future, outcome: Outcome) -> npt.NDArray[np.bool_]:
    return future.any_fact(defined_by(future.workspace.config, outcome))


def defined_by(config: Config, outcome: Outcome) -> tuple[str, ...]:
    """The acts done without an ask."""
    assert isinstance(outcome, Unasked)
    return tuple(f"advocacy.unasked.{kind}" for kind in outcome.acts)
