"""A proposed initiative on the accounts of today: by what goes with a metric, or by what calls were measured to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import norm

from features import frame
from features.errors import PropensityError, one_of
from features.workspace import Workspace
from serving.decisions import effect
from serving.decisions.initiative import Evidence, Initiative, initiative
from serving.scores import lists
from serving.work.effect import measured
from training import worth
from training.worth import Worth

Progress = Callable[[str], None]
OUTCOME = "churn"
GREAT = 1_000_000
"""Degrees of freedom of an error that is as good as known."""


@dataclass(frozen=True)
class Proposal:
    """An initiative for so many ``points`` of a metric (null: calls), and what its value rests on."""

    value: Initiative
    leaving: float
    points: float | None = None
    worth: Worth | None = None

    @property
    def break_even(self) -> float | None:
        """Points at which it pays; null where none do, or calls are proposed."""
        return None if self.points is None else self.value.points_needed(self.points)

    @property
    def doubts(self) -> list[str]:
        """What speaks against taking the value at its word."""
        found = [] if self.value.evidence.randomised else [worth.NOTE]
        if self.worth is not None and self.worth.stay is not None and not self.worth.stay.shown:
            found.append(f"{self.worth.measure.said} is not shown to go with staying at all")
        if self.value.evidence.change > self.leaving:
            found.append("more is hoped for than would leave: nobody can be kept who stays anyway")
        return found

    def as_dict(self) -> dict[str, Any]:
        return self.value.as_dict() | {
            "metric": None if self.worth is None else self.worth.measure.name,
            "points": self.points,
            "break_even_points": self.break_even,
            "leaving": self.leaving,
            "doubts": self.doubts,
        }


def by_metric(
    workspace: Workspace,
    metric: str,
    points: float,
    cost: float,
    segment: str | None = None,
    owner: str | None = None,
    progress: Progress = lambda _: None,
) -> Proposal:
    """Raise a metric by so many points. Raises PropensityError where too few answered to say what goes with it."""
    arr_of(workspace, segment, owner)
    return by_worth(workspace, metric, worth.worth(workspace, (metric,), progress), points, cost, segment, owner)


def by_worth(
    workspace: Workspace,
    metric: str,
    found: Sequence[Worth],
    points: float,
    cost: float,
    segment: str | None = None,
    owner: str | None = None,
) -> Proposal:
    """As ``by_metric``, of what the metric was ``found`` to be worth; nothing where nobody has answered it."""
    arr = arr_of(workspace, segment, owner)
    if not found or found[0].stay is None or not found[0].trusted:
        why = found[0].sentence if found else f"nobody has answered {metric}"
        raise PropensityError(
            f"what {metric} is worth cannot be told, so neither can the initiative: {why}",
            "Take in more history, name another metric (`propensity worth`), or use --calls once `propensity effect` knows.",
            status=409,
        )
    told, slope = found[0], found[0].stay
    said = f"{told.measure.said}, {slope.accounts:,} accounts against their own past"
    evidence = Evidence(slope.value * points, slope.error * abs(points), slope.accounts - 1, False, said)
    return Proposal(_valued(workspace, arr, told.leaving, evidence, cost), told.leaving, points, told)


def by_calls(workspace: Workspace, cost: float, segment: str | None = None, owner: str | None = None) -> Proposal:
    """Call them, by what calls did beside the accounts held out at random. Raises PropensityError where nothing of both
    is known yet.
    """
    arr = arr_of(workspace, segment, owner)
    found = measured(workspace)
    if not found.called.accounts or not found.held_out.accounts:
        raise PropensityError(
            f"what calls do has not been measured: {found.verdict}",
            "Plan lists with `propensity outreach plan` and wait for what comes, or name --metric and --points.",
            status=409,
        )
    error = (found.kept.high - found.kept.low) / (2 * float(norm.ppf((1 + effect.COVERAGE) / 2)))
    said = f"{found.called.accounts:,} accounts called, {found.held_out.accounts:,} held out at random"
    evidence = Evidence(found.kept.value, error, GREAT, True, said)
    leaving = found.held_out.rate
    return Proposal(_valued(workspace, arr, leaving, evidence, cost), leaving)


def arr_of(workspace: Workspace, segment: str | None, owner: str | None) -> np.ndarray:
    """The ARR of the accounts of today, all or those of a segment and an owner; ``value.arr`` where it is not known.

    Raises PropensityError where the segment or the owner has none.
    """
    rows = frame.feature_frame(workspace, [frame.observed_until(workspace)])
    rows = rows[rows[frame.APPLIES + OUTCOME].to_numpy(dtype=bool)]
    if segment is not None:
        there = set(rows["segment"].dropna()) if "segment" in rows else set()
        if segment not in there:
            raise PropensityError(
                f"no account is of the segment {segment!r}", f"Use one of {one_of(there)}.", status=404
            )
        rows = rows[rows["segment"] == segment]
    if owner is not None:
        rows = rows[rows["account"].isin(lists.of_owner(workspace, owner))]
    if rows.empty:
        raise PropensityError("no account of today is among them", "Name another segment or owner.", status=404)
    known = rows["arr"].to_numpy(dtype=np.float64) if "arr" in rows else np.full(len(rows), np.nan)
    return np.where(np.isnan(known), workspace.config.value.arr, known)


def _valued(workspace: Workspace, arr: np.ndarray, leaving: float, evidence: Evidence, cost: float) -> Initiative:
    config = workspace.config
    return initiative(arr, leaving, evidence, config.value.margin, cost, config.training.seed)
