"""Shares over time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt

from training.charts import PALETTE, across_time, data, on_day, themed


def by_date(found: Mapping[Any, float], about: str, title: str | None = None) -> Any:
    """A share at each date, from zero up."""
    rows = [{"day": f"{day:%Y-%m-%d}", "share": float(share)} for day, share in found.items()]
    base = alt.Chart(data(rows)).encode(
        across_time(),
        alt.Y("share:Q", title=about, scale=alt.Scale(domainMin=0), axis=alt.Axis(format=".1~%", tickCount=5)),
        tooltip=[on_day(), alt.Tooltip("share:Q", format=".1%")],
    )
    line = base.mark_line(color=PALETTE["accent"])
    points = base.mark_point(color=PALETTE["accent"], filled=True, opacity=1, size=50)
    return themed(alt.layer(line, points), height=200, title=title)
