"""How well each metric foretells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from training.charts import PALETTE, data, themed

FOUND = {"beacon": "foretells", "turned": "turned", "not shown": "not shown"}
"""What was found of a metric, and how it is called; too few answers are left out."""
COLOURS = [PALETTE["good"], PALETTE["warm"], PALETTE["quiet"]]
CHANCE = 0.5


def metrics(found: Sequence[Mapping[str, Any]]) -> Any:
    """AUC of each metric with its band, beside chance: those that foretell are full."""
    rows = [
        {"metric": one["said"], "auc": one["auc"]["value"], "low": one["band"]["low"], "high": one["band"]["high"],
         "found": FOUND[one["found"]]}
        for one in found
        if one["auc"] is not None and one["band"] is not None
    ]  # fmt: skip
    colours = alt.Scale(domain=list(FOUND.values()), range=COLOURS)
    shapes = alt.Scale(domain=list(FOUND.values()), range=["circle", "triangle", "diamond"])
    base = alt.Chart(data(rows)).encode(
        y=alt.Y("metric:N", title=None, sort=None, axis=alt.Axis(labelLimit=300)),
        color=alt.Color("found:N", title=None, scale=colours),
    )
    span = base.mark_rule(strokeWidth=3, opacity=0.45).encode(
        x=alt.X("low:Q", title="AUC, out of time", scale=alt.Scale(zero=False)), x2="high:Q"
    )
    at = base.mark_point(size=55, filled=True, opacity=1).encode(
        x="auc:Q", shape=alt.Shape("found:N", title=None, scale=shapes)
    )
    chance = (
        alt.Chart(data([{"chance": CHANCE}])).mark_rule(strokeDash=[4, 3], color=PALETTE["ink"]).encode(x="chance:Q")
    )
    return themed(chance + span + at, width=420, height=20 * max(len(rows), 3))
