"""What a call does: worked by hand, the interval in worlds whose truth is known, and what is said where little is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binomtest

from serving.decisions.effect import Arm, difference, effect, more_needed, save_rate

WORLDS = 100


def test_of_newcombes_own_example() -> None:
    """56 of 70 against 48 of 80 (Newcombe 1998, method 10): 0.20, 0.0524 to 0.3339."""
    found = difference(Arm(70, 56), Arm(80, 48))
    assert (found.value, found.low, found.high) == (
        pytest.approx(0.2),
        pytest.approx(0.0524, abs=1e-4),
        pytest.approx(0.3339, abs=1e-4),
    )


def test_the_save_rate_is_the_share_of_leavers_that_a_call_keeps() -> None:
    found = effect(Arm(1000, 60), Arm(500, 50), 0.2, 0.1)
    assert found.kept.value == pytest.approx(0.04)
    assert found.save_rate.value == pytest.approx(0.4)
    assert found.save_rate.low < 0.4 < found.save_rate.high
    assert found.shown
    assert found.verdict == "calls keep accounts: 40% of those who would have left stay"


@pytest.mark.parametrize(("rate", "saved"), [(0.2, 0.0), (0.2, 0.3), (0.05, 0.3), (0.5, -0.2)])
def test_intervals_cover_the_known_effect_as_often_as_they_say(rate: float, saved: float) -> None:
    """In 100 worlds of 2,000 called and 220 held out; a binomial test at 1%, the seed fixed beforehand."""
    rng = np.random.default_rng(11)
    covered, ratio = 0, 0
    for _ in range(WORLDS):
        called = Arm(2000, int(rng.binomial(2000, rate * (1 - saved))))
        held_out = Arm(220, int(rng.binomial(220, rate)))
        found, saving = difference(held_out, called), save_rate(held_out, called)
        covered += found.low <= rate * saved <= found.high
        ratio += saving.low <= saved <= saving.high
    for count in (covered, ratio):
        assert binomtest(count, WORLDS, 0.95).pvalue > 0.01


def test_where_there_is_no_effect_none_is_shown_more_often_than_by_chance() -> None:
    rng = np.random.default_rng(12)
    shown = sum(
        effect(Arm(900, int(rng.binomial(900, 0.2))), Arm(100, int(rng.binomial(100, 0.2))), 0.2, 0.1).shown
        for _ in range(WORLDS)
    )
    assert binomtest(shown, WORLDS, 0.05, alternative="greater").pvalue > 0.01


def test_what_it_takes_to_know_is_said() -> None:
    """By the usual formula: (1.96 + 0.84)² · (0.2·0.8 / 0.1 + 0.16·0.84 / 0.9) / 0.04² = 8,582 accounts in all."""
    few = effect(Arm(90, 17), Arm(10, 2), 0.2, 0.1)
    assert not few.shown
    assert few.needed == more_needed(Arm(90, 17), Arm(10, 2), 0.2, 0.1) == 8582 - 100
    assert few.verdict == "no effect is shown; to show a save rate of 20% you need about 8,482 more"
    assert more_needed(Arm(9000, 1700), Arm(1000, 200), 0.2, 0.1) == 0
    assert more_needed(Arm(90, 17), Arm(10, 2), 0.0, 0.1) is None
    assert more_needed(Arm(90, 17), Arm(10, 2), 0.2, 0.0) is None


@pytest.mark.parametrize(
    ("called", "held_out"), [(Arm(0, 0), Arm(0, 0)), (Arm(5, 1), Arm(0, 0)), (Arm(0, 0), Arm(5, 1))]
)
def test_where_nothing_is_known_nothing_is_said(called: Arm, held_out: Arm) -> None:
    found = effect(called, held_out, 0.2, 0.1)
    assert not found.shown
    assert math.isnan(found.kept.value)
    assert found.as_dict()["save_rate"] == {"value": None, "low": None, "high": 1.0}
    assert found.verdict.startswith("nothing is known yet")


def test_nobody_left_is_no_proof() -> None:
    found = effect(Arm(30, 0), Arm(3, 0), 0.2, 0.1)
    assert not found.shown
    assert found.kept.low < 0 < found.kept.high
