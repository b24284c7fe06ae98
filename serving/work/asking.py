"""Whom to ask to speak up for us: eligible accounts, the person, and the kind of ask; and asking itself."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from features import frame
from features.errors import PropensityError, one_of
from features.workspace import Workspace
from serving.decisions.asks import EFFORT, Ask, asks
from serving.decisions.eligibility import Eligibility, Facing, Objection, eligibility
from serving.decisions.whom import Accepts, Chance, Person, Suggestion, consented, open_to, suggestion
from serving.scores import lists
from serving.stores.log import Entry, Log, Within, digest
from serving.stores.store import Store
from serving.work import asked
from serving.work.funnel import Funnel, funnel
from serving.work.outreach import opted_out
from serving.work.people import people
from training.asks.fit import Fitted
from training.asks.past import RULED_BY

Progress = Callable[[str], None]
RISK, ADVOCACY = "churn", "advocacy"
NOBODY = "nobody to ask"


@dataclass(frozen=True)
class Situation:
    """What is known of everybody as of a day (its end): every account's facing, its people, how likely each of them is to
    say yes to what they may be asked for, and which accounts are how likely to act unasked.
    """

    workspace: Workspace
    as_of: date
    facing: dict[str, Facing]
    people: dict[str, list[Person]]
    accepts: Accepts
    unasked: dict[str, Chance]
    funnel: Funnel

    @classmethod
    def of(cls, workspace: Workspace, today: date | None = None, progress: Progress = lambda _: None) -> Situation:
        """As of the latest data; ``today`` is the day after it unless it is told."""
        as_of, zone = frame.observed_until(workspace), ZoneInfo(workspace.config.timezone)
        day = today or as_of + timedelta(days=1)
        log, store = Log(workspace), Store(workspace)
        of = {ask.ask: ask for ask in asked.exported(workspace)}
        of |= {ask.ask: ask for ask in asks(log.entries("ask"), zone)}
        each: dict[str, list[Ask]] = defaultdict(list)
        for ask in of.values():
            each[ask.account].append(ask)
        batch, alone = store.shown(RISK), opted_out(log.entries("opt-out"))
        risk = {s.account: s.probability for s in store.top(RISK, batch.rows)} if batch is not None else {}
        rows = frame.feature_frame(workspace, [as_of])
        there = [name for name in RULED_BY if name in rows]
        facing = {
            account: Facing(
                account, day, dict(zip(there, map(_known, values), strict=True)), risk.get(account),
                tuple(each.get(account, ())), account in alone,
            )
            for account, *values in rows[["account", *there]].itertuples(index=False)
        }  # fmt: skip
        made, those = funnel(workspace, progress), people(workspace, as_of)
        terms = workspace.config.asks
        whom = [
            (person, kind)
            for account in facing
            for person in those.get(account, ())
            for kind in consented(person, terms, day)
        ]
        return cls(workspace, as_of, facing, those, made.chances(rows, whom), made.by_themselves(rows), made)

    def after(self, account: str, entries: Sequence[Entry]) -> Situation:
        """The same with what the log says by now of an account: its asks, and whether it wants to be left alone."""
        before, zone = self.of_account(account), ZoneInfo(self.workspace.config.timezone)
        now = {ask.ask: ask for ask in before.asks} | {
            ask.ask: ask for ask in asks((one for one in entries if (one.about, one.account) == ("ask", account)), zone)
        }
        alone = account in opted_out(one for one in entries if (one.about, one.account) == ("opt-out", account))
        facing = replace(before, asks=tuple(now.values()), opted_out=alone)
        return replace(self, facing={**self.facing, account: facing})

    def of_account(self, account: str) -> Facing:
        if account not in self.facing:
            raise PropensityError(
                f"account {account!r} is not among those that may be scored as of {self.as_of}",
                "Who is no customer by then is asked nothing; account ids are compared exactly.",
                status=404,
            )
        return self.facing[account]

    def eligibility(self, account: str) -> Eligibility:
        """Every rule that speaks against asking an account, that there is nobody to ask among them."""
        found = eligibility(self.of_account(account), self.workspace.config.asks)
        if found.eligible and self.suggestion(account) is None:
            words = "nobody there has agreed to anything, or all of them were asked of late"
            return Eligibility(account, [Objection(NOBODY, words)])
        return found

    def suggestion(self, account: str) -> Suggestion | None:
        facing = self.facing[account]
        terms = self.workspace.config.asks
        return suggestion(self.people.get(account, ()), facing.asks, self.accepts, terms, facing.day)


def _known(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)


@dataclass(frozen=True)
class Advocate:
    """An account that may be asked: whom, for what, and how likely the answer is a yes, ``low`` to ``high`` (90%).
    ``probability`` is that of an act within the horizon, and ``unasked`` that of one without any ask; null where no model
    says.
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

    def as_dict(self) -> dict[str, Any]:
        return dict(vars(self))


@dataclass(frozen=True)
class Advocates:
    """Whom to ask, the likeliest first; and of all others, account → what speaks against it."""

    as_of: date
    asked: list[Advocate]
    blocked: dict[str, Eligibility]
    yes: Fitted

    def as_dict(self) -> dict[str, Any]:
        return {
            "as_of": str(self.as_of),
            "lines": [one.as_dict() for one in self.asked],
            "blocked": [one.as_dict() for one in self.blocked.values()],
            "model": self.yes.as_dict(),
        }


def advocates(situation: Situation, top: int | None = None) -> Advocates:
    """The eligible accounts, likeliest to act first, with the person to ask and the least effort likely to be accepted."""
    workspace, store = situation.workspace, Store(situation.workspace)
    batch = store.shown(ADVOCACY)
    says = {s.account: s.probability for s in store.top(ADVOCACY, batch.rows)} if batch is not None else {}
    found = {account: situation.eligibility(account) for account in situation.facing}
    may = [account for account, one in found.items() if one.eligible]
    may.sort(key=lambda account: (-says.get(account, -math.inf), account))
    settings = dict(workspace.config.outcomes).get(ADVOCACY)
    most = top or (settings.capacity if settings else 10)
    owners, names = lists.owners(workspace), store.names(may[:most])
    lines = []
    for account in may[:most]:
        best, alone = situation.suggestion(account), situation.unasked.get(account)
        assert best is not None
        lines.append(
            Advocate(
                account, names.get(account, account), owners.get(account), says.get(account), best.person.contact,
                best.person.role, best.kind, EFFORT[best.kind], best.accepts.value, best.accepts.low,
                best.accepts.high, None if alone is None else alone.value,
            )
        )  # fmt: skip
    blocked = {account: one for account, one in found.items() if not one.eligible}
    return Advocates(situation.as_of, lines, blocked, situation.funnel.yes)


def ask(
    situation: Situation,
    account: str,
    kind: str,
    contact: str | None,
    by: str,
    at: datetime | None = None,
    within: Within | None = None,
) -> Entry:
    """Write down that an account is asked. Raises PropensityError where it may not be asked, naming every rule; no flag
    overrides that, and of two who ask at once one is refused.

    The situation may be of a moment ago: what the log says by then counts all the same.
    """
    if kind not in EFFORT:
        raise PropensityError(f"no kind of ask is called {kind!r}", f"There are {one_of(EFFORT)}.")
    when = at or datetime.now(UTC).replace(microsecond=0)
    _refuse(situation, account, kind, contact)
    chosen = contact or _suggested(situation, account)

    def still(entries: Sequence[Entry]) -> None:
        _refuse(situation.after(account, entries), account, kind, chosen)

    entry = Entry(
        "ask", f"k-{digest(account, chosen, kind, when.isoformat())[:12]}", "asked", account, when, by, chosen, kind
    )
    Log(situation.workspace).add([entry], still=still, within=within)
    return entry


def _refuse(situation: Situation, account: str, kind: str, contact: str | None) -> None:
    """Raise what speaks against an ask, if anything does."""
    found = situation.eligibility(account)
    if not found.eligible:
        raise PropensityError(
            f"account {account} may not be asked: {'; '.join(one.words for one in found.objections)}",
            f"Not before {found.clears}."
            if found.clears
            else "Time alone does not clear that; see `propensity eligibility`.",
            status=409,
        )
    chosen = contact or _suggested(situation, account)
    person = next((one for one in situation.people.get(account, ()) if one.contact == chosen), None)
    facing, terms = situation.facing[account], situation.workspace.config.asks
    if person is None or kind not in consented(person, terms, facing.day):
        raise PropensityError(
            f"contact {chosen!r} of account {account} "
            + ("is not there" if person is None else f"has not agreed to a {kind}"),
            f"Who has: {one_of(_agreed(situation, account, kind)) or 'nobody'}.",
            status=409,
        )
    if not open_to([person], facing.asks, terms, facing.day):
        raise PropensityError(
            f"contact {chosen!r} was asked within the last {terms.contact_rest_days} days",
            "Ask somebody else, or later.",
            status=409,
        )


def _suggested(situation: Situation, account: str) -> str:
    best = situation.suggestion(account)
    assert best is not None
    return best.person.contact


def _agreed(situation: Situation, account: str, kind: str) -> Sequence[str]:
    facing, terms = situation.facing[account], situation.workspace.config.asks
    return [one.contact for one in situation.people.get(account, ()) if kind in consented(one, terms, facing.day)]
