"""The beacon: which metric, of whom and about what, foretells what comes; and which does not, however often it is shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from features import measures
from features.errors import PropensityError, one_of
from features.feature import Declaration
from features.frame import current_plan
from features.measures import Measure
from features.personas import Crowd
from features.plan import Plan
from features.workspace import Workspace
from training import influence
from training.beforehand import not_ahead
from training.dataset import Dataset, dataset
from training.foretelling import Judged, Rows, Seen, judged
from training.influence import Influence
from training.outcomes import configured
from training.splits import blocks, rolling

Progress = Callable[[str], None]
ASKED = ("churn", "expansion", "advocacy")
"""The outcomes that a metric should foretell, where nobody names another."""
DOING = {
    "churn": "leaves",
    "contraction": "shrinks",
    "expansion": "grows",
    "advocacy": "speaks up for us",
    "promoter": "becomes a promoter",
}


@dataclass(frozen=True)
class Tried:
    """A metric in words, and how it did."""

    measure: Measure
    judged: Judged
    outcome: str

    @property
    def sentence(self) -> str:
        """The verdict, for people."""
        said, one = self.measure.said[:1].upper() + self.measure.said[1:], self.judged
        foretells, does = ("foretell", "do") if said.startswith("Answers") else ("foretells", "does")
        if one.auc is None or one.band is None or one.lift is None:
            return f"{said}: too few to tell; known of {one.coverage:.0%} of accounts, {one.yes} of these with {self.outcome}"
        told = f"AUC {one.auc.value:.2f}, {one.band.low:.2f} to {one.band.high:.2f}"
        if one.found == "beacon":
            often = (
                f"the {one.end}est {one.flagged:.0%} {_have(self.outcome)} {one.lift.value:.1f} times as often as all"
            )
            return f"{said} {foretells} {self.outcome}: {often} ({told}; {one.coverage:.0%} of accounts have it)"
        if one.found == "turned":
            return f"{said} {does} not foretell {self.outcome}: it turned, and pointed the other way later ({told})"
        return f"{said} {does} not foretell {self.outcome}: its interval crosses chance ({told})"

    def as_dict(self) -> dict[str, Any]:
        one = self.judged
        estimates = {name: getattr(one, name) for name in ("auc", "band", "lift")}
        return {
            "metric": self.measure.name,
            "said": self.measure.said,
            "role": self.measure.role or None,
            "touchpoint": self.measure.touchpoint or None,
            "found": one.found,
            "beacon": one.found == "beacon",
            "end": one.end,
            "threshold": one.threshold,
            "flagged": one.flagged,
            "coverage": one.coverage,
            "accounts": one.accounts,
            "accounts_with_outcome": one.yes,
            **{name: None if found is None else found.as_dict() for name, found in estimates.items()},
            "sentence": self.sentence,
        }


@dataclass(frozen=True)
class Beacon:
    """Every metric against one outcome, the highest AUC first. ``absent`` are those of which there is no answer at all."""

    outcome: str
    test: list[date]
    n: int
    positives: int
    tried: list[Tried]
    absent: list[str]
    roles: list[Influence]

    @property
    def counted(self) -> int:
        """How many metrics had enough answers to be tried."""
        return sum(one.judged.found != "too few" for one in self.tried)

    @property
    def beacons(self) -> list[Tried]:
        return [one for one in self.tried if one.judged.found == "beacon"]

    @property
    def headline(self) -> str:
        if not self.counted:
            return f"too few answers, or too little {self.outcome}, to say what foretells it"
        of = f"{self.counted} metrics tried" if self.counted > 1 else "the one metric tried"
        if not self.beacons:
            return f"no beacon: of {of}, none is shown to foretell {self.outcome}"
        best, many = self.beacons[0], len(self.beacons)
        earn = "one earns" if many == 1 else f"{many} earn"
        return f"of {of}, {earn} the name beacon for {self.outcome}; {best.measure.said} ranks first"

    @property
    def voices(self) -> str:
        """Whose answers and usage foretell."""
        return influence.sentence(self.roles, DOING.get(self.outcome, f"has the outcome {self.outcome}"))

    def as_dict(self) -> dict[str, Any]:
        return {
            "outcome": self.outcome,
            "headline": self.headline,
            "judged_on": [str(day) for day in self.test],
            "n": self.n,
            "positives": self.positives,
            "tried": self.counted,
            "interval": "95%, by account; band: all metrics together",
            "metrics": [one.as_dict() for one in self.tried],
            "absent": self.absent,
            "roles": [one.as_dict() for one in self.roles],
            "voices": self.voices,
        }


def beacon(workspace: Workspace, outcome: str, progress: Progress = lambda _: None) -> Beacon:
    """Try every metric against an outcome: each as_of date is judged by what was known before it.

    Raises PropensityError where a named metric is no column or feature, or history is too short for a single date.
    """
    settings, config = configured(workspace, outcome), workspace.config
    progress(f"{outcome}: frame")
    named = named_columns(current_plan(workspace), config.beacon.metrics)
    frame = dataset(workspace, outcome, only=[one.column for one in named])
    days = sorted(set(frame.as_of.tolist()))
    rolling(days, settings.span, 1, 1)
    folds = blocks(days, settings.span, 1)
    if any(isinstance(one, Crowd) for one in _named(frame.plan, config.beacon.metrics)):
        not_ahead(config, outcome, folds[0])
    progress(f"{outcome}: metrics")
    told, values = known(workspace, frame)
    progress(f"{outcome}: judging")
    rows = Rows(frame.y, frame.accounts, frame.as_of)
    there = {one.name for one in told if not np.isnan(values[one.name]).all()}
    judging = (config.beacon.fewest, config.training.bootstraps, config.training.seed)
    seen = [Seen(one.name, values[one.name]) for one in told if one.name in there]
    found = judged(seen, rows, folds, config.beacon.coverage, *judging)
    by_name = {one.name: one for one in told}
    voices = influence.of_roles(_by_role(told))
    matrices = {role: np.column_stack([values[name] for name in names]) for role, names in voices.items()}
    test = [day for fold in folds for day in fold.test]
    y = rows.where(rows.at(test)).y
    return Beacon(
        outcome,
        test,
        len(y),
        int(y.sum()),
        [Tried(by_name[one.name], one, outcome) for one in found],
        [one.said for one in told if one.name not in there],
        influence.influence(matrices, rows, folds, *judging),
    )


def known(workspace: Workspace, rows: Dataset) -> tuple[list[Measure], dict[str, np.ndarray]]:
    """Every metric that the workspace can have, and its values on these rows: those of ``features.measures``, and those
    that the settings name.
    """
    usual, declared = measures.of(workspace.config.beacon)
    frame = measures.values(workspace, rows.accounts.tolist(), rows.as_of.tolist(), declared)
    named = named_columns(rows.plan, workspace.config.beacon.metrics)
    told = [one for one in usual if one.column in frame] + named
    source = {one.name: rows.frame if one in named else frame for one in told}
    return told, {one.name: _numbers(source[one.name], one.column) for one in told}


def named_columns(plan: Plan, metrics: tuple[str, ...]) -> list[Measure]:
    """The columns that people name in the settings, a feature standing for all of its columns."""
    found = []
    for name in metrics:
        columns = [one for one in plan.columns if name in (one.name, one.declaration.name) and not one.categorical]
        if not columns:
            raise PropensityError(
                f"beacon.metrics names {name!r}, which is no number in the frame of this workspace",
                f"Name a column or feature of docs/features.md whose table is mapped, such as {one_of(plan.names[:5])}.",
            )
        found += [Measure(one.name, one.name.replace("_", " "), one.name) for one in columns]
    return list(dict.fromkeys(found))


def _named(plan: Plan, metrics: tuple[str, ...]) -> list[Declaration]:
    return [one.declaration for one in plan.columns if {one.name, one.declaration.name} & set(metrics)]


def _by_role(told: list[Measure]) -> dict[str, list[str]]:
    """What is known of each role: its answers of any kind, and its usage."""
    found: dict[str, list[str]] = {}
    for one in told:
        if one.role and one.name.startswith((measures.ANY, "usage")):
            found.setdefault(one.role, []).append(one.name)
    return found


def _numbers(frame: pd.DataFrame, column: str) -> np.ndarray:
    return frame[column].to_numpy(dtype=np.float64)


def _have(outcome: str) -> str:
    """What those do who have the outcome."""
    return {
        "churn": "leave",
        "contraction": "shrink",
        "expansion": "grow",
        "advocacy": "speak up",
        "promoter": "become promoters",
    }.get(outcome, f"have {outcome}")
