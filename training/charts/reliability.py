"""What was said against what came true."""

from __future__ import annotations

from typing import Any

import altair as alt

from training.charts import PALETTE, Rows, data, themed

TOLD = {"said": "said", "low": "from", "high": "to", "seen": "came true"}


def reliability(bins: Rows, title: str | None = None) -> Any:
    """Ten groups of equal count, from the lowest score to the highest: on the diagonal, a 20% comes true one time in five.
    The bar is the mean interval (90%) of a score in the group. Of each bin: ``said``, ``seen``, ``low``, ``high``, ``n``.
    """
    top = 1.08 * max([0.01, *(max(one["said"], one["seen"], one["high"]) for one in bins)])
    scale, percent = alt.Scale(domain=[0, top], nice=False), alt.Axis(format="%", tickCount=5)
    diagonal = (
        alt.Chart(data([{"said": 0, "seen": 0}, {"said": top, "seen": top}]))
        .mark_line(color=PALETTE["quiet"], strokeDash=[4, 4], strokeWidth=1)
        .encode(alt.X("said:Q"), alt.Y("seen:Q"))
    )
    told = [alt.Tooltip(f"{field}:Q", title=name, format=".1%") for field, name in TOLD.items()]
    base = alt.Chart(data([{name: one[name] for name in ("said", "seen", "low", "high", "n")} for one in bins])).encode(
        tooltip=[*told, alt.Tooltip("n:Q", title="rows", format=",")]
    )
    spread = base.mark_rule(color=PALETTE["accent"], opacity=0.45, strokeWidth=3).encode(
        alt.X("low:Q", scale=scale), alt.X2("high:Q"), alt.Y("seen:Q", scale=scale)
    )
    points = base.mark_point(color=PALETTE["accent"], filled=True, opacity=1, size=60).encode(
        alt.X("said:Q", title="said", scale=scale, axis=percent),
        alt.Y("seen:Q", title="came true", scale=scale, axis=percent),
    )
    return themed(alt.layer(diagonal, spread, points), width=340, height=260, title=title)
