"""Who became what within a month."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt

from training.charts import PALETTE, data, themed


def matrix(found: Mapping[str, Mapping[str, Mapping[str, float | None]]]) -> Any:
    """From → to → count and share, the share of each row as the strength of its colour."""
    rows = [
        {"before": before, "after": after, "share": went["share"], "said": f"{went['share']:.0%}"}
        for before, afters in found.items()
        for after, went in afters.items()
        if went["share"] is not None
    ]
    befores, afters = list(found), list(dict.fromkeys(str(row["after"]) for row in rows))
    base = alt.Chart(data(rows)).encode(
        x=alt.X("after:N", title=None, sort=afters, axis=alt.Axis(orient="top", labelAngle=0)),
        y=alt.Y("before:N", title=None, sort=befores),
    )
    cells = base.mark_rect(color=PALETTE["accent"], stroke=PALETTE["line"]).encode(
        opacity=alt.Opacity("share:Q", scale=alt.Scale(domain=[0, 1], range=[0.02, 0.6]), legend=None)
    )
    return themed(cells + base.mark_text(fontSize=12).encode(text="said:N"), height=220)
