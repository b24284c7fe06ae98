"""Why a score moved between two stored scores of an account, whichever model versions made them, in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from features import frame
from features.errors import PropensityError
from features.feature import Column, written
from features.plan import Plan
from features.workspace import Workspace
from serving.scores.lists import why_not
from serving.scores.score import Score
from serving.scores.stored import Stored
from serving.stores.store import Store
from training import explain
from training.movement import APART, SEASON, START, Movement, movement
from training.outcomes import chosen

CAUSES = 5
WORTH_SAYING = 0.01
"""In probability: what moved a score by less is not told beside it."""


@dataclass(frozen=True)
class Cause:
    """One thing that moved the score: how much in log-odds and in probability, told by its strongest column."""

    text: str
    feature: str
    log_odds: float
    probability: float

    @property
    def direction(self) -> str:
        return "raises" if self.log_odds > 0 else "lowers"

    def as_dict(self) -> dict[str, Any]:
        return dict(vars(self)) | {"direction": self.direction}


@dataclass(frozen=True)
class Moved:
    """Two scores of an account, the older first; the movement from one to the other in log-odds and in probability."""

    before: Score
    after: Score
    log_odds: Movement
    probability: Movement
    causes: list[Cause]
    plan: Plan

    @property
    def said(self) -> list[str]:
        """What moved it the way it went, the strongest first; nothing where no cause makes a point of a percent."""
        way = math.copysign(1.0, self.probability.change)
        return [cause.text for cause in self.causes if way * cause.probability >= WORTH_SAYING]

    @property
    def families(self) -> Movement:
        """The movement in probability, by family."""
        return self.probability.by(explain.families(self.plan))

    def as_dict(self) -> dict[str, Any]:
        family, role = explain.families(self.plan), explain.roles(self.plan)
        return {
            "outcome": self.after.outcome,
            "before": self.before.as_dict(),
            "after": self.after.as_dict(),
            "causes": [cause.as_dict() for cause in self.causes],
            "unknown_before": list(self.log_odds.unknown),
            **{
                unit: _parts(moved)
                | {"families": _shares(moved.by(family)), "roles": _shares(moved.by(role)), "columns": _shares(moved)}
                for unit, moved in (("log_odds", self.log_odds), ("probability", self.probability))
            },
        }


def why(workspace: Workspace, account: str, outcome: str | None = None, since: date | None = None) -> list[Moved]:
    """From the score before the latest one, or the last one as of ``since`` or earlier, to the latest: per outcome.

    Raises PropensityError where there are no two scores to compare, or an input of theirs is gone.
    """
    store, stored, plan = Store(workspace), Stored(workspace), frame.current_plan(workspace)
    histories = {name: store.history(account, name) for name in chosen(workspace, outcome)}
    if not any(histories.values()):
        why_not(workspace, account)
    pairs = [pair for history in histories.values() if (pair := _pair(history, since)) is not None]
    if not pairs:
        raise _too_few(account, [score.as_of for history in histories.values() for score in history], since)
    return [_moved(stored, plan, *pair) for pair in pairs]


def moves(workspace: Workspace, outcome: str, accounts: Sequence[str]) -> dict[str, Moved]:
    """From the score before the latest one to the latest, of each account that has two whose inputs are still there."""
    store, stored, plan = Store(workspace), Stored(workspace), frame.current_plan(workspace)
    pairs = {account: _pair(store.history(account, outcome), None) for account in accounts}
    found = {}
    for account, pair in pairs.items():
        if pair is not None:
            with suppress(PropensityError):
                found[account] = _moved(stored, plan, *pair)
    return found


def _pair(history: list[Score], since: date | None) -> tuple[Score, Score] | None:
    earlier = [score for score in history[:-1] if since is None or score.as_of <= since]
    return (earlier[-1], history[-1]) if earlier else None


def _too_few(account: str, days: list[date], since: date | None) -> PropensityError:
    there = ", ".join(str(day) for day in sorted(set(days)))
    earlier = f" as of {since} or earlier" if since else ""
    return PropensityError(
        f"account {account!r} has no earlier score{earlier} to compare with; it was scored as of {there}",
        "Score an earlier date with `propensity score --as-of DATE`, or name another with --since.",
        status=409,
    )


def _moved(stored: Stored, plan: Plan, before: Score, after: Score) -> Moved:
    old, new = stored.made_from(before), stored.made_from(after)
    moved = movement(old, new)
    probability = moved.in_probability()
    return Moved(before, after, moved, probability, _causes(moved, probability, plan, old[1], new[1]), plan)


def _causes(moved: Movement, probability: Movement, plan: Plan, then: pd.DataFrame, now: pd.DataFrame) -> list[Cause]:
    """Up to five of the data part, the strongest first; columns that speak of the same thing speak once."""
    group, known = explain.subjects(plan), {column.name: column for column in plan.columns}
    sums, scaled = moved.by(group).data, probability.by(group).data
    found = []
    for subject in sorted(sums, key=lambda name: -abs(sums[name]))[:CAUSES]:
        if not sums[subject]:
            break
        if subject in APART:
            found.append(Cause("The time of the year", SEASON, sums[subject], scaled[subject]))
            continue
        sign = 1.0 if sums[subject] > 0 else -1.0
        members = [name for name in moved.data if name not in APART and group(name) == subject]
        name = max(members, key=lambda member: sign * moved.data[member])
        was = None if name in moved.unknown else _value(then, name)
        text = _said(known.get(name), name, was, _value(now, name))
        found.append(Cause(text, name, sums[subject], scaled[subject]))
    return found


def _said(column: Column | None, name: str, was: float | str | None, now: float | str | None) -> str:
    if column is None:
        return f"{name}: {_written(now, '')}, was {_written(was, '')}"
    text = column.explain(now)
    return f"{text}, as before" if was == now else f"{text}, was {_written(was, column.declaration.unit)}"


def _written(value: float | str | None, unit: str) -> str:
    return "unknown" if value is None else written(value, unit)


def _value(row: pd.DataFrame, name: str) -> float | str | None:
    value = row[name].iloc[0] if name in row else None
    return None if pd.isna(value) else value if isinstance(value, str) else float(value)


def _parts(moved: Movement) -> dict[str, Any]:
    return {
        "before": moved.before,
        "after": moved.after,
        "change": moved.change,
        "data": moved.data_part,
        "model": moved.model_part,
        "starting_point": moved.model.get(START, 0.0),
        "season": moved.data.get(SEASON, 0.0),
    }


def _shares(moved: Movement) -> dict[str, dict[str, float]]:
    """Per column or group, what it adds to the data part and to the model part; what is no column is apart."""
    names = {**moved.data, **moved.model}
    return {
        name: {"data": moved.data.get(name, 0.0), "model": moved.model.get(name, 0.0)}
        for name in names
        if name not in APART and (moved.data.get(name) or moved.model.get(name))
    }
