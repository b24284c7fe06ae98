"""Asks, and the account-months in which one could have been made, as they were known by a day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import frame
from features.definitions import FEATURES
from features.feature import Attribute, Declaration, Feature
from features.personas import Crowd
from features.plan import Plan
from features.windows import day_number
from training import columns
from training.asks.labels import answers, made
from training.columns import NUMBER, TEXT, Given

SIGNALS: tuple[tuple[str, int], ...] = (
    ("tenure_days", 0),
    ("arr", 0),
    ("nps_last", 0),
    ("nps_mean", 90),
    ("nps_mean", 365),
    ("nps_before", 90),
    ("nps_answers", 90),
    ("nps_answers", 365),
    ("nps_promoters", 90),
    ("nps_detractors", 365),
    ("satisfaction_last", 0),
    ("satisfaction_mean", 90),
    ("satisfaction_mean", 365),
    ("feedback_answers", 365),
    ("sentiment_mean", 365),
    ("tickets_sentiment", 90),
    ("unhappy_answers", 90),
    ("usage_per_seat", 90),
    ("usage_days", 90),
    ("usage_change", 90),
    ("usage_recency", 0),
    ("tickets_escalated", 90),
    ("days_to_renewal", 0),
    ("champion_contacts_present", 0),
    ("touches", 90),
    ("acts_ever", 0),
    ("acts_recency", 0),
    ("asks_ever", 0),
    ("asks_made", 365),
    ("asks_recency", 0),
    ("asks_declined", 365),
    ("acceptance_ever", 0),
)
"""What an account's answer is foretold by: a feature and its window in days (the nearest there is; 0: none). Chosen from
what people in the field hold to matter, before anything was judged on the worlds of ``benchmarks/asks.py``; few, because
asks are.
"""
RULED_BY = ("tenure_days", "tickets_escalated_open", "nps_last", "days_to_renewal", "notice_given")
"""What the rules of eligibility look at."""
LOOKED_AT = (*dict(SIGNALS), *RULED_BY)
OF_THE_ASK = {"kind": TEXT, "role": TEXT, "champion_contact": NUMBER, "mood": NUMBER, "used": NUMBER}
"""Beside the account's: the kind of ask, and whom it goes to (last answer 0 to 1, days since they last used it)."""


@dataclass(frozen=True)
class Past:
    """``asks``: a row each, with its signals as of the day before it, ``as_of``, and ``cell``: the number of the eligible
    account-month in which it was made, -1 where the account was not eligible, or its contract not live. ``cells``: every
    eligible account-month from the day ``as_of`` on to the end of the day ``ends``, as a number since 1970.
    """

    asks: pd.DataFrame
    cells: pd.DataFrame
    signals: tuple[str, ...]
    patience: int

    def by(self, day: date) -> Past:
        """What was known of it by the end of a day."""
        asks = self.asks[made(self.asks, day_number(day))]
        cells = self.cells[self.cells["ends"] <= day_number(day)]
        return replace(self, asks=asks, cells=cells)

    def answers(self, day: date) -> npt.NDArray[np.float64]:
        """What came of each ask, as known by the end of a day."""
        return answers(self.asks, day_number(day), self.patience)

    @property
    def asked(self) -> npt.NDArray[np.float64]:
        """Per cell, 1 where an ask was made in it."""
        return np.isin(self.cells.index.to_numpy(), self.asks["cell"].to_numpy()).astype(float)


def declared(names: Iterable[str] = LOOKED_AT) -> list[Declaration]:
    """The declarations behind these columns, and behind what they are made of."""
    every = {one.name: one for one in FEATURES}
    wanted, todo = set(), list(names)
    while todo:
        name = todo.pop()
        if name not in wanted:
            wanted.add(name)
            one = every[name]
            if not isinstance(one, Feature | Attribute | Crowd):
                todo += one.parts
    return [one for one in FEATURES if one.name in wanted]


def signals(made_plan: Plan) -> tuple[str, ...]:
    """The columns of a plan that are signals here; a signal that the workspace does not have is left out."""
    found = []
    for name, window in SIGNALS:
        there = [one for one in made_plan.columns if one.declaration.name == name]
        if there:
            found.append(min(there, key=lambda one: (abs(one.window - window), one.window)).name)
    return tuple(dict.fromkeys(found))


def plan_of(names: tuple[str, ...]) -> Plan:
    """The columns of an ask."""
    given = [Given(name, name, NUMBER) for name in names] + [
        Given(name, name, kind) for name, kind in OF_THE_ASK.items()
    ]
    return columns.plan(given, {})


def plan_of_cells(names: tuple[str, ...]) -> Plan:
    return columns.plan([Given(name, name, NUMBER) for name in names], {})


def may_be_scored(rows: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Which rows of ``feature_rows`` are of accounts that any outcome applies to."""
    applies = [name for name in rows if str(name).startswith(frame.APPLIES)]
    return np.asarray(rows[applies].to_numpy(dtype=bool).any(axis=1))
