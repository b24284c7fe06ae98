"""The plots of a judged model, as files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from training import metrics, plots
from training.judge import Judged


def pictures(judged: Judged, days: Sequence[str], folder: Path) -> None:
    """Said against seen, beside the baselines, what moves it most: three PNG files. ``days`` are those of the test, if it has any."""
    outcome = judged.model.facts["outcome"]
    title = f"{outcome}, {len(judged.test):,} rows{' at ' if days else ''}{', '.join(days)}"
    bins = metrics.reliability(judged.test.y, judged.scores.probability)
    plots.reliability(bins, title, folder / "reliability.png")
    plots.against_baselines({"model": judged.metrics} | judged.baselines, title, folder / "baselines.png")
    plots.importance(_importance(judged), f"{outcome}: what moves it most", folder / "importance.png")


def _importance(judged: Judged, most: int = 20) -> list[tuple[str, float]]:
    rows = judged.test.frame.head(500)
    strength = np.abs(judged.model.contributions(rows)[:, :-1]).mean(axis=0)
    order = np.argsort(-strength)[:most]
    return [(judged.model.encoder.columns[column], float(strength[column])) for column in order]
