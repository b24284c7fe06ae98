"""What outreach did: those who were on a list and to be called, beside those who were drawn at random and held out."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from features.workspace import Workspace
from serving.decisions.asks import day_of
from serving.decisions.effect import Arm, Effect, effect
from serving.decisions.touches import Touch, touches
from serving.log import Log
from serving.outreach import LISTED, OUTCOME
from training.outcomes import labels


def measured(workspace: Workspace) -> Effect:
    """The effect of the lists that were planned, by what is known by now of those on them.

    An account counts from the day on which its list was planned; one whose window is not over yet counts nowhere.
    """
    drawn = [touch for touch in touches(Log(workspace).entries("outreach")) if touch.touch.startswith(LISTED)]
    held_out, called = ([touch for touch in drawn if touch.held_out is held] for held in (True, False))
    config = workspace.config
    return effect(_arm(workspace, called), _arm(workspace, held_out), config.value.save_rate, config.calls.holdout)


def _arm(workspace: Workspace, drawn: list[Touch]) -> Arm:
    if not drawn:
        return Arm(0, 0)
    zone = ZoneInfo(workspace.config.timezone)
    days = [day_of(touch.planned, zone) for touch in drawn if touch.planned is not None]
    rows = pd.DataFrame({"account": [touch.account for touch in drawn], "as_of": days})
    y = labels(workspace, OUTCOME, rows)
    return Arm(int((~np.isnan(y)).sum()), int(np.nansum(y)))
