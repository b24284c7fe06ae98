"""Show me the money: what ten points of a metric go with in staying, and in ARR growth of those who stay. *Observational*."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np

from features import frame, measures
from features.errors import PropensityError, one_of
from features.measures import Measure
from features.workspace import Workspace
from training.dataset import Dataset, dataset
from training.metrics import Vector
from training.outcomes import arr_kept, configured
from training.panel import Panel, Slope, against_own_past, shuffled, within

Progress = Callable[[str], None]
STEP = 10.0
SHUFFLES = 20
TOO_OFTEN = 4
"""More slopes than this of twenty shuffled metrics are shown in one of 400 cases, if intervals are right."""
USUAL = ("nps", "nps_answer", "csat", "ces", "rating")
NOTE = "observational: nobody drew at random whose metric moved, so what moved it may have moved the outcome too"


@dataclass(frozen=True)
class Worth:
    """What goes with a metric that is a point higher.

    ``stay`` is the slope of staying over the outcome's window, by the account's own past; ``stay_fixed`` that with
    account and date effects, which finds too little. ``growth`` is that of the ARR of those who stay, over ``days``.
    Each is null where too few accounts answered. ``shown_shuffled`` of ``SHUFFLES`` slopes of other accounts' metrics were
    shown. ``after`` is the slope of answers given after the growth, beside the metric itself: null where too few are.
    """

    measure: Measure
    leaving: float
    arr: float
    left: int
    window: int
    days: int
    stay: Slope | None
    stay_fixed: Slope | None
    growth: Slope | None
    after: Slope | None
    shown_shuffled: int | None

    @property
    def trusted(self) -> bool:
        """Whether shuffled metrics are shown to matter no more often than they should."""
        return self.shown_shuffled is None or self.shown_shuffled <= TOO_OFTEN

    @property
    def sentence(self) -> str:
        """What is said about renewal."""
        if self.stay is None:
            return f"{self.measure.said}: too few accounts answered more than once, or left, to say what it is worth"
        ten = self.stay.times(100 * STEP)
        told = f"{ten['value']:+.1f} percentage points, {ten['low']:+.1f} to {ten['high']:+.1f}"
        if not self.trusted:
            return f"{self.measure.said}: no telling, as shuffled metrics seem to matter too ({told})"
        if not self.stay.shown:
            return f"ten points of {self.measure.said} are not shown to go with staying ({told}; observational)"
        more, value = ("more", ten["value"]) if ten["value"] > 0 else ("fewer", -ten["value"])
        return (
            f"with {self.measure.said} ten points above an account's own past go {value:.1f} percentage points {more} who stay "
            f"over {self.window} days ({told}; observational)"
        )

    @property
    def grown(self) -> str:
        """What is said about growth."""
        if self.growth is None:
            return "growth: too few accounts to say"
        ten = self.growth.times(100 * STEP)
        told = f"{ten['value']:+.1f}% of ARR, {ten['low']:+.1f} to {ten['high']:+.1f}, over {self.days} days"
        if not self.growth.shown:
            return f"growth of those who stay: none is shown ({told})"
        doubt = (
            ", but answers given afterwards go with it as well" if self.after is not None and self.after.shown else ""
        )
        return f"growth of those who stay goes with it as well ({told}){doubt}"

    @property
    def money(self) -> dict[str, float] | None:
        """ARR a year that goes with ten points for every account there is, by staying."""
        return None if self.stay is None else self.stay.times(STEP * self.arr)

    def as_dict(self) -> dict[str, Any]:
        def told(slope: Slope | None) -> dict[str, Any] | None:
            return None if slope is None else slope.times(STEP) | {"accounts": slope.accounts, "answers": slope.rows}

        return {
            "metric": self.measure.name,
            "said": self.measure.said,
            "points": STEP,
            "note": NOTE,
            "renewal": told(self.stay),
            "renewal_fixed_effects": told(self.stay_fixed),
            "window_days": self.window,
            "leaving": self.leaving,
            "accounts_left": self.left,
            "growth": told(self.growth),
            "growth_days": self.days,
            "arr": self.arr,
            "arr_kept": self.money,
            "placebo": {
                "shuffled": SHUFFLES,
                "shown_shuffled": self.shown_shuffled,
                "answers_after_the_growth": told(self.after),
            },
            "sentence": self.sentence,
            "growth_sentence": self.grown,
        }


def chosen(names: tuple[str, ...], workspace: Workspace) -> list[Measure]:
    """Metrics by their names; raises PropensityError with those there are."""
    settings = workspace.config.beacon
    there = {one.name: one for one in measures.measures(settings.worth_days, settings.usage_days)[0] if one.answers}
    for name in names:
        if name not in there:
            raise PropensityError(f"no metric is called {name!r} here", f"Use one of {one_of(there)}.", status=404)
    return [there[name] for name in names]


def worth(workspace: Workspace, names: tuple[str, ...] = USUAL, progress: Progress = lambda _: None) -> list[Worth]:
    """What each metric goes with, from every as_of date of churn whose outcome is known; those nobody answered are left
    out. Raises PropensityError where churn is not configured, or a metric is unknown.
    """
    settings, config = configured(workspace, "churn"), workspace.config
    asked = chosen(names, workspace)
    progress("frame")
    rows = dataset(workspace, "churn", only=("arr",))
    progress("answers")
    x = _points(workspace, rows, asked, 0)
    later = config.beacon.growth_days + config.beacon.worth_days
    after = _points(workspace, rows, asked, later)
    kept = arr_kept(workspace, rows.frame, config.beacon.growth_days)
    stays, growth = 1 - rows.y, np.where(kept > 0, np.clip(kept - 1, -1, 1), np.nan)
    found = []
    for one in asked:
        metric = x.get(one.name)
        if metric is None or np.isnan(metric).all():
            continue
        progress(f"slopes of {one.said}")
        stay = Panel(rows.accounts, rows.as_of, metric, stays)
        grow = Panel(rows.accounts, rows.as_of, metric, growth)
        left = _left(rows, metric)
        by_past = against_own_past(stay) if left >= config.beacon.fewest else None
        fixed = within(stay) if by_past is not None else None
        grown, lead = within(grow), within(grow, [after[one.name]])
        placebo = None if by_past is None else _shuffled(stay, config.training.seed)
        found.append(
            Worth(
                one,
                float(rows.y.mean()),
                _arr(rows),
                left,
                settings.lead + settings.horizon,
                config.beacon.growth_days,
                by_past,
                fixed[0] if fixed else None,
                grown[0] if grown else None,
                lead[1] if lead else None,
                placebo,
            )
        )
    return found


def _points(workspace: Workspace, rows: Dataset, asked: list[Measure], later: int) -> dict[str, Vector]:
    """The metrics in points of 100, so many days after each row's date; null where that day is not observed yet."""
    settings = workspace.config.beacon
    days = [day + timedelta(days=later) for day in rows.as_of.tolist()]
    until = frame.observed_until(workspace)
    seen = np.array([day <= until for day in days], dtype=bool)
    found = {one.name: np.full(len(days), np.nan) for one in asked}
    if not seen.any():
        return found
    declared = measures.measures(settings.worth_days, settings.usage_days)[1]
    declared = measures.only(declared, {one.column for one in asked})
    values = measures.values(workspace, rows.accounts[seen].tolist(), [day for day in days if day <= until], declared)
    for one in asked:
        if one.column in values:
            found[one.name][seen] = values[one.column].to_numpy(dtype=np.float64) * one.points
    return found


def _left(rows: Dataset, metric: Vector) -> int:
    """Accounts that left, of those that answered."""
    return len(set(rows.accounts[(rows.y == 1) & ~np.isnan(metric)].tolist()))


def _arr(rows: Dataset) -> float:
    """Of all accounts on the last date; 0 where no ARR is known."""
    last = rows.frame[rows.as_of == rows.as_of.max()]
    return float(last["arr"].sum()) if "arr" in last else 0.0


def _shuffled(panel: Panel, seed: int) -> int:
    rng = np.random.default_rng(seed)
    slopes = [against_own_past(shuffled(panel, rng)) for _ in range(SHUFFLES)]
    return sum(slope is not None and slope.shown for slope in slopes)
