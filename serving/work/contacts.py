"""The people of one account as of a day: who is there, in which role, how glad, and through whom all contact goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from features import frame, intake
from features.tables import ROLES
from features.windows import moment
from features.workspace import Workspace
from serving.decisions.happened import Answer, Contact
from serving.stores.store import Store
from serving.work.known import Known
from serving.work.trail import Trail

LATELY, YEAR = 90, 365
CONSENT = "p.contact, t.consent, {consent_at}"
HEARD = {"usage": "usage", "tickets": "ticket.opened", "feedback": "feedback"}
"""Table → the facts in which a person is in touch with us of their own accord."""
WROTE = ("ticket.sentiment", "feedback.sentiment")


@dataclass(frozen=True)
class Person:
    """A contact with what is known of them; ``usage_share`` is of the last 90 days."""

    contact: Contact
    consent: list[str]
    answer: Answer | None
    sentiment: float | None
    last_used: datetime | None
    last_touched: datetime | None
    usage_share: float | None

    @property
    def here(self) -> bool:
        return self.contact.left is None

    def as_dict(self) -> dict[str, Any]:
        answer = self.answer
        return {
            "contact": self.contact.contact,
            "role": self.contact.role,
            "champion_contact": self.contact.champion_contact,
            "joined": _iso(self.contact.joined),
            "left": _iso(self.contact.left),
            "consent": self.consent,
            "answer": answer
            and {
                "instrument": answer.instrument,
                "score": answer.score,
                "scale": answer.scale,
                "at": answer.at.isoformat(),
            },
            "sentiment": self.sentiment,
            "last_used": _iso(self.last_used),
            "last_touched": _iso(self.last_touched),
            "usage_share": self.usage_share,
        }


@dataclass(frozen=True)
class People:
    """``threads``: with how many of them there was any contact in the last 90 days, from either side."""

    account: str
    name: str
    as_of: date
    people: list[Person]
    threads: int

    def as_dict(self) -> dict[str, Any]:
        here = [one for one in self.people if one.here]
        roles = Counter(one.contact.role for one in here)
        return {
            "account": self.account,
            "name": self.name,
            "as_of": str(self.as_of),
            "people": [one.as_dict() for one in self.people],
            "roles": {role: roles[role] for role in ROLES},
            "champion_contacts": [one.contact.contact for one in here if one.contact.champion_contact],
            "threads": self.threads,
            "single_threaded": self.threads == 1 if self.threads else None,
        }


def people(workspace: Workspace, account: str, day: date | None = None) -> People:
    """By the end of ``day``, the last observed by default. Raises PropensityError (404) where there is no such account."""
    look = _Look(workspace, account, day or frame.observed_until(workspace), by_now=day is None)
    found = [look.person(one) for one in look.known.contacts()]
    found.sort(key=_order)
    name = Store(workspace).names([account]).get(account, account)
    return People(account, name, look.known.day, found, len(look.threads))


def _order(one: Person) -> tuple[bool, bool, int, str]:
    """Who is there first, champion contacts before others, then by role."""
    contact = one.contact
    return (not one.here, not contact.champion_contact, ROLES.index(contact.role), contact.contact)


class _Look:
    """What there is to know of everybody in an account; each table is read once."""

    def __init__(self, workspace: Workspace, account: str, day: date, by_now: bool) -> None:
        self.trail = Trail.of(workspace, account)
        self.known = Known(workspace, day, by_now, (account,))
        folder, _ = intake.current(workspace)
        names = pq.read_table(
            folder / "people.parquet",
            columns=["contact_code", "contact"],
            filters=[("account_code", "=", self.trail.code)],
        ).to_pydict()
        self.codes: dict[str, int] = dict(zip(names["contact"], names["contact_code"], strict=True))

    def person(self, contact: Contact) -> Person:
        code = self.codes[contact.contact]
        used, everything = self._lately["usage"], sum(self._lately["usage"].values())
        return Person(
            contact,
            self._consent.get(contact.contact, []),
            self._answers.get(contact.contact),
            self._sentiment(code),
            self._last_used(code),
            self._touched.get(contact.contact),
            used[code] / everything if everything else None,
        )

    @cached_property
    def threads(self) -> set[int]:
        """Everybody with whom there was any contact lately."""
        since = self.known.instant - timedelta(days=LATELY)
        touched = {self.codes[one] for one, at in self._touched.items() if at >= since and one in self.codes}
        return touched.union(*(codes for codes in self._lately.values()))

    @cached_property
    def _lately(self) -> Mapping[str, Counter[int]]:
        """How often each person came up in each kind of facts."""
        return {name: Counter(self._named(kind, LATELY).tolist()) for name, kind in HEARD.items()}

    def _named(self, kind: str, days: int) -> np.ndarray:
        """The contact of each fact of the last days that has one."""
        if kind not in self.trail.book.labels:
            return np.zeros(0, dtype=np.int32)
        there = self.trail.facts(kind).contact[self._within(kind, days)]
        return there[there >= 0]

    def _within(self, kind: str, days: int) -> np.ndarray:
        day = self.known.day
        return self.trail.seen(kind, day) & ~self.trail.seen(kind, day, back=days)

    def _sentiment(self, code: int) -> float | None:
        """Of what they wrote in the last year, all alike."""
        values = [
            self.trail.values(kind)[self._within(kind, YEAR) & (self.trail.facts(kind).contact == code)]
            for kind in WROTE
            if kind in self.trail.book.labels
        ]
        all_of_them = np.concatenate([*values, np.zeros(0)])
        return float(all_of_them.mean()) if len(all_of_them) else None

    def _last_used(self, code: int) -> datetime | None:
        if "usage" not in self.trail.book.labels:
            return None
        used = self.trail.facts("usage")
        happened = used.occurred[self.trail.seen("usage", self.known.day) & (used.contact == code)]
        return moment(int(happened[-1])) if len(happened) else None

    @cached_property
    def _answers(self) -> dict[str | None, Answer]:
        """The last of each."""
        return {one.contact: one for one in sorted(self.known.answers(), key=lambda one: one.at)}

    @cached_property
    def _touched(self) -> dict[str, datetime]:
        """When we last did something for each."""
        return _last((one.contact, one.at) for one in self.known.handled())

    @cached_property
    def _consent(self) -> dict[str, list[str]]:
        given = self.known.rows("contacts", CONSENT, "t.consent IS NOT NULL AND {consent_at} IS NOT NULL")
        return {contact: sorted(filter(None, map(str.strip, said.split(";")))) for contact, said, _ in given}


def _last(each: Iterable[tuple[str | None, datetime]]) -> dict[str, datetime]:
    found: dict[str, datetime] = {}
    for contact, at in each:
        if contact is not None:
            found[contact] = max(at, found.get(contact, at))
    return found


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
