"""Baselines learn from the rows they are given and from nothing else, and nothing in a column breaks them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tests.training import made
from training import metrics
from training.baselines import BASELINES, Matrix, Vector
from training.dataset import Encoder

LEARN, TEST = made.rows(60), made.rows(40, seed=1)
ENCODER = Encoder.fitted(LEARN.frame, made.PLAN)
SEEN, UNSEEN = ENCODER.matrix(LEARN.frame), ENCODER.matrix(TEST.frame)
NUMBER = ENCODER.columns.index("logins")
EVERY = pytest.mark.parametrize("name", BASELINES)


@EVERY
def test_each_row_is_judged_by_itself(name: str) -> None:
    """Other test rows, in any order and with any values, change nothing: nothing is learnt from them."""
    baseline = BASELINES[name]
    expected = baseline(SEEN, LEARN.y, UNSEEN, ENCODER)
    order = np.random.default_rng(0).permutation(len(UNSEEN))
    assert np.allclose(baseline(SEEN, LEARN.y, UNSEEN[order], ENCODER), expected[order], rtol=1e-12, atol=0)
    disturbed = UNSEEN.copy()
    disturbed[1::2] = disturbed[1::2] * 1e6 + 3
    assert np.allclose(baseline(SEEN, LEARN.y, disturbed, ENCODER)[::2], expected[::2], rtol=1e-12, atol=0)
    assert ((expected > 0) & (expected < 1)).all()


@EVERY
def test_what_is_learnt_depends_on_the_rows_learnt_from(name: str) -> None:
    baseline = BASELINES[name]
    assert not np.allclose(baseline(SEEN, LEARN.y, UNSEEN, ENCODER), baseline(SEEN, 1 - LEARN.y, UNSEEN, ENCODER))


def _filled(value: float) -> Callable[[Matrix], None]:
    def spoil(matrix: Matrix) -> None:
        matrix[:, NUMBER] = value

    return spoil


def _one_huge(matrix: Matrix) -> None:
    matrix[3, NUMBER] = 1e18


def _all_null(matrix: Matrix) -> None:
    matrix[:] = np.nan


def _unseen_category(matrix: Matrix) -> None:
    matrix[:, -1] = np.nan


SPOILT = {
    "constant": _filled(1.0),
    "all null": _filled(np.nan),
    "huge": _filled(1e15),
    "one value huge": _one_huge,
    "nothing known at all": _all_null,
    "no category": _unseen_category,
}


@EVERY
@pytest.mark.parametrize("which", ["fit", "test"])
@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_nothing_in_a_column_breaks_them(name: str, which: str, spoil: Callable[[Matrix], None]) -> None:
    fit, test = SEEN.copy(), UNSEEN.copy()
    spoil(fit if which == "fit" else test)
    found = BASELINES[name](fit, LEARN.y, test, ENCODER)
    assert found.shape == (len(test),)
    assert ((found > 0) & (found < 1)).all()


def _auc(p: Vector) -> float:
    return float(metrics.auc(TEST.y, p, np.ones((1, len(p))))[0])


def test_each_does_what_it_is_called_for() -> None:
    found = {name: baseline(SEEN, LEARN.y, UNSEEN, ENCODER) for name, baseline in BASELINES.items()}
    assert np.allclose(found["base rate"], LEARN.y.mean(), atol=0.01)
    assert np.ptp(found["base rate"]) == 0
    logins, recency = UNSEEN[:, NUMBER], UNSEEN[:, ENCODER.columns.index("usage_recency")]
    assert _same_steps(found["best column"], logins)
    assert _same_steps(found["recency"], recency)
    assert _auc(found["logistic regression"]) > _auc(found["best column"]) > 0.65
    assert abs(_auc(found["recency"]) - 0.5) < 0.1


def _same_steps(p: Vector, column: Vector) -> bool:
    """Is ``p`` a step function of the column?"""
    order = np.argsort(column)
    return int((np.diff(p[order]) != 0).sum()) < 20


def test_recency_takes_the_first_column_where_there_is_none() -> None:
    other = Encoder(("logins",), {})
    logins = SEEN[:, [NUMBER]]
    assert len(set(BASELINES["recency"](logins, LEARN.y, logins[:50], other))) > 5
