"""Who was a customer as of a date, and what was known of each: the measures that states and portfolio are made of.

A customer has a live contract, under notice or not; where activity makes the cohort, who was active is one too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from features import facts, frame, intake
from features.aggregations import Aggregation, active_days, age, count, last, level, mean, recency
from features.errors import PropensityError
from features.feature import Feature, column_name
from features.workspace import Config, Workspace
from serving.decisions.states import Seen
from serving.store import Store

LEAVES, GROWS = "churn", "expansion"
ACTIVE, LIVE = "active_", "contracts_live"
YEAR = 365
Progress = Callable[[int, int], None]


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


def customers(workspace: Workspace, day: date, progress: Progress = lambda done, of: None) -> list[Seen]:
    """Every customer as of the end of ``day``, by account, with what was known by then."""
    everybody = accounts(workspace)
    seen, there = _seen(workspace, everybody, [day] * len(everybody), progress)
    scores = {outcome: Store(workspace).probabilities(outcome, day) for outcome in (LEAVES, GROWS)}
    return [
        Seen(one.account, one.row, scores[LEAVES].get(one.account), scores[GROWS].get(one.account))
        for one, here in zip(seen, there, strict=True)
        if here
    ]


def history(workspace: Workspace, account: str, days: Sequence[date]) -> list[Seen | None]:
    """One account as of each of these dates; None where it was no customer. Raises PropensityError where it is unknown."""
    if account not in set(accounts(workspace)):
        raise PropensityError(
            f"there is no account {account!r}",
            "Account ids are those of the accounts table; they are compared exactly.",
            status=404,
        )
    seen, there = _seen(workspace, [account] * len(days), days)
    store = Store(workspace)
    leaves, grows = ({s.as_of: s.probability for s in store.history(account, name)} for name in (LEAVES, GROWS))
    return [
        Seen(account, one.row, leaves.get(day), grows.get(day)) if here else None
        for one, here, day in zip(seen, there, days, strict=True)
    ]


def accounts(workspace: Workspace) -> list[str]:
    """Every account there is, by its bytes."""
    folder, _ = intake.current(workspace)
    return list(pq.read_table(folder / "accounts.parquet", columns=["account"])["account"].to_pylist())


def _seen(
    workspace: Workspace, names: Sequence[str], days: Sequence[date], progress: Progress = lambda done, of: None
) -> tuple[list[Seen], npt.NDArray[np.bool_]]:
    """The rows of these accounts at these dates, and which of them were customers by then."""
    asked = measures(workspace.config)
    found = frame.feature_rows(workspace, names, days, progress, asked)
    columns = {one.name: column_name(one.name, int(one.over[0]) if one.over else 0) for one in asked}
    values = {name: found[column].to_numpy() for name, column in columns.items() if column in found}
    by_activity = workspace.config.cohort.kind == "activity"
    there = np.zeros(len(found), dtype=bool)
    for name, numbers in values.items():
        if name == LIVE or (by_activity and name.startswith(ACTIVE)):
            there |= numbers > 0
    rows = zip(*(numbers.tolist() for numbers in values.values()), strict=True)
    seen = [
        Seen(account, {name: None if math.isnan(n) else n for name, n in zip(values, row, strict=True)})
        for account, row in zip(names, rows, strict=True)
    ]
    return seen, there
