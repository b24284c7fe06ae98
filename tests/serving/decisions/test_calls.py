"""Whom to call: worked by hand, and what must hold whatever the accounts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.settings.decisions import Calls, Economics
from serving.decisions.calls import NOBODY, Candidate, Listed, Standing, blocked, listed, ranked

TODAY = date(2026, 4, 1)
TERMS = Economics(margin=0.5, save_rate=0.5, contact_cost=100, offer=0, arr=1000)
RULES = Calls(holdout=0)


def account(
    name: str, p: float | None, arr: float | None, owner: str | None = "ann", ends: float | None = 90
) -> Candidate:
    return Candidate(name, owner, p, arr, ends)


def names(found: Listed) -> list[str]:
    return [one.candidate.account for one in found.called]


def test_a_call_is_worth_what_it_saves_less_what_it_costs() -> None:
    """0.4 × 0.5 × (10,000 × 0.5) − 100 = 900; an account of unknown ARR counts as one of 1,000."""
    worth = [one.worth for one in ranked([account("big", 0.4, 10_000), account("unknown", 0.8, None)], TERMS)]
    assert worth == [pytest.approx(900), pytest.approx(0.8 * 0.5 * 500 - 100)]


def test_the_likeliest_to_leave_is_not_first_where_another_is_worth_more() -> None:
    found = listed([account("small", 0.9, 2000), account("big", 0.3, 50_000)], {}, TERMS, RULES, 2, TODAY, "draw")
    assert names(found) == ["big", "small"]


def test_what_fell_below_the_line_says_why() -> None:
    candidates = [
        account("a", 0.9, 9000),
        account("b", 0.8, 9000),
        account("c", 0.7, 9000, owner="bob"),
        account("d", 0.6, 9000, owner="cem"),
        account("e", 0.001, 900),
    ]
    found = listed(candidates, {}, TERMS, replace_rules(per_owner=1), 2, TODAY, "draw")
    assert names(found) == ["a", "c"]
    assert [(one.candidate.account, one.why_not) for one in found.below] == [
        ("b", "beyond the 1 of ann"),
        ("d", "beyond the 2 that can be called"),
        ("e", "a call is expected to cost more than it brings"),
    ]


STANDINGS = {
    "opted out": (Standing(opted_out=True), "opted out"),
    "planned": (Standing(planned=TODAY), "somebody is on it"),
    "planned long ago and forgotten": (Standing(planned=TODAY - timedelta(days=30)), ""),
    "touched yesterday": (Standing(touched=TODAY - timedelta(days=1)), "left in peace"),
    "the last quiet day": (Standing(touched=TODAY - timedelta(days=29)), "left in peace"),
    "quiet is over": (Standing(touched=TODAY - timedelta(days=30)), ""),
    "held out": (Standing(held_out=TODAY), "held out at random"),
    "held out before": (Standing(held_out=TODAY - timedelta(days=30)), ""),
    "nothing": (NOBODY, ""),
}


@pytest.mark.parametrize(("standing", "rule"), STANDINGS.values(), ids=STANDINGS)
def test_who_is_left_alone(standing: Standing, rule: str) -> None:
    said = blocked(standing, RULES, TODAY)
    assert said.split(":")[0] == rule
    found = listed([account("a", 0.9, 9000)], {"a": standing}, TERMS, RULES, 5, TODAY, "draw")
    assert names(found) == ([] if rule else ["a"])
    assert found.kept_back == ({"a": said} if rule else {})


def test_without_a_model_the_list_is_by_arr_and_renewal() -> None:
    candidates = [
        account("late", None, 5000, ends=200),
        account("soon", None, 5000, ends=20),
        account("large", None, 9000, ends=300),
        account("open-ended", None, 5000, ends=None),
        account("unknown", None, None),
    ]
    found = listed(candidates, {}, TERMS, RULES, 9, TODAY, "draw")
    assert names(found) == ["large", "soon", "late", "open-ended", "unknown"]
    assert {one.worth for one in found.called} == {None}


def test_one_of_ten_is_held_out_and_another_draw_holds_out_others() -> None:
    candidates = [account(f"a{number:03}", 0.5, 9000 + number) for number in range(100)]
    one, same, other = (
        listed(candidates, {}, TERMS, replace_rules(holdout=0.1), 45, TODAY, draw) for draw in ("one", "one", "other")
    )
    assert one == same
    assert set(one.held_out) != set(other.held_out)
    assert len(names(one)) == 45
    order = [one.account for one in reversed(candidates)]
    last = order.index(names(one)[-1])
    blocks = [set(order[start : start + 10]) for start in range(0, last - 9, 10)]
    assert [len(block & set(one.held_out)) for block in blocks] == [1] * len(blocks)


def test_few_are_held_out_as_often_as_many() -> None:
    """Three accounts, of which a tenth is held out: one of them on about 30 of 100 days, each of them on about 10."""
    candidates = [account(name, 0.5, 9000 + number) for number, name in enumerate("abc")]
    found = [
        listed(candidates, {}, TERMS, replace_rules(holdout=0.1), 45, TODAY, f"draw {n}").held_out for n in range(1000)
    ]
    for name in "abc":
        assert 70 <= sum(name in held_out for held_out in found) <= 130


def test_who_was_held_out_stays_so_until_it_is_known_what_came_of_it() -> None:
    held_out = Standing(held_out=TODAY - timedelta(days=89))
    assert blocked(held_out, RULES, TODAY, window=90) == f"held out at random: until {TODAY + timedelta(days=1)}"
    assert blocked(held_out, RULES, TODAY + timedelta(days=1), window=90) == ""


def test_who_is_called_again_before_the_window_is_over_is_not_drawn_anew() -> None:
    candidates = [account(f"a{number:02}", 0.5, 9000 + number) for number in range(20)]
    rules = replace_rules(holdout=0.5)
    open_, over = (
        {one.account: Standing(drawn=TODAY - timedelta(days=days)) for one in candidates} for days in (89, 90)
    )
    assert listed(candidates, open_, TERMS, rules, 20, TODAY, "draw", window=90).held_out == []
    assert len(listed(candidates, over, TERMS, rules, 20, TODAY, "draw", window=90).held_out) == 10


def test_who_would_not_have_been_called_is_not_held_out() -> None:
    """Of ann's accounts two are called; those of hers below would not have been, and are no measure of those called."""
    candidates = [account(f"a{number:02}", 0.5, 9000 + number) for number in range(20)]
    found = listed(candidates, {}, TERMS, replace_rules(holdout=0.5, per_owner=2), 20, TODAY, "draw")
    best = sorted(names(found) + found.held_out)
    assert len(names(found)) == 2
    assert best == sorted(one.account for one in candidates[::-1][: len(best)])


def test_what_a_call_was_learnt_to_do_takes_the_place_of_the_save_rate() -> None:
    """0.1 × (10,000 × 0.5) − 100 = 400; whoever a call drives away costs 0.1 × 5,000 + 100, and is not called."""
    candidates = [
        replace(account("saved", 0.4, 10_000), saved=0.1),
        replace(account("driven away", 0.9, 10_000), saved=-0.1),
        account("not learnt", 0.4, 10_000),
    ]
    assert [(one.candidate.account, one.worth) for one in ranked(candidates, TERMS)] == [
        ("not learnt", pytest.approx(900)),
        ("saved", pytest.approx(400)),
        ("driven away", pytest.approx(-600)),
    ]
    assert names(listed(candidates, {}, TERMS, RULES, 9, TODAY, "draw")) == ["not learnt", "saved"]


def replace_rules(**changed: object) -> Calls:
    return RULES.model_copy(update=changed)


MAYBE = st.none() | st.floats(0, 1e6)
CANDIDATES = st.lists(
    st.builds(
        Candidate,
        st.uuids().map(str),
        st.sampled_from([None, "ann", "bob"]),
        st.none() | st.floats(0, 1),
        MAYBE,
        MAYBE,
        st.none() | st.floats(-1, 1),
    ),
    max_size=60,
    unique_by=lambda one: one.account,
)
DAYS = st.none() | st.integers(-60, 60).map(lambda days: TODAY + timedelta(days=days))
RULE = st.builds(
    Calls,
    per_owner=st.none() | st.integers(1, 5),
    quiet_days=st.integers(0, 60),
    holdout=st.sampled_from([0, 0.05, 0.1, 0.5]),
    seed=st.integers(0, 5),
)


@given(CANDIDATES, st.data(), RULE, st.integers(1, 40), st.sampled_from([0, 90]), st.randoms(use_true_random=False))
def test_whatever_the_accounts(
    candidates: list[Candidate], data: st.DataObject, rules: Calls, capacity: int, window: int, shuffle: object
) -> None:
    """What was learnt of calls enters by the worth of a candidate alone: nobody is called for it who must not be."""
    states = st.builds(Standing, DAYS, DAYS, DAYS, st.booleans(), DAYS)
    standing = {one.account: data.draw(states) for one in candidates[::2]}
    found = listed(candidates, standing, TERMS, rules, capacity, TODAY, "draw", below=1000, window=window)
    called, below = names(found), [one.candidate.account for one in found.below]
    for name in called:
        assert not blocked(standing.get(name, NOBODY), rules, TODAY, window)
        assert name not in found.held_out
    assert len(called) <= capacity
    assert len(set(called)) == len(called)
    if rules.per_owner is not None:
        owners = [one.candidate.owner for one in found.called]
        assert all(owners.count(owner) <= rules.per_owner for owner in set(owners))
    worth = [one.worth for one in found.called if one.worth is not None]
    assert all(one > 0 for one in worth)
    assert all(first >= second for first, second in pairwise(worth))
    held = {one.account for one in candidates} - set(called) - set(below) - set(found.kept_back)
    assert set(found.held_out) <= held, "everybody is somewhere; who is drawn beyond the line is merely not shown"
    again = list(candidates)
    shuffle.shuffle(again)  # type: ignore[attr-defined]
    assert listed(again, standing, TERMS, rules, capacity, TODAY, "draw", below=1000, window=window) == found
    rate = 0.25
    terms = replace_terms(rate)
    other = [replace(one, arr=None if one.arr is None else one.arr * rate) for one in candidates]
    converted = listed(other, standing, terms, rules, capacity, TODAY, "draw", below=1000, window=window)
    assert (names(converted), converted.held_out) == (called, found.held_out), "money of another currency is the same"


def replace_terms(rate: float) -> Economics:
    """A rate that is a power of two, so that not even the last bit differs."""
    money = {name: getattr(TERMS, name) * rate for name in ("contact_cost", "offer", "arr")}
    return TERMS.model_copy(update=money)
