"""A stored score with what it was made from: its feature row and its model version, whatever is in use today."""

from __future__ import annotations

import pandas as pd

from features import frame
from features.errors import PropensityError
from features.workspace import Workspace
from serving.score import Score
from training.model import Model
from training.registry import Registry


def row_of(workspace: Workspace, score: Score) -> pd.DataFrame:
    """Its feature row, a frame of one line; raises PropensityError naming what is gone, where it is."""
    rows = frame.read(workspace, score.as_of, score.frame_hash)
    row = rows[rows["account"] == score.account].reset_index(drop=True)
    if not len(row):
        raise PropensityError(
            f"account {score.account} is not in the frame {score.frame_hash} any more",
            "Its inputs were erased; the score cannot be made again.",
            status=410,
        )
    return row


def made_from(workspace: Workspace, registry: Registry, score: Score) -> tuple[Model, pd.DataFrame]:
    """Its model and its row; raises PropensityError where they do not give the score that is stored, bit for bit."""
    model, row = registry.load(registry.version(score.outcome, score.model_version)), row_of(workspace, score)
    if (again := float(model.scores(row).probability[0])) != score.probability:
        raise PropensityError(
            f"the {score.outcome} score of account {score.account!r} as of {score.as_of} is stored as "
            f"{score.probability!r}, and made again it is {again!r}",
            f"Look at `propensity replay {score.score_id}`.",
            status=500,
        )
    return model, row
