"""Stories that open deals want, and how much of that advocates can tell."""

from __future__ import annotations

from typing import Any

import altair as alt

from training.charts import PALETTE, Rows, data, themed

TOLD, MISSING = "an advocate can tell it", "nobody can"


def gaps(found: Rows) -> Any:
    """The value of the open deals that want each story, split by whether an advocate is left to tell it; the dearest gap
    first.
    """
    rows = []
    for place, gap in enumerate(found):
        name = ", ".join(str(part) for part in gap["story"])
        rows.append({"place": place, "story": name, "part": MISSING, "value": gap["uncovered"]})
        rows.append({"place": place, "story": name, "part": TOLD, "value": gap["value"] - gap["uncovered"]})
    bars = (
        alt.Chart(data(rows))
        .mark_bar(height={"band": 0.7})
        .encode(
            alt.X("value:Q", title="value of open deals", axis=alt.Axis(format="~s", tickCount=5)),
            alt.Y("story:N", title=None, sort=alt.SortField("place"), axis=alt.Axis(labelLimit=260)),
            alt.Color(
                "part:N",
                title=None,
                scale=alt.Scale(domain=[MISSING, TOLD], range=[PALETTE["warm"], PALETTE["accent"]]),
            ),
            order=alt.Order("part:N", sort="descending"),
        )
    )
    return themed(bars, width=300, height=max(26 * len(found), 60)).properties(
        padding={"left": 40, "right": 12, "top": 4, "bottom": 4}
    )
