"""Who may be scored as of an instant, and to whom each outcome applies. Decided by what was known then."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from features import kernel, windows
from features.facts import Facts
from features.facts import split_stream as split
from features.kernel import Rows
from features.workspace import Cohort, Config, Grid, Outcome

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


def everybody(accounts: int, days: list[date], spans: tuple[int, ...], zone: str) -> Rows:
    """A row for each account and as_of."""
    return Rows(
        np.repeat(np.arange(accounts, dtype=np.int32), len(days)),
        np.tile(np.arange(len(days), dtype=np.int32), accounts),
        windows.as_of_instants(days, zone),
        windows.lookback_starts(days, spans, zone),
    )


def members(load: Load, cohort: Cohort, accounts: int, days: list[date], zone: str) -> Mask:
    """Per account and as_of (in the order of ``everybody``): may it be scored?"""
    if cohort.kind == "activity":
        return active(load, cohort.activity, cohort.days, everybody(accounts, days, (cohort.days,), zone))
    rows = everybody(accounts, days, (), zone)
    live = kernel.state(load("contract.live"), rows).total > 0
    try_notice = kernel.state(load("contract.notice"), rows).total > 0
    return live & ~try_notice


def active(load: Load, streams: tuple[str, ...], days: int, rows: Rows) -> Mask:
    """Any fact of these streams in the last ``days``; ``rows`` must have that one window."""
    found = np.zeros(len(rows), dtype=bool)
    for stream in streams:
        kind, label = split(stream)
        found |= kernel.windowed(load(kind).only(label), rows).count[:, 0] > 0
    return found


def applies(load: Load, config: Config, outcome: Outcome, rows: Rows, days: list[date]) -> Mask:
    """To which members the outcome applies: all, or those active in the last ``given_days``."""
    if outcome.given_days is None:
        return np.ones(len(rows), dtype=bool)
    spans = windows.lookback_starts(days, (outcome.given_days,), config.timezone)
    return active(load, config.cohort.activity, outcome.given_days, Rows(rows.account, rows.at, rows.as_of, spans))
