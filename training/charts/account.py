"""Charts of one account: how its scores went, and how long it is likely to stay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt

from training.charts import PALETTE, Rows, data, themed


def curve(stays: Mapping[int, float]) -> Any:
    """The chance to be there still after so many days."""
    rows = [{"days": 0, "stays": 1.0}, *({"days": days, "stays": chance} for days, chance in sorted(stays.items()))]
    base = alt.Chart(data(rows)).encode(
        x=alt.X("days:Q", title="days from now", axis=alt.Axis(values=[row["days"] for row in rows], grid=False)),
        y=alt.Y("stays:Q", title="still there", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%", tickCount=5)),
    )
    line = base.mark_line(color=PALETTE["accent"], strokeWidth=2.5, interpolate="monotone")
    points = base.mark_point(color=PALETTE["accent"], filled=True, size=45, opacity=1)
    return themed(alt.layer(line, points), height=170)


def history(rows: Rows, bad: bool) -> Any:
    """Scores by as_of, each with its interval: ``as_of``, ``probability``, ``low``, ``high``."""
    colour = PALETTE["bad" if bad else "accent"]
    base = alt.Chart(data(rows)).encode(x=alt.X("as_of:T", title=None, axis=alt.Axis(grid=False, tickCount=6)))
    band = base.mark_area(color=colour, opacity=0.16).encode(
        y=alt.Y("low:Q", title=None, scale=alt.Scale(domainMin=0), axis=alt.Axis(format="%", tickCount=5)), y2="high:Q"
    )
    line = base.mark_line(color=colour, strokeWidth=2.5).encode(y="probability:Q")
    points = base.mark_point(color=colour, filled=True, size=45, opacity=1).encode(y="probability:Q")
    return themed(alt.layer(band, line, points), width=640, height=190)
