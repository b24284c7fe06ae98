"""Whom a call helps most, from the lists that were planned: learnt and judged anew each time, so that it is never older
than the log.
"""

from __future__ import annotations

import math
from datetime import timedelta

import numpy as np
import pandas as pd

from features import frame
from features.plan import Plan
from features.settings.decisions import Economics
from features.workspace import Workspace
from serving.decisions import uplift
from serving.decisions.calls import OUTCOME
from serving.decisions.uplift import Judged, Learnt, Tried
from serving.scores.score import Score
from serving.stores.store import Store
from serving.work.effect import Trial
from training import value

KNOWN_BY = frozenset(
    {
        *(
            "arr",
            "arr_growth",
            "auto_renew",
            "days_late",
            "days_to_renewal",
            "discount",
            "seats",
            "size",
            "tenure_days",
        ),
        *("champion_contacts_present", "contacts_present", "nps_mean", "satisfaction_last", "term_days", "touches"),
        *("tickets_escalated", "tickets_opened", "touches_recency", "usage_change", "usage_days", "usage_days_pace"),
        "usage_per_seat",
    }
)
"""The features by which the effect of a call may differ, beside the risk itself: few, for randomised accounts are few."""


def judged(workspace: Workspace, found: Trial, terms: Economics) -> tuple[Judged, Learnt | None]:
    """Whether lists are to go by uplift, and what was learnt where they are.

    Risk is what the scores said that the list was made from, features are those of the eve of the list; an account
    that had no score then counts nowhere.
    """
    found, risk = _with_risk(workspace, found)
    if why_not := uplift.too_few(found.called, found.left):
        return Judged(len(risk), why_not), None
    eves = [day - timedelta(days=1) for day in found.rows["as_of"]]
    accounts = found.rows["account"].tolist()
    rows = frame.feature_rows(workspace, accounts, eves)
    arr = rows["arr"].to_numpy(dtype=np.float64) if "arr" in rows else np.full(len(rows), np.nan)
    tried = Tried(
        matrix(rows, risk, frame.current_plan(workspace)),
        risk,
        found.called,
        found.left,
        found.rows["account"].to_numpy(dtype=object),
        *value.stakes(risk, arr, terms),
    )
    seed = workspace.config.training.seed
    said = uplift.judged(tried, seed, terms.save_rate)
    return said, uplift.learnt(tried, seed) if said.used else None


def saved(
    workspace: Workspace, scores: dict[str, Score], found: Trial, terms: Economics
) -> tuple[dict[str, float], int]:
    """By how much a call lowers the chance of leaving of each account that was scored last, and from how many accounts
    that was learnt; nothing, and 0, where lists do not go by uplift.
    """
    said, known = judged(workspace, found, terms)
    if known is None or not scores:
        return {}, 0
    first = next(iter(scores.values()))
    rows = frame.read(workspace, first.as_of, first.frame_hash)
    rows = rows[rows["account"].isin(list(scores))].reset_index(drop=True)
    risk = np.array([scores[account].probability for account in rows["account"]])
    by_call = known.saved(matrix(rows, risk, frame.current_plan(workspace)), risk)
    return dict(zip(rows["account"], by_call.tolist(), strict=True)), said.accounts


def matrix(rows: pd.DataFrame, risk: np.ndarray, plan: Plan) -> np.ndarray:
    """What the effect of a call may differ by: the risk, and the columns of ``KNOWN_BY`` that the plan has; null where the
    rows are older than the plan and lack one.
    """
    names = [column.name for column in plan.columns if column.declaration.name in KNOWN_BY and not column.categorical]
    return np.column_stack([risk, rows.reindex(columns=names).to_numpy(dtype=np.float64)])


def _with_risk(workspace: Workspace, found: Trial) -> tuple[Trial, np.ndarray]:
    """Those of whom the last scores before the day of their list said something, and what that was."""
    store, rows = Store(workspace), found.rows
    risk = np.full(len(rows), math.nan)
    for day in sorted(set(rows["as_of"])):
        of = (rows["as_of"] == day).to_numpy()
        said = store.before(OUTCOME, day, rows.loc[of, "account"].tolist())
        risk[of] = [said.get(account, math.nan) for account in rows.loc[of, "account"]]
    known = ~np.isnan(risk)
    return Trial(rows[known].reset_index(drop=True), found.called[known], found.left[known]), risk[known]
