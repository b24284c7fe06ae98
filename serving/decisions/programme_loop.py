"""The closed loop: how much of what customers tell us is answered by us, how soon, and what they say next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from serving.decisions.happened import KINDS, Answer, Followed
from serving.decisions.intervals import Bootstrap, Share, share, told
from training.metrics import Estimate

DEFINITION = (
    "answered by us: a touch done, or the first answer to a ticket, after the feedback and within {days} days, for the same "
    "person or the whole account; younger feedback is not counted, answered or not. Sentiment after: the next "
    "answer of the same person (or of nobody in particular, of the account) to the same question, less this one, in points of 100; "
    "observed, not caused"
)


@dataclass(frozen=True)
class Kind:
    """Feedback of one kind. ``waiting`` is younger than the days in which it is to be answered. ``after`` and ``after_silence`` are how
    the next answer differs where we answered and where we did not, in points of 100; None: nobody has answered again.
    """

    kind: str
    closed: Share
    waiting: int
    days: Estimate | None
    after: Estimate | None
    after_silence: Estimate | None
    again: int = 0
    again_silence: int = 0

    def as_dict(self) -> dict[str, Any]:
        numbers = {name: told(getattr(self, name)) for name in ("days", "after", "after_silence")}
        return vars(self) | numbers | {"closed": self.closed.as_dict()}


@dataclass(frozen=True)
class Open:
    """Feedback after which nothing was done at all, ``age`` days old."""

    account: str
    contact: str | None
    owner: str | None
    kind: str
    at: datetime
    age: float

    def as_dict(self) -> dict[str, Any]:
        return vars(self) | {"at": self.at.isoformat()}


@dataclass(frozen=True)
class Loop:
    """All feedback of the period, then each kind of which there is any; and what is still open, the oldest first."""

    answer_days: int
    kinds: list[Kind]
    open: list[Open]

    @property
    def owners(self) -> dict[str | None, list[Open]]:
        """Owner → what is open with them, who has most first."""
        each: dict[str | None, list[Open]] = defaultdict(list)
        for one in self.open:
            each[one.owner].append(one)
        return dict(sorted(each.items(), key=lambda item: (-len(item[1]), item[0] or "")))

    def as_dict(self) -> dict[str, Any]:
        by_owner = [
            {"owner": owner, "open": len(those), "oldest": max(one.age for one in those)}
            for owner, those in self.owners.items()
        ]
        return {
            "kinds": [kind.as_dict() for kind in self.kinds],
            "owners": by_owner,
            "open": [one.as_dict() for one in self.open],
            "definition": DEFINITION.format(days=self.answer_days),
        }


@dataclass(frozen=True)
class _Case:
    answer: Answer
    closed: bool
    due: bool
    days: float | None
    change: float | None


def loop(
    rows: Sequence[Followed], now: datetime, answer_days: int, owners: Mapping[str, str | None], draws: Bootstrap
) -> Loop:
    """From all feedback of a period with what followed, as of the instant ``now``."""
    later = _later([row.answer for row in rows])
    cases = [_case(row, now, answer_days, later) for row in rows]
    kinds = [_kind("all", cases, draws)]
    kinds += [_kind(name, [case for case in cases if case.answer.kind == name], draws) for name in KINDS]
    still = [
        Open(one.account, one.contact, owners.get(one.account), one.kind, one.at, (now - one.at) / timedelta(days=1))
        for one in (row.answer for row in rows if row.by is None)
    ]
    return Loop(answer_days, [kind for kind in kinds if kind.closed.of or kind.waiting], sorted(still, key=_oldest))


def _oldest(one: Open) -> tuple[float, str, str]:
    return (-one.age, one.account, one.contact or "")


def _later(answers: Sequence[Answer]) -> dict[tuple[str, str | None, str], list[Answer]]:
    """Answers of the same person to the same question, in the order of time."""
    each: dict[tuple[str, str | None, str], list[Answer]] = defaultdict(list)
    for one in sorted(answers, key=lambda one: one.at):
        each[one.account, one.contact, one.instrument].append(one)
    return each


def _case(
    row: Followed, now: datetime, answer_days: int, later: Mapping[tuple[str, str | None, str], Sequence[Answer]]
) -> _Case:
    answer, days = row.answer, row.days
    closed = days is not None and days <= answer_days
    since = row.by.at if closed and row.by is not None else answer.at
    again = next((one for one in later[answer.account, answer.contact, answer.instrument] if one.at > since), None)
    change = None if again is None else 100 * (again.mood - answer.mood)
    return _Case(answer, closed, now - answer.at > timedelta(days=answer_days), days if closed else None, change)


def _kind(name: str, cases: Sequence[_Case], draws: Bootstrap) -> Kind:
    known = [case for case in cases if case.due]
    of = [case.answer.account for case in known]
    days = [(case.days, case.answer.account) for case in known if case.days is not None]
    found = Kind(name, share([case.closed for case in known], of), len(cases) - len(known), None, None, None)
    after, silence = (
        [(case.change, case.answer.account) for case in known if case.closed is closed and case.change is not None]
        for closed in (True, False)
    )
    return replace(
        found,
        days=draws.median(*_columns(days)),
        after=draws.mean(*_columns(after)),
        after_silence=draws.mean(*_columns(silence)),
        again=len(after),
        again_silence=len(silence),
    )


def _columns(rows: Sequence[tuple[float, str]]) -> tuple[list[float], list[str]]:
    return [value for value, _ in rows], [account for _, account in rows]
