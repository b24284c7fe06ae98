"""Eligible → asked → accepted → done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt

from serving.amounts import percent
from serving.charts import PALETTE, data, themed


def rows(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A line for each step: what is counted, how many, and of how many of those before."""
    asked, accepted, done = found["accounts_asked"], found["accepted"], found["done"]
    return [
        {"step": "eligible", "what": "accounts", "count": found["eligible"], "said": f"{found['eligible']:,} accounts"},
        {"step": "asked", "what": "accounts", "count": asked["yes"], "said": _of(asked, "accounts")},
        {"step": "accepted", "what": "asks", "count": accepted["yes"], "said": _of(accepted, "asks")},
        {"step": "done", "what": "acts", "count": done["yes"], "said": _of(done, "accepted")},
    ]


def told(found: Mapping[str, Any]) -> str:
    return "; ".join(f"{row['step']}: {row['said']}" for row in rows(found))


def steps(found: Mapping[str, Any]) -> Any:
    """A bar for each step: the first two count accounts, the others asks."""
    drawn = alt.Chart(data(rows(found))).encode(
        y=alt.Y("step:N", title=None, sort=None, axis=alt.Axis(domain=False, ticks=False, labelFontSize=13)),
        x=alt.X("count:Q", title=None, axis=None, scale=alt.Scale(domainMin=0, padding=90)),
    )
    colours = alt.Scale(
        domain=["accounts", "asks", "acts"], range=[PALETTE["accent"], PALETTE["warm"], PALETTE["good"]]
    )
    bars = drawn.mark_bar(height=24, cornerRadiusEnd=3).encode(
        color=alt.Color("what:N", title="counted", scale=colours)
    )
    return themed(bars + drawn.mark_text(align="left", dx=6, fontSize=12).encode(text="said:N"), height=150)


def _of(part: Mapping[str, Any], what: str) -> str:
    return f"{part['yes']:,} of {part['of']:,} {what}, {percent(part['rate'])}"
