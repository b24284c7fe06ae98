"""Which save rate lists go by: worked by hand, and never a good one from what calls have not been shown to do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.decisions.effect import Arm, effect
from serving.decisions.save_rate import WIDEST, SaveRate, chosen


def rate(called: tuple[int, int], held_out: tuple[int, int], assumed: float = 0.2, wanted: bool = True) -> SaveRate:
    return chosen(effect(Arm(*called), Arm(*held_out), assumed, 0.1), wanted)


def test_before_anything_is_known_it_is_assumed() -> None:
    found = rate((0, 0), (0, 0))
    assert (found.value, str(found)) == (0.2, "assumed 0.20")


def test_what_is_not_known_well_is_told_and_not_used() -> None:
    """6% against 10% of so few: 1 − 0.06 / 0.1 = 0.4, and anything is possible."""
    found = rate((100, 6), (50, 5))
    assert not found.by_measure
    assert found.value == 0.2
    assert str(found) == "assumed 0.20 (measured so far: 0.40 (-0.81 to 0.80), 150 accounts)"


def test_what_is_known_well_is_used() -> None:
    found = rate((9000, 1080), (1000, 200))
    assert (found.value, found.by_measure, found.shown) == (pytest.approx(0.4), True, True)
    assert str(found) == "measured 0.40 (0.31 to 0.48), 10,000 accounts"
    assert not rate((9000, 1080), (1000, 200), wanted=False).by_measure


def test_an_effect_that_is_not_shown_is_said_not_to_be() -> None:
    found = rate((9000, 1782), (1000, 200), assumed=0.1)
    assert (found.by_measure, found.shown) == (True, False)
    assert found.value == pytest.approx(0.01)
    assert str(found) == "measured 0.01 (-0.13 to 0.13), 10,000 accounts: no effect is shown"


def test_who_is_driven_away_is_worth_no_call() -> None:
    """20% of the called left, and 10% of the others: of too few to say by how much, but enough to say that."""
    found = rate((900, 180), (200, 20))
    assert found.value == 0
    assert found.by_measure
    assert "drive accounts away" in str(found)
    assert found.as_dict()["source"] == "measured"


def test_an_assumption_that_is_refuted_is_given_up_however_wide_the_interval() -> None:
    found = rate((900, 180), (200, 40), assumed=0.5)
    assert found.between.high - found.between.low > WIDEST
    assert (found.value, found.by_measure) == (0, True)
    assert str(found).endswith("no effect is shown; lists go by 0, at which nobody is worth a call")


ARM = st.integers(0, 5000).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))


@given(ARM, ARM, st.floats(0, 1))
def test_whatever_was_measured(called: tuple[int, int], held_out: tuple[int, int], assumed: float) -> None:
    found = rate(called, held_out, assumed)
    assert 0 <= found.value <= 1
    if found.by_measure:
        assert found.value == max(found.between.value, 0)
        assert found.shown or "no effect is shown" in str(found)
        if found.between.high < 0:
            assert found.value == 0
    else:
        assert found.value == assumed
        assert found.between.value != found.between.value or found.between.high >= assumed, (
            "never against what is shown"
        )
    assert str(found).startswith(found.as_dict()["source"])
