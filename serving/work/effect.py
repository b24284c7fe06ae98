"""What outreach did: those who were on a list and to be called, beside those who were drawn at random and held out."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.settings.decisions import Economics
from features.workspace import Workspace
from serving.decisions import save_rate
from serving.decisions.calls import OUTCOME
from serving.decisions.effect import Arm, Effect, effect
from serving.decisions.save_rate import SaveRate
from serving.decisions.touches import counted, touches
from serving.stores.log import Log
from training.outcomes import configured, labels


@dataclass(frozen=True)
class Trial:
    """Accounts that lists have drawn and of which it is known what came of them: ``account`` and ``as_of`` in ``rows``,
    the day of the list; whether it was to be ``called``, and whether it ``left``.
    """

    rows: pd.DataFrame
    called: npt.NDArray[np.bool_]
    left: npt.NDArray[np.bool_]

    def arm(self, called: bool) -> Arm:
        of = self.called == called
        return Arm(int(of.sum()), int(self.left[of].sum()))


def trial(workspace: Workspace) -> Trial:
    """What is known by now of those whom lists have drawn. An account counts from the day on which its list was planned,
    once until its window is over; one whose window is not over yet counts nowhere.
    """
    zone, window = ZoneInfo(workspace.config.timezone), configured(workspace, OUTCOME).span
    drawn = counted(touches(Log(workspace).entries("outreach")), window, zone)
    rows = pd.DataFrame({"account": [one.account for one in drawn], "as_of": [one.day for one in drawn]})
    y = labels(workspace, OUTCOME, rows) if drawn else np.array([])
    known = ~np.isnan(y)
    called = np.array([not one.held_out for one in drawn], dtype=bool)
    return Trial(rows[known].reset_index(drop=True), called[known], y[known] == 1)


def measured(workspace: Workspace, found: Trial | None = None) -> Effect:
    """The effect of the lists that were planned, by what is known by now of those on them."""
    found, config = found or trial(workspace), workspace.config
    return effect(found.arm(called=True), found.arm(called=False), config.value.save_rate, config.calls.holdout)


def terms(workspace: Workspace, found: Trial | None = None) -> tuple[Economics, SaveRate]:
    """What a call costs and brings, for a list: with the measured save rate where it suffices. Models are judged by the
    assumed one throughout, which is the same for all of them.
    """
    stated = workspace.config.value
    rate = save_rate.chosen(measured(workspace, found), stated.measured)
    return stated.model_copy(update={"save_rate": rate.value}), rate
