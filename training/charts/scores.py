"""Scores in their order, each with its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from training.charts import PALETTE, beside, data

Scores = Sequence[Mapping[Any, Any]]


def bands(found: Mapping[str, Scores], title: str | None = None) -> Any:
    """A chart for each model: its scores from the first to the last as they are given (``probability``, ``low``, ``high``).
    One can zoom in, since accounts stand close.
    """
    return beside(
        [_band(name, rows, f"zoom{place}") for place, (name, rows) in enumerate(found.items())], 240, 200, title
    )


def _band(name: str, rows: Scores, zoom: str) -> Any:
    placed = [{"place": place, **row} for place, row in enumerate(rows, 1)]
    y = alt.Y("low:Q", title="probability", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%", tickCount=5))
    told = [alt.Tooltip(f"{field}:Q", format=".1%") for field in ("probability", "low", "high")]
    base = alt.Chart(data(placed)).encode(
        alt.X(
            "place:Q", title="place in the order", scale=alt.Scale(zero=False, nice=False), axis=alt.Axis(tickCount=6)
        ),
        tooltip=["place:Q", *told],
    )
    band = base.mark_area(color=PALETTE["accent"], opacity=0.2).encode(y, alt.Y2("high:Q"))
    line = base.mark_line(color=PALETTE["accent"], strokeWidth=2.5).encode(alt.Y("probability:Q"))
    heading = alt.TitleParams(name, fontSize=12, fontWeight="normal", color=PALETTE["quiet"], offset=6)
    return alt.layer(band, line).properties(title=heading).interactive(zoom, bind_y=False)
