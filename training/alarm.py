"""The leakage alarm: a single feature that foretells too well is named, with the likely reason, and blocks promotion.

A feature is judged alone and out of time: which way it points, what its missing values stand for and what its
categories are worth is settled on the training range, and the test fold only measures. It tells of columns that go
steadily up or down with the outcome and of categories; a leak spread over many weak columns it does not see.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import cohort, frame
from features.errors import PropensityError, one_of
from features.feature import Column
from features.plan import Plan
from features.workspace import Config, Workspace
from training import causes, metrics
from training.dataset import Dataset, dataset
from training.metrics import Estimate
from training.outcomes import configured
from training.splits import rolling

Vector = npt.NDArray[np.float64]
MISSING = "\0"
ENOUGH = 20_000
"""Training rows, evenly spaced, that settle which way a number points; more would only take longer."""


@dataclass(frozen=True)
class Rule:
    """From which AUC on a single feature is suspected; every number is the lower end of a 95% interval by account.

    ``too_good``: what accounts do before an outcome foretells it with an AUC of 0.6 to 0.9, and whole models rarely
    pass 0.95; a single column above that has more likely seen the outcome than foreseen it.

    ``strong`` and ``ahead``: trouble shows in several places at once, so an honest feature above 0.9 has company. One
    that stands 0.1 above the best column of every other table has most likely been written by somebody who knew. It
    is not held against what the outcome itself is defined by, which is rightly ahead of the rest.
    """

    too_good: float = 0.95
    strong: float = 0.90
    ahead: float = 0.10


RULE = Rule()


@dataclass(frozen=True)
class Alarm:
    """A feature that is too good to be believed: its AUC alone on the test fold, and why that may be."""

    feature: str
    auc: float
    low: float
    high: float
    reason: str
    trusted: bool = False

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        held = "trusted, " if self.trusted else ""
        return (
            f"{self.feature} ({held}by itself AUC {self.auc:.3f}, 95% interval {self.low:.3f} to {self.high:.3f}): "
            f"{self.reason}"
        )


def alarms(workspace: Workspace, outcome: str, learn: Dataset, test: Dataset, weights: Vector) -> list[Alarm]:
    """The features that ring on this test fold, the best first; ``weights`` are bootstrap draws of its accounts."""
    known = causes.Known.of(workspace, outcome, test)
    expected = frozenset(column.name for column in test.plan.columns if known.defining(column))
    relied_on = trusted(workspace.config, test.plan)
    return [
        Alarm(column.name, found.value, found.low, found.high, known.reason(column), column.name in relied_on)
        for column, found in suspects(learn, test, weights, expected)
    ]


def standing(workspace: Workspace) -> dict[str, list[Alarm]]:
    """The alarms of each outcome whose frames are built already and have enough in them; builds nothing."""
    found = {}
    for outcome, settings in workspace.config.outcomes:
        config = workspace.config.training
        try:
            if not _built(workspace, outcome):
                continue
            rows = dataset(workspace, outcome)
            final = rolling(sorted(set(rows.as_of.tolist())), settings.span, config.test_dates, config.folds)[-1]
        except PropensityError:  # nothing is there yet; the command that builds it says what is missing
            continue
        learn, test = rows.at(list(final.fit)), rows.at(list(final.test))
        if min(min(part.y.sum(), (1 - part.y).sum()) for part in (learn, test)) < config.minimum_positives:
            continue
        weights = metrics.draws(test.accounts, config.bootstraps, config.seed)
        found[outcome] = alarms(workspace, outcome, learn, test, weights)
    return found


def trusted(config: Config, made: Plan) -> frozenset[str]:
    """The columns that ``training.trusted`` names, by themselves or by their feature; a name that is neither is refused."""
    named = set(config.training.trusted)
    if unknown := named - set(made.names) - set(made.declarations):
        raise PropensityError(
            f"training.trusted names {one_of(unknown)}, which this workspace does not compute; "
            f"there are {one_of(made.declarations)}",
            "Name a column as the alarm does, or the feature it comes from; take out what is not there any more.",
        )
    return frozenset(column.name for column in made.columns if column.name in named or column.declaration.name in named)


def suspects(
    learn: Dataset, test: Dataset, weights: Vector, expected: frozenset[str] = frozenset(), rule: Rule = RULE
) -> list[tuple[Column, Estimate]]:
    """Columns whose AUC breaks the rule; ``expected`` ones may be far ahead of the others, but not too good."""
    return breaking(test, lambda column: ranking(column, learn, test), weights, expected, rule)


def breaking(
    test: Dataset,
    ranked: Callable[[Column], Vector],
    weights: Vector,
    expected: frozenset[str] = frozenset(),
    rule: Rule = RULE,
) -> list[tuple[Column, Estimate]]:
    """The same of any rows that each column ``ranked`` by what others had settled."""
    columns = test.plan.columns
    areas = {column.name: _area(test.y, ranked(column)) for column in columns}
    tables = {column.name: causes.tables(column, test.plan) for column in columns}
    found = []
    for column in columns:
        if not areas[column.name] > min(rule.too_good, rule.strong):
            continue
        alone = metrics.over_draws(metrics.auc, test.y, ranked(column), weights)
        estimate = metrics.estimate(alone)
        others = [other for other in columns if not tables[other.name] & tables[column.name]]
        ahead = False
        if estimate.low > rule.strong and others and column.name not in expected:
            best = max(others, key=lambda other: areas[other.name])
            theirs = metrics.over_draws(metrics.auc, test.y, ranked(best), weights)
            ahead = metrics.estimate(alone - theirs).low > rule.ahead
        if estimate.low > rule.too_good or ahead:
            found.append((column, estimate))
    return sorted(found, key=lambda each: -each[1].value)


def area(column: Column, learn: Dataset, test: Dataset) -> float:
    """The AUC of one column on the test rows, below 0.5 where it points the other way than in the training range."""
    return _area(test.y, ranking(column, learn, test))


def _area(y: Vector, ranked: Vector) -> float:
    return float(metrics.auc(y, ranked, np.ones((1, len(y))))[0])


def ranking(column: Column, learn: Dataset, test: Dataset) -> Vector:
    """The test rows by one column: a higher number is, by the training range alone, more likely a yes."""
    then, now = learn.frame[column.name], test.frame[column.name]
    if column.categorical:
        return _by_category(then, learn.y, now)
    return _by_value(then.to_numpy(dtype=float), learn.y, now.to_numpy(dtype=float))


def _by_category(then: pd.Series, y: Vector, now: pd.Series) -> Vector:
    """Each category's training rate, drawn to the overall rate by the weight of one row; missing is a category too."""
    overall = float(y.mean())
    seen = pd.Series(y).groupby(then.fillna(MISSING).to_numpy(dtype=object)).agg(["sum", "count"])
    rates = (seen["sum"] + overall) / (seen["count"] + 1)
    return now.fillna(MISSING).map(rates).fillna(overall).to_numpy(dtype=float)


def _by_value(then: Vector, y: Vector, now: Vector) -> Vector:
    """The value, turned to the side on which the training range has more yes, with missing ones where they belong."""
    step = max(1, len(y) // ENOUGH)
    then, y = then[::step], y[::step]
    there = ~np.isnan(then)
    known, happened = then[there], y[there]
    upward = metrics.auc(happened, known, np.ones((1, len(known))))[0] if len(known) else np.nan
    turn = -1.0 if upward < 0.5 else 1.0
    missing = y[~there].mean() if not there.all() else y.mean()
    return np.where(np.isnan(now), _place(turn * known, happened, float(missing)), turn * now)


def _place(values: Vector, y: Vector, rate: float) -> float:
    """Where rows with this rate of yes stand among the values: above those that have, in sum, a lower one."""
    order = np.argsort(values, kind="stable")
    ranked = values[order]
    passed = np.concatenate([[0.0], np.cumsum(rate - y[order])])
    between = np.concatenate([[True], ranked[1:] != ranked[:-1], [True]]) if len(ranked) else np.array([True])
    place = int(np.argmax(np.where(between, passed, -np.inf)))
    if place in (0, len(ranked)):
        return -np.inf if place == 0 else np.inf
    return float((ranked[place - 1] + ranked[place]) / 2)


def _built(workspace: Workspace, outcome: str) -> bool:
    """Are the frames of every date of this outcome there for the tables in use?"""
    days = cohort.dates(workspace.config, configured(workspace, outcome), frame.observed_until(workspace))
    return frame.stored(workspace, days).keys() >= set(days)
