"""The charts of a judged model, as files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from training.charts import png
from training.charts.bars import importance
from training.charts.intervals import baselines
from training.charts.reliability import reliability

if TYPE_CHECKING:
    from training.judge import Judged

MOST_COLUMNS, MOST_ROWS = 20, 500


def pictures(judged: Judged, told: Mapping[str, Any], folder: Path) -> None:
    """Said against seen, beside the baselines, what moves it most: three PNG files. ``told`` is what its training came to
    (``Result.as_dict``).
    """
    outcome = judged.model.facts["outcome"]
    title = f"{outcome}, {told['metrics']['n']:,} rows{_when(told['test'])}"
    drawn = {
        "reliability": reliability(told["interval_coverage"], title),
        "baselines": baselines(told, title),
        "importance": importance(_strongest(judged), f"{outcome}: what moves it most"),
    }
    for name, chart in drawn.items():
        (folder / f"{name}.png").write_bytes(png(chart))


def _when(days: list[str]) -> str:
    """Of a test without dates, nothing."""
    return f" at {' to '.join(dict.fromkeys((days[0], days[-1])))}" if days else ""


def _strongest(judged: Judged) -> dict[str, float]:
    strength = np.abs(judged.model.contributions(judged.test.frame.head(MOST_ROWS))[:, :-1]).mean(axis=0)
    order = np.argsort(-strength)[:MOST_COLUMNS]
    return {judged.model.encoder.columns[column]: float(strength[column]) for column in order}
