"""How models do over time, and as they grow old; all of a backtest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from serving.charts import PALETTE, Rows, data, themed

MODEL, BASE = "model", "base rate"
Origins = Sequence[Mapping[str, Any]]


def origins(found: Origins, metric: str, title: str) -> Any:
    """A metric of every origin by its first date, beside what the base rate comes to, each with its interval (95%)."""
    rows = []
    for one in found:
        for who, numbers in ((MODEL, one["metrics"]), (BASE, one["baselines"][BASE])):
            rows.append({"day": one["days"][0], "who": who, **numbers[metric]})
    colour = alt.Color(
        "who:N", title=None, scale=alt.Scale(domain=[MODEL, BASE], range=[PALETTE["accent"], PALETTE["warm"]])
    )
    base = alt.Chart(data(rows)).encode(alt.X("day:T", title=None, axis=alt.Axis(format="%b %Y", tickCount=6)), colour)
    return themed(alt.layer(*_with_intervals(base, title, ".2f")), width=420, height=220)


def profit(found: Origins, currency: str) -> Any:
    """What the list at capacity came to per date, at every origin of an outcome that a call is to prevent."""
    rows = [{"day": one["days"][0], **one["profit_per_date"]} for one in found if one["profit_per_date"]]
    base = alt.Chart(data(rows)).encode(
        alt.X("day:T", title=None, axis=alt.Axis(format="%b %Y", tickCount=6)), color=alt.value(PALETTE["good"])
    )
    zero = alt.Chart(data([{"value": 0}])).mark_rule(color=PALETTE["quiet"]).encode(alt.Y("value:Q"))
    return themed(alt.layer(zero, *_with_intervals(base, f"{currency} per date", "~s")), width=420, height=220)


def ages(found: Rows) -> Any:
    """Log loss by how many days after the last date learnt from a model was asked: how fast it grows old."""
    base = alt.Chart(data(found)).encode(
        alt.X(
            "days:Q",
            title="days since the last date learnt from",
            axis=alt.Axis(tickCount=6),
            scale=alt.Scale(zero=False),
        ),
        alt.Y("log_loss:Q", title="log loss", scale=alt.Scale(zero=False), axis=alt.Axis(format=".3f", tickCount=6)),
    )
    line = base.mark_line(color=PALETTE["accent"])
    points = base.mark_point(color=PALETTE["accent"], filled=True, opacity=1, size=60)
    return themed(alt.layer(line, points), width=420, height=220)


def _with_intervals(base: Any, title: str, form: str) -> tuple[Any, ...]:
    y = alt.Y("value:Q", title=title, scale=alt.Scale(zero=False), axis=alt.Axis(format=form, tickCount=6))
    return (
        base.mark_rule(opacity=0.45, strokeWidth=3).encode(alt.Y("low:Q", title=title), alt.Y2("high:Q")),
        base.mark_line().encode(y),
        base.mark_point(filled=True, opacity=1, size=50).encode(y),
    )
