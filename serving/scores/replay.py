"""Make an old score again from its stored feature row and model version, and compare bit for bit."""

from __future__ import annotations

from dataclasses import dataclass, field

from features import erased, frame
from features.errors import PropensityError
from features.workspace import Workspace
from serving.scores.score import Score
from serving.scores.scoring import Scorer
from serving.scores.stored import Stored
from serving.stores.store import Store
from training.registry import Registry


@dataclass(frozen=True)
class Replay:
    """A stored score, the same made again, and what differs between them (nothing, if all is well)."""

    stored: Score
    again: Score
    differences: list[str] = field(default_factory=list)

    @property
    def identical(self) -> bool:
        return not self.differences


def replay(workspace: Workspace, score_id: str) -> Replay:
    """Raises PropensityError naming the input that is gone, where one is."""
    if score_id in erased.read(workspace).scores:
        raise PropensityError(
            f"the account of score {score_id} and the feature row it was made from were erased on request",
            "It cannot be made again; nothing else is kept of it than its id.",
            status=410,
        )
    stored = Store(workspace).score(score_id)
    registry = Registry(workspace)
    scorer = Scorer.of(workspace, registry, registry.version(stored.outcome, stored.model_version))
    row = Stored(workspace, registry).row(stored)
    made = frame.hashes_of(row, stored.as_of, scorer.plan)[0]
    again = scorer.score(row, stored.as_of, stored.frame_hash)[0]
    differences = [
        f"{name}: stored {getattr(stored, name)!r}, made again {getattr(again, name)!r}"
        for name in ("probability", "low", "high", "reasons", "row_hash")
        if getattr(stored, name) != getattr(again, name)
    ]
    if made != stored.row_hash:
        differences.append(f"feature row: stored {stored.row_hash}, its values hash to {made}")
    return Replay(stored, again, differences)
