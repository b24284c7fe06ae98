"""From workspace to verdict: what is promoted, what is refused and why, and what is written down of it."""

from __future__ import annotations

import json
import shutil
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from features import cohort, frame
from features.errors import PropensityError
from features.workspace import Workspace
from tests import company, worlds
from training import gate, metrics, train
from training.dataset import dataset
from training.judge import judge, learnt_until
from training.outcomes import configured
from training.registry import Registry
from training.result import Result

Results = tuple[Workspace, dict[str, Result]]


@pytest.mark.parametrize("outcome", ["churn", "advocacy"])
def test_what_is_planted_is_found_and_promoted(outcome: str, results: Results) -> None:
    workspace, found = results
    result, settings = found[outcome], configured(workspace, outcome)
    assert (result.verdict, result.version, result.promoted) == (gate.PROMOTED, 1, True)
    assert all(reason.startswith("better than") for reason in result.reasons)
    assert set(result.metrics) == set(metrics.METRICS)
    assert result.metrics["auc"].low > 0.8
    assert result.metrics["base_rate"].value == pytest.approx(result.positives / result.n)
    days = cohort.dates(workspace.config, settings, frame.observed_until(workspace))
    assert result.test == days[-3:]
    model = Registry(workspace).load(Registry(workspace).require_champion(outcome))
    learnt = model.facts["trained_on"]
    assert learnt == [str(day) for day in days if day + timedelta(days=settings.span) <= result.test[0]]
    assert json.loads(json.dumps(result.as_dict()))["metrics"]["n"] == result.n


def test_one_vote_more_each_month_is_counted_once(results: Results) -> None:
    """The counts per as_of date add up to the rows used, and the baselines are judged on the same rows."""
    _, found = results
    for result in found.values():
        of_test = [line for line in result.windows if line["as_of"] in map(str, result.test)]
        assert sum(line["used"] for line in of_test) == result.n
        assert sum(line["yes"] for line in of_test) == result.positives
        assert set(result.baselines) == {"base rate", "best column", "recency", "logistic regression"}
        for judged in result.baselines.values():
            assert judged["base_rate"] == result.metrics["base_rate"]


def test_chance_is_not_promoted(prepared: Workspace, tmp_path: Path) -> None:
    """One seed in twenty looks better than the base rate by chance: how often is counted by ``make verify``."""
    workspace = company.found(tmp_path, signal=False, seed=2)
    shutil.copy(prepared.root / "mlflow.db", tmp_path)
    worlds.take_in(workspace)
    for outcome in ("churn", "advocacy"):
        result = train.train(workspace, outcome)
        assert result.verdict == gate.NO_SIGNAL
        assert Registry(workspace).champion(outcome) is None
        assert result.version == 1, "what was refused is kept, to be looked at"
        auc = result.metrics["auc"]
        assert auc.low <= 0.5, "what is not there ranks nobody"


def test_the_same_again_gives_the_same_model_and_is_not_promoted_over_itself(copied: Workspace) -> None:
    first, second = train.train(copied, "churn"), train.train(copied, "churn")
    registry = Registry(copied)
    one, two = (registry.load(registry.version("churn", number)) for number in (1, 2))
    assert [part.component.as_data() for part in one.parts] == [part.component.as_data() for part in two.parts]
    assert (one.sigmoid, one.spread) == (two.sigmoid, two.spread)
    assert first.metrics == second.metrics
    assert (second.verdict, second.version) == (gate.NOT_BETTER, 2)
    told = "\n".join(second.reasons)
    assert "not shown to be better than champion (version 1): log loss +0.0000" in told
    assert "calibration error: not shown to be worse than champion (version 1) (+0" in told
    assert registry.require_champion("churn").number == 1


def test_too_few_positives_are_refused_with_the_count_and_nothing_is_registered(copied: Workspace) -> None:
    training = copied.config.training.model_copy(update={"minimum_positives": 150})
    workspace = Workspace(copied.root, copied.config.model_copy(update={"training": training}))
    result = train.train(workspace, "churn")
    assert result.verdict == gate.NO_SIGNAL
    assert f"the test fold has {result.positives} rows with yes; at least 150 are needed" in result.reasons[0]
    assert (result.version, result.run, result.metrics) == (None, None, {})
    assert result.as_dict()["metrics"] is None
    assert Registry(workspace).champion("churn") is None


def test_too_little_history_is_an_error_that_names_the_cure(copied: Workspace) -> None:
    training = copied.config.training.model_copy(update={"test_dates": 40})
    workspace = Workspace(copied.root, copied.config.model_copy(update={"training": training}))
    with pytest.raises(PropensityError, match="leave none to learn from") as error:
        train.train(workspace, "churn")
    assert "training.test_dates" in error.value.hint


def test_the_interval_of_a_score_covers_the_share_that_comes_true(results: Results) -> None:
    """Not a guarantee for one account; over the test rows the mean interval has the base rate in it."""
    workspace, found = results
    registry = Registry(workspace)
    for outcome, result in found.items():
        model = registry.load(registry.require_champion(outcome))
        rows = frame.feature_frame(workspace, result.test)
        scores = model.scores(rows)
        assert scores.low.mean() < result.metrics["base_rate"].value < scores.high.mean()
        assert np.isfinite(scores.probability).all()


def test_a_champion_is_not_judged_by_what_it_has_learnt_from(trained: Workspace) -> None:
    registry, rows = Registry(trained), dataset(trained, "churn")
    version = registry.require_champion("churn")
    model, span = registry.load(version), configured(trained, "churn").span
    until = learnt_until(model, span)
    assert until == max(map(date.fromisoformat, model.facts["trained_on"])) + timedelta(days=span)
    days = sorted(set(rows.as_of.tolist()))
    learn, name = rows.at(days[:2]), f"champion (version {version.number})"

    def told(test: list[date]) -> list[str]:
        judged = judge(trained, registry, "churn", model, learn, rows.at(test))
        return [reason for reason in judged.verdict.reasons if name in reason]

    later = [day for day in days if day >= until]
    assert later
    assert told(days[2:]) == told(later), "only rows that are new to it count"
    (reason,) = told([day for day in days[2:] if day < until])
    assert f"has learnt from outcomes until {until}" in reason
