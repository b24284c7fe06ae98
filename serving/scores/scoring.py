"""Frame rows → scores: the one way that batch, service and replay all go, so they agree bit for bit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from features import frame
from features.plan import Plan
from features.workspace import Workspace
from serving.scores.reasons import Reasoner
from serving.scores.score import Reason, Score, score_id
from training.model import Model, honour
from training.registry import Registry, Version

CHUNK = 20_000


@dataclass(frozen=True)
class Chance:
    """A probability with its 90% interval and reasons, of a row that belongs to nobody."""

    probability: float
    low: float
    high: float
    reasons: list[Reason]

    def as_dict(self) -> dict[str, Any]:
        return vars(self) | {"reasons": [reason.as_dict() for reason in self.reasons]}


@dataclass(frozen=True)
class Scorer:
    """A champion and the plan whose features it reads."""

    workspace: Workspace
    outcome: str
    version: Version
    model: Model
    plan: Plan
    reasoner: Reasoner

    @classmethod
    def champion(cls, workspace: Workspace, outcome: str) -> Scorer:
        """The champion of an outcome; refused where today's features are not those it was trained on."""
        registry = Registry(workspace)
        return cls.of(workspace, registry, registry.require_champion(outcome))

    @classmethod
    def of(cls, workspace: Workspace, registry: Registry, version: Version) -> Scorer:
        model, plan = registry.load(version), frame.current_plan(workspace)
        honour(model, plan)
        return cls(workspace, version.outcome, version, model, plan, Reasoner.of(model, plan))

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

    def of_rows(self, rows: Sequence[Mapping[str, object]], day: date | None = None) -> list[Chance]:
        """Score feature rows in order, all as of a day or of none; what they leave out is null."""
        matrix, shift = self.model.encoder.of_rows(rows), self.model.shift_at(day, len(rows))
        scores = self.model.score_matrix(matrix, shift)
        why = self.reasoner.reasons(
            lambda name: [row.get(name) for row in rows], self.model.explain_matrix(matrix, shift)
        )
        numbers = zip(scores.probability.tolist(), scores.low.tolist(), scores.high.tolist(), why, strict=True)
        return [Chance(*one) for one in numbers]

    def contributions(self, row: Mapping[str, object], day: date) -> list[float]:
        """What each feature of a row as of a day adds to the log-odds and, last, the starting point."""
        found: list[float] = self.model.explain_matrix(self.model.encoder.of_rows([row]), self.model.shift_at(day, 1))[
            0
        ].tolist()
        return found

    def _chunk(self, rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[list[Reason]]]:
        matrix = self.model.encoder.matrix(rows)
        shift = self.model.shift(rows)
        scores = self.model.score_matrix(matrix, shift)
        why = self.reasoner.reasons(rows.__getitem__, self.model.explain_matrix(matrix, shift))
        return scores.probability, scores.low, scores.high, why
