"""Importance out of time: what matters is shown to, what does not is not, and columns of a feature go together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from features.aggregations import count
from features.errors import PropensityError
from features.feature import Column, Feature
from features.workspace import Workspace
from tests.training import made
from training import importance as importances
from training.importance import Importance, importance, of_champion
from training.model import Model

TEST = made.rows(150, made.DAYS[-3:], seed=1)


@pytest.fixture(scope="module")
def model() -> Model:
    return made.model(made.rows(200, made.DAYS[:6]))


@pytest.fixture(scope="module")
def found(model: Model) -> Importance:
    return importance(model, TEST, seed=3)


def test_what_matters_is_shown_and_what_does_not_is_not(found: Importance) -> None:
    assert [worth.name for worth in found.features[:2]] == ["logins", "tickets"]
    shown = {worth.name for worth in found.features if worth.shown}
    assert {"logins", "tickets"} <= shown
    assert not shown & {"noise_1", "noise_2", "noise_3"}
    assert [worth.name for worth in found.families] == ["interaction", "context"]
    assert found.families[0].columns == len(made.NUMBERS)
    for worth in (*found.families, *found.features):
        assert worth.rise.low <= worth.rise.value <= worth.rise.high
    assert (found.n, found.positives, found.days) == (len(TEST), int(TEST.y.sum()), made.DAYS[-3:])


def test_the_seed_decides(model: Model, found: Importance) -> None:
    assert importance(model, TEST, seed=3) == found
    assert importance(model, TEST, seed=4) != found


def test_accounts_change_places_within_their_date() -> None:
    as_of = np.repeat(np.array(made.DAYS[:3], dtype=object), 40)
    order = importances._shuffled(as_of, np.random.default_rng(0))
    assert sorted(order) == list(range(120))
    assert (as_of[order] == as_of).all()
    assert (order != np.arange(120)).sum() > 100


def test_all_windows_of_a_feature_are_told_of_another_account_together(model: Model) -> None:
    """``logins`` and ``tickets`` as two windows of one feature are worth more than either, and as much as both."""
    activity = Feature("activity", "usage", count, "interaction", "activity", "activity")
    columns = tuple(
        Column(column.name, activity, window={"logins": 30, "tickets": 90}[column.name])
        if column.name in ("logins", "tickets")
        else column
        for column in made.PLAN.columns
    )
    joined = importance(model, replace(TEST, plan=replace(made.PLAN, columns=columns)), seed=3)
    apart = {worth.name: worth.rise.value for worth in importance(model, TEST, seed=3).features}
    first = joined.features[0]
    assert (first.name, first.columns) == ("activity", 2)
    assert first.rise.value > max(apart["logins"], apart["tickets"])


def test_accounts_are_kept_whole_where_there_are_too_many_rows() -> None:
    some = importances._some(TEST, 100, seed=1)
    assert 90 < len(some) <= 100
    assert set(np.unique(some.accounts.astype(str), return_counts=True)[1]) == {3}
    assert importances._some(TEST, len(TEST), seed=1) is TEST


def test_the_champion_is_measured_on_what_came_after(trained: Workspace) -> None:
    told: list[str] = []
    found = of_champion(trained, "churn", told.append)
    assert found.version == 1
    assert len(found.days) == trained.config.training.test_dates
    shown = [worth.name for worth in found.families if worth.shown]
    assert set(shown) >= {"interaction", "perception"}
    assert told[-1].startswith("churn, ")
    assert set(found.as_dict()) == {"what", "version", "as_of", "n", "positives", "log_loss", "families", "features"}


def test_without_a_later_date_it_says_so(trained: Workspace, model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    late = replace(model, facts={"trained_on": ["2030-01-31"]})
    monkeypatch.setattr(importances.Registry, "load", lambda *_: late)
    monkeypatch.setattr(importances, "honour", lambda *_: None)
    with pytest.raises(PropensityError, match="learnt from rows up to 2030-01-31"):
        of_champion(trained, "churn")
