"""What an account has come to: satisfied, loyal, advocate; or at risk. Each state by rules that say what they saw.

A new rule is one function and its name in ``DEFINITIONS``, which is the only place that says what a state takes; the
bounds are those of ``[states]``. A rule is met, not met, or unknown: what nobody knows makes nobody satisfied or loyal.
That an account is still there is no rule of any state.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from features.settings.states import States

AT_RISK, ADVOCATE, LOYAL, SATISFIED, NOT_YET = "at risk", "advocate", "loyal", "satisfied", "not yet"
CONTINUUM = (NOT_YET, SATISFIED, LOYAL, ADVOCATE, AT_RISK)
NEW, GONE = "new", "gone"
MET = {True: "met", False: "not met", None: "unknown"}
SCORE, SIGNS = "score", "signs"
"""What risk is told by: the score stored for the date, or, where there is none, signs."""


@dataclass(frozen=True)
class Seen:
    """What was known of an account as of a date; but a score may be that of a model that has learnt since.

    ``row`` are its measures by name (``serving.work.customers``): null where nothing is known, absent where the table is not
    mapped. ``leaves`` and ``grows`` are probabilities of the scores stored for that date, None where there are none.
    """

    account: str
    row: Mapping[str, float | None] = field(default_factory=dict)
    leaves: float | None = None
    grows: float | None = None


@dataclass(frozen=True)
class Evidence:
    """What a rule saw, in words with the account's own numbers. ``met`` is None where nobody can tell."""

    rule: str
    met: bool | None
    words: str

    def as_dict(self) -> dict[str, Any]:
        return dict(vars(self))


Rule = Callable[[Seen, States], Evidence | None]


@dataclass(frozen=True)
class Definition:
    """A state, and the rules of which it takes all, or any. A rule that says nothing (None) has no say."""

    state: str
    takes: Literal["all", "any"]
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class Verdict:
    """Whether an account is in a state, or whether that is unknown (None), with the evidence of each rule."""

    state: str
    met: bool | None
    evidence: tuple[Evidence, ...]

    @property
    def words(self) -> str:
        """The verdict and its evidence as one sentence."""
        return f"{MET[self.met]}: {'; '.join(f'{one.rule} {MET[one.met]}, {one.words}' for one in self.evidence)}"

    def as_dict(self) -> dict[str, Any]:
        return {"state": self.state, "met": self.met, "evidence": [one.as_dict() for one in self.evidence]}


@dataclass(frozen=True)
class Standing:
    """An account's ``state``: at risk if it is, else the furthest it has come; ``stage`` is how far that is, risk or not."""

    account: str
    state: str
    stage: str
    verdicts: tuple[Verdict, ...]

    def as_dict(self) -> dict[str, Any]:
        told = [verdict.as_dict() for verdict in self.verdicts]
        return {"account": self.account, "state": self.state, "stage": self.stage, "verdicts": told}


def standing(seen: Seen, terms: States) -> Standing:
    """Where an account stands by what was known of it."""
    verdicts = tuple(_judged(definition, seen, terms) for definition in DEFINITIONS)
    met = [verdict.state for verdict in verdicts if verdict.met]
    stage = next((state for state in met if state != AT_RISK), NOT_YET)
    return Standing(seen.account, met[0] if met else NOT_YET, stage, verdicts)


def transitions(before: Mapping[str, str], after: Mapping[str, str]) -> Counter[tuple[str, str]]:
    """How many accounts went from which state to which; who was not there before is new, who is no longer there is gone."""
    return Counter((before.get(one, NEW), after.get(one, GONE)) for one in before.keys() | after.keys())


def matrix(counts: Mapping[tuple[str, str], int]) -> dict[str, dict[str, dict[str, float | None]]]:
    """From → to → count, and share of all who were in that state before; null where nobody was."""
    rows: dict[str, dict[str, dict[str, float | None]]] = {}
    for before in (*CONTINUUM, NEW):
        of = sum(counts.get((before, after), 0) for after in (*CONTINUUM, GONE))
        rows[before] = {}
        for after in (*CONTINUUM, *((GONE,) if before != NEW else ())):
            count = counts.get((before, after), 0)
            rows[before][after] = {"count": count, "share": count / of if of else None}
    return rows


def _judged(definition: Definition, seen: Seen, terms: States) -> Verdict:
    said = tuple(one for rule in definition.rules if (one := rule(seen, terms)) is not None)
    decides = definition.takes == "any"
    answers = [one.met for one in said]
    met = decides if decides in answers else None if None in answers or not answers else not decides
    return Verdict(definition.state, met, said)


def _score(seen: Seen, terms: States) -> Evidence | None:
    if seen.leaves is None:
        return None
    words = f"leaves with a probability of {seen.leaves:.0%}; at risk from {terms.risk:.0%} on"
    return Evidence(SCORE, seen.leaves >= terms.risk, words)


def _notice(seen: Seen, terms: States) -> Evidence | None:
    if (unmapped := _unmapped("notice", seen, "notice_given", "contracts with cancelled")) is not None:
        return None if seen.leaves is not None else unmapped
    given = bool(seen.row["notice_given"])
    if seen.leaves is not None and not given:
        return None
    return Evidence("notice", given, "notice has been given" if given else "no notice has been given")


def _low_nps(seen: Seen, terms: States) -> Evidence | None:
    if seen.leaves is not None:
        return None
    if (unmapped := _unmapped("NPS", seen, "nps_lately", "feedback")) is not None:
        return unmapped
    score = seen.row["nps_lately"]
    if score is None:
        return Evidence("NPS", None, f"no NPS answer in the last {terms.feedback_days} days")
    return Evidence("NPS", score <= terms.low_nps, f"last NPS answer {score:g}; low is {terms.low_nps:g} or less")


def _little_use(seen: Seen, terms: States) -> Evidence | None:
    if seen.leaves is not None:
        return None
    usual, said = _usual("little use", seen, terms)
    if usual is None:
        return said
    words = f"{said.words}; far below is less than {terms.little_use:.0%} of it"
    return Evidence("little use", _number(seen, "use") < terms.little_use * usual, words)


def _use(seen: Seen, terms: States) -> Evidence:
    """Value is proven by use at the account's own usual; nothing used proves nothing."""
    usual, said = _usual("use", seen, terms)
    if usual is None:
        return said
    lately = _number(seen, "use")
    return Evidence("use", lately > 0 and lately >= (1 - terms.noise) * usual, f"{said.words}; {_at_usual(terms)}")


def _feedback(seen: Seen, terms: States) -> Evidence:
    if (unmapped := _unmapped("feedback", seen, "answers", "feedback")) is not None:
        return unmapped
    lately, usual = seen.row["answers"], seen.row["answers_usual"]
    if lately is None:
        return _no_answer("feedback", terms)
    told = f"answers at {lately:.0f} of 100 in the last {terms.feedback_days} days"
    if usual is None:
        return Evidence("feedback", None, f"{told}, and none in the {terms.usual_days} days before to compare with")
    return Evidence("feedback", lately >= (1 - terms.noise) * usual, f"{told}, usually {usual:.0f}; {_at_usual(terms)}")


def _renewed(seen: Seen, terms: States) -> Evidence:
    """Bought again: signatures on different days; where contracts are not mapped, invoices of different days."""
    for name, done in (("signed_days", "signed"), ("invoice_days", "was invoiced")):
        if name in seen.row:
            days = _number(seen, name)
            last = f"the last {_days(_number(seen, f'{name}_recency'))} ago"
            words = f"{done} on {days:.0f} different days, {last}" if days > 1 else f"{done} on one day only"
            return Evidence("bought again", days > 1, words if days else f"{done} on no day so far")
    return Evidence("bought again", None, "neither contracts nor invoices are mapped")


def _expectation(seen: Seen, terms: States) -> Evidence:
    if (unmapped := _unmapped("above expectation", seen, "answers", "feedback")) is not None:
        return unmapped
    lately = seen.row["answers"]
    if lately is None:
        return _no_answer("above expectation", terms)
    told = f"answers at {lately:.0f} of 100 in the last {terms.feedback_days} days"
    return Evidence("above expectation", lately > terms.expectation, f"{told}; expected is {terms.expectation:g}")


def _act(seen: Seen, terms: States) -> Evidence:
    if (unmapped := _unmapped("act", seen, "acts", "advocacy")) is not None:
        return unmapped
    acts = _number(seen, "acts")
    if not acts:
        return Evidence("act", False, f"no act of advocacy in the last {terms.act_days} days")
    told = "1 act" if acts == 1 else f"{acts:.0f} acts"
    last = _days(_number(seen, "acts_recency"))
    return Evidence("act", True, f"{told} of advocacy in the last {terms.act_days} days, the last {last} ago")


def _usual(rule: str, seen: Seen, terms: States) -> tuple[float | None, Evidence]:
    """How much would be used lately at the account's own pace of the days before; None where there is too little past."""
    if (unmapped := _unmapped(rule, seen, "use", "usage")) is not None:
        return None, unmapped
    lately, age = _number(seen, "use"), seen.row["use_age"]
    told = f"used it {'once' if lately == 1 else f'{lately:,.0f} times'} in the last {terms.usage_days} days"
    if age is None:
        return None, Evidence(rule, False, "has never used it")
    past = min(age - terms.usage_days, terms.usual_days)
    if past < min(terms.usage_days, terms.usual_days):
        return None, Evidence(rule, None, f"{told}, first {age:.0f} days ago: too little past to know its usual")
    usual = _number(seen, "use_before") / past * terms.usage_days
    return usual, Evidence(rule, None, f"{told}, usually {usual:,.0f}")


def _at_usual(terms: States) -> str:
    return f"at its usual from {1 - terms.noise:.0%} of it on"


def _days(number: float) -> str:
    return "1 day" if round(number) == 1 else f"{number:.0f} days"


def _no_answer(rule: str, terms: States) -> Evidence:
    return Evidence(rule, None, f"no answer in the last {terms.feedback_days} days")


def _unmapped(rule: str, seen: Seen, name: str, table: str) -> Evidence | None:
    return None if name in seen.row else Evidence(rule, None, f"not known here: {table} is not mapped")


def _number(seen: Seen, name: str) -> float:
    return seen.row.get(name) or 0.0


DEFINITIONS: tuple[Definition, ...] = (
    Definition(AT_RISK, "any", (_score, _notice, _low_nps, _little_use)),
    Definition(ADVOCATE, "all", (_act,)),
    Definition(LOYAL, "all", (_renewed, _expectation)),
    Definition(SATISFIED, "all", (_use, _feedback)),
)
"""Risk first, then the furthest: an account is in the first of these that it meets."""
