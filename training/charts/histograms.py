"""How often which values are met."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import numpy as np
import numpy.typing as npt

from training.charts import PALETTE, beside, data, themed

BINS = 25


def histogram(values: npt.ArrayLike, about: str, counted: str, title: str | None = None) -> Any:
    """How many of what is ``counted`` have a value in each of the bins, which are of equal width."""
    return themed(_counts(values, about, counted), height=200, title=title)


def histograms(found: Mapping[str, npt.ArrayLike], counted: str, title: str | None = None) -> Any:
    """Several beside each other: what the values are about → the values."""
    return beside([_counts(values, about, counted) for about, values in found.items()], 240, 180, title)


def _counts(values: npt.ArrayLike, about: str, counted: str) -> Any:
    counts, edges = np.histogram(np.asarray(values, dtype=np.float64), bins=BINS)
    rows = [
        {"low": float(low), "high": float(high), "count": int(count)}
        for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True)
    ]
    return (
        alt.Chart(data(rows))
        .mark_bar(color=PALETTE["accent"])
        .encode(
            alt.X("low:Q", title=about, bin="binned", axis=alt.Axis(tickCount=6)),
            alt.X2("high:Q"),
            alt.Y("count:Q", title=counted, axis=alt.Axis(tickCount=5)),
            tooltip=[
                alt.Tooltip("low:Q", title="from", format=",.4~g"),
                alt.Tooltip("high:Q", title="to", format=",.4~g"),
                alt.Tooltip("count:Q", format=","),
            ],
        )
    )
