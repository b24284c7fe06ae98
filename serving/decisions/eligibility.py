"""Who may be asked to speak up for us: rules, each of which says what it objects to and when that is over.

A new rule is one function and its entry in ``RULES``. Each looks at what is known of an account as of a day.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from features.settings.decisions import Asks
from serving.decisions.asks import Ask

YEAR = 365


@dataclass(frozen=True)
class Facing:
    """What is known of an account as of a day: ``row`` are its features (null where not known), ``risk`` the probability
    that it leaves (None where no model says), ``asks`` all asks of it so far.
    """

    account: str
    day: date
    row: Mapping[str, float | None]
    risk: float | None
    asks: Sequence[Ask] = ()
    opted_out: bool = False


@dataclass(frozen=True)
class Objection:
    """A rule that an account does not meet, in words, and the earliest day on which it will; None where nobody knows."""

    rule: str
    words: str
    clears: date | None = None

    def as_dict(self) -> dict[str, Any]:
        return {"rule": self.rule, "words": self.words, "clears": None if self.clears is None else str(self.clears)}


@dataclass(frozen=True)
class Eligibility:
    """Whether an account may be asked, and what speaks against it. ``clears`` is the earliest day on which nothing does,
    as far as can be foreseen; None where that takes more than time.
    """

    account: str
    objections: list[Objection] = field(default_factory=list)

    @property
    def eligible(self) -> bool:
        return not self.objections

    @property
    def clears(self) -> date | None:
        days = [one.clears for one in self.objections]
        return max((day for day in days if day is not None), default=None) if None not in days else None

    def as_dict(self) -> dict[str, Any]:
        return {
            "account": self.account,
            "eligible": self.eligible,
            "clears": None if self.clears is None else str(self.clears),
            "objections": [one.as_dict() for one in self.objections],
        }


Said = tuple[str, date | None] | None
Rule = Callable[[Facing, Asks], Said]


def eligibility(facing: Facing, terms: Asks) -> Eligibility:
    """Every rule that an account does not meet, in the order in which they are declared."""
    said = {name: rule(facing, terms) for name, rule in RULES.items()}
    return Eligibility(facing.account, [Objection(name, *found) for name, found in said.items() if found is not None])


def _risk(facing: Facing, terms: Asks) -> Said:
    """Nobody is asked for a favour who may be about to leave. No setting turns this off."""
    if facing.risk is None or facing.risk < terms.risk:
        return None
    return f"it may leave: {facing.risk:.0%}, and nobody is asked from {terms.risk:.0%} on", None


def _notice(facing: Facing, terms: Asks) -> Said:
    return None if not facing.row.get("notice_given") else ("notice has been given", None)


def _opted_out(facing: Facing, terms: Asks) -> Said:
    return ("has asked to be left alone", None) if facing.opted_out else None


def _tenure(facing: Facing, terms: Asks) -> Said:
    days = facing.row.get("tenure_days")
    if days is None or days >= terms.tenure_days:
        return None
    clears = facing.day + timedelta(days=int(terms.tenure_days - days))
    return f"an account for {days:.0f} days, and it takes {terms.tenure_days}", clears


def _escalation(facing: Facing, terms: Asks) -> Said:
    count = facing.row.get("tickets_escalated_open")
    return (f"{count:.0f} escalations are open", None) if count else None


def _unhappy(facing: Facing, terms: Asks) -> Said:
    """Who has told us lately that they are unhappy is helped first."""
    score = facing.row.get("nps_last")
    return (f"the last NPS answer was {score:.0f}", None) if score is not None and score <= 6 else None


def _renewal(facing: Facing, terms: Asks) -> Said:
    days = facing.row.get("days_to_renewal")
    if days is None or days >= terms.renewal_days:
        return None
    return f"a term ends in {days:.0f} days", facing.day + timedelta(days=int(days) + 1)


def _asked(facing: Facing, terms: Asks) -> Said:
    last = max((ask.asked for ask in facing.asks), default=None)
    return _rest(facing, last, terms.rest_days, "was asked")


def _declined(facing: Facing, terms: Asks) -> Said:
    last = max((ask.declined for ask in facing.asks if ask.declined), default=None)
    return _rest(facing, last, terms.declined_rest_days, "declined")


def _budget(facing: Facing, terms: Asks) -> Said:
    """One budget for all teams: the oldest of so many asks must be a year ago."""
    days = sorted(ask.asked for ask in lately(facing.asks, facing.day))
    if len(days) < terms.per_year:
        return None
    clears = days[len(days) - terms.per_year] + timedelta(days=YEAR)
    return f"was asked {len(days)} times in a year, and {terms.per_year} are enough", clears


def _open(facing: Facing, terms: Asks) -> Said:
    waiting = [ask for ask in facing.asks if ask.open and not unheard(ask, facing.day, terms)]
    if not waiting:
        return None
    last = max(waiting, key=lambda ask: ask.asked)
    return f"{last.state} for a {last.kind} on {last.asked}, which is not over", None


def _rest(facing: Facing, last: date | None, days: int, what: str) -> Said:
    if last is None or facing.day >= last + timedelta(days=days):
        return None
    clears = last + timedelta(days=days)
    return f"{what} on {last}; {days} days of rest", clears


def lately(asks: Sequence[Ask], day: date) -> list[Ask]:
    """Those of the year before a day, which the budget counts."""
    return [ask for ask in asks if ask.asked > day - timedelta(days=YEAR)]


def unheard(ask: Ask, day: date, terms: Asks) -> bool:
    """Nobody answered for so long that nobody will."""
    return day >= ask.asked + timedelta(days=terms.rest_days)


RULES: dict[str, Rule] = {
    "risk": _risk,
    "notice": _notice,
    "opted out": _opted_out,
    "tenure": _tenure,
    "escalation": _escalation,
    "unhappy": _unhappy,
    "renewal": _renewal,
    "open ask": _open,
    "asked lately": _asked,
    "declined lately": _declined,
    "budget": _budget,
}
