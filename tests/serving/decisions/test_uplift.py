"""Whom a call helps most: worked by hand, and used no more often than it may be where it helps all alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from benchmarks.uplift import KINDS, SEED, WORLDS, world, worlds
from serving.decisions import uplift
from serving.decisions.uplift import (
    ERROR_RATE,
    LEAST,
    depths,
    effects,
    foretold,
    judged,
    policy_value,
    qini,
    qini_curve,
    too_few,
)

STAYED = np.array([1.0, 0.0, 1.0, 0.0])
CALLED = np.array([True, False, False, True])
EFFECTS = np.array([2.0, 0.0, -2.0, 0.0])
"""Half are called: who stayed counts twice, for a call where it was called, against one where it was not."""


def test_effects_of_four_accounts() -> None:
    assert effects(STAYED, CALLED, np.zeros(4)).tolist() == EFFECTS.tolist()
    surprised = effects(STAYED, CALLED, np.full(4, 0.5))
    assert surprised.tolist() == [1, 1, -1, -1]
    assert effects(STAYED, CALLED, np.full(4, 0.5)).mean() == pytest.approx(EFFECTS.mean())


def test_the_qini_curve_is_what_is_kept_if_the_first_are_called() -> None:
    """In the order of the score: +2, 0, 0, −2 over four accounts: 0.5, 0.5, 0.5, and nothing if all are called."""
    score = np.array([4.0, 3.0, 1.0, 2.0])
    assert qini_curve(EFFECTS, score).tolist() == [0, 0.5, 0.5, 0.5, 0]
    assert depths(score).tolist() == [0.875, 0.625, 0.125, 0.375]
    """The mean over capacities beyond chance: (2 · 0.375 − 2 · (−0.375)) / 4."""
    assert qini(EFFECTS, score) == pytest.approx(0.375)
    assert qini(EFFECTS, -score) == pytest.approx(-0.375), "the other way round it is as bad as it was good"
    assert qini(EFFECTS, np.ones(4)) == 0, "who are all alike are called in any order"


def test_the_area_is_that_between_the_curve_and_the_line_of_chance() -> None:
    rng = np.random.default_rng(1)
    found, score = rng.normal(size=50), rng.normal(size=50)
    curve = qini_curve(found, score)
    area = ((curve[1:] + curve[:-1]) / 2).mean() - curve[-1] / 2
    assert qini(found, score) == pytest.approx(area)


def test_what_a_policy_is_worth() -> None:
    """Calling the first two: (2 × 100 − 10 + 0 × 100 − 10) / 4 = 45; calling nobody brings nothing."""
    profit, cost = np.full(4, 100.0), np.full(4, 10.0)
    assert policy_value(EFFECTS, np.array([True, True, False, False]), profit, cost) == pytest.approx(45)
    assert policy_value(EFFECTS, np.zeros(4, dtype=bool), profit, cost) == 0
    at_random = policy_value(EFFECTS, np.full(4, 0.5), profit, cost)
    assert at_random == pytest.approx(policy_value(EFFECTS, np.ones(4, dtype=bool), profit, cost) / 2)


def test_it_takes_enough_of_each_kind() -> None:
    called, left = np.repeat([True, False], 100), np.tile([True, False], 100)
    assert too_few(called, left) == ""
    assert too_few(called[2:], left[2:]).endswith(f"the fewest are {LEAST - 1}")
    few = world("a call does nothing", 0, 100)
    found = judged(few, SEED, 0.2)
    assert not found.used
    assert found.qini is None
    assert found.verdict.startswith("uplift is not used: it takes 50")
    assert found.as_dict()["bound"] is None


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_whatever_the_scores(score: list[float], luck: object) -> None:
    found = np.arange(len(score), dtype=float)
    pairs = list(zip(found, score, strict=True))
    luck.shuffle(pairs)  # type: ignore[attr-defined]
    mixed, other = (np.array(column) for column in zip(*pairs, strict=True))
    assert qini(mixed, other) == pytest.approx(qini(found, np.array(score)))
    assert depths(np.array(score)).mean() == pytest.approx(0.5)


def test_where_a_call_does_nothing_uplift_is_used_no_more_often_than_it_may_be() -> None:
    """A hundred worlds, a binomial test at 1%, the seeds fixed beforehand; what calls do is covered as often as stated."""
    found = worlds("a call does nothing", WORLDS, 1500)
    assert binomtest(found["used"], WORLDS, ERROR_RATE, alternative="greater").pvalue > 0.01
    assert found["as_expected"]


def test_who_is_driven_away_is_found() -> None:
    kind = "a call drives half of them away"
    rows = world(kind, 0)
    found = judged(rows, SEED, 0.0)
    assert found.used
    assert found.verdict.startswith("uplift is used")
    assert found.qini is not None
    assert found.value is not None
    assert found.value_risk is not None
    assert found.qini.low > 0
    assert found.value.value > found.value_risk.value
    helped = rows.matrix[:, 3] > 0
    saved = foretold(rows, SEED)
    assert saved[helped].mean() > 0.03 > -0.03 > saved[~helped].mean()
    assert KINDS[kind][1] > 0 > KINDS[kind][2]


def test_the_verdict_does_not_hang_on_the_currency() -> None:
    rows = world("a call drives half of them away", 1)
    found, other = (judged(one, SEED, 0.2) for one in (rows, replace(rows, profit=rows.profit / 4, cost=rows.cost / 4)))
    assert (other.used, other.bound) == (found.used, found.bound)
    assert found.value is not None
    assert other.value is not None
    assert other.value.value == pytest.approx(found.value.value / 4)


def test_more_accounts_for_less_money_is_no_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is helped is known, but for the few that are worth much, which plain risk has first."""
    rows = world("a call drives half of them away", 2)
    helped = rows.matrix[:, 3] > 0
    dear = helped & (np.arange(len(rows)) % 3 == 0)
    said = np.where(dear, -0.5, np.where(helped, 0.1, -0.1))
    monkeypatch.setattr(uplift, "foretold", lambda rows, seed: said)
    found = judged(replace(rows, profit=np.where(dear, 1e6, 1.0)), SEED, 0.2)
    assert found.bound > 0
    assert found.why_not == "it keeps more accounts than plain risk, but came to less money"
