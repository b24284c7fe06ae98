"""What is known of a customer as of a day, as alerts look at it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from serving.decisions.happened import Act, Contact, Followed


@dataclass(frozen=True)
class Customer:
    """What is known of an account as of the end of ``day``. ``arr`` and ``ends`` (of the term that ends next) are None where
    not known, ``risk`` (the probability that it leaves, as of ``scored``) where no model says. ``risen`` is the as_of since
    which risk is at the bound, after it had been below. ``answers`` and ``acts`` are in the order of time.
    """

    account: str
    day: date
    zone: ZoneInfo
    arr: float | None
    median_arr: float | None
    ends: date | None = None
    escalations: float | None = None
    risk: float | None = None
    scored: date | None = None
    risen: date | None = None
    answers: Sequence[Followed] = ()
    contacts: Sequence[Contact] = ()
    acts: Sequence[Act] = ()

    def on(self, instant: datetime) -> date:
        return instant.astimezone(self.zone).date()

    def age(self, instant: datetime) -> int:
        """In days."""
        return (self.day - self.on(instant)).days

    def person(self, contact: str | None) -> Contact | None:
        """Who they are, if they are there."""
        return next((one for one in self.contacts if one.contact == contact and one.left is None), None)

    def last_answers(self) -> Iterator[Followed]:
        """The latest answer of each person, and what was done after it; of nobody in particular too."""
        yield from {row.answer.contact: row for row in self.answers}.values()


def risen(history: Sequence[tuple[date, float]], bound: float) -> date | None:
    """Since which as_of scores, oldest first, are at the bound without a break; None where they are not, or always were."""
    since = None
    for day, probability in reversed(history):
        if probability < bound:
            return since
        since = day
    return None


def median(values: Sequence[float]) -> float | None:
    """None where there are no values."""
    ordered = sorted(values)
    if not ordered:
        return None
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
