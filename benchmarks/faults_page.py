"""What ``docs/verification.md`` says of the fault drills."""

from __future__ import annotations

from typing import Any

from features import catalog

HEADS = (
    "store",
    "drill",
    "how often, or how long",
    "what was asked or written",
    "failed or lost",
    "how long it took",
    "as expected",
)


def parts(rows: list[dict[str, Any]]) -> list[str]:
    """A table, and what it comes to; nothing where they were not run."""
    if not rows:
        return []
    good = sum(row["as_expected"] for row in rows)
    lines = [
        (
            row["store"],
            row["what"],
            _many(row),
            _asked(row),
            _failed(row),
            _took(row),
            "yes" if row["as_expected"] else "**no**",
        )
        for row in rows
    ]
    return [
        "## Faults",
        f"{good} of {len(rows)} as expected. The real server over a made-up company, asked by two at once all the while: "
        "another champion taken into use, the process that answers killed (SIGKILL), processes that write killed, and time. "
        "Each answer has to be, bit for bit, what the one version that it names says of the account; what was acknowledged "
        "has to be in the log, once. *How long it took*: until the new version answered, or another process was ready; the "
        "median, and the most.",
        catalog.grid(HEADS, lines),
    ]


def _many(row: dict[str, Any]) -> str:
    return f"{row['count']}" if "count" in row else f"{row['seconds'] / 60:.0f} minutes"


def _asked(row: dict[str, Any]) -> str:
    return f"{row['requests']:,} requests" if "requests" in row else f"{row['acknowledged']:,} entries"


def _failed(row: dict[str, Any]) -> str:
    if "lost" in row:
        return f"{row['lost']} lost" + (f", {row['twice']} twice" if "twice" in row else "")
    return f"{row['failed']} failed"


def _took(row: dict[str, Any]) -> str:
    if "more_memory" in row:
        return f"memory {row['more_memory']:+.1%} of {row['memory_mb']:,} MB, handles {row['more_handles']:+d}"
    took = row.get("seconds_to_swap") or row.get("seconds_to_ready")
    return f"{took['median']:.1f} s, at most {took['most']:.1f} s" if took else "–"
