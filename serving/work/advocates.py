"""Whom to ask, who may not be asked, and which asks are open: lists over a situation, a piece at a time."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from features.errors import PropensityError, one_of
from serving.decisions.asks import EFFORT, Ask
from serving.decisions.eligibility import Eligibility, lately, unheard
from serving.decisions.whom import Suggestion
from serving.stores.store import Store
from serving.work.asking import ADVOCACY, Situation
from training.asks.fit import Fitted


@dataclass(frozen=True)
class Advocate:
    """An account that may be asked: whom, for what, and how likely the answer is a yes, ``low`` to ``high`` (90%).
    ``probability`` is that of an act within the horizon, and ``unasked`` that of one without any ask; null where no model
    says. ``left``: how many more asks its budget has within the year.
    """

    account: str
    name: str
    owner: str | None
    probability: float | None
    contact: str
    role: str
    kind: str
    effort: int
    accepts: float
    low: float
    high: float
    unasked: float | None
    left: int

    def as_dict(self) -> dict[str, Any]:
        return dict(vars(self))


@dataclass(frozen=True)
class Budget:
    """What the workspace allows, of all teams together, and how much of it was used in the year before."""

    per_year: int
    rest_days: int
    declined_rest_days: int
    contact_rest_days: int
    asked: int
    open: int


@dataclass(frozen=True)
class Advocates:
    """Whom to ask, the likeliest first, of ``count`` that may be asked; and of all others, account → what speaks against it."""

    as_of: date
    asked: list[Advocate]
    count: int
    blocked: dict[str, Eligibility]
    budget: Budget
    yes: Fitted

    def as_dict(self) -> dict[str, Any]:
        return {
            "as_of": str(self.as_of),
            "count": self.count,
            "lines": [one.as_dict() for one in self.asked],
            "blocked": [one.as_dict() for one in self.blocked.values()],
            "budget": vars(self.budget),
            "model": self.yes.as_dict(),
        }


@dataclass(frozen=True)
class Blocked:
    """Who may not be asked, whoever is over first before the others, of ``count``; how many each rule speaks against."""

    as_of: date
    count: int
    rules: dict[str, int]
    lines: list[dict[str, Any]]

    def as_dict(self) -> dict[str, Any]:
        return vars(self) | {"as_of": str(self.as_of)}


@dataclass(frozen=True)
class Open:
    """Asks of which something is still to come, those first that can be answered here, then the newest."""

    as_of: date
    count: int
    lines: list[dict[str, Any]]

    def as_dict(self) -> dict[str, Any]:
        return vars(self) | {"as_of": str(self.as_of)}


def advocates(
    situation: Situation,
    top: int | None = None,
    skip: int = 0,
    owner: str | None = None,
    kind: str | None = None,
    sort: str = "likeliest",
    blocked: bool = True,
) -> Advocates:
    """The eligible accounts, likeliest to act first, with the person to ask and the least effort likely to be accepted; of
    one owner, or of one kind of ask, if named; by ``sort`` "least effort" what takes the least first, and of that the likeliest
    yes. ``top`` is the outcome's capacity unless it is told.
    """
    accounts = _of(situation, owner)
    settings = dict(situation.workspace.config.outcomes).get(ADVOCACY)
    most = top or (settings.capacity if settings else 10)
    may = {account: best for account in accounts if (best := situation.suggestion(account)) is not None}
    wanted = [account for account, best in may.items() if kind in (None, best.kind)]
    wanted.sort(key=lambda account: (-situation.acts.get(account, -math.inf), account))
    if sort == "least effort":
        wanted.sort(key=lambda account: (EFFORT[may[account].kind], -may[account].accepts.value))
    shown = wanted[skip : skip + most]
    names = Store(situation.workspace).names(shown)
    return Advocates(
        situation.as_of,
        [_line(situation, account, names.get(account, account), may[account]) for account in shown],
        len(wanted),
        {account: situation.eligibility(account) for account in accounts if account not in may} if blocked else {},
        _budget(situation, accounts),
        situation.funnel.yes,
    )


def blocked(
    situation: Situation, top: int = 100, skip: int = 0, owner: str | None = None, rule: str | None = None
) -> Blocked:
    """Who may not be asked, why, and until when; of one owner, or by one rule, if named."""
    found = [one for account in _of(situation, owner) if not (one := situation.eligibility(account)).eligible]
    rules = Counter(each.rule for one in found for each in one.objections)
    if rule is not None:
        found = [one for one in found if any(each.rule == rule for each in one.objections)]
    found.sort(key=lambda one: (one.clears or date.max, one.account))
    shown = found[skip : skip + top]
    names = Store(situation.workspace).names([one.account for one in shown])
    lines = [
        one.as_dict() | {"name": names.get(one.account, one.account), "owner": situation.owners.get(one.account)}
        for one in shown
    ]
    return Blocked(situation.as_of, len(found), dict(rules.most_common()), lines)


def waiting(situation: Situation, top: int = 100, skip: int = 0, owner: str | None = None) -> Open:
    """Asks that nobody has answered yet, and those that were accepted and are not done."""
    found = [one for one in _asks(situation, owner) if one.open]
    found.sort(key=lambda one: (one.ask not in situation.logged, -one.asked.toordinal(), one.ask))
    shown = found[skip : skip + top]
    names, terms = Store(situation.workspace).names([one.account for one in shown]), situation.workspace.config.asks
    lines = [
        {
            "ask": one.ask,
            "account": one.account,
            "name": names.get(one.account, one.account),
            "owner": situation.owners.get(one.account),
            "contact": one.contact,
            "kind": one.kind,
            "state": one.state,
            "asked": str(one.asked),
            "accepted": None if one.accepted is None else str(one.accepted),
            "unheard": unheard(one, situation.day, terms),
            "logged": one.ask in situation.logged,
        }
        for one in shown
    ]
    return Open(situation.as_of, len(found), lines)


def _of(situation: Situation, owner: str | None) -> list[str]:
    """The accounts that may be scored, of one owner if named."""
    if owner is None:
        return list(situation.facing)
    known(situation, owner)
    return [account for account in situation.facing if situation.owners.get(account) == owner]


def known(situation: Situation, owner: str) -> None:
    """Raises PropensityError (404) where nobody is called that."""
    if owner not in (there := {one for one in situation.owners.values() if one is not None}):
        raise PropensityError(
            f"nobody called {owner!r} owns an account; owners are {one_of(there)}", "Use one of them.", status=404
        )


def _asks(situation: Situation, owner: str | None) -> Iterable[Ask]:
    if owner is not None:
        known(situation, owner)
    return (one for one in situation.asks.values() if owner in (None, situation.owners.get(one.account)))


def _budget(situation: Situation, accounts: list[str]) -> Budget:
    terms, asks = situation.workspace.config.asks, [ask for one in accounts for ask in situation.facing[one].asks]
    return Budget(
        terms.per_year,
        terms.rest_days,
        terms.declined_rest_days,
        terms.contact_rest_days,
        len(lately(asks, situation.day)),
        sum(one.open and not unheard(one, situation.day, terms) for one in asks),
    )


def _line(situation: Situation, account: str, name: str, best: Suggestion) -> Advocate:
    alone = situation.unasked.get(account)
    return Advocate(
        account, name, situation.owners.get(account), situation.acts.get(account), best.person.contact,
        best.person.role, best.kind, EFFORT[best.kind], best.accepts.value, best.accepts.low, best.accepts.high,
        None if alone is None else alone.value, situation.left(account),
    )  # fmt: skip
