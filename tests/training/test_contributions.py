"""Contributions are LightGBM's own on every kind of booster and row, add up, and are the same alone and in a crowd."""

from __future__ import annotations

from itertools import combinations, pairwise
from math import factorial

import lightgbm as lgb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import threads
from tests.training import forests
from tests.training.forests import COLUMNS, Matrix
from training.shapley import contributions
from training.shapley.contributions import Contributions
from training.shapley.forest import Forest
from training.shapley.patterns import BITS

CLOSE = 1e-9
SHAPES = st.fixed_dictionaries(
    {
        "max_depth": st.integers(1, 12),
        "num_leaves": st.integers(2, 40),
        "missing": st.sampled_from([0.0, 0.2]),
        "learning_rate": st.sampled_from([0.01, 0.3]),
    },
    optional={
        "zero_as_missing": st.just(True),
        "use_missing": st.just(False),
        "boosting": st.just("dart"),
        "bagging": st.just(True),
        "monotone_constraints": st.just([1, -1, 0, -1, 0, 0, 0, 0]),
        "max_cat_to_onehot": st.sampled_from([1, 64]),
        "objective": st.sampled_from(["regression", "poisson"]),
        "feature_fraction": st.just(0.5),
        "extra_trees": st.just(True),
    },
)


def _booster(seed: int, shape: dict) -> lgb.Booster:
    if shape.pop("bagging", False):
        shape |= {"bagging_fraction": 0.6, "bagging_freq": 1}
    return forests.booster(seed, **shape)


def _assert_equal(found: Matrix, booster: lgb.Booster, rows: Matrix) -> None:
    """To LightGBM's, within the share of what the row's contributions sum up to without their signs."""
    expected = booster.predict(rows, pred_contrib=True, num_threads=1)
    whole = np.abs(expected).sum(axis=1)
    assert (np.abs(found - expected) <= CLOSE * whole[:, None]).all()
    assert (np.abs(found.sum(axis=1) - booster.predict(rows, raw_score=True)) <= CLOSE * whole).all()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**16), shape=SHAPES)
def test_equal_to_those_of_lightgbm_and_add_up(seed: int, shape: dict) -> None:
    booster = _booster(seed, shape)
    ours = Contributions.of(booster)
    rows = forests.odd_rows(np.random.default_rng(seed + 1), 120)
    found = ours.contributions(rows)
    assert (ours.fast, ours.reason) == (True, "")
    _assert_equal(found, booster, rows)
    assert np.array_equal(ours.raw(rows), booster.predict(rows, raw_score=True, num_threads=1))
    assert all(np.array_equal(ours.contributions(rows[[number]])[0], found[number]) for number in (0, 77, 119))


@pytest.mark.parametrize("depth", [*range(1, 13), -1])
def test_every_depth_by_table_and_by_walk(depth: int) -> None:
    """Small leaves make deep trees: the deepest are walked, the others looked up."""
    booster = forests.booster(3, size=2000, max_depth=depth, num_leaves=120, min_data_in_leaf=1, feature_fraction=0.6)
    ours = Contributions.of(booster)
    assert ours.explainer is not None
    lengths = {len(leaf.path) for tree in ours.explainer.forest.leaves() for leaf in tree}
    assert max(lengths) == depth or (depth == -1 and max(lengths) > 12)
    assert (len(ours.explainer.walk.steps) > 0) == (max(lengths) > BITS)
    rows = forests.odd_rows(np.random.default_rng(depth + 1), 100)
    _assert_equal(ours.contributions(rows), booster, rows)


def test_are_shapley_values_by_definition() -> None:
    """Of the game in which an unknown column goes both ways, by the share of training rows; over all sets of columns."""
    booster = forests.booster(5, rounds=3, max_depth=4, num_leaves=12)
    forest = Forest.of(booster)
    row = forests.rows(np.random.default_rng(1), 1)
    left = forest.decide(row)[:, 0]
    leaves = [leaf for tree in forest.leaves() for leaf in tree]

    def worth(known: frozenset[int]) -> float:
        return sum(
            leaf.value
            * np.prod(
                [float(left[turn.node] == turn.left) if turn.column in known else turn.share for turn in leaf.path]
            )
            for leaf in leaves
        )

    columns = range(len(forest.used))
    expected = np.zeros(COLUMNS)
    for column in columns:
        others = [other for other in columns if other != column]
        for size in range(len(others) + 1):
            weight = factorial(size) * factorial(len(others) - size) / factorial(len(columns))
            for some in map(frozenset, combinations(others, size)):
                expected[forest.used[column]] += weight * (worth(some | {column}) - worth(some))
    found = Contributions.of(booster).contributions(row)[0]
    assert found[:-1] == pytest.approx(expected, rel=0, abs=1e-12)
    assert found[-1] == pytest.approx(worth(frozenset()), abs=1e-12)


@pytest.mark.parametrize("number", [1, 2, 8])
def test_alone_in_a_batch_and_on_any_number_of_threads_to_the_bit(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    booster = forests.booster(9, size=2000, num_leaves=60, min_data_in_leaf=1)
    rows = forests.odd_rows(np.random.default_rng(2), 700)
    ours = Contributions.of(booster)
    whole, raw = ours.contributions(rows), ours.raw(rows)
    monkeypatch.setattr(threads, "THREADS", number)
    monkeypatch.setattr(contributions, "PIECE", 97)
    monkeypatch.setattr(contributions, "MOST", 64)
    assert np.array_equal(ours.contributions(rows), whole)
    assert np.array_equal(ours.raw(rows), raw)
    cuts = [0, 1, 2, 5, 300, 700]
    assert np.array_equal(np.concatenate([ours.contributions(rows[a:b]) for a, b in pairwise(cuts)]), whole)
    assert np.array_equal(Contributions.of(booster).contributions(np.asfortranarray(rows)), whole)


def test_trees_that_are_a_leaf() -> None:
    """Where nothing can be split, alone and before trees that are."""
    data = lgb.Dataset(np.ones((50, COLUMNS)), np.arange(50.0), categorical_feature=list(forests.CATEGORIES))
    only = lgb.train({"verbosity": -1, "objective": "regression", "num_threads": 1}, data, 4)
    mixed = forests.booster(1, objective="regression", after=only)
    rows = forests.odd_rows(np.random.default_rng(3), 50)
    assert not any(len(tree.column) for tree in Forest.of(only).trees)
    assert {len(tree.column) == 0 for tree in Forest.of(mixed).trees} == {True, False}
    for booster in (only, mixed):
        ours = Contributions.of(booster)
        assert ours.fast
        _assert_equal(ours.contributions(rows), booster, rows)
        assert np.array_equal(ours.raw(rows), booster.predict(rows, raw_score=True))
    assert not Contributions.of(only).contributions(rows)[:, :-1].any()


def test_no_rows_and_rows_of_another_width() -> None:
    ours = Contributions.of(forests.booster(1))
    assert ours.contributions(np.zeros((0, COLUMNS))).shape == (0, COLUMNS + 1)
    with pytest.raises(ValueError, match="takes rows of 8 columns"):
        ours.contributions(np.zeros((2, 7)))


def test_up_to_the_best_iteration_and_of_a_text_read_again() -> None:
    booster = forests.booster(4, rounds=20)
    rows = forests.odd_rows(np.random.default_rng(4), 60)
    again = Contributions.of(lgb.Booster(model_str=booster.model_to_string())).contributions(rows)
    assert np.array_equal(again, Contributions.of(booster).contributions(rows))
    booster.best_iteration = 7
    assert len(Forest.of(booster).trees) == 7
    _assert_equal(Contributions.of(booster).contributions(rows), booster, rows)


UNSUPPORTED = {
    "outputs": {"objective": "multiclass", "num_class": 3},
    "random forest": {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.6},
}


@pytest.mark.parametrize("reason", UNSUPPORTED)
def test_what_is_not_supported_is_left_to_lightgbm_and_said(reason: str) -> None:
    booster = forests.booster(2, **UNSUPPORTED[reason])
    rows = forests.odd_rows(np.random.default_rng(5), 40)
    ours = Contributions.of(booster)
    assert not ours.fast
    assert reason in ours.reason
    assert np.array_equal(ours.contributions(rows), booster.predict(rows, pred_contrib=True))
    assert np.array_equal(ours.raw(rows), booster.predict(rows, raw_score=True))


def test_linear_leaves_and_leaves_without_rows_are_left_to_lightgbm() -> None:
    linear = Contributions.of(forests.booster(2, linear_tree=True, missing=0.0))
    assert not linear.fast
    assert "linear" in linear.reason
    text = forests.booster(2, rounds=1).model_to_string()
    line = next(line for line in text.splitlines() if line.startswith("leaf_count="))
    counts = line.removeprefix("leaf_count=").split()
    empty = lgb.Booster(model_str=text.replace(line, "leaf_count=" + " ".join(["0", *counts[1:]])))
    assert "no row of training" in Contributions.of(empty).reason


def test_without_trees_it_is_left_to_lightgbm() -> None:
    data = lgb.Dataset(forests.rows(np.random.default_rng(1), 50), np.arange(50.0))
    assert "no trees" in Contributions.of(lgb.Booster({"verbosity": -1}, data)).reason
