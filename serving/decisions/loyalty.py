"""Truly loyal, accessible, trapped, high risk: what they think of us × what they mean to do. And risk × growth.

That an account stays says nothing about what it thinks: without an answer its attitude is unknown, and is not guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from features.settings.states import States
from serving.decisions.states import Evidence, Seen

TRULY_LOYAL, ACCESSIBLE, TRAPPED, HIGH_RISK = "truly loyal", "accessible", "trapped", "high risk"
UNKNOWN = "unknown"
QUADRANTS = {(True, True): TRULY_LOYAL, (True, False): ACCESSIBLE, (False, True): TRAPPED, (False, False): HIGH_RISK}
"""By attitude and intent."""
LOYALTIES = (*QUADRANTS.values(), UNKNOWN)
RISKS = {True: "at risk", False: "safe", None: "risk unknown"}
GROWTHS = {True: "growing", False: "not growing", None: "growth unknown"}
CELLS = tuple(f"{risk}, {growth}" for risk in RISKS.values() for growth in GROWTHS.values())
MODEL, ARR_CHANGE = "model", "ARR against a year before"


@dataclass(frozen=True)
class Place:
    """A cell, and what speaks for either side of it."""

    name: str
    evidence: tuple[Evidence, Evidence]

    def as_dict(self) -> dict[str, Any]:
        return {"name": self.name, "evidence": [one.as_dict() for one in self.evidence]}


def loyalty(seen: Seen, terms: States) -> Place:
    """The quadrant of an account: unknown where its attitude or its intent is."""
    attitude, intent = _attitude(seen, terms), _intent(seen, terms)
    known = attitude.met is not None and intent.met is not None
    return Place(QUADRANTS[bool(attitude.met), bool(intent.met)] if known else UNKNOWN, (attitude, intent))


def business(seen: Seen, terms: States) -> Place:
    """The cell of an account in risk × growth, either of which may be unknown."""
    risk, growth = _risk(seen, terms), _growth(seen, terms)
    return Place(f"{RISKS[risk.met]}, {GROWTHS[growth.met]}", (risk, growth))


def _attitude(seen: Seen, terms: States) -> Evidence:
    answers = seen.row.get("answers")
    if answers is None:
        return Evidence("attitude", None, f"no answer in the last {terms.feedback_days} days")
    words = f"answers at {answers:.0f} of 100 in the last {terms.feedback_days} days; well from {terms.attitude:g} on"
    return Evidence("attitude", answers >= terms.attitude, words)


def _intent(seen: Seen, terms: States) -> Evidence:
    """Stated by notice, or as modelled."""
    if seen.row.get("notice_given"):
        return Evidence("intent", False, "has given notice")
    if seen.leaves is None:
        return Evidence("intent", None, "no score is stored for that date")
    stays = 1 - seen.leaves
    return Evidence(
        "intent", stays >= terms.stay, f"stays with a probability of {stays:.0%}; means to from {terms.stay:.0%} on"
    )


def _risk(seen: Seen, terms: States) -> Evidence:
    if seen.row.get("notice_given"):
        return Evidence("risk", True, "has given notice")
    if seen.leaves is None:
        return Evidence("risk", None, "no score is stored for that date")
    return Evidence("risk", seen.leaves >= terms.risk, f"leaves with a probability of {seen.leaves:.0%}")


def _growth(seen: Seen, terms: States) -> Evidence:
    """Probability of expansion; where no model has said it, what ARR has done since a year before."""
    if seen.grows is not None:
        return Evidence(MODEL, seen.grows >= terms.expansion, f"expands with a probability of {seen.grows:.0%}")
    arr, before = seen.row.get("arr"), seen.row.get("arr_year_before")
    if arr is None or not before:
        return Evidence(ARR_CHANGE, None, "no ARR of a year before")
    return Evidence(ARR_CHANGE, arr / before >= terms.growth, f"ARR at {arr / before:.2f} times that of a year before")
