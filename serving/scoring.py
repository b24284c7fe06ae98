"""Frame rows → scores: the one way that batch, service and replay all go, so they agree bit for bit."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from features import frame
from features.plan import Plan
from features.workspace import Workspace
from serving.reasons import Reason, reasons
from training.model import Model, honour
from training.registry import Registry, Version

CHUNK = 20_000


@dataclass(frozen=True)
class Score:
    """One account's score of one outcome, and everything that is needed to make it again.

    ``probability`` and its 90% interval are between 0 and 1; ``rank`` 1 is the highest, ``percentile`` 100 too.
    """

    score_id: str
    outcome: str
    account: str
    as_of: date
    probability: float
    low: float
    high: float
    rank: int
    percentile: float
    model_version: int
    row_hash: str
    frame_hash: str
    reasons: list[Reason] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return {
            **{name: value for name, value in vars(self).items() if name not in ("reasons", "as_of")},
            "as_of": self.as_of.isoformat(),
            "reasons": [reason.as_dict() for reason in self.reasons],
        }


@dataclass(frozen=True)
class Scorer:
    """A champion and the plan whose features it reads."""

    workspace: Workspace
    outcome: str
    version: Version
    model: Model
    plan: Plan

    @classmethod
    def champion(cls, workspace: Workspace, outcome: str) -> Scorer:
        """The champion of an outcome; refused where today's features are not those it was trained on."""
        registry = Registry(workspace)
        return cls.of(workspace, registry, registry.require_champion(outcome))

    @classmethod
    def of(cls, workspace: Workspace, registry: Registry, version: Version) -> Scorer:
        model, plan = registry.load(version), frame.current_plan(workspace)
        honour(model, plan.digest, plan.names)
        return cls(workspace, version.outcome, version, model, plan)

    def score(self, rows: pd.DataFrame, day: date, frame_hash: str) -> list[Score]:
        """Score every row of one as_of to which the outcome applies, highest first; ties by account."""
        rows = rows[rows[frame.APPLIES + self.outcome]].reset_index(drop=True)
        if not len(rows):
            return []
        made = [self._chunk(rows.iloc[start : start + CHUNK]) for start in range(0, len(rows), CHUNK)]
        probability, low, high = (np.concatenate([part[number] for part in made]) for number in range(3))
        why = [reason for part in made for reason in part[3]]
        accounts = rows["account"].tolist()
        order = sorted(range(len(rows)), key=lambda row: (-probability[row], accounts[row]))
        ranks = {row: rank for rank, row in enumerate(order, 1)}
        hashes = rows["row_hash"].tolist()
        return [
            Score(
                score_id(accounts[row], day, self.outcome, self.version.number, hashes[row]),
                self.outcome,
                accounts[row],
                day,
                float(probability[row]),
                float(low[row]),
                float(high[row]),
                ranks[row],
                round(100 * (1 - (ranks[row] - 1) / len(rows)), 2),
                self.version.number,
                hashes[row],
                frame_hash,
                why[row],
            )
            for row in order
        ]

    def _chunk(self, rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[list[Reason]]]:
        scores = self.model.scores(rows)
        contributions = self.model.contributions(rows)
        return scores.probability, scores.low, scores.high, reasons(self.model, self.plan, rows, contributions)


def score_id(account: str, day: date, outcome: str, version: int, row_hash: str) -> str:
    """A score is this hash: account, as_of, outcome, model version and the feature row it came from."""
    return hashlib.sha256("\x1f".join([account, str(day), outcome, str(version), row_hash]).encode()).hexdigest()[:20]
