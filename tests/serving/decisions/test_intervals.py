"""Shares, means and medians with intervals that know that the cases of one account are alike."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from serving.decisions.intervals import Bootstrap, share, verdict

DRAWS = Bootstrap(200, 1)


@given(st.lists(st.booleans(), min_size=1, max_size=60))
def test_with_one_case_for_each_account_the_interval_is_wilsons(yes: list[bool]) -> None:
    found = share(yes, [str(number) for number in range(len(yes))])
    expected = binomtest(sum(yes), len(yes)).proportion_ci(0.95, method="wilson")
    assert (found.yes, found.of) == (sum(yes), len(yes))
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_cases_of_one_account_that_are_alike_tell_no_more_than_one() -> None:
    """Ten accounts, five of which always say yes: four times each tells no more than twice, nor twice than once."""
    accounts = [str(number) for number in range(10)]
    once, twice, often = (share([number < 5 for number in range(10)] * times, accounts * times) for times in (1, 2, 4))
    assert (often.low, often.high) == pytest.approx((twice.low, twice.high))
    assert twice.low < once.low < once.high < twice.high
    assert share([True, False], ["a", "a"]).high - share([True, False], ["a", "a"]).low > 0.8, "one account alone"


def test_the_interval_of_a_share_covers_at_about_its_rate_where_accounts_differ() -> None:
    """40 accounts with one to six cases each, whose own rates lie about 0.3 (correlation 0.3 within an account)."""
    rng, hits = np.random.default_rng(3), 0
    for _ in range(400):
        own = rng.beta(0.7, 0.7 * 7 / 3, 40)
        accounts = np.repeat(np.arange(40), rng.integers(1, 7, 40))
        found = share((rng.random(len(accounts)) < own[accounts]).tolist(), [str(one) for one in accounts])
        hits += found.low <= 0.3 <= found.high
    assert 0.92 <= hits / 400 <= 0.98


def test_where_all_say_the_same_accounts_are_counted_and_not_cases() -> None:
    assert share([True] * 40, ["a", "b"] * 20).low == pytest.approx(share([True] * 2, ["a", "b"]).low)
    assert share([True] * 40, [str(n) for n in range(40)]).low > share([True] * 40, ["a", "b"] * 20).low


def test_of_nobody_nothing_is_known() -> None:
    found = share([], [])
    assert (found.rate, found.low, found.high) == (None, 0.0, 1.0)
    assert verdict(found, 0.5).startswith("unknown")
    assert DRAWS.mean([], []) is None


@pytest.mark.parametrize(
    ("yes", "of", "said"),
    [(90, 100, "above 33%, and shown"), (5, 100, "below 33%, and shown"), (4, 10, "not told apart from 33%")],
)
def test_a_target_is_only_met_or_missed_when_the_interval_says_so(yes: int, of: int, said: str) -> None:
    found = share([number < yes for number in range(of)], [str(number) for number in range(of)])
    assert verdict(found, 1 / 3).startswith(said)


def test_medians_and_means_by_hand() -> None:
    accounts = ["a", "b", "c", "d"]
    middle = DRAWS.median([1.0, 9.0, 3.0, 4.0], accounts)
    mean = DRAWS.mean([1.0, 9.0, 3.0, 4.0], accounts)
    assert middle is not None
    assert mean is not None
    assert (middle.value, mean.value) == (3.5, 4.25)
    assert 1 <= middle.low <= 3.5 <= middle.high <= 9
    assert DRAWS.median([1.0, 9.0, 3.0], ["a", "b", "c"]).value == 3.0  # type: ignore[union-attr]


def test_one_account_alone_has_no_interval() -> None:
    found = DRAWS.mean([1.0, 2.0], ["a", "a"])
    assert found is not None
    assert found.value == 1.5
    assert math.isnan(found.low)


def test_more_answers_of_the_same_accounts_do_not_narrow_the_interval() -> None:
    values, accounts = [0.0, 10.0, 20.0, 30.0], ["a", "b", "c", "d"]
    assert DRAWS.mean(values * 5, accounts * 5) == DRAWS.mean(values, accounts)
