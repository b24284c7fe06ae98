"""What calls for somebody's attention. A new alert is one function and its entry in ``RULES``.

Each rule looks at what is known of a customer as of a day and names the fact that caused it. The same fact raises an alert
once, however often the rules are run; another one raises another.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from features.settings.alerts import Alerts
from serving.decisions.customer import Customer
from serving.decisions.happened import Answer, Followed
from serving.decisions.whom import WEIGHT
from serving.stores.log import digest

HEAVIEST = max(WEIGHT.values())
INFLUENTIAL = WEIGHT["influencer"]
"""From this weight of a role on, what somebody says moves others."""


@dataclass(frozen=True)
class Cause:
    """A fact that calls for somebody: what identifies it, since when, in words, by when something is to be done."""

    fact: str
    since: date
    words: str
    deadline: date
    contact: str | None = None


@dataclass(frozen=True)
class Rule:
    """``needs`` are the tables without which the rule cannot be judged."""

    find: Callable[[Customer, Alerts], Iterable[Cause]]
    needs: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """A cause of an account, as a rule found it."""

    rule: str
    account: str
    cause: Cause

    def alert(self, times: int = 0) -> str:
        """The same for the same cause, always. ``times``: how often it was gone and has come back."""
        again = f"-{times + 1}" if times else ""
        return f"a-{digest(self.rule, self.account, self.cause.fact)[:12]}{again}"


def found(customers: Iterable[Customer], terms: Alerts, rules: Iterable[str]) -> list[Found]:
    """Everything that the named rules find, by account and in the order of the rules."""
    names = list(rules)
    return [
        Found(name, customer.account, cause)
        for customer in customers
        for name in names
        for cause in RULES[name].find(customer, terms)
    ]


def _dissatisfied_influencer(customer: Customer, terms: Alerts) -> Iterator[Cause]:
    """Influence by role × ARR × dissatisfaction of the last answer, in median ARRs of the customers."""
    if customer.arr is None or not customer.median_arr:
        return
    size = customer.arr / customer.median_arr
    for row in customer.last_answers():
        answer, person = row.answer, customer.person(row.answer.contact)
        if person is None or not dissatisfied(answer, terms) or customer.age(answer.at) >= terms.recent_days:
            continue
        weight = WEIGHT["champion"] if person.champion_contact else WEIGHT.get(person.role, 1)
        stake = weight / HEAVIEST * size * (1 - answer.mood)
        if weight < INFLUENTIAL or stake < terms.stake:
            continue
        role = "champion contact" if person.champion_contact else person.role
        yield Cause(
            _of(answer),
            customer.on(answer.at),
            f"{person.contact}, {role}, answered {_said(answer)} on {customer.on(answer.at)}; "
            f"ARR is {size:.1f} times the median; {_since(row, customer)}",
            customer.on(answer.at) + timedelta(days=terms.deadline_days),
            person.contact,
        )


def _champion_left(customer: Customer, terms: Alerts) -> Iterator[Cause]:
    """A champion contact who left lately, unless another one has joined since."""
    champions = [one for one in customer.contacts if one.champion_contact]
    for gone in champions:
        if gone.left is None or customer.age(gone.left) >= terms.recent_days:
            continue
        left = gone.left
        if any(one.left is None and one.joined is not None and one.joined > left for one in champions):
            continue
        there = next((one for one in champions if one.left is None), None)
        successor = (
            "nobody has taken their place" if there is None else f"{there.contact} is a champion contact there too"
        )
        yield Cause(
            f"{gone.contact} {left.isoformat()}",
            customer.on(left),
            f"champion contact {gone.contact} left on {customer.on(left)}; {successor}",
            customer.on(left) + timedelta(days=terms.deadline_days),
            gone.contact,
        )


def _unanswered_detractor(customer: Customer, terms: Alerts) -> Iterator[Cause]:
    """A detractor after whose answer nothing was done for so many days, and nothing has been since."""
    for row in customer.answers:
        answer = row.answer
        waited = customer.age(answer.at)
        if answer.kind != "detractor" or row.by is not None:
            continue
        if not terms.unanswered_days <= waited < terms.recent_days:
            continue
        over = customer.on(answer.at) + timedelta(days=terms.unanswered_days)
        yield Cause(
            _of(answer),
            customer.on(answer.at),
            f"{answer.contact or 'somebody'} answered {_said(answer)} on {customer.on(answer.at)}; nothing done in {waited} days",
            over + timedelta(days=terms.deadline_days),
            answer.contact,
        )


def _renewal_at_risk(customer: Customer, terms: Alerts) -> Iterator[Cause]:
    """A term that ends within the lead time, of an account that the model or a sign says is at risk."""
    if customer.ends is None or not 0 <= (left := (customer.ends - customer.day).days) <= terms.renewal_days:
        return
    signs = list(_signs(customer, terms))
    if signs:
        halfway = customer.ends - timedelta(days=terms.renewal_days // 2)
        yield Cause(
            customer.ends.isoformat(),
            customer.ends - timedelta(days=terms.renewal_days),
            f"the term ends on {customer.ends}, in {left} days; {'; '.join(signs)}",
            halfway if halfway > customer.day else customer.ends,
        )


def _signs(customer: Customer, terms: Alerts) -> Iterator[str]:
    if customer.risk is not None and customer.risk >= terms.renewal_risk:
        yield f"it leaves with {customer.risk:.0%}, as of {customer.scored}"
    if customer.escalations:
        yield f"open escalations: {customer.escalations:.0f}"
    last = customer.answers[-1].answer if customer.answers else None
    if last is not None and dissatisfied(last, terms) and customer.age(last.at) < terms.recent_days:
        yield f"the last answer was {_said(last)}, on {customer.on(last.at)}"
    for cause in _champion_left(customer, terms):
        yield cause.words


def _advocate_turning(customer: Customer, terms: Alerts) -> Iterator[Cause]:
    """Somebody who acted for us, and whose risk has risen to the bound or whose mood has turned since."""
    done = [act.done for act in customer.acts if act.done is not None]
    done = [day for day in done if (customer.day - day).days < terms.advocate_days]

    def acted(by: date) -> str:
        """Their last act by then; nothing where there was none."""
        last = max((day for day in done if day <= by), default=None)
        return f"acted for us on {last}" if last else ""

    turned = customer.risen
    if turned is not None and customer.risk is not None and acted(turned):
        yield Cause(
            f"risk {turned}",
            turned,
            f"{acted(turned)}; the chance that it leaves is {customer.risk:.0%}, "
            f"and has been at {terms.renewal_risk:.0%} or more since {turned}",
            turned + timedelta(days=terms.deadline_days),
        )
    for last in (row.answer for row in customer.last_answers()):
        on = customer.on(last.at)
        before = [row.answer for row in customer.answers if _same(row.answer, last) and row.answer.at < last.at]
        fell = before and not dissatisfied(before[-1], terms) and dissatisfied(last, terms)
        if fell and acted(on) and customer.age(last.at) < terms.recent_days:
            yield Cause(
                _of(last),
                on,
                f"{acted(on)}; {last.contact or 'somebody'} answered {_said(last)} on {on}, {_said(before[-1])} before",
                on + timedelta(days=terms.deadline_days),
                last.contact,
            )


def dissatisfied(answer: Answer, terms: Alerts) -> bool:
    """Detractors, and answers to other questions that are low on their scale."""
    return answer.kind == "detractor" or (answer.kind == "other" and answer.mood <= terms.dissatisfied)


def _since(row: Followed, customer: Customer) -> str:
    return "nothing done since" if row.by is None else f"{row.by.what} on {customer.on(row.by.at)} since"


def _same(one: Answer, other: Answer) -> bool:
    """Of the same person, to the same question."""
    return (one.contact, one.instrument) == (other.contact, other.instrument)


RULES: dict[str, Rule] = {
    "dissatisfied influencer": Rule(_dissatisfied_influencer, ("feedback", "contacts", "contracts")),
    "champion contact left": Rule(_champion_left, ("contacts",)),
    "unanswered detractor": Rule(_unanswered_detractor, ("feedback", "outreach or tickets")),
    "renewal at risk": Rule(_renewal_at_risk, ("contracts",)),
    "advocate turning": Rule(_advocate_turning, ("advocacy",)),
}


def severity(arr: float | None, everybody: Sequence[float]) -> str:
    """*high* for the fifth of customers with most ARR, *medium* for the rest of the upper half, else *low*; *unknown* where
    ARR is not known. It does not depend on the currency. ``everybody`` comes with the least first.
    """
    if arr is None or not everybody:
        return "unknown"
    more = (len(everybody) - bisect_right(everybody, arr)) / len(everybody)
    return "high" if more < 0.2 else "medium" if more < 0.5 else "low"


def _of(answer: Answer) -> str:
    """What identifies an answer."""
    return f"{answer.contact or ''} {answer.instrument} {answer.at.isoformat()}"


def _said(answer: Answer) -> str:
    return f"{answer.instrument} {answer.score:g} of {answer.scale:g}"
