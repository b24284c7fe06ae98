"""One bar for each number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt

from training.charts import LONGEST_NAME, PALETTE, data, themed

NUMBER, PERCENT = ",.12~g", ".0%"


def bars(
    found: Mapping[Any, float],
    about: str,
    title: str | None = None,
    start: float = 0.0,
    form: str = NUMBER,
    mark: float | None = None,
) -> Any:
    """From the top down, each bar beginning at ``start``; a dashed line stands at ``mark``, where one is stated."""
    rows = [{"name": str(name), "start": start, "value": float(value)} for name, value in found.items()]
    drawn = (
        alt.Chart(data(rows))
        .mark_bar(color=PALETTE["accent"], height={"band": 0.65})
        .encode(
            alt.X("start:Q", title=about, scale=alt.Scale(zero=False), axis=alt.Axis(format=form, tickCount=6)),
            alt.X2("value:Q"),
            alt.Y("name:N", title=None, sort=None, axis=alt.Axis(labelLimit=LONGEST_NAME)),
            tooltip=["name:N", "value:Q"],
        )
    )
    lines = [] if mark is None else [_line(mark)]
    return themed(alt.layer(drawn, *lines), height=22 * max(len(rows), 2), title=title)


def importance(found: Mapping[Any, float], title: str | None = None) -> Any:
    """How much each column, or each family of them, moves a score on average, the strongest first."""
    return bars(found, "mean absolute contribution, log-odds", title)


def _line(mark: float) -> Any:
    across = alt.X("mark:Q")
    return alt.Chart(data([{"mark": mark}])).mark_rule(color=PALETTE["ink"], strokeDash=[4, 3]).encode(across)
