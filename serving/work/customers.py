"""Who was a customer as of a date, and what was known of each: the measures that states and portfolio are made of.

A customer has a live contract, under notice or not; where activity makes the cohort, who was active is one too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import pyarrow.parquet as pq

from features import facts, frame, intake
from features.aggregations import Aggregation, active_days, age, count, last, level, mean, recency
from features.errors import PropensityError
from features.feature import Feature, column_name
from features.workspace import Config, Workspace
from serving.decisions.states import Seen
from serving.stores.store import Store

LEAVES, GROWS = "churn", "expansion"
ACTIVE, LIVE = "active_", "contracts_live"
YEAR = 365
ROWS_AT_ONCE = 100_000
"""Of account and day, looked at together."""


def measures(config: Config) -> tuple[Feature, ...]:
    """What is looked at of each account; each has one window at most, so that it is called by its name alone."""
    terms = config.states
    streams = [facts.split_stream(stream) for stream in config.cohort.activity]
    active = [
        _of(f"{ACTIVE}{n}", kind, count, config.cohort.days, label=label) for n, (kind, label) in enumerate(streams)
    ]
    return (
        *active,
        _of(LIVE, "contract.live", level),
        _of("notice_given", "contract.notice", level),
        _of("arr", "contract.arr", level),
        _of("arr_year_before", "contract.arr", level, back=YEAR),
        _of("signed_days", "contract.signed", active_days),
        _of("signed_days_recency", "contract.signed", recency),
        _of("invoice_days", "invoice.issued", active_days),
        _of("invoice_days_recency", "invoice.issued", recency),
        _of("use", "usage", count, terms.usage_days),
        _of("use_before", "usage", count, terms.usual_days, back=terms.usage_days),
        _of("use_age", "usage", age),
        _of("answers", "feedback.satisfaction", mean, terms.feedback_days),
        _of("answers_usual", "feedback.satisfaction", mean, terms.usual_days, back=terms.feedback_days),
        _of("nps_lately", "feedback", last, terms.feedback_days, label="nps"),
        _of("nps_answers", "feedback", count, YEAR, label="nps"),
        _of("nps_promoters", "feedback.promoter", count, YEAR),
        _of("nps_detractors", "feedback.detractor", count, YEAR),
        _of("escalations", "ticket.escalated_open", level),
        _of("acts", "advocacy.done", count, terms.act_days),
        _of("acts_recency", "advocacy.done", recency),
    )


def _of(name: str, kind: str, aggregation: Aggregation, days: int = 0, back: int = 0, label: str = "") -> Feature:
    over = (days,) if days else ()
    return Feature(name, kind, aggregation, "context", name, "", over=over, back=back, label=label)


def customers(workspace: Workspace, day: date) -> list[Seen]:
    """Every customer as of the end of ``day``, by account, with what was known by then."""
    return next(by_day(workspace, [day]))


def by_day(workspace: Workspace, days: Sequence[date]) -> Iterator[list[Seen]]:
    """The same for each of these days, in their order; as many at once as are worth one look at the facts."""
    everybody, store = accounts(workspace), Store(workspace)
    at_once = max(ROWS_AT_ONCE // len(everybody), 1)
    for first in range(0, len(days), at_once):
        some = days[first : first + at_once]
        pairs = [(account, day) for day in some for account in everybody]
        seen = _seen(workspace, [account for account, _ in pairs], [day for _, day in pairs])
        for place, day in enumerate(some):
            scores = {outcome: store.probabilities(outcome, day) for outcome in (LEAVES, GROWS)}
            part = slice(place * len(everybody), (place + 1) * len(everybody))
            yield [
                replace(one, leaves=scores[LEAVES].get(one.account), grows=scores[GROWS].get(one.account))
                for one in seen[part]
                if one is not None
            ]


def history(workspace: Workspace, account: str, days: Sequence[date]) -> list[Seen | None]:
    """One account as of each of these dates; None where it was no customer. Raises PropensityError where it is unknown."""
    if account not in set(accounts(workspace)):
        raise PropensityError(
            f"there is no account {account!r}",
            "Account ids are those of the accounts table; they are compared exactly.",
            status=404,
        )
    seen = _seen(workspace, [account] * len(days), days)
    store = Store(workspace)
    leaves, grows = ({s.as_of: s.probability for s in store.history(account, name)} for name in (LEAVES, GROWS))
    return [
        None if one is None else replace(one, leaves=leaves.get(day), grows=grows.get(day))
        for one, day in zip(seen, days, strict=True)
    ]


def accounts(workspace: Workspace) -> list[str]:
    """Every account there is, by its bytes."""
    folder, _ = intake.current(workspace)
    return list(pq.read_table(folder / "accounts.parquet", columns=["account"])["account"].to_pylist())


def _seen(workspace: Workspace, names: Sequence[str], days: Sequence[date]) -> list[Seen | None]:
    """What was known of each of these accounts at its date; None where it was no customer by then."""
    asked = measures(workspace.config)
    found = frame.feature_rows(workspace, names, days, declared=asked)
    columns = {one.name: column_name(one.name, int(one.over[0]) if one.over else 0) for one in asked}
    values = {name: found[column].to_numpy() for name, column in columns.items() if column in found}
    by_activity = workspace.config.cohort.kind == "activity"
    there = np.zeros(len(found), dtype=bool)
    for name, numbers in values.items():
        if name == LIVE or (by_activity and name.startswith(ACTIVE)):
            there |= numbers > 0
    rows = zip(*(numbers.tolist() for numbers in values.values()), strict=True)
    return [
        Seen(account, {name: None if math.isnan(n) else n for name, n in zip(values, row, strict=True)})
        if here
        else None
        for account, row, here in zip(names, rows, there.tolist(), strict=True)
    ]
