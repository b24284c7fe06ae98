"""What the programme and the alerts look at: answers to our questions, what we did after them, acts, deals, people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from serving.decisions.asks import Ask

KINDS = ("detractor", "passive", "promoter", "other")


@dataclass(frozen=True)
class Answer:
    """What somebody answered; ``contact`` None: we do not know who."""

    account: str
    contact: str | None
    at: datetime
    instrument: str
    score: float
    scale: float

    @property
    def kind(self) -> str:
        """As NPS has it; *other* is an answer to another question."""
        if self.instrument != "NPS":
            return "other"
        return "promoter" if self.score >= 9 else "detractor" if self.score < 7 else "passive"

    @property
    def mood(self) -> float:
        """The answer as a share of its scale: 0 (worst) to 1."""
        return self.score / self.scale if self.scale else 0.0


@dataclass(frozen=True)
class Handled:
    """Something we did: a touch, or the first answer to a ticket. ``contact`` None: it was for the whole account."""

    account: str
    contact: str | None
    at: datetime
    what: str


@dataclass(frozen=True)
class Act:
    """An ask, an act, or both; a day is None where that has not happened. ``revenue`` is what it touched, None: unknown."""

    act: str
    account: str
    contact: str | None
    kind: str
    asked: date | None = None
    accepted: date | None = None
    declined: date | None = None
    done: date | None = None
    revenue: float | None = None

    @property
    def ask(self) -> Ask | None:
        """As an ask; None where nobody asked."""
        if self.asked is None:
            return None
        return Ask(self.act, self.account, self.contact, self.kind, self.asked, self.accepted, self.declined, self.done)


@dataclass(frozen=True)
class Won:
    """A deal that was won; ``value`` None: unknown."""

    deal: str
    at: datetime
    value: float | None


@dataclass(frozen=True)
class Contact:
    """A person in an account, from when to when; ``left`` None: still there."""

    contact: str
    account: str
    role: str
    champion_contact: bool
    joined: datetime | None
    left: datetime | None


@dataclass(frozen=True)
class Followed:
    """An answer and the first thing we did after it for who gave it; None: nothing yet."""

    answer: Answer
    by: Handled | None

    @property
    def days(self) -> float | None:
        return None if self.by is None else (self.by.at - self.answer.at) / timedelta(days=1)


def followed(answers: Iterable[Answer], handled: Iterable[Handled]) -> list[Followed]:
    """What was done after each answer, in the order of the answers: for the same person, or for the account where one of
    the two names nobody.
    """
    of: dict[str, list[Handled]] = defaultdict(list)
    for one in sorted(handled, key=lambda one: one.at):
        of[one.account].append(one)

    def first(answer: Answer) -> Handled | None:
        return next((one for one in of[answer.account] if one.at > answer.at and _concerns(one, answer)), None)

    return [Followed(answer, first(answer)) for answer in answers]


def _concerns(one: Handled, answer: Answer) -> bool:
    return one.contact is None or answer.contact is None or one.contact == answer.contact
