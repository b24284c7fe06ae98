"""Whom to ask in an account, and for what: the least effort that somebody there has agreed to and is likely to accept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from features.settings.decisions import Asks
from serving.decisions.asks import EFFORT, Ask

WEIGHT = {"champion": 5, "executive sponsor": 4, "decision maker": 4, "influencer": 3, "power user": 2, "user": 1}
"""How much what a role says about us counts for who hears it."""
LIKELY = 0.25
"""Chance of a yes from which a kind of ask is worth making."""


@dataclass(frozen=True)
class Person:
    """A contact who is there as of a day. ``mood`` is the last answer, 0 (worst) to 1; ``used`` days since they last used
    the product: None where nothing is known.
    """

    contact: str
    account: str
    role: str
    champion_contact: bool
    consent: frozenset[str]
    consent_at: date | None
    mood: float | None
    used: float | None


@dataclass(frozen=True)
class Chance:
    """A probability and its interval (90%)."""

    value: float
    low: float
    high: float


Accepts = Mapping[tuple[Person, str], Chance]
"""(person, kind of ask) → the chance of a yes, for every kind that the person may be asked for."""


@dataclass(frozen=True)
class Suggestion:
    """Ask this person for that; ``accepts`` is the chance of a yes."""

    person: Person
    kind: str
    accepts: Chance


def suggestion(
    people: Sequence[Person], asks: Sequence[Ask], accepts: Accepts, terms: Asks, day: date
) -> Suggestion | None:
    """The least effort that is likely to be accepted, of the person whose word counts most; where nothing is likely, what
    is likeliest. None where nobody may be asked.
    """
    each = [Suggestion(person, kind, accepts[person, kind]) for person, kind in open_to(people, asks, terms, day)]
    likely = [one for one in each if one.accepts.value >= LIKELY]
    if likely:
        return min(likely, key=lambda one: (EFFORT[one.kind], -_worth(one.person), one.person.contact, one.kind))
    return min(
        each, key=lambda one: (-one.accepts.value, -_worth(one.person), one.person.contact, one.kind), default=None
    )


def open_to(people: Sequence[Person], asks: Sequence[Ask], terms: Asks, day: date) -> list[tuple[Person, str]]:
    """Whom one may ask for what: those who agreed to it, and were not asked for anything of late."""
    free = [person for person in people if not _resting(person, asks, terms, day)]
    return [(person, kind) for person in free for kind in consented(person, terms, day)]


def consented(person: Person, terms: Asks, day: date) -> list[str]:
    """The kinds that a person may be asked for: those agreed to, as long as that holds, or all where none is needed."""
    if terms.consent == "not needed":
        return list(EFFORT)
    if terms.consent_days is not None and (
        person.consent_at is None or day >= person.consent_at + timedelta(days=terms.consent_days)
    ):
        return []
    return [kind for kind in EFFORT if kind in person.consent]


def _resting(person: Person, asks: Sequence[Ask], terms: Asks, day: date) -> bool:
    last = max((ask.asked for ask in asks if ask.contact == person.contact), default=None)
    return last is not None and day < last + timedelta(days=terms.contact_rest_days)


def _worth(person: Person) -> float:
    """Role, whether they are our champion contact, how they feel, whether they use it: an unhappy user is asked last."""
    mood = 0.5 if person.mood is None else person.mood
    uses = person.used is not None and person.used < 30
    return WEIGHT.get(person.role, 1) + 3 * person.champion_contact + 6 * (mood - 0.5) + uses
