"""The scores of an account as they were shown, one for each as_of, and whether each can still be made again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from features import frame
from features.workspace import Workspace
from serving.scores.score import Score
from serving.stores.store import Store


@dataclass(frozen=True)
class Made:
    """``replayable``: the feature row that it was made from is still there."""

    score: Score
    made_at: datetime
    replayable: bool


def history(workspace: Workspace, account: str) -> dict[str, list[Made]]:
    """Of every configured outcome, the oldest first."""
    store = Store(workspace)
    found = {}
    for outcome, _ in workspace.config.outcomes:
        made = store.made(outcome)
        found[outcome] = [
            Made(score, made[score.as_of], frame.path(workspace, score.as_of, score.frame_hash).is_file())
            for score in store.history(account, outcome)
        ]
    return found
