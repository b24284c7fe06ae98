"""The nightly run: frames, models, gate, scores. Run twice on the same data it does the second time nothing new."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from features import frame, intake
from features.files import replaced
from features.workspace import Workspace
from serving.scores.batch import Batch, score
from training import provenance
from training.registry import Registry
from training.result import Result
from training.train import train

Progress = Callable[[str], None]
What = Literal["promoted", "champion kept", "nothing new", "no champion"]


@dataclass(frozen=True)
class Retrained:
    """What happened to an outcome: its training (None where nothing was new) and its scores (None without a champion)."""

    outcome: str
    what: What
    training: Result | None
    batch: Batch | None

    def as_dict(self) -> dict[str, Any]:
        return {
            "what": self.what,
            "train": self.training.as_dict() if self.training else None,
            "scored": len(self.batch.scores) if self.batch else 0,
            "as_of": str(self.batch.as_of) if self.batch else None,
        }


def retrain(workspace: Workspace, progress: Progress = lambda _: None) -> list[Retrained]:
    """Train every outcome unless nothing has changed since the last time, then score with whatever champion there is.

    What counts as a change: the tables, the configuration, the features, the code. The mark is set last, so a run that
    was killed is done again from where its frames stand.
    """
    registry, mark = Registry(workspace), workspace.state / "retrained"
    now = _state(workspace)
    new = not (mark.is_file() and mark.read_text(encoding="utf-8") == now)
    results = {name: train(workspace, name, progress) if new else None for name, _ in workspace.config.outcomes}
    champions = {name: registry.champion(name) for name in results}
    batches = {batch.outcome: batch for batch in score(workspace, None, progress)} if any(champions.values()) else {}
    with replaced(mark) as part:
        part.write_text(now, encoding="utf-8")
    return [
        Retrained(
            name, _what(result, champions[name] is not None), result, batches.get(name) if champions[name] else None
        )
        for name, result in results.items()
    ]


def _what(result: Result | None, champion: bool) -> What:
    if not champion:
        return "no champion"
    if result is None:
        return "nothing new"
    return "promoted" if result.promoted else "champion kept"


def _state(workspace: Workspace) -> str:
    folder, _ = intake.current(workspace)
    parts = [
        folder.name,
        frame.current_plan(workspace).digest,
        provenance.code(),
        json.dumps(workspace.config.model_dump(mode="json"), sort_keys=True),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
