"""Why a feature may know the outcome: what is known of the tables and dates behind its column."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from features import facts, intake, windows
from features.database import literal
from features.feature import Attribute, Column, Declaration, Feature
from features.personas import Crowd
from features.plan import Plan
from features.quality import Report
from features.tables import TABLES
from features.workspace import Workspace
from training.dataset import Dataset
from training.outcomes import configured, defined_by

CLOSE_DAYS, WITHIN_DAYS = 1, 30
CLOSE_SHARE = 0.5
"""Facts spread evenly put a thirtieth of a month into its last day; half of them there are no coincidence."""
UNEXPLAINED = (
    "nothing known of its columns explains it; compare when its rows are written with when the outcome comes to light"
)


@dataclass(frozen=True)
class Known:
    """What a workspace says of its columns, and the rows on which one of them was found too good."""

    workspace: Workspace
    folder: Path
    report: Report
    streams: tuple[str, ...]
    rows: Dataset

    @classmethod
    def of(cls, workspace: Workspace, outcome: str, rows: Dataset) -> Known:
        folder, report = intake.current(workspace)
        streams = defined_by(workspace.config, outcome, configured(workspace, outcome))
        return cls(workspace, folder, report, streams, rows)

    def reason(self, column: Column) -> str:
        """Every likely reason, the likeliest first."""
        return "; ".join(self._reasons(column)) or UNEXPLAINED

    def defining(self, column: Column) -> bool:
        """Does it look at the very facts by which the outcome is defined?"""
        deciding = [facts.split_stream(stream) for stream in self.streams]
        return any(
            feature.of == kind and (not label or not feature.label or feature.label == label)
            for feature in features(column, self.rows.plan)
            for kind, label in deciding
        )

    def _reasons(self, column: Column) -> Iterator[str]:
        if isinstance(column.declaration, Attribute):
            yield (
                f"{column.name} is a column of accounts without history: the value of today may have been written "
                "after the outcome"
            )
        if self.defining(column):
            yield f"it tells of {_some(self.streams)}, by which the outcome is defined: part of the definition"
        if close := [feature.of for feature in features(column, self.rows.plan) if self._close(feature)]:
            yield (
                f"its facts ({_some(tuple(close))}) lie suspiciously close before the horizon: most of those of the "
                f"last {WITHIN_DAYS} days are of the last day, as if stamped with the date of a summary"
            )
        if undated := sorted(table for table in tables(column, self.rows.plan) if self._unrecorded(table)):
            yield (
                f"{_some(tuple(undated))} has no recorded_at mapped: a row counts from the moment it tells of, though "
                "it may have been written later"
            )

    def _unrecorded(self, table: str) -> bool:
        return (
            table in self.report.tables
            and "recorded_at" in TABLES[table].by_name
            and "recorded_at" not in self.report.tables[table].columns
        )

    def _close(self, feature: Feature) -> bool:
        """Of the facts that the rows saw in their last days, do most lie in the very last?"""
        query = facts.select(feature.of, self.folder, self.workspace, self.report)
        labelled = f"AND f.label = {literal(feature.label)}" if feature.label else ""
        day = windows.MICROSECONDS_PER_DAY
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.register("seen", self._instants)
            found = connection.execute(
                f"SELECT count(*) FILTER (f.occurred >= s.as_of - {CLOSE_DAYS * day}), count(*) FROM seen s "
                f"JOIN {literal(str(self.folder / 'accounts.parquet'))} a USING (account) "
                f"JOIN ({query}) f ON f.account_code = a.account_code AND f.known < s.as_of AND f.occurred < s.as_of "
                f"AND f.occurred >= s.as_of - {WITHIN_DAYS * day} {labelled}"
            ).fetchone()
        assert found is not None
        return bool(found[0] > CLOSE_SHARE * found[1])

    @cached_property
    def _instants(self) -> pa.Table:
        zone = self.workspace.config.timezone
        instants = {day: windows.as_of_instant(day, zone) for day in set(self.rows.as_of.tolist())}
        return pa.table(
            {
                "account": pa.array(self.rows.accounts, pa.string()),
                "as_of": np.array([instants[day] for day in self.rows.as_of], dtype=np.int64),
            }
        )


def features(column: Column, made: Plan) -> list[Feature]:
    """The aggregations of facts behind a column: itself, or the parts of a ratio, or what people do; none for an attribute."""

    def parts(declaration: Declaration) -> Iterator[Feature]:
        if isinstance(declaration, Feature):
            yield declaration
        elif isinstance(declaration, Crowd):
            yield from declaration.behaviours
        elif not isinstance(declaration, Attribute):
            for name in declaration.parts:
                yield from parts(made.declarations[name])

    return list(dict.fromkeys(parts(column.declaration)))


def tables(column: Column, made: Plan) -> frozenset[str]:
    """The tables behind a column; an attribute stands for itself, since any column of accounts may be written alone."""
    if isinstance(column.declaration, Attribute):
        return frozenset({f"accounts.{column.name}"})
    kinds = {feature.of for feature in features(column, made)}
    return frozenset(fact.table for fact in facts.FACTS if fact.kind in kinds)


def _some(names: tuple[str, ...], most: int = 3) -> str:
    shown = list(dict.fromkeys(names))
    return ", ".join(shown[:most]) + (f" and {len(shown) - most} more" if len(shown) > most else "")
