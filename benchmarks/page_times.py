"""What ``docs/performance.md`` says of pages."""

from __future__ import annotations

from typing import Any

from features import catalog

HEADS = ("page", "ms", "p95 ms", "the first time, ms", "× a bare route", "kB", "within a second", "note")


def parts(rows: list[dict[str, Any]]) -> list[str]:
    """A table, and what it comes to; nothing where it was not measured."""
    if not rows:
        return []
    lines = [
        (
            row["what"],
            f"{row['ms']:,.1f}",
            f"{row['p95_ms']:,.1f}",
            f"{row['first_ms']:,.0f}",
            f"{row['ratio']:,.1f}",
            f"{row['kb']:,.0f}",
            "yes" if row["ms"] <= row["budget_ms"] else "**no**",
            row["wrong"] or "–",
        )
        for row in rows
    ]
    busiest = max(row["load"] for row in rows)
    return [
        "## Pages",
        f"Every page over {rows[0]['accounts']:,} scored accounts, through the real server, asked for one after the other "
        "in turn; medians. *the first time* is after a start, and the whole wait: a page that takes longer says at once "
        "that it is being made, and asks again by itself. *a bare route*: Starlette in the same server, before anything "
        "of ours. *kB*: the page as it is sent; style and script are fetched once. No page shall take a second once its "
        f"numbers are there. The machine's load was up to {busiest:g} meanwhile.",
        catalog.grid(HEADS, lines),
    ]
