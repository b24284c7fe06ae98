"""Whose voice foretells: found where it was planted, not by seniority, and nowhere where nothing is."""

from __future__ import annotations

from datetime import date

import numpy as np
from scipy.stats import binom

from training.foretelling import Rows
from training.influence import Influence, influence, of_roles, sentence
from training.metrics import Estimate
from training.splits import Fold

DAYS = [date(2026, month, 1) for month in range(1, 6)]
FOLDS = [Fold(tuple(DAYS[:number]), (DAYS[number],)) for number in range(2, 5)]
ROLES = ("decision maker", "influencer", "user")


def _world(seed: int, effect: float, accounts: int = 150) -> list[Influence]:
    """Answers and usage of three roles, a third of them not known; only what influencers say may matter."""
    rng = np.random.default_rng(seed)
    size = accounts * len(DAYS)
    known = {role: rng.normal(size=(size, 2)) for role in ROLES}
    y = (rng.random(size) < 1 / (1 + np.exp(1 + effect * known["influencer"][:, 0]))).astype(float)
    for matrix in known.values():
        matrix[rng.random(size) < 1 / 3] = np.nan
    names = np.tile(np.array([f"a{number}" for number in range(accounts)], dtype=object), len(DAYS))
    rows = Rows(y, names, np.repeat(np.array(DAYS, dtype=object), accounts))
    return influence(known, rows, FOLDS, 10, 100, seed)


def test_who_foretells_ranks_first_whatever_the_seniority() -> None:
    found = _world(1, 1.5)
    assert found[0].role == "influencer"
    assert found[0].foretells
    assert not any(one.foretells for one in found[1:])
    assert abs(found[0].coverage - 2 / 3) < 0.05
    assert found[0].over_senior is not None
    assert found[0].over_senior.low > 0
    assert next(one for one in found if one.role == "decision maker").over_senior is None
    told = sentence(found, "leaves")
    assert told == "influence does not follow seniority: influencers foretell who leaves better than decision makers do"


def test_where_nothing_is_there_nobody_foretells() -> None:
    worlds = 20
    found = [_world(seed, 0.0) for seed in range(worlds)]
    assert sum(any(one.foretells for one in world) for world in found) <= binom.ppf(0.99, worlds, 0.05)
    silent = next(world for world in found if not world[0].foretells)
    assert sentence(silent, "leaves") == "no role's answers and usage are shown to foretell who leaves"


def test_a_role_of_which_nothing_is_known_is_left_out_and_too_little_is_said_to_be_so() -> None:
    rows = Rows(np.tile([1.0, 0.0], 50), np.arange(100).astype(object), np.repeat(np.array(DAYS, dtype=object), 20))
    known = {"user": np.arange(100.0)[:, None], "influencer": np.full((100, 1), np.nan)}
    assert [one.role for one in influence(known, rows, FOLDS, 5, 50, 1)] == ["user"]
    assert influence(known, rows, FOLDS, 1000, 50, 1) == []
    assert influence({}, rows, FOLDS, 5, 50, 1) == []
    assert "too little is known" in sentence([], "leaves")


def test_the_sentence_claims_no_more_than_is_shown() -> None:
    better = Estimate(0.1, 0.05, 0.15)
    unclear = Estimate(0.1, -0.05, 0.25)
    first = Influence("user", 1.0, better, better, unclear)
    assert "not shown to do so better" in sentence([first], "leaves")
    senior = Influence("decision maker", 1.0, better, better)
    assert sentence([senior, first], "leaves").startswith("decision makers foretell best")


def test_roles_come_by_seniority_and_only_with_something_known() -> None:
    assert list(of_roles({"user": ["a"], "decision maker": ["b"], "influencer": []})) == ["decision maker", "user"]
