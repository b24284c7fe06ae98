"""What a state takes, worked by hand; and that nobody is lost on the way from one month to the next."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.settings.states import States
from serving.decisions import states
from serving.decisions.states import (
    AT_RISK,
    CONTINUUM,
    GONE,
    NEW,
    NOT_YET,
    Seen,
    Verdict,
    matrix,
    standing,
    transitions,
)

TERMS = States(usage_days=90, usual_days=360, noise=0.1, expectation=80)
PLAIN: dict[str, float | None] = {
    "notice_given": 0, "nps_lately": 8, "use": 100, "use_before": 400, "use_age": 450, "answers": 70,
    "answers_usual": 70, "signed_days": 1, "signed_days_recency": 400, "acts": 0, "acts_recency": None,
}  # fmt: skip
"""Used it 400 times in 360 days, so 100 times in 90; answers as it always did; bought once, never acted."""


def verdict(state: str, row: dict[str, float | None], leaves: float | None = None, terms: States = TERMS) -> Verdict:
    found = standing(Seen("a", row, leaves), terms)
    return next(one for one in found.verdicts if one.state == state)


@pytest.mark.parametrize(
    ("changed", "met"),
    [
        ({}, True),
        ({"use": 90}, True),  # a tenth below its usual of 100 is noise
        ({"use": 89}, False),
        ({"answers": 63}, True),
        ({"answers": 62.9}, False),
        ({"use": 0, "use_before": 0}, False),  # nothing used proves nothing, however little is usual
        ({"use_age": None, "use": 0, "use_before": 0}, False),
        ({"use_age": 179}, None),  # 89 days before the last 90 are too few to know what is usual
        ({"use_age": 180, "use": 90, "use_before": 100}, True),  # 100 times in 90 days
        ({"use_age": 180, "use": 89, "use_before": 100}, False),
        ({"answers": None}, None),
        ({"answers_usual": None}, None),
        ({"answers_usual": None, "use": 10}, False),  # whatever they think
    ],
)
def test_satisfied_is_use_and_answers_at_the_accounts_own_usual(
    changed: dict[str, float | None], met: bool | None
) -> None:
    assert verdict("satisfied", PLAIN | changed).met is met


@pytest.mark.parametrize(
    ("changed", "met"),
    [
        ({"signed_days": 2, "answers": 81}, True),
        ({"signed_days": 2, "answers": 80}, False),  # as expected is not above
        ({"signed_days": 9, "answers": 20}, False),  # that it renews again and again makes nobody loyal
        ({"signed_days": 9, "answers": None}, None),
        ({"signed_days": 1, "answers": 100}, False),
    ],
)
def test_loyal_is_bought_again_and_above_expectation(changed: dict[str, float | None], met: bool | None) -> None:
    assert verdict("loyal", PLAIN | changed).met is met


def test_without_contracts_invoices_tell_who_bought_again() -> None:
    row = {name: n for name, n in PLAIN.items() if not name.startswith("signed")} | {"answers": 90.0}
    assert verdict("loyal", row).met is None
    assert verdict("loyal", row | {"invoice_days": 3, "invoice_days_recency": 20}).met is True
    assert verdict("loyal", row | {"invoice_days": 1, "invoice_days_recency": 20}).met is False
    assert (
        verdict("loyal", row | {"invoice_days": 0, "invoice_days_recency": None}).evidence[0].words.endswith("so far")
    )


def test_an_advocate_has_acted() -> None:
    assert verdict("advocate", PLAIN).met is False
    acted = verdict("advocate", PLAIN | {"acts": 2, "acts_recency": 40.4})
    assert acted.met is True
    assert acted.words == "met: act met, 2 acts of advocacy in the last 365 days, the last 40 days ago"


@pytest.mark.parametrize(
    ("changed", "leaves", "met", "rules"),
    [
        ({}, 0.2, True, ["score"]),
        ({}, 0.19, False, ["score"]),
        ({"nps_lately": 0, "use": 0}, 0.19, False, ["score"]),  # the score decides where there is one
        ({"notice_given": 1}, 0.01, True, ["score", "notice"]),  # but for notice
        ({}, None, False, ["notice", "NPS", "little use"]),
        ({"notice_given": 1}, None, True, ["notice", "NPS", "little use"]),
        ({"nps_lately": 6}, None, True, ["notice", "NPS", "little use"]),
        ({"nps_lately": None}, None, None, ["notice", "NPS", "little use"]),
        ({"nps_lately": None, "use": 49}, None, True, ["notice", "NPS", "little use"]),
        ({"use": 50}, None, False, ["notice", "NPS", "little use"]),
    ],
)
def test_risk_is_told_by_the_score_or_else_by_signs(
    changed: dict[str, float | None], leaves: float | None, met: bool | None, rules: list[str]
) -> None:
    found = verdict(AT_RISK, PLAIN | changed, leaves)
    assert (found.met, [one.rule for one in found.evidence]) == (met, rules)


def test_an_account_is_at_risk_or_else_where_it_has_come_furthest() -> None:
    everything = PLAIN | {"acts": 1, "acts_recency": 9, "signed_days": 2, "answers": 90}
    steps: list[tuple[dict[str, float | None], float, str, str]] = [
        (PLAIN | {"use": 0}, 0.1, NOT_YET, NOT_YET),
        (PLAIN, 0.1, "satisfied", "satisfied"),
        (PLAIN | {"signed_days": 2, "answers": 90}, 0.1, "loyal", "loyal"),
        (everything, 0.1, "advocate", "advocate"),
        (everything, 0.9, AT_RISK, "advocate"),
        (PLAIN | {"use": 0}, 0.9, AT_RISK, NOT_YET),
    ]
    for row, leaves, state, stage in steps:
        found = standing(Seen("a", row, leaves), TERMS)
        assert (found.state, found.stage) == (state, stage)


def test_of_nothing_known_nothing_is_guessed() -> None:
    found = standing(Seen("a"), TERMS)
    assert found.state == NOT_YET
    assert [one.met for one in found.verdicts] == [None, None, None, None]
    assert all("not mapped" in one.words or "neither" in one.words for each in found.verdicts for one in each.evidence)


def test_every_bound_can_be_adjusted() -> None:
    """Each setting, changed, turns the verdict of some account."""
    turned: list[tuple[str, dict[str, float | None], float | None, dict[str, float]]] = [
        ("satisfied", {"use": 70}, 0.1, {"noise": 0.3}),
        ("loyal", {"signed_days": 2, "answers": 75}, 0.1, {"expectation": 70}),
        (AT_RISK, {}, 0.15, {"risk": 0.1}),
        (AT_RISK, {}, None, {"low_nps": 8}),
        (AT_RISK, {"use": 60}, None, {"little_use": 0.7}),
    ]
    for state, changed, leaves, bound in turned:
        adjusted = TERMS.model_copy(update=bound)
        assert verdict(state, PLAIN | changed, leaves).met is False
        assert verdict(state, PLAIN | changed, leaves, adjusted).met is True


def test_transitions_worked_by_hand() -> None:
    before = {"a": "satisfied", "b": "satisfied", "c": "loyal", "d": "at risk"}
    after = {"a": "loyal", "b": "satisfied", "c": "loyal", "e": "not yet"}
    counts = transitions(before, after)
    assert counts == {
        ("satisfied", "loyal"): 1,
        ("satisfied", "satisfied"): 1,
        ("loyal", "loyal"): 1,
        ("at risk", GONE): 1,
        (NEW, "not yet"): 1,
    }
    rows = matrix(counts)
    assert rows["satisfied"]["loyal"] == {"count": 1, "share": 0.5}
    assert rows["at risk"][GONE] == {"count": 1, "share": 1}
    assert rows["advocate"]["advocate"] == {"count": 0, "share": None}
    assert GONE not in rows[NEW]


where = st.dictionaries(st.text("abcdefgh", min_size=1, max_size=2), st.sampled_from(CONTINUUM), max_size=30)


@given(where, where)
def test_rows_sum_to_those_who_were_there_and_columns_to_those_who_are(
    before: dict[str, str], after: dict[str, str]
) -> None:
    rows = matrix(transitions(before, after))
    for state in CONTINUUM:
        there = sum(one == state for one in before.values())
        assert sum(cell["count"] or 0 for cell in rows[state].values()) == there
        assert sum(row[state]["count"] or 0 for row in rows.values()) == sum(one == state for one in after.values())
        assert sum(cell["share"] or 0 for cell in rows[state].values()) == pytest.approx(1 if there else 0)
    assert sum(row[GONE]["count"] or 0 for name, row in rows.items() if name != NEW) == len(
        before.keys() - after.keys()
    )


def test_every_state_of_the_continuum_but_one_is_defined() -> None:
    assert {one.state for one in states.DEFINITIONS} | {NOT_YET} == set(CONTINUUM)
