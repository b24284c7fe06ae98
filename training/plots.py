"""Plots where people would rather look than read. Each is a figure of its own, which no window or back end need know of."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from matplotlib.figure import Figure

from training.metrics import Estimate

INK, ACCENT, QUIET = "#22303c", "#c2410c", "#94a3b8"


def reliability(points: list[tuple[float, float, int]], title: str) -> Figure:
    """Said against seen, ten bins of equal count: on the diagonal, a 20% comes true one time in five."""
    figure, axes = canvas(title, (5, 5))
    top = max([1e-3, *(max(said, seen) for said, seen, _ in points)]) * 1.08
    axes.plot([0, top], [0, top], color=QUIET, linewidth=1)
    axes.plot([p[0] for p in points], [p[1] for p in points], "o-", color=ACCENT, markersize=6)
    axes.set(xlabel="probability said", ylabel="share that came true", xlim=(0, top), ylim=(0, top))
    return figure


def intervals(found: Mapping[str, Estimate], about: str, title: str, first: int = 1) -> Figure:
    """A line for each number with its interval, from the top down; the ``first`` so many stand out."""
    figure, axes = canvas(title, (7, 0.5 * len(found) + 1.6))
    for row, estimate in enumerate(found.values()):
        colour = ACCENT if row < first else INK
        axes.plot([estimate.low, estimate.high], [row, row], color=colour, linewidth=2)
        axes.plot(estimate.value, row, "o", color=colour, markersize=7)
    axes.set_yticks(range(len(found)), [_plain(name) for name in found])
    axes.set(xlabel=_plain(about), ylim=(len(found) - 0.4, -0.6))
    return figure


def against_baselines(metrics: dict[str, dict[str, Estimate]], title: str) -> Figure:
    """Log loss of the model, which comes first, and of each baseline, with intervals; lower is better."""
    about = "log loss on the test fold, 95% interval (lower is better)"
    return intervals({name: found["log_loss"] for name, found in metrics.items()}, about, title)


def over_time(lines: Mapping[str, Mapping[date, Estimate]], about: str, title: str) -> Figure:
    """Numbers with their intervals by date, one line for each name; the first stands out."""
    figure, axes = canvas(title, (7, 3.6))
    for position, (name, found) in enumerate(lines.items()):
        colour = (ACCENT, INK, QUIET)[min(position, 2)]
        days, estimates = list(found), list(found.values())
        axes.plot(days, [one.value for one in estimates], "o-", color=colour, markersize=5, label=_plain(name))
        axes.vlines(days, [one.low for one in estimates], [one.high for one in estimates], color=colour, alpha=0.5)
    axes.set(ylabel=_plain(about))
    axes.legend(frameon=False)
    figure.autofmt_xdate()
    return figure


def folds(days: Sequence[date], parts: Mapping[str, tuple[Sequence[date], Sequence[date]]], title: str) -> Figure:
    """A line for each fold: the dates learnt from, those judged on, and of the rest (``days``) nothing but their place."""
    figure, axes = canvas(title, (8, 0.45 * len(parts) + 1.6))
    for row, (learnt, judged) in enumerate(parts.values()):
        for some, colour, size in ((days, "#e2e8f0", 5), (learnt, INK, 8), (judged, ACCENT, 8)):
            axes.plot(some, [row] * len(some), "s", color=colour, markersize=size)
    axes.set_yticks(range(len(parts)), [_plain(name) for name in parts])
    axes.set(xlabel="as_of: dark is learnt from, orange is judged on, pale is neither", ylim=(len(parts) - 0.4, -0.6))
    figure.autofmt_xdate()
    return figure


def importance(gains: list[tuple[str, float]], title: str) -> Figure:
    """Mean absolute contribution of the strongest columns, in log-odds."""
    return bars(dict(gains), "mean absolute contribution, log-odds", title)


def bars(found: Mapping[Any, float], about: str, title: str, start: float = 0.0) -> Figure:
    """One bar for each number, from the top down, beginning at ``start``."""
    figure, axes = canvas(title, (7, 0.32 * len(found) + 1.4))
    lengths = [value - start for value in found.values()]
    axes.barh([_plain(str(name)) for name in found], lengths, left=start, color=ACCENT, height=0.6)
    axes.margins(y=0.05)
    axes.invert_yaxis()
    axes.set(xlabel=_plain(about))
    return figure


def canvas(title: str, size: tuple[float, float] = (7, 3.6), columns: int = 1) -> tuple[Figure, Any]:
    """A figure in the house style and its axes: one, or as many side by side as there are ``columns``."""
    figure = Figure(figsize=size)
    made = figure.subplots(1, columns, squeeze=False)[0]
    for axes in made:
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(color="#e2e8f0", linewidth=0.6)
        axes.set_axisbelow(True)
    made[0].set_title(_plain(title), loc="left", fontsize=12, color=INK)
    return figure, made[0] if columns == 1 else made


def save(figure: Figure, file: Any) -> None:
    """As PNG, into a file or a stream."""
    with warnings.catch_warnings():  # a name in a script that the font lacks is drawn as boxes
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from")
        figure.tight_layout()
        figure.savefig(file, dpi=120, format="png")


def _plain(text: str) -> str:
    """A column's name is no formula."""
    return text.replace("$", r"\$")
