"""The backtest: every origin knows only what was known then, and the judging itself is checked by shuffled labels."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from features.errors import PropensityError
from features.workspace import Workspace
from tests import company, worlds
from training import backtest
from training.backtest import Backtest
from training.dataset import dataset
from training.outcomes import configured


@pytest.fixture(scope="module")
def found(results: tuple[Workspace, object]) -> tuple[Workspace, Backtest]:
    workspace = results[0]
    return workspace, backtest.backtest(workspace, "churn", 2)


def test_every_origin_is_judged_on_rows_later_than_it_has_learnt_from(found: tuple[Workspace, Backtest]) -> None:
    workspace, made = found
    rows = dataset(workspace, "churn")
    span = configured(workspace, "churn").span
    assert len(made.origins) == 2
    for origin in made.origins:
        assert origin.n == len(rows.at(list(origin.days)))
        assert origin.positives == rows.at(list(origin.days)).y.sum()
        known = [day for day in set(rows.as_of) if day + timedelta(days=span) <= origin.days[0]]
        assert origin.learnt_from == len(rows.at(known))
        assert origin.metrics["log_loss"].high < origin.baselines["base rate"]["log_loss"].low
        assert origin.profit is not None
    assert sum(origin.n for origin in made.origins) == sum(one.n for one in made.slices if one.by == "accounts")


def test_models_age_from_the_first_block_on(found: tuple[Workspace, Backtest]) -> None:
    ages = found[1].ages
    assert [age.origins for age in ages] == [2, 1]
    assert ages[0].days < ages[1].days


def test_shuffled_labels_come_to_chance(found: tuple[Workspace, Backtest]) -> None:
    shuffled = found[1].shuffled
    assert shuffled.low < 0.5 < shuffled.high
    assert found[1].metrics["auc"].low > shuffled.high


def test_what_came_of_it_is_kept(found: tuple[Workspace, Backtest]) -> None:
    workspace, made = found
    kept = json.loads(backtest.place(workspace, "churn").read_text())
    assert kept == json.loads(json.dumps(made.as_dict()))


def test_an_origin_with_too_little_is_left_out_and_told(copied: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backtest, "WORTH", 10_000)
    with pytest.raises(PropensityError, match="no origin has 10000 yes and 10000 no") as error:
        backtest.backtest(copied, "churn", 1)
    assert "before it" in error.value.message
    assert "as_of.since" in error.value.hint


def test_an_origin_that_personas_look_ahead_of_is_left_out_and_told(tmp_path: Path) -> None:
    tables = company.tables(company.ACCOUNTS, 1, True)
    tables["tickets"] = [{**row, "contact": f"c-{row['account']}"} for row in tables["tickets"]]
    workspace = worlds.write(tmp_path, tables, **company.CONFIG, personas={"until": date(2025, 12, 31), "count": 2})
    worlds.take_in(workspace)
    made = backtest.backtest(workspace, "churn", 2)
    assert [origin.days[0] for origin in made.origins] == [date(2026, 3, 31)]
    assert len(made.skipped) == 1
    assert made.skipped[0].startswith("2025-12-31: personas.until is 2025-12-31")
