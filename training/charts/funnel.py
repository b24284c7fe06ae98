"""Eligible → asked → accepted → done."""

from __future__ import annotations

from typing import Any

import altair as alt

from training.charts import PALETTE, Rows, data, themed


def steps(rows: Rows) -> Any:
    """A bar for each ``step``: ``what`` is counted, its ``count``, and what is ``said`` beside it. The first two count
    accounts, the others asks.
    """
    drawn = alt.Chart(data(rows)).encode(
        y=alt.Y("step:N", title=None, sort=None, axis=alt.Axis(domain=False, ticks=False, labelFontSize=13)),
        x=alt.X("count:Q", title=None, axis=None, scale=alt.Scale(domainMin=0, padding=90)),
    )
    colours = alt.Scale(
        domain=["accounts", "asks", "acts"], range=[PALETTE["accent"], PALETTE["warm"], PALETTE["good"]]
    )
    bars = drawn.mark_bar(height=24, cornerRadiusEnd=3).encode(
        color=alt.Color("what:N", title="counted", scale=colours)
    )
    return themed(bars + drawn.mark_text(align="left", dx=6, fontSize=12).encode(text="said:N"), height=150)
