"""The leakage alarm: a planted leak is named with its reason and not promoted; honest features do not ring."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from features import cohort, frame, windows
from features.aggregations import count
from features.errors import PropensityError
from features.feature import Attribute, Column, Declaration, Feature
from features.settings.outcomes import Expansion, Outcomes, Promoter
from features.workspace import Workspace, load
from tests import company, worlds
from tests.commands import Command
from tests.training import made
from training import alarm, causes, gate, metrics
from training.dataset import Dataset, dataset
from training.gate import Verdict
from training.registry import Registry
from training.result import Result
from training.train import train

LEARN, TEST = made.DAYS[:8], made.DAYS[9:]
Values = npt.NDArray[Any]


def _with(rows: Dataset, values: Values, of: str = "ticket.opened", categorical: bool = False) -> Dataset:
    """The rows with one column more, called ``planted``."""
    declared: Declaration = (
        Attribute("planted", "context", "planted", "{value}")
        if categorical
        else Feature("planted", of, count, "interaction", "planted", "{value}")
    )
    plan = replace(
        rows.plan,
        columns=(*rows.plan.columns, Column("planted", declared)),
        declarations={**rows.plan.declarations, "planted": declared},
    )
    return Dataset(rows.frame.assign(planted=values), rows.y, plan, rows.counts)


def _suspects(rows: Dataset, expected: frozenset[str] = frozenset()) -> list[str]:
    test = rows.at(TEST)
    weights = metrics.draws(test.accounts, 200, 1)
    return [column.name for column, _ in alarm.suspects(rows.at(LEARN), test, weights, expected)]


def _area(rows: Dataset) -> float:
    return alarm.area(rows.plan.columns[-1], rows.at(LEARN), rows.at(TEST))


def _flipped(y: Values, share: float, seed: int = 5) -> Values:
    return np.where(np.random.default_rng(seed).random(len(y)) < share, 1 - y, y)


def test_honest_columns_do_not_ring() -> None:
    assert _suspects(made.rows()) == []


def test_the_outcome_with_two_percent_of_noise_rings_and_nothing_else_does() -> None:
    rows = made.rows()
    for leak in (_flipped(rows.y, 0.02), -_flipped(rows.y, 0.02)):
        assert _suspects(_with(rows, leak)) == ["planted"]


def test_a_strong_but_honest_column_does_not_ring() -> None:
    """AUC just under 0.9, with nothing like it beside it."""
    rows = made.rows()
    noisy = rows.y + np.random.default_rng(2).normal(scale=0.6, size=len(rows))
    found = _with(rows, noisy)
    assert 0.85 < _area(found) < 0.9
    assert _suspects(found) == []


def test_far_ahead_of_every_other_table_rings_above_nine_tenths_unless_it_is_part_of_the_definition() -> None:
    rows = made.rows(400)
    rng = np.random.default_rng(3)
    found = _with(rows, rows.y + rng.normal(scale=0.5, size=len(rows)))
    assert 0.91 < _area(found) < 0.95
    assert _suspects(found) == ["planted"]
    assert _suspects(found, frozenset({"planted"})) == []
    company_of = found.frame.assign(logins=rows.y + rng.normal(scale=0.5, size=len(rows)))
    assert _suspects(replace(found, frame=company_of)) == [], "another table sees it as well"


def test_the_direction_is_settled_on_the_training_range() -> None:
    """A column that turns round gets no credit for what it would foretell the other way about."""
    rows = made.rows()
    later = np.isin(rows.as_of, np.array(TEST, dtype=object))
    turned = _with(rows, np.where(later, 1 - rows.y, rows.y))
    assert _area(turned) == 0.0
    assert _suspects(turned) == []
    as_text = _with(rows, np.where(np.where(later, 1 - rows.y, rows.y) == 1, "a", "b"), categorical=True)
    assert (_area(as_text), _suspects(as_text)) == (0.0, [])


@pytest.mark.parametrize("yes", [1, 0])
def test_missing_values_are_a_value_of_their_own(yes: int) -> None:
    rows = made.rows()
    noise = np.random.default_rng(4).normal(size=len(rows))
    found = _with(rows, np.where(rows.y == yes, np.nan, noise))
    assert (_area(found), _suspects(found)) == (1.0, ["planted"])


def test_missing_values_stand_where_their_training_rate_belongs() -> None:
    values = np.array([1.0, 1, 2, 2, 3, 3])
    y = np.array([0.0, 0, 0, 1, 1, 1])
    assert alarm._place(values, y, 0.25) == 1.5
    assert alarm._place(values, y, 0.75) == 2.5
    assert alarm._place(values, y, 0.0) == -np.inf
    assert alarm._place(values, np.array([0.0, 0, 0, 1, 0, 1]), 1.0) == np.inf
    assert np.isinf(alarm._place(np.zeros(0), np.zeros(0), 0.5))


def test_categories_are_worth_their_training_rate_and_unseen_ones_the_overall_rate() -> None:
    rows = made.rows()
    leak = np.where(_flipped(rows.y, 0.02) == 1, "zz", "aa").astype(object)
    leak[rows.y == 0] = np.where(np.arange((rows.y == 0).sum()) % 2, None, leak[rows.y == 0])
    found = _with(rows, leak, categorical=True)
    assert _suspects(found) == ["planted"]
    later = np.isin(rows.as_of, np.array(TEST, dtype=object))
    unseen = _with(rows, np.where(later, np.where(rows.y == 1, "x", "y"), "always"), categorical=True)
    assert _area(unseen) == 0.5


def test_a_verdict_is_held_back_with_the_reasons_and_the_cure() -> None:
    passed = Verdict(gate.PROMOTED, ["better than base rate"])
    assert gate.heed(passed, []) is passed
    held = gate.heed(passed, ["churn_flag (…): why"])
    assert (held.verdict, held.promoted) == (gate.SUSPECTED, False)
    assert held.reasons[:2] == ["better than base rate", "suspected leak: churn_flag (…): why"]
    assert "training.trusted" in held.reasons[-1]


@pytest.mark.parametrize("outcome", ["churn", "advocacy"])
def test_an_honest_company_does_not_ring(outcome: str, results: tuple[Workspace, dict[str, Result]]) -> None:
    assert results[1][outcome].alarms == []
    assert results[1][outcome].as_dict()["alarms"] == []


def _calls_to_the_lost(recorded: bool, late: bool = False) -> list[dict[str, object]]:
    """A call noted in the month before an account falls silent, one in 200 amiss: ``late``, on the month's last day."""
    rows = company.tables(company.ACCOUNTS, 1, signal=True)
    busy = {(row["account"], row["occurred_at"].strftime("%Y-%m")) for row in rows["usage"]}  # type: ignore[attr-defined]
    months = windows.grid(date(2025, 4, 30), date(2026, 5, 31), "month")
    rng = np.random.default_rng(6)
    found: list[dict[str, object]] = []
    for account in sorted({str(row["account"]) for row in rows["accounts"]}):
        for end in months:
            silent = (account, (end + timedelta(days=1)).strftime("%Y-%m")) not in busy
            if silent != (rng.random() < 0.005):
                done = datetime(end.year, end.month, end.day if late else 3 + int(rng.integers(20)), 12, tzinfo=UTC)
                call: dict[str, object] = {"account": account, "done": done, "kind": "call", "proactive": True}
                found.append(call | ({"recorded_at": done} if recorded else {}))
    return found


def _company(root: Path, prepared: Workspace, calls: list[dict[str, object]], **training: Any) -> Workspace:
    """The made-up company with these calls, taken in; ``training`` are further settings."""
    tables = company.tables(company.ACCOUNTS, 1, signal=True) | {"outreach": calls}
    settings = company.CONFIG["training"] | training
    workspace = worlds.write(root, tables, **(company.CONFIG | {"training": settings}))
    shutil.copy(prepared.root / "mlflow.db", root)
    worlds.take_in(workspace)
    return workspace


def test_a_planted_leak_is_named_and_the_model_is_not_promoted_unless_it_is_trusted(
    prepared: Workspace, tmp_path: Path, propensity: Command
) -> None:
    workspace = _company(tmp_path, prepared, _calls_to_the_lost(recorded=False))
    assert alarm.standing(workspace) == {}, "nothing is built yet, and check builds nothing"
    result = train(workspace, "churn")
    assert (result.verdict, result.promoted) == (gate.SUSPECTED, False)
    registry = Registry(workspace)
    assert registry.champion("churn") is None
    rung = {ringing.feature: ringing for ringing in result.alarms}
    assert "touches_30d" in rung
    assert not any("usage" in name or "ticket" in name for name in rung)
    leak = rung["touches_30d"]
    assert 0.95 < leak.low <= leak.auc <= leak.high <= 1
    assert leak.reason.startswith("outreach has no recorded_at mapped")
    assert any("suspected leak: touches_30d" in reason for reason in result.reasons)
    assert json.loads(json.dumps(result.as_dict()))["alarms"][0].keys() == {
        "feature", "auc", "low", "high", "reason", "trusted",
    }  # fmt: skip
    assert result.run is not None
    logged = registry.client.download_artifacts(result.run, "alarms.json", str(tmp_path))
    assert json.loads(Path(logged).read_text(encoding="utf-8")) == result.as_dict()["alarms"]

    done = propensity("check", "--workspace", workspace.root, "--json")
    assert done.status == 0
    assert done.document["features"]["alarms"]["churn"] == result.as_dict()["alarms"]
    told = " ".join(propensity("check", "--workspace", workspace.root).out.split())
    assert "churn: suspected leak touches_30d" in told

    one_short = alarm.standing(_trusting(workspace, *sorted(rung)[1:]))["churn"]
    assert [ringing.feature for ringing in one_short if not ringing.trusted] == sorted(rung)[:1]
    passed = train(_trusting(workspace, *rung), "churn")
    assert [ringing.feature for ringing in passed.alarms] == [ringing.feature for ringing in result.alarms]
    assert all(ringing.trusted for ringing in passed.alarms)
    assert passed.verdict != gate.SUSPECTED
    assert passed.metrics == result.metrics


def _trusting(workspace: Workspace, *names: str) -> Workspace:
    training = workspace.config.training.model_copy(update={"trusted": names})
    return Workspace(workspace.root, workspace.config.model_copy(update={"training": training}))


def test_reasons_follow_from_what_is_mapped_and_from_the_dates(prepared: Workspace, tmp_path: Path) -> None:
    """The same leak, recorded at once: nothing explains it; all on the last day before the horizon: that does."""
    days = cohort.dates(prepared.config, dict(prepared.config.outcomes)["churn"], frame.observed_until(prepared))
    told = {}
    for late in (False, True):
        workspace = _company(tmp_path / str(late), prepared, _calls_to_the_lost(recorded=True, late=late))
        frame.build(workspace, days)
        found = {ringing.feature: ringing.reason for ringing in alarm.standing(workspace)["churn"]}
        told[late] = found["touches_30d"]
    assert told[False] == causes.UNEXPLAINED
    assert "outreach.done" in told[True]
    assert "suspiciously close before the horizon" in told[True]
    assert "recorded_at" not in told[True]


def test_what_the_outcome_is_defined_by_is_said_to_be_part_of_the_definition(prepared: Workspace) -> None:
    rows = dataset(prepared, "churn")
    columns = {column.name: column for column in rows.plan.columns}
    churn = causes.Known.of(prepared, "churn", rows)
    advocacy = causes.Known.of(prepared, "advocacy", rows)
    assert "it tells of usage, by which the outcome is defined" in churn.reason(columns["usage_recency"])
    assert "usage has no recorded_at mapped" in churn.reason(columns["usage_recency"])
    assert churn.defining(columns["usage_pace_30d_90d"])
    assert not churn.defining(columns["tickets_opened_30d"])
    assert advocacy.defining(columns["acts_recency"])
    assert not advocacy.defining(columns["usage_recency"])
    assert "part of the definition" not in advocacy.reason(columns["usage_recency"])


def test_what_growth_and_surveys_are_defined_by(prepared: Workspace) -> None:
    outcomes = Outcomes(churn=prepared.config.outcomes.churn, expansion=Expansion(), promoter=Promoter())
    workspace = Workspace(prepared.root, prepared.config.model_copy(update={"outcomes": outcomes}))
    rows = dataset(prepared, "churn")
    columns = {column.name: column for column in rows.plan.columns}
    for outcome, own, other in (
        ("expansion", ("arr", "arr_growth", "days_to_renewal"), ("usage_recency", "nps_mean_90d")),
        ("promoter", ("nps_mean_90d", "nps_promoters_90d"), ("usage_recency", "arr", "feedback_asked_90d")),
    ):
        known = causes.Known.of(workspace, outcome, rows)
        there = [name for name in own if name in columns]
        assert there
        assert all(known.defining(columns[name]) for name in there)
        assert not any(known.defining(columns[name]) for name in other if name in columns)


def _leaving_for_good(root: Path, accounts: int = 700) -> Workspace:
    """Accounts leave for good, by chance; ``segment`` is what accounts said on the day of the export."""
    rng = np.random.default_rng(8)
    rows: dict[str, list[dict[str, object]]] = {"accounts": [], "usage": []}
    months = [day.replace(day=1) for day in windows.grid(date(2025, 3, 31), company.UNTIL, "month")]
    for number in range(accounts):
        stays = int(rng.geometric(0.08))
        account = {"account": f"a{number:04}", "segment": "closed" if stays < len(months) else "open"}
        rows["accounts"].append(account | {"created": months[0]})
        for month in months[:stays]:
            for day in rng.integers(2, 27, size=3).tolist():
                moment = datetime(month.year, month.month, 1, tzinfo=UTC) + timedelta(days=day, hours=9)
                rows["usage"].append({"account": account["account"], "occurred_at": moment, "event": "login"})
    training = company.CONFIG["training"] | {"test_dates": 1, "minimum_positives": 5}
    outcomes = {"churn": company.CONFIG["outcomes"]["churn"]}
    return worlds.write(root, rows, **(company.CONFIG | {"training": training, "outcomes": outcomes}))


def test_an_attribute_written_after_the_fact_is_named_with_its_reason(prepared: Workspace, tmp_path: Path) -> None:
    workspace = _leaving_for_good(tmp_path)
    shutil.copy(prepared.root / "mlflow.db", tmp_path)
    worlds.take_in(workspace)
    result = train(workspace, "churn")
    assert result.verdict == gate.SUSPECTED
    named = [ringing.feature for ringing in result.alarms]
    assert named[0] == "segment" and all("_rank" in name for name in named[1:])  # ranks are taken within the segment
    assert "segment is a column of accounts without history" in result.alarms[0].reason
    assert Registry(workspace).champion("churn") is None
    passed = train(_trusting(workspace, *named), "churn")
    assert passed.verdict != gate.SUSPECTED
    assert all(ringing.trusted for ringing in passed.alarms)


def test_trusting_what_does_not_exist_is_an_error_that_names_it(copied: Workspace) -> None:
    with pytest.raises(PropensityError, match=r"training\.trusted names no_such_column") as error:
        train(_trusting(copied, "no_such_column", "arr"), "churn")
    assert "there are acts_done," in error.value.message
    assert Registry(copied).champion("churn") is None
    plan = frame.current_plan(copied)
    both = alarm.trusted(_trusting(copied, "usage_days", "arr").config, plan)
    assert both == {"arr", "usage_days_30d", "usage_days_90d"}


def test_check_measures_what_is_built_and_nothing_else(prepared: Workspace, tmp_path: Path) -> None:
    assert alarm.standing(prepared) == {"churn": [], "advocacy": []}
    bare = company.found(tmp_path / "bare", accounts=5)
    assert alarm.standing(bare) == {}
    copy = load(Path(shutil.copytree(prepared.root, tmp_path / "copy")))
    days = cohort.dates(copy.config, dict(copy.config.outcomes)["churn"], frame.observed_until(copy))
    shutil.rmtree(copy.frames / str(days[0]))
    assert alarm.standing(copy) == {}
    assert not (copy.frames / str(days[0])).exists()
