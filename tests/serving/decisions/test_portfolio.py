"""Totals reconcile exactly, whichever way slices are put together; rates are made anew; worked by hand where it is small."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import PropensityError
from features.facts import UNIT
from features.settings.states import States
from serving.decisions.portfolio import AMOUNTS, DIMENSIONS, Portfolio, Slice, expected, portfolio, split
from serving.decisions.states import Seen
from serving.work.portfolio import Held, sliced

TERMS = States()
NOWHERE = {"line_of_business": "own", "country": "DE", "owner": "ann", "segment": "small", "partner": "direct", "industry": "steel"}  # fmt: skip
Company = tuple[list[Seen], dict[str, list[Held]], dict[str, dict[str, str]]]


def measures(**given: float | None) -> dict[str, float | None]:
    return {"notice_given": 0.0, "escalations": 0.0, "acts": 0.0, **given}


def by_hand() -> list[Slice]:
    """Ann has a cloud and a print contract, bob one of cloud, cem no contract, dee has left."""
    held = {
        "ann": [Held("cloud", UNIT, 300 * UNIT, 200 * UNIT), Held("print", UNIT, 100 * UNIT, 0)],
        "bob": [Held("cloud", 2 * UNIT, 50 * UNIT, 100 * UNIT)],
        "dee": [Held("cloud", 0, 0, 70 * UNIT)],
    }
    seen = [
        Seen("ann", measures(arr=400, arr_year_before=200, escalations=2, nps_answers=4, nps_promoters=4), leaves=0.5),
        Seen("bob", measures(notice_given=1, nps_answers=1, nps_promoters=0, nps_detractors=1, acts=1)),
        Seen("cem", measures(acts=3), leaves=0.25, grows=0.5),
    ]
    belongs = {name: {**NOWHERE, "country": country} for name, country in (("ann", "DE"), ("bob", "FR"), ("cem", "DE"), ("dee", "DE"))}  # fmt: skip
    return list(sliced(seen, held, belongs, TERMS))


def test_worked_by_hand() -> None:
    found = portfolio(by_hand(), "line_of_business")
    lines = {group.name: group for group in found.groups}
    assert [group.name for group in found.groups] == ["cloud", "print", "own"]
    assert {name: group.accounts for name, group in lines.items()} == {"cloud": 2, "print": 1, "own": 1}
    assert found.total.accounts == 3  # ann counts once
    told = {name: {one: group.amounts[one] / UNIT for one in AMOUNTS} for name, group in lines.items()}
    assert told["cloud"] == {
        "arr": 350, "arr_year_before": 370, "arr_scored": 300, "arr_at_risk": 150, "arr_under_notice": 50,
        "arr_expanding": 0, "contracts": 3, "escalations": 1.5, "acts": 1, "nps_answers": 4, "nps_promoters": 3,
        "nps_detractors": 1,
    }  # fmt: skip
    assert told["print"]["escalations"] == 0.5  # of ann's two, a quarter of its ARR is print
    assert told["own"]["acts"] == 3  # who has no contract counts to the account's own line
    total = found.total
    assert (total.amounts["arr"], total.amounts["arr_year_before"]) == (450 * UNIT, 370 * UNIT)
    assert total.retention == 450 / 370
    assert total.risk == 200 / 400
    assert lines["print"].retention is None
    assert lines["own"].nps is None
    assert total.nps is not None
    assert total.nps[0] == 100 * (4 - 1) / 5  # made anew: the mean of the groups' would be 75
    assert total.nps[1] < total.nps[0] < total.nps[2]
    assert lines["cloud"].nps is not None
    assert lines["cloud"].nps[0] == 50
    assert total.of("states", "at risk").accounts == 3
    assert total.of("business", "at risk, growing").accounts == 2  # cem, whom the model says to expand, and ann
    assert total.of("business", "at risk, growing").arr == 400 * UNIT
    assert total.of("growth_told_by", "model").accounts == 1


def test_arr_under_notice_is_that_of_no_score_so_that_none_counts_twice() -> None:
    for leaves, name in ((None, "arr_under_notice"), (1.0, "arr_at_risk")):
        seen = [Seen("ann", measures(notice_given=1), leaves)]
        held = {"ann": [Held(None, UNIT, 10 * UNIT, 0)]}
        total = portfolio(sliced(seen, held, {"ann": NOWHERE}, TERMS), "line_of_business").total
        assert total.amounts["arr_under_notice"] + total.amounts["arr_at_risk"] == total.amounts[name] == 10 * UNIT
        assert [one.places["line_of_business"] for one in sliced(seen, held, {"ann": NOWHERE}, TERMS)] == ["own"]


def test_drill_down_from_everything_to_one_account() -> None:
    slices = by_hand()
    whole = portfolio(slices, "global").total
    german = next(group for group in portfolio(slices, "country").groups if group.name == "DE")
    assert same(portfolio(slices, "line_of_business", {"country": "DE"}).total, german)
    cloud = portfolio(slices, "account", {"country": "DE", "line_of_business": "cloud"})
    assert [(group.name, group.amounts["arr"] // UNIT, group.accounts) for group in cloud.groups] == [
        ("ann", 300, 1),
        ("dee", 0, 0),  # has left, and has an ARR of a year before
    ]
    assert whole.amounts["arr"] == 450 * UNIT


@st.composite
def companies(draw: st.DrawFn) -> Company:
    seen, held, belongs = [], {}, {}
    groups = st.sampled_from(["x", "y", "=z"])
    shares = st.none() | st.floats(0, 1)
    few = st.integers(0, 3)
    for number in range(draw(st.integers(0, 8))):
        name = f"a{number}"
        belongs[name] = {dimension: draw(groups) for dimension in NOWHERE}
        money = st.integers(0, 10**15)
        held[name] = [
            Held(draw(st.none() | groups), draw(few) * UNIT, draw(money), draw(money)) for _ in range(draw(few))
        ]
        if draw(st.booleans()) or any(one.live for one in held[name]):
            row = measures(
                notice_given=draw(few), escalations=draw(few), acts=draw(few), nps_answers=draw(few),
                nps_promoters=draw(few), answers=draw(st.none() | st.floats(0, 100)), answers_usual=70, arr=draw(few), arr_year_before=draw(few),
            )  # fmt: skip
            seen.append(Seen(name, row, draw(shares), draw(shares)))
    return seen, held, belongs


def same(one: object, other: object) -> bool:
    return {**vars(one), "name": ""} == {**vars(other), "name": ""}


@given(companies(), st.randoms(use_true_random=False))
def test_every_way_of_putting_it_together_comes_to_the_same_total(company: Company, chance: random.Random) -> None:
    seen, held, belongs = company
    slices = list(sliced(seen, held, belongs, TERMS))
    shuffled = chance.sample(slices, len(slices))
    again = list(sliced(chance.sample(seen, len(seen)), dict(reversed(held.items())), belongs, TERMS))
    assert again == slices
    for dimension in DIMENSIONS:
        found = portfolio(slices, dimension)
        assert found == portfolio(shuffled, dimension)
        reconciles(found)
        assert found.total.accounts == len(seen)
        assert found.total.amounts["arr"] == sum(one.arr for each in held.values() for one in each)
        assert found.total.amounts["arr_year_before"] == sum(one.before for each in held.values() for one in each)
        for name in ("escalations", "acts", "nps_answers", "nps_promoters"):
            assert found.total.amounts[name] == sum(int(one.row[name] or 0) * UNIT for one in seen)
        for kind in ("states", "loyalty", "business"):
            assert sum(tally.accounts for tally in found.total.labels.get(kind, {}).values()) == len(seen)
        for group in found.groups:
            inner = portfolio(slices, "account", {dimension: group.name})
            assert same(inner.total, group)
            reconciles(inner)


def reconciles(found: Portfolio) -> None:
    """What adds up adds up, to the last millionth; distinct accounts are no more than the groups' together."""
    for name in AMOUNTS:
        assert sum(group.amounts[name] for group in found.groups) == found.total.amounts[name]
    for kind, labels in found.total.labels.items():
        for label, tally in labels.items():
            assert sum(group.of(kind, label).arr for group in found.groups) == tally.arr
    counted = sum(group.accounts for group in found.groups)
    assert counted == found.total.accounts if found.by == "account" else counted >= found.total.accounts


@given(st.integers(0, 10**18), st.lists(st.integers(0, 10**15), min_size=1, max_size=6))
def test_a_split_is_whole_and_exact_and_fair(amount: int, weights: list[int]) -> None:
    shares = split(amount, weights)
    assert sum(shares) == amount
    total = sum(weights)
    for share, weight in zip(shares, weights, strict=True):
        fair = Fraction(amount * weight, total) if total else Fraction(amount, len(weights))
        assert abs(share - fair) < 1


def test_what_is_expected_to_go_is_exact_beyond_what_floats_hold() -> None:
    assert expected(0.5, 2 * 10**17 + 2) == 10**17 + 1
    assert expected(1.0, 10**18 + 1) == 10**18 + 1
    assert expected(0.0, 10**18) == 0


def test_a_level_that_is_none_and_a_group_that_is_not_there_are_named() -> None:
    with pytest.raises(PropensityError, match="no level 'planet'") as refused:
        portfolio(by_hand(), "planet")
    assert "country" in refused.value.hint
    with pytest.raises(PropensityError, match="no level '1; DROP'"):
        portfolio(by_hand(), "country", {"1; DROP": "x"})
    with pytest.raises(PropensityError, match="nothing has the country 'XX'") as missing:
        portfolio(by_hand(), "global", {"country": "XX"})
    assert missing.value.hint == "There are DE, FR."
