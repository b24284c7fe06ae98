"""The plots of a judged model and of a backtest."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from training import metrics, plots
from training.splits import Fold

if TYPE_CHECKING:
    from training.backtest import Backtest
    from training.judge import Judged
    from training.result import Result


def pictures(judged: Judged, days: Sequence[str], folder: Path) -> None:
    """Said against seen, beside the baselines, what moves it most: three PNG files. ``days`` are those of the test, if it has any."""
    outcome = judged.model.facts["outcome"]
    title = f"{outcome}, {len(judged.test):,} rows{' at ' if days else ''}{', '.join(days)}"
    bins = metrics.reliability(judged.test.y, judged.scores.probability)
    drawn = {
        "reliability": plots.reliability(bins, title),
        "baselines": plots.against_baselines({"model": judged.metrics} | judged.baselines, title),
        "importance": plots.importance(_importance(judged), f"{outcome}: what moves it most"),
    }
    for name, figure in drawn.items():
        plots.save(figure, folder / f"{name}.png")


def reliability(result: Result) -> Figure:
    """Said against seen on the test fold of a training; of one that was judged."""
    bins = [(one["said"], one["seen"], int(one["n"])) for one in result.coverage]
    return plots.reliability(bins, f"{result.outcome}: said and seen, {result.n:,} rows")


def baselines(result: Result) -> Figure:
    """The log loss of a trained model beside that of each baseline; of a training that was judged."""
    return plots.against_baselines(
        {"model": result.metrics} | result.baselines, f"{result.outcome}: {result.verdict}, {result.n:,} rows"
    )


def folds(days: Sequence[date], made: Sequence[Fold], title: str) -> Figure:
    """Which of the as_of dates each fold learns from and is judged on."""
    return plots.folds(days, {f"judged on {fold.test[0]}": (fold.fit, fold.test) for fold in made}, title)


def origins(found: Backtest, metric: str = "log_loss") -> Figure:
    """A metric of every origin of a backtest, beside what the base rate comes to."""
    lines = {
        "model": {one.days[0]: one.metrics[metric] for one in found.origins},
        "base rate": {one.days[0]: one.baselines["base rate"][metric] for one in found.origins},
    }
    return plots.over_time(lines, metric.replace("_", " "), f"{found.outcome}: every origin, by its first date")


def parts(found: Backtest, metric: str = "auc") -> Figure:
    """A metric over all origins, in whole and in each part that has enough of both kinds to say."""
    told = {f"{one.by}: {one.name}": one.metrics[metric] for one in found.slices if one.metrics}
    about = f"{metric.replace('_', ' ')}, 95% interval"
    return plots.intervals({"all rows": found.metrics[metric]} | told, about, f"{found.outcome}: for whom it holds")


def ages(found: Backtest) -> Figure:
    """Log loss and AUC by how old a model was when it was asked."""
    figure, both = plots.canvas(f"{found.outcome}: how models grow old", (8, 3.4), columns=2)
    days = [one.days for one in found.ages]
    for axes, name in zip(both, ("log_loss", "auc"), strict=True):
        axes.plot(days, [getattr(one, name) for one in found.ages], "o-", color=plots.ACCENT)
        axes.set(xlabel="days since the last date learnt from", ylabel=name.replace("_", " "))
    return figure


def _importance(judged: Judged, most: int = 20) -> list[tuple[str, float]]:
    rows = judged.test.frame.head(500)
    strength = np.abs(judged.model.contributions(rows)[:, :-1]).mean(axis=0)
    order = np.argsort(-strength)[:most]
    return [(judged.model.encoder.columns[column], float(strength[column])) for column in order]
