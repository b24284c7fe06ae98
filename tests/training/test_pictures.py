"""What is drawn is what was measured, and drawing leaves no trace in the process."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import matplotlib
import pytest
from matplotlib import pyplot
from matplotlib.figure import Figure

from training import pictures, plots
from training.backtest import Aged, Backtest, Origin
from training.metrics import Estimate
from training.result import Result
from training.slices import Slice
from training.splits import Fold

MODEL, BASE = Estimate(0.2, 0.1, 0.3), Estimate(0.4, 0.35, 0.5)
NUMBERS = {"log_loss": MODEL, "auc": Estimate(0.8, 0.7, 0.9)}
BASES = {"base rate": {"log_loss": BASE, "auc": Estimate(0.5, 0.5, 0.5)}}
SAID = [{"n": 20.0, "said": 0.1, "seen": 0.15}, {"n": 20.0, "said": 0.3, "seen": 0.25}]
RESULT = Result("churn", "not better", [], n=40, metrics=NUMBERS, baselines=BASES, coverage=SAID)
DAYS = (date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30))


@pytest.fixture
def tested() -> Backtest:
    origins = [Origin((day,), 100, "prior", 50, 10, NUMBERS, BASES, None) for day in DAYS[2:]]
    slices = [Slice("segment", "small", 40, 9, NUMBERS), Slice("segment", "large", 10, 1, {})]
    ages = [Aged(30, 2, 0.2, 0.8), Aged(60, 1, 0.3, 0.7)]
    return Backtest("churn", origins, NUMBERS, BASES, slices, ages, Estimate(0.5, 0.4, 0.6), [])


def drawn(figure: Figure, axes: int = 0) -> list[tuple[list[Any], list[float]]]:
    """The lines of a plot: where they are across, and up."""
    return [
        (list(line.get_xdata(orig=True)), [float(y) for y in line.get_ydata(orig=True)])
        for line in figure.axes[axes].lines
    ]


def said(figure: Figure) -> list[str]:
    return [label.get_text() for label in figure.axes[0].get_yticklabels()]


def test_reliability_shows_what_was_said_and_seen() -> None:
    assert drawn(pictures.reliability(RESULT))[1] == ([0.1, 0.3], [0.15, 0.25])


def test_the_model_stands_above_its_baselines() -> None:
    figure = pictures.baselines(RESULT)
    assert said(figure) == ["model", "base rate"]
    lines = drawn(figure)
    assert lines[0] == ([0.1, 0.3], [0.0, 0.0])
    assert lines[1] == ([0.2], [0.0])
    low, high = figure.axes[0].get_ylim()
    assert low > high, "the first is at the top"


def test_folds_tell_what_is_learnt_from_judged_on_and_neither() -> None:
    figure = pictures.folds(DAYS, [Fold(DAYS[:1], DAYS[2:3]), Fold(DAYS[:2], DAYS[3:])], "folds")
    assert said(figure) == ["judged on 2026-03-31", "judged on 2026-04-30"]
    lines = drawn(figure)
    assert [days for days, _ in lines] == [list(DAYS), [DAYS[0]], [DAYS[2]], list(DAYS), list(DAYS[:2]), [DAYS[3]]]
    assert [rows[0] for _, rows in lines] == [0, 0, 0, 1, 1, 1]


def test_origins_are_shown_by_date_beside_the_base_rate(tested: Backtest) -> None:
    figure = pictures.origins(tested)
    assert drawn(figure) == [(list(DAYS[2:]), [0.2, 0.2]), (list(DAYS[2:]), [0.4, 0.4])]
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ["model", "base rate"]


def test_parts_with_too_little_are_not_drawn(tested: Backtest) -> None:
    assert said(pictures.parts(tested)) == ["all rows", "segment: small"]


def test_ages_show_both_metrics(tested: Backtest) -> None:
    figure = pictures.ages(tested)
    assert drawn(figure, 0) == [([30, 60], [0.2, 0.3])]
    assert drawn(figure, 1) == [([30, 60], [0.8, 0.7])]


def test_bars_begin_where_they_are_told_to() -> None:
    bars = plots.bars({"one $x$": 0.8, "two": 0.6}, "AUC", "AUC", start=0.5).axes[0].patches
    assert [(bar.get_x(), round(bar.get_width(), 9)) for bar in bars] == [(0.5, 0.3), (0.5, 0.1)]


def test_drawing_leaves_the_back_end_and_the_open_figures_alone(tmp_path: Path) -> None:
    before = matplotlib.get_backend()
    pyplot.switch_backend("svg")
    try:
        plots.save(plots.bars({"one": 1.0}, "about", "title"), tmp_path / "bars.png")
        assert matplotlib.get_backend() == "svg"
        assert pyplot.get_fignums() == []
    finally:
        pyplot.switch_backend(before)
    assert (tmp_path / "bars.png").read_bytes().startswith(b"\x89PNG")
