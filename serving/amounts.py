"""Numbers as people read them: the same in the terminal and on the pages."""

from __future__ import annotations

NOTHING = "–"
"""What stands where nothing is known."""


def number(value: float | None) -> str:
    """Rounded; from ten thousand on in thousands."""
    if value is None:
        return NOTHING
    return f"{value / 1000:,.0f}k" if abs(value) >= 10_000 else f"{value:,.0f}"


def percent(value: float | None, digits: int = 0) -> str:
    return NOTHING if value is None else f"{value:.{digits}%}"


def points(value: float | None, digits: int = 0) -> str:
    """A difference of probabilities, with its sign."""
    return NOTHING if value is None else f"{100 * value:+.{digits}f} pts"


def between(low: float | None, high: float | None, digits: int = 0) -> str:
    return NOTHING if low is None or high is None else f"{low:.{digits}%}–{high:.{digits}%}"


def days(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.0f} d"
