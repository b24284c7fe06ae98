"""Canonical tables of facts against their own past: do they still arrive, how many facts, how many empty values.

Each period is seen as it stood at its own end. What came or was filled in later counts for no period: otherwise the
last period would always look unfinished beside those that have had time to fill up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from features.database import literal, quoted
from features.intake import Intake
from features.judging import happened
from features.steadiness import finding, usual
from features.steadiness.finding import Finding, Steadiness
from features.tables import TABLES, Column, Table

HEAD = 0.005
"""The part of a table's facts that may lie before its past begins: a mistyped year is no past."""


@dataclass(frozen=True)
class Days:
    """Facts by local day, up to the last observed one; a day is counted backwards from it, which is 0."""

    until: date
    back: list[int]
    facts: list[int]

    def to(self, day: date) -> int:
        """How many facts up to a day."""
        least = (self.until - day).days
        return sum(facts for back, facts in zip(self.back, self.facts, strict=True) if back >= least)

    @property
    def since(self) -> int:
        """How many days ago the past begins."""
        brought = np.cumsum(self.facts[::-1])
        return self.back[::-1][int(np.searchsorted(brought, HEAD * brought[-1]))]

    @property
    def gaps(self) -> list[int]:
        """From one day with facts to the next."""
        return [int(gap) for gap in np.diff([back for back in self.back if back <= self.since])]


@dataclass(frozen=True)
class Period:
    """A period as it stood at its end: facts, all that arrived until today, and empty values by column."""

    facts: int
    arrived: int
    empty: dict[str, int]


def facts(intake: Intake) -> dict[str, Days]:
    """Every table that has facts by the last observed day."""
    if intake.report.observed_until is None:
        return {}
    until = date.fromisoformat(intake.report.observed_until)
    found = {name: _days(intake, TABLES[name], until) for name in intake.report.tables if TABLES[name].facts}
    return {name: days for name, days in found.items() if days.facts}


def judge(intake: Intake, days: dict[str, Days]) -> Steadiness:
    """Every table against its own past."""
    return sum((_judge(intake, TABLES[name], found) for name, found in days.items()), Steadiness())


def _judge(intake: Intake, table: Table, days: Days) -> Steadiness:
    length = usual.period(days.back, days.facts)
    columns = [table.by_name[name] for name in intake.report.tables[table.name].columns]
    optional = [column for column in columns if not column.required and column.name != "recorded_at"]
    periods = _periods(intake, table, optional, days, length)
    now = periods.get(0, Period(0, 0, {}))
    past = [periods.get(back, Period(0, 0, {})) for back in range(1, (days.since + 1) // length)]
    past = [period for period in past[: usual.EARLIER] if period.facts >= usual.ARRIVED * period.arrived]
    findings = _stale(table, days)
    if len(past) < usual.ENOUGH:
        return Steadiness(findings, [table.name])
    expected = usual.counts([period.facts for period in past])
    if not expected.holds(now.facts):
        findings.append(finding.volume(table.name, now.facts, expected, length, days.until))
    for column in optional:
        findings += _emptied(f"{table.name}.{column.name}", column.name, now, past, length)
    return Steadiness(findings)


def _stale(table: Table, days: Days) -> list[Finding]:
    gaps = days.gaps
    if len(gaps) < usual.GAPS:
        return []
    since, expected = days.back[0], usual.silence(gaps)
    last = days.until - timedelta(days=since)
    return [finding.stale(table.name, last, since, expected)] if since > expected else []


def _emptied(what: str, column: str, now: Period, past: list[Period], length: int) -> list[Finding]:
    judged = [period for period in past if period.facts]
    if len(judged) < usual.ENOUGH or not now.facts:
        return []
    empty, of = [period.empty[column] for period in judged], [period.facts for period in judged]
    expected, share = usual.shares(empty, of, now.facts), now.empty[column] / now.facts
    return [] if expected.holds(share) else [finding.null_share(what, share, expected, f"of the last {length} days")]


def _begins(table: Table) -> str:
    """The instant of a fact: the first thing that happened in its row."""
    return f"least({', '.join(quoted(time) for time in happened(table) if time != 'recorded_at')})"


def _seen(intake: Intake, table: Table) -> str:
    """The good rows with the instant and the local day of each, recorded by the last observed day."""
    zone, until = literal(intake.workspace.config.timezone), intake.report.observed_until
    end = f"timezone({zone}, TIMESTAMP '{until}' + INTERVAL 1 DAY)"
    recorded = f"AND coalesce(recorded_at < {end}, true)" if "recorded_at" in table.by_name else ""
    return (
        f"SELECT *, DATE '{until}' - CAST(timezone({zone}, fact_at) AS DATE) AS days_back "
        f"FROM (SELECT *, {_begins(table)} AS fact_at FROM {_given(intake, table)}) WHERE fact_at < {end} {recorded}"
    )


def _given(intake: Intake, table: Table) -> str:
    """The good rows; where the contract fills in what a source leaves empty, ``given_X`` is what the source gave."""
    columns = intake.report.tables[table.name].columns
    filled = [column.name for column in table.columns if column.default and column.name in columns]
    if not filled:
        return f"good_{table.name}"
    given = ", ".join(f"t.{quoted(column)} AS {quoted('given_' + column)}" for column in filled)
    return (
        f"(SELECT j.*, {given} FROM judged_{table.name} j JOIN typed_{table.name} t USING (row) "
        "WHERE j.problem IS NULL)"
    )


def _days(intake: Intake, table: Table, until: date) -> Days:
    rows = intake.connection.execute(
        f"SELECT days_back, count(*) FROM ({_seen(intake, table)}) GROUP BY days_back ORDER BY days_back"
    ).fetchall()
    return Days(until, [row[0] for row in rows], [row[1] for row in rows])


def _periods(intake: Intake, table: Table, columns: list[Column], days: Days, length: int) -> dict[int, Period]:
    """The last periods by number, the newest is 0; those without any fact are left out."""
    zone, until = literal(intake.workspace.config.timezone), days.until
    there = "coalesce(recorded_at < period_end, true)" if "recorded_at" in table.by_name else "true"
    empty = [f"count(*) FILTER ({there} AND coalesce(NOT ({_filled(column)}), true))" for column in columns]
    ends = f"timezone({zone}, CAST(DATE '{until}' + 1 - CAST(periods_back * {length} AS INTEGER) AS TIMESTAMP))"
    rows = intake.connection.execute(
        f"SELECT periods_back, count(*) FILTER ({there}), count(*){''.join(', ' + count for count in empty)} "
        f"FROM (SELECT *, {ends} AS period_end FROM (SELECT *, days_back // {length} AS periods_back FROM ({_seen(intake, table)})) "
        f"WHERE periods_back <= {usual.EARLIER}) GROUP BY periods_back"
    ).fetchall()
    names = [column.name for column in columns]
    return {
        period: Period(facts, arrived, dict(zip(names, counts, strict=True)))
        for period, facts, arrived, *counts in rows
    }


def _filled(column: Column) -> str:
    """Had the source given a value by the period's end?"""
    name = quoted("given_" + column.name if column.default else column.name)
    if column.known == "static":
        return f"{name} IS NOT NULL"
    known = quoted(column.name) if column.known == "itself" else quoted(column.known)
    return f"{name} IS NOT NULL AND coalesce({known}, fact_at) < period_end"
