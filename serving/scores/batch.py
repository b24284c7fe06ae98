"""Score everybody: the latest frame through each champion, into the application store and files."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from features import frame
from features.errors import PropensityError, one_of
from features.files import replaced
from features.workspace import Workspace
from serving.cells import defused
from serving.scores.score import Score
from serving.scores.scoring import Scorer
from serving.stores.store import Store
from training.registry import Registry

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Batch:
    """Scores of one outcome as of a date, and where they lie; ``skipped`` says why there are none."""

    outcome: str
    as_of: date
    scores: list[Score]
    path: Path | None = None
    skipped: str = ""


def score(workspace: Workspace, day: date | None = None, progress: Progress = lambda _: None) -> list[Batch]:
    """Score every account that may be scored, for each outcome with a champion; as of the latest day by default.

    Scores go to the store in one transaction per outcome, and to Parquet and CSV under ``out/scores``.
    Raises PropensityError where no outcome has a champion.
    """
    as_of = day or frame.observed_until(workspace)
    registry = Registry(workspace)
    champions = {name: registry.champion(name) for name, _ in workspace.config.outcomes}
    if not any(champions.values()):
        raise PropensityError(
            f"none of {one_of(champions)} has a champion",
            "Run `propensity train`; the gate promotes a model that is better than the baselines.",
            exit_code=3,
        )
    progress("frame")
    content = frame.build(workspace, [as_of])[as_of]
    frame.keep(workspace, as_of, content)
    rows = frame.read(workspace, as_of, content)
    store, batches = Store(workspace), []
    for name, version in champions.items():
        if version is None:
            batches.append(Batch(name, as_of, [], skipped="there is no champion"))
            continue
        progress(name)
        scores = Scorer.of(workspace, registry, version).score(rows, as_of, content)
        store.save(scores)
        batches.append(Batch(name, as_of, scores, _write(workspace, name, as_of, scores)))
    return batches


def _write(workspace: Workspace, outcome: str, day: date, scores: list[Score]) -> Path:
    """Parquet for machines, CSV for people; cells that a spreadsheet would run as a formula are defused in the CSV."""
    lines = [_flat(score) for score in scores]
    table = pd.DataFrame(lines, columns=list(_flat(scores[0])) if scores else None)
    target = workspace.out / "scores" / f"{outcome}-{day}.parquet"
    with replaced(target) as part:
        table.to_parquet(part, index=False)
    with replaced(target.with_suffix(".csv")) as part:
        # In quotes, since a carriage return within a cell would otherwise begin a row, and that row a formula.
        table.map(defused).to_csv(part, index=False, quoting=csv.QUOTE_NONNUMERIC)
    return target


def _flat(score: Score) -> dict[str, object]:
    flat = {name: value for name, value in vars(score).items() if name != "reasons"}
    flat["as_of"] = score.as_of.isoformat()
    words = [f"{reason.text} ({reason.direction})" for reason in score.reasons]
    return flat | {f"reason_{number}": words[number - 1] if len(words) >= number else "" for number in (1, 2, 3)}
