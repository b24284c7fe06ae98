"""The search sees the training range only, goes on where it was left, and changes nothing where nothing is better."""

from __future__ import annotations

import json

import optuna
import pytest

from features.workspace import Workspace
from training import search
from training.dataset import dataset
from training.models.trees import FULL
from training.registry import Registry


def _minutes(monkeypatch: pytest.MonkeyPatch, trials: int) -> None:
    """So many trials instead of a time."""
    real = optuna.Study.optimize
    monkeypatch.setattr(
        optuna.Study, "optimize", lambda study, one, **given: real(study, one, n_trials=trials, catch=given["catch"])
    )


def test_a_search_is_resumed_and_what_it_finds_is_used(copied: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    _minutes(monkeypatch, 2)
    first = search.search(copied, "churn", 1)
    second = search.search(copied, "churn", 1)
    assert (first.trials, second.trials) == (2, 4)
    assert second.usual == first.usual
    assert second.log_loss <= first.log_loss
    rows = dataset(copied, "churn")
    growth = search.found(copied, "churn", rows)
    if second.better:
        assert growth.parameters["num_leaves"] == second.parameters["num_leaves"]
        assert "leaf_rows" not in growth.parameters
        assert growth.least == second.parameters["leaf_rows"]
    else:
        assert growth is FULL
    runs = Registry(copied).client.search_runs(
        [Registry(copied).client.get_experiment_by_name("propensity/churn").experiment_id]
    )
    trials = [run for run in runs if run.info.run_name.startswith("trial")]
    assert len(trials) == 4
    drawn = {tuple(sorted(run.data.params.items())) for run in trials}
    assert len(drawn) == 4, "a search that is resumed tries others"
    assert all("mlflow.parentRunId" in run.data.tags for run in trials)


def test_what_was_found_for_other_labels_is_not_used(copied: Workspace) -> None:
    rows = dataset(copied, "churn")
    place = copied.state / "search" / "churn.json"
    place.parent.mkdir(parents=True)
    kept = {"parameters": {"num_leaves": 5, "leaf_rows": 9}, "labels": rows.spec["digest"]}
    place.write_text(json.dumps(kept))
    assert search.found(copied, "churn", rows).parameters["num_leaves"] == 5
    place.write_text(json.dumps(kept | {"labels": "others"}))
    assert search.found(copied, "churn", rows) is FULL


def test_the_test_fold_is_not_looked_at(copied: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    _minutes(monkeypatch, 1)
    seen = []
    real = search.sample
    monkeypatch.setattr(search, "sample", lambda rows: seen.append(rows) or real(rows))
    search.search(copied, "churn", 1)
    (learn,) = seen
    days = sorted(set(dataset(copied, "churn").as_of.tolist()))
    assert max(learn.as_of) < days[-copied.config.training.test_dates]
