"""The examples are valid, and on the data they are written for the intake finds exactly what is wrong with it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from features import intake, workspace
from features.quality import Report, TableReport
from training.registry import Registry

PROJECT = Path(__file__).parents[1]
EXAMPLES = PROJECT / "examples"
DATA = PROJECT.parent / "shared" / "data"
NAMES = ("online_retail", "platform365", "ravenstack")


def _copied(name: str, root: Path) -> Path:
    """A copy of an example's configuration, with the data linked beside it."""
    data = DATA / name
    if not data.is_dir():
        pytest.skip(f"no data of the example {name}: ../shared/data/{name} is absent")
    shutil.copy(EXAMPLES / name / workspace.FILE, root)
    (root / "data").symlink_to(data, target_is_directory=True)
    return root


def _read(name: str, root: Path) -> Report:
    with intake.read(workspace.load(_copied(name, root))) as opened:
        return opened.report


@pytest.fixture(scope="module")
def platform365(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return _read("platform365", tmp_path_factory.mktemp("platform365"))


@pytest.fixture(scope="module")
def ravenstack(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return _read("ravenstack", tmp_path_factory.mktemp("ravenstack"))


def _problems(table: TableReport, quarantined: bool = True) -> dict[str, int]:
    return {found.problem: found.count for found in table.problems if found.quarantined == quarantined}


def _rows(report: Report) -> dict[str, tuple[int, int, int]]:
    """Per table: rows read, kept, set aside."""
    return {name: (table.read, table.rows, table.quarantined) for name, table in report.tables.items()}


@pytest.mark.parametrize("name", NAMES)
def test_configuration_is_valid_and_explained(name: str) -> None:
    assert workspace.load(EXAMPLES / name).config.name == name
    guide = (EXAMPLES / name / "README.md").read_text(encoding="utf-8")
    assert f"propensity check --workspace examples/{name}" in guide
    files = [Path(source.path).name for source in workspace.load(EXAMPLES / name).config.sources.values()]
    assert [file for file in files if file not in guide] == []


@pytest.mark.data
def test_platform365_rows(platform365: Report) -> None:
    assert _rows(platform365) == {
        "accounts": (35_230, 35_230, 0),
        "contracts": (3_041, 3_041, 0),
        "usage": (106_541, 105_947, 594),
        "feedback": (2_500, 2_500, 0),
    }


@pytest.mark.data
def test_platform365_orphans_are_set_aside_and_late_exams_are_not(platform365: Report) -> None:
    usage = platform365.tables["usage"]
    assert _problems(usage) == {"account is not in accounts": 594}
    assert _problems(usage, quarantined=False) == {"happens after the exports were taken": 1_494}


@pytest.mark.data
def test_online_retail_reads_two_years_once(tmp_path: Path) -> None:
    """Every invoice of a customer once, though the two files overlap; cancellations are no orders."""
    root = _copied("online_retail", tmp_path)
    here = workspace.load(root)
    with intake.read(here) as opened:
        assert _rows(opened.report) == {"accounts": (5_942, 5_942, 0), "usage": (44_876, 44_876, 0)}
        kinds = opened.connection.execute(
            "SELECT event, count(*), min(value) >= 0 FROM good_usage GROUP BY event ORDER BY event"
        )
        assert kinds.fetchall() == [("cancellation", 7_901, True), ("order", 36_975, True)]


@pytest.mark.data
def test_ravenstack_rows(ravenstack: Report) -> None:
    assert _rows(ravenstack) == {
        "accounts": (500, 500, 0),
        "contracts": (5_000, 5_000, 0),
        "usage": (25_000, 5_858, 19_142),
        "tickets": (2_000, 923, 1_077),
        "feedback": (1_175, 554, 621),
    }


@pytest.mark.data
def test_ravenstack_byte_order_marks_and_date_forms_are_named(ravenstack: Report) -> None:
    accounts, contracts, tickets = (ravenstack.tables[name] for name in ("accounts", "contracts", "tickets"))
    assert "accounts: byte-order mark of ravenstack_accounts.csv removed" in accounts.handled
    assert "churn_events: byte-order mark of ravenstack_churn_events.csv removed" in contracts.handled
    assert "created: read as %d-%m-%Y, days of UTC" in accounts.handled
    assert "starts: read as %d-%m-%Y, days of UTC" in contracts.handled
    assert "cancelled: read as %d-%m-%Y, days of UTC" in contracts.handled
    assert "resolved: read as %d-%m-%Y, naive times taken as UTC" in tickets.handled


@pytest.mark.data
def test_ravenstack_facts_before_their_account_or_contract_are_set_aside(ravenstack: Report) -> None:
    usage = ravenstack.tables["usage"].problems
    assert [(found.problem, found.count, found.share) for found in usage] == [
        ("occurred_at is before its contract starts", 19_142, 0.76568)
    ]
    tickets = ravenstack.tables["tickets"].problems
    assert [(found.problem, found.count, found.share) for found in tickets] == [
        ("opened is before the account was created", 1_077, 0.5385)
    ]


@pytest.mark.data
def test_ravenstack_contradictions_are_counted(ravenstack: Report) -> None:
    assert {check.problem: check.count for check in ravenstack.checks} == {
        "accounts whose churn_flag disagrees with whether they have a churn event": 312,
        "subscriptions marked as churned without a churn event of their account within 7 days": 430,
        "churn events of accounts that keep a running subscription": 538,
        "usage after its subscription ended": 290,
        "usage_ids given to more than one row": 21,
        "tickets first answered after they were closed": 36,
        "subscriptions upgraded or downgraded on a day that the export does not state": 724,
    }


@pytest.mark.data
def test_ravenstack_reads_no_label_and_knows_no_end_beforehand(ravenstack: Report) -> None:
    assert "ends" not in ravenstack.tables["contracts"].columns
    read = {column for table in ravenstack.tables.values() for column in table.columns}
    assert read.isdisjoint({"churn_flag", "segment", "size"})


@pytest.mark.data
def test_ravenstack_has_no_usable_signal(tmp_path: Path) -> None:
    """The negative control, through the real command: status 3, and no champion."""
    root = _copied("ravenstack", tmp_path)
    command = [sys.executable, "-m", "serving.cli", "train", "--workspace", str(root), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 3, done.stderr
    result = json.loads(done.stdout)["churn"]
    assert (result["verdict"], result["promoted"]) == ("no usable signal", False)
    assert result["metrics"]["auc"]["low"] <= 0.5 <= result["metrics"]["auc"]["high"]
    assert Registry(workspace.load(root)).champion("churn") is None
