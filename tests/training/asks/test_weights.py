"""Asks that speak for who was not asked: weights by hand, a biased choice corrected, and what the correction takes for granted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.asks.worlds import CONFIG, UNTIL, everybody, hidden, made
from training.asks import weights
from training.asks.fit import fit, learnable
from training.asks.past import Past
from training.asks.shares import shares


@pytest.fixture(scope="module")
def past() -> Past:
    return made()


def test_weights_by_hand() -> None:
    """Asked in a tenth of all months: who is asked in a fifth of them counts half, who hardly ever is no more than ten."""
    found = weights.stabilised(0.1, np.array([0.2, 0.1, 0.05, 0.0001, 1.0]))
    np.testing.assert_allclose(found, [0.5, 1, 2, 10, 0.1])
    assert weights.effective(np.array([1.0, 1.0, 1.0])) == pytest.approx(3)
    assert weights.effective(np.array([3.0, 1.0])) == pytest.approx(16 / 10)
    assert weights.effective(np.array([])) == 0.0
    np.testing.assert_allclose(weights.scaled(np.array([3.0, 1.0])), [1.2, 0.4])
    asked, chance = np.array([1.0, 1.0, 0.0, 0.0, 0.0]), np.array([0.4, 0.2, 0.4, 0.1, 0.05])
    over = weights.overlap(asked, chance, np.array([1.0, 10.0]))
    assert (over.cells, over.asked, over.asks, over.clipped) == (5, 2, 2, 1)
    assert over.unlike == pytest.approx(2 / 5)
    assert over.selection == pytest.approx((1 + 1 + 0.5 + 1 + 1 + 0) / 6)
    assert weights.Overlap.from_dict(over.as_dict()) == over


def test_who_would_say_yes_is_asked_equally_often_by_hand() -> None:
    """Who said yes has a chance of 0.15 of being asked on average: with 0.1, two thirds of those alike are willing."""
    found = weights.leaning(np.array([1.0, 1.0, 0.0]), np.array([0.5, 0.5, 0.4]), np.array([0.2, 0.1, 0.1]))
    np.testing.assert_allclose(found, [1, 2 / 3, (1 - 0.4 * 2 / 3) / 0.6])
    np.testing.assert_allclose(weights.leaning(np.array([1.0, 0.0]), np.array([0.3, 0.9]), np.array([0.1, 0.1])), 1)
    np.testing.assert_allclose(weights.leaning(np.zeros(2), np.full(2, 0.1), np.array([0.1, 0.2])), 1)


@given(st.lists(st.tuples(st.floats(0.01, 0.98), st.floats(0.01, 0.9)), min_size=1, max_size=30))
def test_leaning_moves_weight_from_yes_to_no_among_those_alike(each: list[tuple[float, float]]) -> None:
    """Those who look alike count as much together as before, and no yes counts for more."""
    said, chance = np.array(each).T
    yes = weights.leaning(np.append(np.ones(len(each)), 1.0), np.append(said, 0.5), np.append(chance, chance.max()))[
        :-1
    ]
    often = np.append(chance, chance.max()).mean()
    no = (1 - said * np.minimum(1, chance / often)) / (1 - said)
    np.testing.assert_allclose(said * yes + (1 - said) * no, 1)
    assert (yes <= 1).all()


@given(st.lists(st.floats(0.1, 10), min_size=1, max_size=50))
def test_the_effective_sample_is_never_larger_than_the_sample(each: list[float]) -> None:
    found = np.array(each)
    assert 1 - 1e-9 <= weights.effective(found) <= len(found) + 1e-9
    assert weights.scaled(found).sum() == pytest.approx(weights.effective(found))


def test_a_biased_choice_is_corrected_even_where_nothing_tells_accounts_apart(past: Past) -> None:
    """The truth over all is (0.8 + 0.1) / 2; of those asked nearly all are keen, and a share per kind cannot know."""
    found = learnable(past, UNTIL)
    plain = shares(found.asks["kind"], found.y)
    weighed = shares(found.asks["kind"], found.y, weights.scaled(found.weights))
    asked, all_of_them = (one.scores(everybody(past)).probability.mean() for one in (plain, weighed))
    assert asked > 0.62
    assert abs(all_of_them - 0.45) < 0.08
    assert found.overlap.effective < len(found.y)
    assert found.overlap.selection > 0.7


def test_who_asks_knows_more_than_the_records_tell() -> None:
    """A third of 0.8 would say yes, as the records tell half of it; weights for what is on record take far more for sure."""
    past = hidden()
    rows = everybody(past)
    said = {
        hidden: fit(past, UNTIL, CONFIG, hidden=hidden).model.scores(rows).probability.mean()
        for hidden in (True, False)
    }
    assert said[False] > 0.8 / 3 + 0.12
    assert abs(said[True] - 0.8 / 3) < 0.6 * (said[False] - 0.8 / 3)


def test_where_the_records_hold_all_that_asking_goes_by_too_little_is_made_of_who_is_seldom_asked(past: Past) -> None:
    """The price of it: 1 in 10 of the others would say yes, and they are asked far less often than who is keen."""
    rows = everybody(past)
    others = rows["keen"].to_numpy() == 0
    said = [
        fit(past, UNTIL, CONFIG, hidden=hidden).model.scores(rows).probability[others].mean()
        for hidden in (True, False)
    ]
    assert said[0] < said[1]
    assert abs(said[0] - 0.1) < 0.1


def test_asks_at_random_are_left_as_they_are() -> None:
    past = made(often=0.2, seldom=0.2)
    rows = everybody(past)
    said = [fit(past, UNTIL, CONFIG, corrected=corrected).model.scores(rows).probability for corrected in (True, False)]
    assert np.abs(said[0] - said[1]).max() < 0.06
