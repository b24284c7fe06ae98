"""Charts, declared once: an Altair chart, and the same as SVG for pages.

One file per subject. Rows are plain mappings; fields have names of ours, never names of people. Colours are those of
``PALETTE``; on a page each becomes the CSS variable of its name, so that a chart is light or dark with its page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
Rows = Sequence[Mapping[str, Any]]


def data(rows: Rows) -> alt.InlineData:
    return alt.InlineData(values=[dict(row) for row in rows])


def themed(chart: Any, width: int = 440, height: int = 180) -> Any:
    """A chart in the colours of the house."""
    return (
        chart.properties(width=width, height=height, background="transparent")
        .configure(font=FONT)
        .configure_axis(
            labelColor=PALETTE["quiet"],
            titleColor=PALETTE["quiet"],
            titleFontWeight="normal",
            gridColor=PALETTE["line"],
            domainColor=PALETTE["line"],
            tickColor=PALETTE["line"],
            labelFontSize=12,
            titleFontSize=12,
        )
        .configure_legend(labelColor=PALETTE["quiet"], titleColor=PALETTE["quiet"], labelFontSize=12, orient="top")
        .configure_header(labelColor=PALETTE["quiet"], titleColor=PALETTE["quiet"])
        .configure_text(color=PALETTE["ink"])
        .configure_view(stroke=None)
    )


def svg(chart: Any, told: str) -> Markup:
    """For a page; ``told`` says in words what is to be seen, for who does not see it."""
    drawn: str = vl_convert.vegalite_to_svg(chart.to_dict())
    for name, colour in PALETTE.items():
        drawn = drawn.replace(f'"{colour}"', f'"var(--{name})"')
    return Markup(drawn.replace("<svg ", f'<svg role="img" aria-label="{escape(told)}" ', 1))  # noqa: S704
