"""Who may be scored as of an instant, and to whom each outcome applies. Decided by what was known then."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from features import kernel, windows
from features.facts import Facts
from features.facts import split_stream as split
from features.kernel import Measure, Rows, Stream
from features.settings.data import Cohort, Grid
from features.settings.outcomes import Outcome
from features.windows import Span
from features.workspace import Config

Load = Callable[[str], Facts]
Mask = npt.NDArray[np.bool_]


def dates(config: Config, outcome: Outcome, observed_until: date) -> list[date]:
    """The as_of dates of an outcome, oldest first; the last one is the last whose outcome is known."""
    until = outcome.until or config.as_of.until or last_mature(config.as_of, outcome, observed_until)
    return windows.grid(config.as_of.since, until, config.as_of.every)


def last_mature(grid: Grid, outcome: Outcome, observed_until: date) -> date:
    """The last day whose outcome has been observed in full; with monthly dates, the end of a month."""
    day = observed_until - timedelta(days=outcome.span)
    if windows.parse_every(grid.every) is None and day != windows.month_end(day):
        return day.replace(day=1) - timedelta(days=1)
    return day


def all_dates(config: Config, observed_until: date) -> list[date]:
    """Every as_of date that training and scoring need; the last is the day the exports were taken."""
    wanted = {day for _, outcome in config.outcomes for day in dates(config, outcome, observed_until)}
    return sorted(wanted | {observed_until})


def everybody(accounts: int, days: list[date]) -> Rows:
    """A row for each as_of and account, in that order."""
    return Rows(
        np.tile(np.arange(accounts, dtype=np.int32), len(days)),
        np.repeat(np.arange(len(days), dtype=np.int32), accounts),
    )


def members(load: Load, cohort: Cohort, rows: Rows, days: list[date], zone: str) -> Mask:
    """Per row: may it be scored?"""
    if cohort.kind == "activity":
        return active(load, cohort.activity, cohort.days, rows, days, zone)
    always = windows.bounds(days, [Span()], zone)
    live = kernel.total_of(load("contract.live"), rows, always, Measure.TOTAL) > 0
    notice = kernel.total_of(load("contract.notice"), rows, always, Measure.TOTAL) > 0
    return live & ~notice


def active(load: Load, streams: tuple[str, ...], within: int, rows: Rows, days: list[date], zone: str) -> Mask:
    """Any fact of these streams in the last ``within`` days."""
    found = np.zeros(len(rows), dtype=bool)
    lately = windows.bounds(days, [Span(within)], zone)
    for stream in streams:
        kind, label = split(stream)
        found |= kernel.total_of(load(kind), rows, lately, Measure.COUNT, Stream(label)) > 0
    return found


def applies(load: Load, config: Config, outcome: Outcome, rows: Rows, days: list[date]) -> Mask:
    """To which members the outcome applies: all; those active in the last ``given_days``; those with ``given_level``."""
    asked = np.ones(len(rows), dtype=bool)
    if outcome.given_days is not None:
        asked &= active(load, config.cohort.activity, outcome.given_days, rows, days, config.timezone)
    if outcome.given_level:
        always = windows.bounds(days, [Span()], config.timezone)
        asked &= kernel.total_of(load(outcome.given_level), rows, always, Measure.TOTAL) > 0
    return asked
