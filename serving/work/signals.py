"""Every signal of an account as of a date, with its age and where it comes from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from features import frame
from features.errors import PropensityError
from features.feature import Attribute, Column, Feature
from features.personas import Crowd
from features.plan import Plan
from features.windows import MICROSECONDS_PER_DAY, as_of_instant, moment
from features.workspace import Workspace
from serving.stores.store import Store
from serving.work.trail import Trail
from training.causes import tables


@dataclass(frozen=True)
class Signal:
    """A column of the frame. ``newest`` is the instant of the newest fact that it is told by, None where there is none."""

    column: Column
    value: float | str | None
    newest: int | None
    tables: list[str]

    def as_dict(self, as_of: int) -> dict[str, Any]:
        told, newest = self.column.declaration, self.newest
        return {
            "name": self.column.name,
            "value": self.value,
            "text": self.column.explain(self.value),
            "doc": told.doc,
            "family": told.family,
            "unit": told.unit,
            "window_days": self.column.window or None,
            "newest": None if newest is None else moment(newest).isoformat(),
            "age_days": None if newest is None else (as_of - newest) // MICROSECONDS_PER_DAY,
            "tables": self.tables,
        }


@dataclass(frozen=True)
class Signals:
    """Of one account; ``dates`` are those as of which there are some."""

    workspace: Workspace
    account: str
    as_of: date
    dates: list[date]
    found: list[Signal]

    def as_dict(self) -> dict[str, Any]:
        config = self.workspace.config
        as_of = as_of_instant(self.as_of, config.timezone)
        used = sorted({table for one in self.found for table in one.tables})
        return {
            "account": self.account,
            "name": Store(self.workspace).names([self.account]).get(self.account, self.account),
            "as_of": str(self.as_of),
            "dates": [str(day) for day in self.dates],
            "sources": {name: config.tables[name].source for name in used},
            "signals": [one.as_dict(as_of) for one in self.found],
        }


def signals(workspace: Workspace, account: str, day: date | None = None) -> Signals:
    """As of a date of which there is a frame, by default the last one.

    Raises PropensityError where the account is unknown (404), or was not to be scored as of that date (409).
    """
    trail, frames = Trail.of(workspace, account), frame.days_of(workspace, account)
    dates = sorted(frames)
    as_of = day or (dates[-1] if dates else None)
    if as_of is None or as_of not in frames:
        raise _not_there(account, day, dates)
    made, [values] = (
        frame.current_plan(workspace),
        frame.row(workspace, as_of, frames[as_of], account).to_dict("records"),
    )
    newest = _Newest(trail, made, as_of)
    found = [
        Signal(column, _known(values[column.name]), newest.of(column), _tables(column, made)) for column in made.columns
    ]
    return Signals(workspace, account, as_of, dates, found)


class _Newest:
    """When the newest fact happened that a column is told by; each stream is looked at once."""

    def __init__(self, trail: Trail, made: Plan, day: date) -> None:
        self.trail, self.made, self.day = trail, made, day
        self.columns = {column.name: column for column in made.columns}
        self.read: dict[tuple[str, int, str, str], int | None] = {}

    def of(self, column: Column) -> int | None:
        return max((one for one in self._each(column) if one is not None), default=None)

    def _each(self, column: Column) -> Iterator[int | None]:
        told = column.declaration
        if isinstance(told, Feature):
            yield self._of(told, column.window)
        elif isinstance(told, Crowd):
            for behaviour in told.behaviours:
                yield self._of(behaviour, 0)
        elif not isinstance(told, Attribute):
            for name in self.made.inputs(column):
                yield from self._each(self.columns[name])

    def _of(self, told: Feature, window: int) -> int | None:
        key = (told.of, told.span(window).back, told.label, told.role)
        if key not in self.read:
            kind, back, label, role = key
            self.read[key] = self.trail.newest(kind, self.day, back, label, role)
        return self.read[key]


def _tables(column: Column, made: Plan) -> list[str]:
    """Those that it comes from; what the account itself says comes from its own."""
    return sorted({table.partition(".")[0] for table in tables(column, made)})


def _known(value: Any) -> float | str | None:
    return None if pd.isna(value) else value if isinstance(value, str) else float(value)


def _not_there(account: str, day: date | None, dates: list[date]) -> PropensityError:
    there = ", ".join(map(str, dates))
    if not dates:
        return PropensityError(
            f"there are no signals of account {account!r}: no frame that is stored has a row of it",
            "Run `propensity features`; frames have the accounts that may be scored as of their date.",
            status=409,
        )
    return PropensityError(
        f"there are no signals of account {account!r} as of {day}; there are as of {there}",
        f"Name one of these, or run `propensity features --as-of {day}`.",
        status=409,
    )
