"""Plots where people would rather look than read."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from training.metrics import Estimate

INK, ACCENT, QUIET = "#22303c", "#c2410c", "#94a3b8"


def reliability(points: list[tuple[float, float, int]], title: str, file: Path) -> None:
    """Said against seen, ten bins of equal count: on the diagonal, a 20% comes true one time in five."""
    figure, axes = _canvas(title, (5, 5))
    top = max([1e-3, *(max(said, seen) for said, seen, _ in points)]) * 1.08
    axes.plot([0, top], [0, top], color=QUIET, linewidth=1)
    axes.plot([p[0] for p in points], [p[1] for p in points], "o-", color=ACCENT, markersize=6)
    axes.set(xlabel="probability said", ylabel="share that came true", xlim=(0, top), ylim=(0, top))
    _save(figure, file)


def against_baselines(metrics: dict[str, dict[str, Estimate]], title: str, file: Path) -> None:
    """Log loss of the model and of each baseline, with intervals; lower is better."""
    figure, axes = _canvas(title, (7, 0.5 * len(metrics) + 1.6))
    for row, (name, found) in enumerate(reversed(metrics.items())):
        estimate, colour = found["log_loss"], ACCENT if name == "model" else INK
        axes.plot([estimate.low, estimate.high], [row, row], color=colour, linewidth=2)
        axes.plot(estimate.value, row, "o", color=colour, markersize=7)
    axes.set_yticks(range(len(metrics)), list(reversed(metrics)))
    axes.set(xlabel="log loss on the test fold, 95% interval (lower is better)", ylim=(-0.6, len(metrics) - 0.4))
    _save(figure, file)


def importance(gains: list[tuple[str, float]], title: str, file: Path) -> None:
    """Mean absolute contribution of the strongest columns, in log-odds."""
    figure, axes = _canvas(title, (7, 0.32 * len(gains) + 1.4))
    axes.barh(
        [_plain(name) for name, _ in reversed(gains)], [gain for _, gain in reversed(gains)], color=ACCENT, height=0.6
    )
    axes.set(xlabel="mean absolute contribution, log-odds")
    _save(figure, file)


def _plain(text: str) -> str:
    """A column's name is no formula."""
    return text.replace("$", r"\$")


def _canvas(title: str, size: tuple[float, float]) -> tuple[Any, Any]:
    figure, axes = plt.subplots(figsize=size)
    axes.set_title(_plain(title), loc="left", fontsize=12, color=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#e2e8f0", linewidth=0.6)
    axes.set_axisbelow(True)
    return figure, axes


def _save(figure: Any, file: Path) -> None:
    with warnings.catch_warnings():  # a name in a script that the font lacks is drawn as boxes
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from")
        figure.tight_layout()
        figure.savefig(file, dpi=120)
    plt.close(figure)
