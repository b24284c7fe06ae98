"""Every customer that may be scored as alerts look at it, with what is known of it by a day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar

import pandas as pd

from features import frame
from serving.decisions.customer import Customer, median, risen
from serving.decisions.happened import Act, Contact, Followed, followed
from serving.stores.store import Store
from serving.work.asking import RISK
from serving.work.known import Known

Of = TypeVar("Of", Act, Contact)
NAMES = ("arr", "days_to_renewal", "tickets_escalated_open")


@dataclass(frozen=True)
class Numbers:
    """What no entry of the log changes, of everybody that may be scored: ARR, days to renewal and open escalations of each,
    and their risks, as of ``scored`` and of every date before.
    """

    of: dict[str, tuple[float | None, float | None, float | None]]
    median_arr: float | None
    scored: date | None
    risks: dict[str, float]
    before: dict[date, dict[str, float]]

    @classmethod
    def known(cls, known: Known, progress: Callable[[int, int], None]) -> Numbers:
        rows, store = frame.feature_frame(known.workspace, [known.day], progress, only=NAMES), Store(known.workspace)
        each = zip(rows["account"], *(_numbers(rows, name) for name in NAMES), strict=True)
        numbers = {account: (arr, days, escalations) for account, arr, days, escalations in each}
        scored, risks = known.risks(RISK) or (None, {})
        return cls(
            numbers,
            median([arr for arr, *_ in numbers.values() if arr is not None]),
            scored,
            risks,
            {day: store.probabilities(RISK, day) for day in sorted(store.made(RISK)) if day <= known.day},
        )


def watched(known: Known, numbers: Numbers) -> dict[str, Customer]:
    """Everybody that is known of and may be scored, with what is known of them."""
    bound = known.workspace.config.alerts.renewal_risk
    answers: dict[str, list[Followed]] = defaultdict(list)
    for row in followed(sorted(known.answers(), key=lambda one: one.at), known.handled()):
        answers[row.answer.account].append(row)
    contacts, acts = _by_account(known.contacts()), _by_account(known.acts())

    def turned(account: str) -> date | None:
        """Of those alone who have acted."""
        if not any(act.done for act in acts.get(account, ())):
            return None
        return risen([(day, of[account]) for day, of in numbers.before.items() if account in of], bound)

    def customer(account: str) -> Customer:
        arr, days, escalations = numbers.of[account]
        return Customer(
            account, known.day, known.zone, arr, numbers.median_arr, _ends(known, days), escalations,
            numbers.risks.get(account), numbers.scored, turned(account),
            answers.get(account, ()), contacts.get(account, ()), acts.get(account, ()),
        )  # fmt: skip

    whose = numbers.of if known.accounts is None else [one for one in known.accounts if one in numbers.of]
    return {account: customer(account) for account in whose}


def _by_account(rows: Iterable[Of]) -> dict[str, list[Of]]:
    each: dict[str, list[Of]] = defaultdict(list)
    for row in rows:
        each[row.account].append(row)
    return each


def _ends(known: Known, days: float | None) -> date | None:
    """The day on which a term ends that has so many days left."""
    if days is None:
        return None
    return (known.instant + timedelta(seconds=round(days * 86_400))).astimezone(known.zone).date()


def _numbers(rows: pd.DataFrame, name: str) -> list[float | None]:
    """Of a column, null where it is not known, or there is no such column."""
    if name not in rows:
        return [None] * len(rows)
    return [None if pd.isna(value) else float(value) for value in rows[name].tolist()]
