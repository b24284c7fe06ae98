"""Who may be asked: each rule at its boundary, with the day on which it clears; risk blocks whatever else is true."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.settings.decisions import Asks
from serving.decisions.asks import EFFORT, Ask
from serving.decisions.eligibility import RULES, Facing, eligibility

DAY = date(2026, 4, 1)
TERMS = Asks()
FINE = Facing(
    "a",
    DAY,
    {
        "tenure_days": 400.0,
        "tickets_escalated_open": 0.0,
        "nps_last": 9.0,
        "days_to_renewal": 200.0,
        "notice_given": 0.0,
    },
    0.05,
)


def ago(days: int) -> date:
    return DAY - timedelta(days=days)


def later(days: int) -> date:
    return DAY + timedelta(days=days)


def asked(days: int, **answer: date) -> Ask:
    return Ask(f"k-{days}", "a", "c1", "review", ago(days), **answer)


def row(**changed: float | None) -> dict[str, Any]:
    return {"row": {**FINE.row, **changed}}


CASES: dict[str, tuple[dict[str, Any], str, date | None]] = {
    "at the bound of risk": ({"risk": 0.2}, "risk", None),
    "notice": (row(notice_given=1.0), "notice", None),
    "opted out": ({"opted_out": True}, "opted out", None),
    "an account for 179 days": (row(tenure_days=179.0), "tenure", later(1)),
    "an open escalation": (row(tickets_escalated_open=2.0), "escalation", None),
    "a detractor": (row(nps_last=6.0), "unhappy", None),
    "a term ends in 29 days": (row(days_to_renewal=29.0), "renewal", later(30)),
    "an ask that waits": ({"asks": (asked(89),)}, "open ask", None),
    "asked 89 days ago": ({"asks": (asked(89, done=ago(80)),)}, "asked lately", later(1)),
    "declined 179 days ago": ({"asks": (asked(200, declined=ago(179)),)}, "declined lately", later(1)),
    "three asks within a year": (
        {"asks": tuple(asked(n, done=ago(n - 1)) for n in (100, 200, 364))},
        "budget",
        later(1),
    ),
}
"""What is not as it should be, the rule that says so, and the day on which it clears."""
PASSES: dict[str, dict[str, Any]] = {
    "all is well": {},
    "below the bound of risk": {"risk": 0.1999},
    "no model says anything of risk": {"risk": None},
    "an account for 180 days": row(tenure_days=180.0),
    "a term ends in 30 days": row(days_to_renewal=30.0),
    "a passive": row(nps_last=7.0),
    "an ask that nobody answered for 90 days": {"asks": (asked(90),)},
    "asked 90 days ago": {"asks": (asked(90, done=ago(80)),)},
    "declined 180 days ago": {"asks": (asked(200, declined=ago(180)),)},
    "two asks within a year, one before": {"asks": tuple(asked(n, done=ago(n - 1)) for n in (100, 200, 365))},
    "nothing is known": {"row": {}},
}


@pytest.mark.parametrize(("changed", "rule", "clears"), CASES.values(), ids=CASES)
def test_each_rule_objects_and_says_when_that_is_over(changed: dict[str, Any], rule: str, clears: date | None) -> None:
    found = eligibility(replace(FINE, **changed), TERMS)
    assert not found.eligible
    by = {one.rule: one for one in found.objections}
    assert by[rule].clears == clears
    assert by[rule].words


def test_every_rule_has_a_case() -> None:
    assert {rule for _, rule, _ in CASES.values()} == set(RULES)


@pytest.mark.parametrize("changed", PASSES.values(), ids=PASSES)
def test_who_meets_every_rule_may_be_asked(changed: dict[str, Any]) -> None:
    found = eligibility(replace(FINE, **changed), TERMS)
    assert (found.eligible, found.objections) == (True, [])


def test_the_earliest_day_is_that_of_the_last_rule_to_clear() -> None:
    both = replace(FINE, **row(tenure_days=170.0, days_to_renewal=20.0))
    assert eligibility(both, TERMS).clears == later(21)
    assert eligibility(replace(both, risk=0.9), TERMS).clears is None
    assert eligibility(FINE, TERMS).clears is None


@pytest.mark.parametrize("case", [name for name, (changed, _, clears) in CASES.items() if clears and "asks" in changed])
def test_on_the_day_on_which_it_clears_it_has_cleared_and_not_a_day_before(case: str) -> None:
    """Of what a date decides alone: asks stay where they are while the day moves on."""
    changed, rule, clears = CASES[case]
    assert clears is not None
    for day, objects in ((clears - timedelta(days=1), True), (clears, False)):
        facing = replace(FINE, day=day, **changed)
        assert (rule in {one.rule for one in eligibility(facing, TERMS).objections}) is objects


DAYS = st.integers(0, 800)
ANY_ASK = st.builds(
    lambda number, kind, when, answer, after: Ask(
        str(number),
        "a",
        "c1",
        kind,
        ago(when),
        **({answer: min(ago(when) + timedelta(days=after), DAY)} if answer else {}),
    ),
    st.integers(),
    st.sampled_from(sorted(EFFORT)),
    DAYS,
    st.sampled_from(["", "accepted", "declined", "done"]),
    DAYS,
)
ANY = st.builds(
    Facing,
    st.just("a"),
    st.just(DAY),
    st.dictionaries(st.sampled_from(sorted(FINE.row)), st.none() | st.floats(0, 1000)),
    st.none() | st.floats(0, 1),
    st.lists(ANY_ASK, max_size=6).map(tuple),
    st.booleans(),
)


@given(ANY, st.builds(Asks, risk=st.floats(0.01, 1), per_year=st.integers(1, 4), rest_days=st.integers(0, 200)))
def test_nobody_is_eligible_who_is_at_risk_or_exhausted(facing: Facing, terms: Asks) -> None:
    if not eligibility(facing, terms).eligible:
        return
    assert facing.risk is None or facing.risk < terms.risk
    assert not facing.opted_out
    assert sum(ask.asked > ago(365) for ask in facing.asks) < terms.per_year
    assert all(ask.asked + timedelta(days=terms.rest_days) <= DAY for ask in facing.asks)
