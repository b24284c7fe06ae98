"""Stored scores with what they were made from: feature rows and model versions, whatever is in use today."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pandas as pd

from features import frame
from features.errors import PropensityError
from features.workspace import Workspace
from serving.scores.score import Score
from training.model import Model
from training.registry import Registry

Key = TypeVar("Key")
Value = TypeVar("Value")


class Stored:
    """The inputs of scores, each frame and each model read once, however many scores are asked about."""

    def __init__(self, workspace: Workspace, registry: Registry | None = None) -> None:
        self.workspace, self.registry = workspace, registry or Registry(workspace)
        self._frames: dict[tuple[object, str], pd.DataFrame] = {}
        self._models: dict[tuple[str, int], Model] = {}

    def row(self, score: Score) -> pd.DataFrame:
        """Its feature row, a frame of one line; raises PropensityError naming what is gone, where it is."""
        key = (score.as_of, score.frame_hash)
        rows = _once(self._frames, key, lambda: frame.read(self.workspace, *key))
        row = rows[rows["account"] == score.account].reset_index(drop=True)
        if not len(row):
            raise PropensityError(
                f"account {score.account} is not in the frame {score.frame_hash} any more",
                "Its inputs were erased; the score cannot be made again.",
                status=410,
            )
        return row

    def made_from(self, score: Score) -> tuple[Model, pd.DataFrame]:
        """Its model and its row; raises PropensityError where they do not give the score that is stored, bit for bit."""
        key = (score.outcome, score.model_version)
        model = _once(self._models, key, lambda: self.registry.load(self.registry.version(*key)))
        row = self.row(score)
        if (again := float(model.scores(row).probability[0])) != score.probability:
            raise PropensityError(
                f"the {score.outcome} score of account {score.account!r} as of {score.as_of} is stored as "
                f"{score.probability!r}, and made again it is {again!r}",
                f"Look at `propensity replay {score.score_id}`.",
                status=500,
            )
        return model, row


def _once(kept: dict[Key, Value], key: Key, make: Callable[[], Value]) -> Value:
    if key not in kept:
        kept[key] = make()
    return kept[key]
