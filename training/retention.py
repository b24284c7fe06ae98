"""The retention curve of contract churn: fitted on all that is known, judged out of time beside Kaplan–Meier."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import cohort, frame, windows
from features.errors import PropensityError
from features.files import replaced
from features.plan import Plan
from features.settings.outcomes import Churn
from features.workspace import Workspace
from training import hazard, metrics
from training.dataset import Encoder
from training.hazard import Lives, Retention
from training.metrics import Estimate
from training.model import honour
from training.outcomes import configured, losses
from training.outcomes.specification import spec
from training.registry import Registry

HORIZONS = (30, 90, 180, 365)
STEP = 7
"""Days between the instants at which the Kaplan–Meier estimate takes stock: rows seen for part of an interval count."""
Instants = npt.NDArray[np.int64]
Vector = npt.NDArray[np.float64]
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Judged:
    """How the curve does at one horizon, out of time: the chance to have left by then, against who had.

    ``gain`` is by how much its log loss is lower than that of Kaplan–Meier, the same curve for everybody. Where there
    is too little to judge, ``reason`` says what is missing, and there are no numbers.
    """

    horizon: int
    reason: str = ""
    test: tuple[date, ...] = ()
    n: int = 0
    left: int = 0
    metrics: dict[str, Estimate] = field(default_factory=dict)
    kaplan_meier: dict[str, Estimate] = field(default_factory=dict)
    gain: Estimate | None = None

    def as_dict(self) -> dict[str, Any]:
        return {
            "horizon": self.horizon,
            "reason": self.reason,
            "test": [str(day) for day in self.test],
            "n": self.n,
            "left": self.left,
            "metrics": {name: found.as_dict() for name, found in self.metrics.items()},
            "kaplan_meier": {name: found.as_dict() for name, found in self.kaplan_meier.items()},
            "gain": self.gain.as_dict() if self.gain else None,
        }


@dataclass(frozen=True)
class Histories:
    """Accounts under contract at their as_of dates, and the instant at which each is lost (``terms.NEVER``)."""

    frame: pd.DataFrame
    plan: Plan
    loss: Instants
    zone: str
    late: int
    """Days after an interval until it is known what came of it: grace and source delay."""

    @property
    def days(self) -> npt.NDArray[np.object_]:
        return self.frame["as_of"].to_numpy(dtype=object)

    @property
    def accounts(self) -> npt.NDArray[np.object_]:
        return self.frame["account"].to_numpy(dtype=object)

    def where(self, keep: npt.NDArray[np.bool_]) -> Histories:
        rows = self.frame[keep].reset_index(drop=True)
        return Histories(rows, self.plan, self.loss[keep], self.zone, self.late)

    def lives(self, horizons: Sequence[int], known_by: date) -> Lives:
        """Who was at risk in each interval, and left within it, as far as that was known at the end of a day."""
        days = sorted(set(self.days.tolist()))
        row = np.searchsorted(np.array(days, dtype=object), self.days)
        edges = [[_instant(day, n, self.zone) for n in (0, *horizons)] for day in days]
        at = np.array(edges, dtype=np.int64).reshape(len(days), len(horizons) + 1)[row]
        known = [[day + timedelta(days=n + self.late) <= known_by for n in horizons] for day in days]
        seen, loss = np.array(known, dtype=bool).reshape(len(days), len(horizons))[row], self.loss[:, None]
        there, left = loss >= at[:, :-1], (loss >= at[:, :-1]) & (loss < at[:, 1:])
        return Lives(tuple(horizons), there & seen, left)


def train_retention(
    workspace: Workspace, horizons: Sequence[int] = HORIZONS, progress: Progress = lambda _: None
) -> tuple[Retention, list[Judged]]:
    """Fit the curve on everything known, and judge each horizon by models that knew only what came before its test.

    The curve ends at the last horizon of which enough losses are known. Raises PropensityError where churn is
    inactivity, which has no moment of loss, and where not even the first horizon can be learnt.
    """
    if list(horizons) != sorted(set(horizons)) or not horizons or horizons[0] < 1:
        raise PropensityError(
            f"the horizons are {list(horizons)}", "Name days from 1 on, each once, the shortest first."
        )
    config, observed = workspace.config.training, frame.observed_until(workspace)
    found = histories(workspace, horizons[0])
    lives = found.lives(horizons, observed)
    reach = learnable(lives, config.minimum_positives)
    if not reach:
        raise PropensityError(
            f"{int(lives.events[0])} rows are known to have left within {horizons[0]} days of their as_of date; "
            f"at least {config.minimum_positives} are needed",
            "Map more history, start as_of.since earlier, or name a longer first horizon.",
        )
    judged = [judge(found, horizons[: number + 1], workspace, observed, progress) for number in range(len(horizons))]
    progress("all that is known")
    facts = {
        "outcome": "churn",
        "spec": spec(workspace, "churn"),
        "plan": found.plan.digest,
        "meanings": found.plan.meanings,
        "trained_on": [str(day) for day in sorted(set(found.days.tolist()))],
        "rows": len(found.loss),
        "judged": [one.as_dict() for one in judged],
    }
    return fitted(found, lives.first(reach), config.seed, config.bags, facts, progress), judged


def histories(workspace: Workspace, shortest: int) -> Histories:
    """Every account to which churn applies, at every date of which at least the shortest horizon has been observed."""
    churn = configured(workspace, "churn")
    assert isinstance(churn, Churn)
    rows = frame.feature_frame(workspace, _dates(workspace, churn, shortest))
    rows = rows[rows[frame.APPLIES + "churn"].to_numpy(dtype=bool)].reset_index(drop=True)
    loss, there = losses(workspace, rows)
    plan, zone = frame.current_plan(workspace), workspace.config.timezone
    return Histories(rows, plan, loss, zone, churn.grace + churn.delay).where(there)


def learnable(lives: Lives, least: int) -> int:
    """How many intervals, from the first on, have enough losses and enough who stayed."""
    stayed = (lives.at_risk & ~lives.left).sum(axis=0)
    enough = (lives.events >= least) & (stayed >= least)
    return len(enough) if enough.all() else int(np.argmin(enough))


def fitted(rows: Histories, lives: Lives, seed: int, bags: int, facts: dict[str, Any], progress: Progress) -> Retention:
    """A model of the rows with anything at risk."""
    some = np.asarray(lives.at_risk.any(axis=1))
    rows, lives = rows.where(some), lives.where(some)
    encoder = Encoder.fitted(rows.frame, rows.plan)
    matrix, dates = encoder.matrix(rows.frame), len(set(rows.days.tolist()))
    return hazard.fit(matrix, lives, rows.accounts, dates, encoder, seed, bags, facts, progress)


def judge(
    found: Histories, horizons: Sequence[int], workspace: Workspace, observed: date, progress: Progress
) -> Judged:
    """The last horizon on the last dates whose outcome is known, by a model of what was known at the first of them."""
    horizon, config = horizons[-1], workspace.config.training
    known = [day for day in sorted(set(found.days.tolist())) if day + timedelta(days=horizon + found.late) <= observed]
    test = known[-config.test_dates :]
    if len(test) < config.test_dates:
        return Judged(horizon, f"{len(test)} dates are known to their end, and the test takes {config.test_dates}")
    if workspace.config.personas is not None and workspace.config.personas.until >= test[0]:
        return Judged(horizon, f"personas.until is not before {test[0]}, when its test begins", tuple(test))
    past = found.where(np.array([day < test[0] for day in found.days], dtype=bool))
    lives = past.lives(horizons, test[0])
    if learnable(lives, config.minimum_positives) < len(horizons):
        least = int(lives.events.min())
        why = f"{least} losses in an interval were known by {test[0]}, and it takes {config.minimum_positives} to learn"
        return Judged(horizon, why, tuple(test))
    now = found.where(np.isin(found.days, np.array(test, dtype=object)))
    gone = now.lives((horizon,), observed).left[:, 0].astype(float)
    left, stayed = int(gone.sum()), int(len(gone) - gone.sum())
    if min(left, stayed) < config.minimum_positives:
        why = f"of its test {left} leave and {stayed} stay, and it takes {config.minimum_positives} of each to judge"
        return Judged(horizon, why, tuple(test), len(gone), left)
    model = fitted(past, lives, config.seed, config.bags, {}, lambda what: progress(f"{horizon} days: {what}"))
    ours = 1 - model.curve(now.frame)[:, -1]
    theirs = np.full(len(gone), 1 - kaplan_meier(past, horizon, test[0]))
    weights = metrics.draws(now.accounts, config.bootstraps, config.seed)
    gaps = metrics.over_draws(metrics.log_loss, gone, theirs, weights) - metrics.over_draws(
        metrics.log_loss, gone, ours, weights
    )
    return Judged(
        horizon,
        "",
        tuple(test),
        len(gone),
        left,
        metrics.judge(gone, ours, weights),
        metrics.judge(gone, theirs, weights),
        metrics.estimate(gaps),
    )


def kaplan_meier(rows: Histories, horizon: int, known_by: date) -> float:
    """The share that stays to a horizon, by the product-limit estimator over steps of a week."""
    steps = [*range(STEP, horizon, STEP), horizon]
    return float(np.prod(1 - rows.lives(steps, known_by).rates))


def _dates(workspace: Workspace, churn: Churn, shortest: int) -> list[date]:
    """The dates of churn, and those after them of which the shortest horizon has been observed, unless the grid's end is
    stated.
    """
    config, observed = workspace.config, frame.observed_until(workspace)
    days = cohort.dates(config, churn, observed)
    if churn.until or config.as_of.until or not days:
        return days
    short = churn.model_copy(update={"lead": 0, "horizon": shortest})
    step, last = windows.parse_every(config.as_of.every), cohort.last_mature(config.as_of, short, observed)
    if step is not None:
        last = days[-1] + timedelta(days=(last - days[-1]).days // step * step)
    return windows.grid(config.as_of.since, max(last, days[-1]), config.as_of.every)


def _instant(day: date, days: int, zone: str) -> int:
    return windows.as_of_instant(day + timedelta(days=days), zone)


def keep(workspace: Workspace, curve: Retention, judged: Sequence[Judged]) -> str:
    """Keep a curve as the one in use, and log it to MLflow; returns its SHA-256. The pointer is renamed last."""
    registry = Registry(workspace)
    with (
        registry.run("retention", {"outcome": "churn", "workspace": workspace.config.name}),
        TemporaryDirectory() as at,
    ):
        sha256 = curve.save(Path(at) / "retention")
        told = {f"{name}_{one.horizon}": e.value for one in judged for name, e in one.metrics.items()}
        registry.log({"horizons": list(curve.horizons), "contract_sha256": sha256}, told, Path(at))
    target = _place(workspace)
    curve.save(target / sha256)
    with replaced(target / "current") as part:
        part.write_text(sha256, encoding="utf-8")
    return sha256


def kept(workspace: Workspace) -> Retention:
    """The curve in use; refused where there is none, its files are not whole, or its features are not today's."""
    pointer = _place(workspace) / "current"
    if not pointer.is_file():
        raise PropensityError(
            "there is no retention curve yet",
            "Fit one with `propensity retention`; it takes contract churn.",
            status=404,
        )
    sha256 = pointer.read_text(encoding="utf-8")
    curve = Retention.load(pointer.parent / sha256, sha256)
    honour(curve, frame.current_plan(workspace))
    return curve


def _place(workspace: Workspace) -> Path:
    return workspace.state / "retention"
