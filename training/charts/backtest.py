"""How models do over time, for whom, and as they grow old; all of a backtest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from training.charts import PALETTE, Rows, across_time, data, on_day, themed
from training.charts.intervals import intervals

MODEL, BASE = "model", "base rate"
Origins = Sequence[Mapping[str, Any]]


def origins(found: Origins, metric: str, about: str, title: str | None = None) -> Any:
    """A metric of every origin by its first date, beside what the base rate comes to, each with its interval (95%)."""
    rows = []
    for one in found:
        for who, numbers in ((MODEL, one["metrics"]), (BASE, one["baselines"][BASE])):
            rows.append({"day": one["days"][0], "who": who, **numbers[metric]})
    colour = alt.Color(
        "who:N",
        title=None,
        legend=alt.Legend(symbolOpacity=1),
        scale=alt.Scale(domain=[MODEL, BASE], range=[PALETTE["accent"], PALETTE["warm"]]),
    )
    told = [on_day(), alt.Tooltip("who:N", title="of"), *_told(".3f")]
    base = alt.Chart(data(rows)).encode(across_time(), colour, tooltip=told)
    return themed(alt.layer(*_with_intervals(base, about, ".2f")), width=420, height=220, title=title)


def profit(found: Origins, currency: str, title: str | None = None) -> Any:
    """What the list at capacity came to per date, at every origin of an outcome that a call is to prevent."""
    about = f"{currency} per date"
    rows = [{"day": one["days"][0], **one["profit_per_date"]} for one in found if one["profit_per_date"]]
    base = alt.Chart(data(rows)).encode(
        across_time(), color=alt.value(PALETTE["good"]), tooltip=[on_day(), *_told(",.0f")]
    )
    zero = alt.Chart(data([{"value": 0}])).mark_rule(color=PALETTE["quiet"]).encode(alt.Y("value:Q"))
    return themed(alt.layer(zero, *_with_intervals(base, about, "~s")), width=420, height=220, title=title)


def ages(found: Rows, metric: str = "log_loss", about: str = "log loss", title: str | None = None) -> Any:
    """A metric by how many days after the last date learnt from a model was asked: how fast it grows old."""
    rows = [{"days": one["days"], "origins": one["origins"], "value": one[metric]} for one in found]
    base = alt.Chart(data(rows)).encode(
        alt.X(
            "days:Q",
            title="days since the last date learnt from",
            axis=alt.Axis(tickCount=6),
            scale=alt.Scale(zero=False),
        ),
        alt.Y("value:Q", title=about, scale=alt.Scale(zero=False), axis=alt.Axis(format=".3f", tickCount=6)),
        tooltip=["days:Q", "origins:Q", alt.Tooltip("value:Q", format=".4f")],
    )
    line = base.mark_line(color=PALETTE["accent"])
    points = base.mark_point(color=PALETTE["accent"], filled=True, opacity=1, size=60)
    return themed(alt.layer(line, points), width=420, height=220, title=title)


def parts(tested: Mapping[str, Any], metric: str, about: str, title: str | None = None) -> Any:
    """A metric over all origins, in whole and in each part that has enough of both kinds to say."""
    told = {f"{one['by']}: {one['name']}": one["metrics"][metric] for one in tested["slices"] if one["metrics"]}
    return intervals({"all rows": tested["metrics"][metric]} | told, f"{about}, 95% interval", title)


def _told(form: str) -> list[alt.Tooltip]:
    return [alt.Tooltip(f"{field}:Q", format=form) for field in ("value", "low", "high")]


def _with_intervals(base: Any, title: str, form: str) -> tuple[Any, ...]:
    y = alt.Y("value:Q", title=title, scale=alt.Scale(zero=False), axis=alt.Axis(format=form, tickCount=6))
    return (
        base.mark_rule(opacity=0.45, strokeWidth=3).encode(alt.Y("low:Q", title=title), alt.Y2("high:Q")),
        base.mark_line().encode(y),
        base.mark_point(filled=True, opacity=1, size=50).encode(y),
    )
