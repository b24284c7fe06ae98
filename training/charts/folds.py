"""Which dates are learnt from, and which are judged on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import altair as alt

from training.charts import PALETTE, across_time, data, on_day, themed
from training.splits import Fold

LEARNT, JUDGED, NEITHER = "learnt from", "judged on", "neither"
COLOURS = {LEARNT: PALETTE["ink"], JUDGED: PALETTE["warm"], NEITHER: PALETTE["line"]}
WIDTH, LARGEST = 560, 10
"""Pixels across, and of the side of a square."""


def folds(days: Sequence[date], made: Sequence[Fold], title: str | None = None) -> Any:
    """A line for each fold, the oldest at the top: of every date, whether it is learnt from, judged on, or neither."""
    rows = [
        {"fold": f"judged on {fold.test[0]}", "day": str(day), "part": _part(fold, day)}
        for fold in made
        for day in days
    ]
    side = min(LARGEST, 0.8 * WIDTH / max(len(days), 1))
    chart = (
        alt.Chart(data(rows))
        .mark_square(size=side**2, opacity=1)
        .encode(
            across_time(),
            alt.Y("fold:N", title=None, sort=None),
            alt.Color("part:N", title=None, scale=alt.Scale(domain=list(COLOURS), range=list(COLOURS.values()))),
            tooltip=["fold:N", on_day(), alt.Tooltip("part:N", title="is")],
        )
    )
    return themed(chart, width=WIDTH, height=28 * max(len(made), 2), title=title)


def _part(fold: Fold, day: date) -> str:
    if day in fold.test:
        return JUDGED
    return LEARNT if day in fold.fit else NEITHER
