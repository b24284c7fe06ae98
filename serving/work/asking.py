"""Whom to ask to speak up for us: eligible accounts, the person, and the kind of ask; and asking itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from features import frame
from features.errors import PropensityError, one_of
from features.workspace import Workspace
from serving.decisions.asks import EFFORT, Ask, asks
from serving.decisions.eligibility import Eligibility, Facing, Objection, eligibility, lately
from serving.decisions.whom import Accepts, Chance, Person, Suggestion, consented, open_to, suggestion
from serving.scores import lists
from serving.stores.log import Entry, Log, Within, digest
from serving.stores.store import Store
from serving.work import asked
from serving.work.funnel import Funnel, funnel
from serving.work.outreach import opted_out
from serving.work.people import people
from training.asks.past import RULED_BY

Progress = Callable[[str], None]
RISK, ADVOCACY = "churn", "advocacy"
NOBODY = "nobody to ask"
UNWILLING = "nobody there has agreed to anything, or all of them were asked of late"
Judged = tuple[Eligibility, Suggestion | None]


@dataclass(frozen=True)
class Situation:
    """What is known of everybody as of a day (its end): every account's facing, its people, how likely each of them is to
    say yes to what they may be asked for, and which accounts are how likely to act unasked, or at all (``acts``).
    ``asks`` are all there ever were, by their id; the log has those that are ``logged``, the exports the others. ``day`` is
    the one on which somebody would ask.
    """

    workspace: Workspace
    as_of: date
    facing: dict[str, Facing]
    people: dict[str, list[Person]]
    accepts: Accepts
    unasked: dict[str, Chance]
    funnel: Funnel
    acts: dict[str, float]
    asks: dict[str, Ask]
    logged: frozenset[str]
    owners: dict[str, str | None]
    day: date
    _judged: dict[str, Judged] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, workspace: Workspace, today: date | None = None, progress: Progress = lambda _: None) -> Situation:
        """As of the latest data; ``today`` is the day after it unless it is told."""
        as_of, zone = frame.observed_until(workspace), ZoneInfo(workspace.config.timezone)
        day = today or as_of + timedelta(days=1)
        log, store = Log(workspace), Store(workspace)
        written = {ask.ask: ask for ask in asks(log.entries("ask"), zone)}
        of = {ask.ask: ask for ask in asked.exported(workspace)} | written
        each: dict[str, list[Ask]] = defaultdict(list)
        for ask in of.values():
            each[ask.account].append(ask)
        risk, alone = _probabilities(store, RISK), opted_out(log.entries("opt-out"))
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
        return cls(
            workspace, as_of, facing, those, made.chances(rows, whom), made.by_themselves(rows), made,
            _probabilities(store, ADVOCACY), of, frozenset(written), lists.owners(workspace), day,
        )  # fmt: skip

    def by_now(self, entries: Sequence[Entry]) -> Situation:
        """The same with all that the log says by now of some accounts, or of all: their asks, and who wants to be left
        alone. Whoever it says nothing new of is not judged again.
        """
        zone = ZoneInfo(self.workspace.config.timezone)
        written = {one.ask: one for one in asks((one for one in entries if one.about == "ask"), zone)}
        alone = opted_out(one for one in entries if one.about == "opt-out")
        each: dict[str, dict[str, Ask]] = defaultdict(dict)
        for one in written.values():
            each[one.account][one.ask] = one
        changed = {}
        for account in {one.account for one in entries} & self.facing.keys():
            before = self.facing[account]
            its = {one.ask: one for one in before.asks} | each[account]
            now = replace(before, asks=tuple(its.values()), opted_out=account in alone)
            if now != before:
                changed[account] = now
        return replace(
            self,
            facing={**self.facing, **changed},
            asks={**self.asks, **written},
            logged=self.logged | written.keys(),
            _judged={account: found for account, found in self._judged.items() if account not in changed},
        )

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
        return self._judge(account)[0]

    def suggestion(self, account: str) -> Suggestion | None:
        """Whom to ask there for what; None where it may not be asked."""
        return self._judge(account)[1]

    def left(self, account: str) -> int:
        """How many more asks the budget of an account has within the year."""
        facing, terms = self.facing[account], self.workspace.config.asks
        return max(terms.per_year - len(lately(facing.asks, facing.day)), 0)

    def _judge(self, account: str) -> Judged:
        if account not in self._judged:
            facing, terms = self.of_account(account), self.workspace.config.asks
            found, best = eligibility(facing, terms), None
            if found.eligible:
                best = suggestion(self.people.get(account, ()), facing.asks, self.accepts, terms, facing.day)
                if best is None:
                    found = Eligibility(account, [Objection(NOBODY, UNWILLING)])
            self._judged[account] = found, best
        return self._judged[account]


def _probabilities(store: Store, outcome: str) -> dict[str, float]:
    """Of the latest batch of an outcome; nothing where there is none."""
    batch = store.shown(outcome)
    return {} if batch is None else store.probabilities(outcome, batch.as_of)


def _known(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)


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
        _refuse(situation.by_now(entries), account, kind, chosen)

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
