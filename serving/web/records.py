"""What the service answers about models and data, for those who make them: judged versions, backtests, intakes.

As in ``serving.web.answers``. Intervals here are 95%, resampling whole accounts; log loss, Brier and ``ece`` (calibration
error) are better the less they are.
"""

from __future__ import annotations

from typing import Any, Literal

from serving.web.answers import Answer
from serving.web.findings import Interval

Numbers = dict[str, Interval]


class Slice(Answer):
    """A part of the rows; ``metrics`` is null where it has too little of either kind to say."""

    by: str
    name: str
    n: int
    positives: int
    metrics: Numbers | None


class Bin(Answer):
    """Rows of about the same score: the mean that was said, its mean interval (90%), and the share that came true;
    ``covered`` is 1 where the interval holds it.
    """

    n: float
    said: float
    low: float
    high: float
    seen: float
    covered: float


class Value(Answer):
    """Per as_of date, of calling the list at capacity; ``precision``: the share of those called that came true."""

    profit: Interval
    precision: Interval
    note: str


class Alarm(Answer):
    feature: str
    auc: float
    low: float
    high: float
    reason: str
    trusted: bool


class Judged(Answer):
    """On ``test`` dates, all later than any the version has learnt from. ``reliability``: ten bins of equal count;
    ``earlier``: how models of its kind did on the blocks before.
    """

    outcome: str
    version: int
    verdict: str
    reasons: list[str]
    rung: str | None
    ladder: list[str]
    test: list[str]
    n: int
    positives: int
    metrics: Numbers
    baselines: dict[str, Numbers]
    slices: list[Slice]
    reliability: list[Bin]
    value: Value | None
    empc: float | None
    calibration: str
    alarms: list[Alarm]
    earlier: list[dict[str, Any]]


class Origin(Answer):
    """A block of dates, foretold by a model that knew only what was known before it."""

    days: list[str]
    learnt_from: int
    rung: str
    n: int
    positives: int
    metrics: Numbers
    baselines: dict[str, Numbers]
    profit_per_date: Interval | None


class Aged(Answer):
    """How models do so many days after the last date they have learnt from, on average."""

    days: int
    origins: int
    log_loss: float
    auc: float


class Backtest(Answer):
    """``shuffled_auc``: against shuffled labels, 0.5 or the judging itself is wrong; ``skipped``: origins left out, and why."""

    outcome: str
    origins: list[Origin]
    metrics: Numbers
    baselines: dict[str, Numbers]
    slices: list[Slice]
    ages: list[Aged]
    shuffled_auc: Interval
    skipped: list[str]


class Problem(Answer):
    """How many rows have it, and whether they were set aside."""

    problem: str
    count: int
    share: float
    quarantined: bool


class Table(Answer):
    table: str
    read: int
    rows: int
    quarantined: int
    repeated: int
    first: str | None
    last: str | None
    problems: list[Problem]
    handled: list[str]


class Finding(Answer):
    """``what`` (a table, TABLE.COLUMN or a feature) is ``now`` outside ``low`` to ``high``, which is usual."""

    what: str
    kind: Literal["freshness", "volume", "null share", "vanished", "shrunk", "mean", "median"]
    now: float
    low: float | None
    high: float | None
    text: str


class Steadiness(Answer):
    """``too_little_past``: what has too little of it to be compared with."""

    findings: list[Finding]
    too_little_past: list[str]


class Data(Answer):
    observed_until: str | None
    tables: list[Table]
    checks: list[Problem]
    steadiness: Steadiness
