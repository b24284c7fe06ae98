"""Every customer that may be scored as alerts look at it, with what is known of it by a day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Any, TypeVar

import pandas as pd

from features import frame
from serving.decisions.customer import Customer, median, risen
from serving.decisions.happened import Act, Contact, Followed, followed
from serving.stores.store import Store
from serving.work.asking import RISK
from serving.work.known import Known

Of = TypeVar("Of", Act, Contact)


def watched(known: Known, progress: Callable[[int, int], None]) -> dict[str, Customer]:
    """Everybody that may be scored, with what is known of them."""
    rows = frame.feature_frame(known.workspace, [known.day], progress)
    config, store = known.workspace.config, Store(known.workspace)
    names = ("account", "arr", "days_to_renewal", "tickets_escalated_open")
    columns = [rows[name] if name in rows else [None] * len(rows) for name in names]
    numbers = {account: [_number(value) for value in values] for account, *values in zip(*columns, strict=True)}
    middle = median([arr for arr, *_ in numbers.values() if arr is not None])
    scores = known.risks(RISK)
    scored, risks = scores if scores is not None else (None, {})
    answers: dict[str, list[Followed]] = defaultdict(list)
    for row in followed(sorted(known.answers(), key=lambda one: one.at), known.handled()):
        answers[row.answer.account].append(row)
    contacts, acts = _by_account(known.contacts()), _by_account(known.acts())
    before = {day: store.probabilities(RISK, day) for day in sorted(store.made(RISK)) if day <= known.day}

    def turned(account: str) -> date | None:
        """Of those alone who have acted."""
        if not any(act.done for act in acts.get(account, ())):
            return None
        history = [(day, of[account]) for day, of in before.items() if account in of]
        return risen(history, config.alerts.renewal_risk)

    return {
        account: Customer(
            account, known.day, known.zone, arr, middle, _ends(known, days), escalations, risks.get(account), scored,
            turned(account), answers.get(account, ()), contacts.get(account, ()), acts.get(account, ()),
        )
        for account, (arr, days, escalations) in numbers.items()
    }  # fmt: skip


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


def _number(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)
