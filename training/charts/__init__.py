"""Charts, declared once: an Altair chart, which a notebook shows as it is, and the same as SVG for pages and as PNG for files.

One file per subject. Rows are plain mappings; fields, and what they are called for whoever points at a chart, have names
of ours, never names of people or from data: Vega-Lite reads those as part of an expression. What a chart shows is said
once, for all of it, and not by each of its marks. Colours are those of ``PALETTE``; on a page each becomes the CSS
variable of its name, so that a chart is light or dark with its page. Where a chart has no heading beside it, as in a
notebook, it is given a title.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import isnan
from typing import Any

import altair as alt
import vl_convert
from markupsafe import Markup, escape

PALETTE = {
    "accent": "#2456a6",
    "warm": "#b4530a",
    "good": "#1c7a4b",
    "bad": "#b3261e",
    "ink": "#1b2330",
    "quiet": "#566070",
    "line": "#d8dde6",
    "soft": "#e9eef7",
}
FONT = "system-ui, sans-serif"
LONGEST_NAME, LONGEST_TITLE = 320, 900
"""Pixels after which a name beside an axis, and a title, are cut short: names in data may be of any length."""
NOT_DRAWN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no SVG may hold; what draws ends the process over them."""
PARTS = re.compile(' role="graphics-[a-z]+"| aria-roledescription="[a-z ]+"')
"""What Vega says of each part of a picture, without telling what the part is."""
Rows = Sequence[Mapping[str, Any]]
Chart = alt.TopLevelMixin


def data(rows: Rows) -> alt.InlineData:
    """Rows as a chart holds them; what is not a number is empty."""
    return alt.InlineData(values=[{name: _plain(value) for name, value in row.items()} for row in rows])


def across_time() -> alt.X:
    """The field ``day`` from left to right, the same in every time zone."""
    return alt.X(
        "day:T", title=None, scale=alt.Scale(type="utc", padding=10), axis=alt.Axis(format="%b %Y", tickCount=6)
    )


def on_day() -> alt.Tooltip:
    """The field ``day`` for whoever points at it, the same in every time zone."""
    return alt.Tooltip("utcyearmonthdate(day):T", title="day")


def themed(chart: Any, width: int = 440, height: int = 180, title: str | None = None) -> Any:
    """A chart in the colours of the house."""
    return _housed(chart.properties(width=width, height=height), title)


def beside(charts: Sequence[Any], width: int, height: int, title: str | None = None) -> Any:
    """Several charts side by side, each of that size, under one title."""
    return _housed(alt.hconcat(*(one.properties(width=width, height=height) for one in charts)), title)


def svg(chart: Any, told: str) -> Markup:
    """For a page; ``told`` says in words what is to be seen, for who does not see it."""
    drawn: str = PARTS.sub("", vl_convert.vegalite_to_svg(_drawable(chart.to_dict())))
    for name, colour in PALETTE.items():
        drawn = drawn.replace(f'"{colour}"', f'"var(--{name})"')
    return Markup(drawn.replace("<svg ", f'<svg role="img" aria-label="{escape(told)}" ', 1))  # noqa: S704


def png(chart: Any) -> bytes:
    """For a file; on white, two pixels for each of the chart's."""
    return vl_convert.vegalite_to_png(_drawable(chart.properties(background="white").to_dict()), scale=2)


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and isnan(value) else value


def _drawable(part: Any) -> Any:
    if isinstance(part, dict):
        return {name: _drawable(one) for name, one in part.items()}
    if isinstance(part, list):
        return [_drawable(one) for one in part]
    return NOT_DRAWN.sub("\ufffd", part) if isinstance(part, str) else part


def _housed(chart: Any, title: str | None) -> Any:
    titled = chart if title is None else chart.properties(title=title)
    return (
        titled.properties(background="transparent")
        .configure(font=FONT, aria=False)
        .configure_title(
            anchor="start", color=PALETTE["ink"], fontSize=14, fontWeight=600, offset=12, limit=LONGEST_TITLE
        )
        .configure_axis(
            labelColor=PALETTE["quiet"],
            titleColor=PALETTE["quiet"],
            titleFontWeight="normal",
            titleLimit=LONGEST_TITLE,
            gridColor=PALETTE["line"],
            domainColor=PALETTE["line"],
            tickColor=PALETTE["line"],
            labelFontSize=12,
            labelFlush=False,
            titleFontSize=12,
        )
        .configure_legend(labelColor=PALETTE["quiet"], titleColor=PALETTE["quiet"], labelFontSize=12, orient="top")
        .configure_header(labelColor=PALETTE["quiet"], titleColor=PALETTE["quiet"])
        .configure_text(color=PALETTE["ink"])
        .configure_view(stroke=None)
    )
