"""Who stood where, month by month."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from training.charts import PALETTE, data, themed

COLOURS = {
    "advocate": PALETTE["good"],
    "loyal": PALETTE["accent"],
    "satisfied": PALETTE["quiet"],
    "not yet": PALETTE["line"],
    "at risk": PALETTE["bad"],
}
"""From the furthest that an account can come down to those at risk."""


def months(found: Sequence[tuple[str, Mapping[str, int]]]) -> Any:
    """Accounts by state at the end of each month: (day, state → accounts)."""
    rows = [
        {"month": day[:7], "state": state, "place": place, "accounts": states.get(state, 0)}
        for day, states in found
        for place, state in enumerate(COLOURS)
    ]
    colours = alt.Scale(domain=list(COLOURS), range=list(COLOURS.values()))
    chart = (
        alt.Chart(data(rows))
        .mark_bar()
        .encode(
            x=alt.X("month:O", title=None, axis=alt.Axis(labelAngle=-45)),
            y=alt.Y("accounts:Q", title="accounts"),
            color=alt.Color("state:N", title=None, scale=colours, sort=list(COLOURS)),
            order=alt.Order("place:Q", sort="descending"),
        )
    )
    return themed(chart, height=220)
