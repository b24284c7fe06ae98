"""Numbers beside each other, each with its interval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt

from training.charts import LONGEST_NAME, PALETTE, data, themed

Estimates = Mapping[str, Mapping[str, Any]]
"""Name → ``value``, ``low`` and ``high``, which are None where it cannot be said."""


def intervals(found: Estimates, about: str, title: str | None = None, first: int = 1) -> Any:
    """A line for each number with its interval, from the top down; the ``first`` so many stand out."""
    rows = [
        {"name": name, "first": place < first, **{part: one[part] for part in ("value", "low", "high")}}
        for place, (name, one) in enumerate(found.items())
    ]
    base = alt.Chart(data(rows)).encode(
        alt.Y("name:N", title=None, scale=alt.Scale(domain=list(found)), axis=alt.Axis(labelLimit=LONGEST_NAME)),
        alt.Color(
            "first:N", legend=None, scale=alt.Scale(domain=[True, False], range=[PALETTE["accent"], PALETTE["quiet"]])
        ),
        tooltip=["name:N", *(alt.Tooltip(f"{part}:Q", format=".4f") for part in ("value", "low", "high"))],
    )
    spread = base.mark_rule(strokeWidth=3, opacity=0.45).encode(
        alt.X("low:Q", title=about, scale=alt.Scale(zero=False, padding=8), axis=alt.Axis(tickCount=6)),
        alt.X2("high:Q"),
    )
    points = base.mark_point(filled=True, opacity=1, size=60).encode(alt.X("value:Q", title=about))
    return themed(alt.layer(spread, points), height=28 * max(len(rows), 2), title=title)


def baselines(judged: Mapping[str, Any], title: str | None = None) -> Any:
    """The log loss of a model, which comes first, and of each baseline on the same rows; lower is better."""
    ours = {"model": judged["metrics"]} | judged["baselines"]
    about = "log loss on the test fold, 95% interval (lower is better)"
    return intervals({name: numbers["log_loss"] for name, numbers in ours.items()}, about, title)
