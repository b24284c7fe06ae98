"""What exports do wrong, and what becomes of it: an error that names the cure, or rows set aside and counted."""

from __future__ import annotations

import csv
import gzip
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pandas as pd
import pytest

from features import frame as frames
from features import intake
from features.errors import PropensityError
from features.tables import TABLES
from features.workspace import FILE, Workspace, load
from tests import worlds

DAY = date(2026, 3, 31)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ONE_DAY = timedelta(days=1)
Row = dict[str, Any]
World = dict[str, list[Row]]


def small() -> World:
    """Two accounts with a contract each, contacts, usage, a ticket and an invoice."""
    begin = datetime(2025, 1, 1, tzinfo=UTC)
    world: World = {name: [] for name in ("accounts", "contacts", "contracts", "usage", "tickets", "invoices")}
    for account in ("a", "b"):
        world["accounts"].append({"account": account, "name": f"Name of {account}", "segment": "small", "size": 10, "created": begin})
        world["contacts"].append({"contact": f"{account}1", "account": account, "joined": begin, "role": "user"})
        world["contracts"].append(
            {"contract": f"{account}c", "account": account, "starts": begin, "ends": NOON + 90 * ONE_DAY, "arr": 1200.5, "currency": "EUR"}
        )
        world["usage"] += [
            {"event_id": f"{account}{n}", "account": account, "contact": f"{account}1", "occurred_at": NOON - n * ONE_DAY, "event": "login", "value": n}
            for n in range(5)
        ]
        world["tickets"].append({"ticket": f"{account}t", "account": account, "opened": NOON, "resolved": NOON + ONE_DAY, "severity": "high"})
        world["invoices"].append({"invoice": f"{account}i", "account": account, "issued": NOON, "amount": 100.25, "currency": "EUR"})
    return world


def hashed(folder: Path, world: World, **options: Any) -> tuple[str, pd.DataFrame]:
    """The digest of the stored tables and the frame."""
    workspace = worlds.write(folder, world, **options)
    frame = worlds.frame(workspace, DAY)
    return (workspace.tables / "current").read_text(), frame


def problems(workspace: Workspace, table: str) -> dict[str, int]:
    return {problem.problem: problem.count for problem in worlds.take_in(workspace).tables[table].problems}


def written(workspace: Workspace) -> list[str]:
    """What is stored of any intake, beside empty folders."""
    found = [file for folder in (workspace.state, workspace.out) for file in folder.rglob("*") if file.is_file()]
    return sorted(str(file.relative_to(workspace.root)) for file in found)


@pytest.mark.parametrize(
    ("table", "column"),
    [(name, column.name) for name in small() for column in TABLES[name].columns if column.required],
)
def test_a_missing_column_is_named_and_nothing_is_written(table: str, column: str, tmp_path: Path) -> None:
    world = small()
    for row in world[table]:
        del row[column]
    workspace = worlds.write(tmp_path, world)
    with pytest.raises(PropensityError) as caught:
        worlds.take_in(workspace)
    assert f"tables.{table} lacks {column}" in caught.value.message
    assert column in caught.value.hint
    assert written(workspace) == []


@pytest.mark.parametrize(
    ("table", "column", "value", "problem"),
    [
        ("usage", "occurred_at", "yesterday", "occurred_at is not a time from 1900 to 2200"),
        ("usage", "occurred_at", "0001-01-01", "occurred_at is not a time from 1900 to 2200"),
        ("usage", "occurred_at", "2026-02-30", "occurred_at is not a time from 1900 to 2200"),
        ("usage", "occurred_at", None, "occurred_at is missing"),
        ("usage", "event", "", "event is missing"),
        ("usage", "value", "many", "value is not a finite number"),
        ("usage", "value", "NaN", "value is not a finite number"),
        ("usage", "value", "inf", "value is not a finite number"),
        ("usage", "value", "-Infinity", "value is not a finite number"),
        ("usage", "value", "1e308", "value is not a finite number"),
        ("usage", "value", "1e999", "value is not a finite number"),
        ("usage", "value", "1,5", "value is not a finite number"),
        ("invoices", "amount", "12 EUR", "amount is not a finite amount"),
        ("contracts", "arr", -1, "arr is negative"),
        ("contracts", "ends", datetime(2024, 12, 1, tzinfo=UTC), "ends is not after starts"),
        ("accounts", "size", 2.5, "size is not a whole number"),
        ("tickets", "severity", "dire", "severity is none of high, low, normal, urgent"),
        ("tickets", "resolved", NOON - ONE_DAY, "resolved is before opened"),
        ("usage", "occurred_at", datetime(2024, 1, 1, tzinfo=UTC), "occurred_at is before the account was created"),
        ("usage", "account", "phantom", "account is not in accounts"),
        ("usage", "contact", "phantom", "contact is not in contacts of this account"),
        ("usage", "contact", "b1", "contact is not in contacts of this account"),
        ("contacts", "account", "phantom", "account is not in accounts"),
        ("contacts", "contact", "x\0y", "contact is not text without NUL bytes"),
    ],
)
def test_a_bad_value_is_set_aside_with_its_reason(
    table: str, column: str, value: object, problem: str, tmp_path: Path
) -> None:
    """The row of account a goes, everything of account b is as it would have been."""
    world = small()
    without = hashed(tmp_path / "without", world)[1] if table == "usage" else None
    world[table].insert(0, {**world[table][0], TABLES[table].key: "bad", column: value})
    workspace = worlds.write(tmp_path / "with", world)
    report = worlds.take_in(workspace).tables[table]
    assert {found.problem: found.count for found in report.problems} == {problem: 1}
    assert (report.read, report.rows, report.quarantined) == (len(world[table]), len(world[table]) - 1, 1)
    with (workspace.quarantine / f"{table}.csv").open(encoding="utf-8", newline="") as stream:
        assert [row["reason"] for row in csv.DictReader(stream)] == [problem]
    if without is not None:
        pd.testing.assert_frame_equal(frames.feature_frame(workspace, [DAY]), without, check_exact=True)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), 1e308])
def test_numbers_that_are_none_in_parquet(value: float, tmp_path: Path) -> None:
    world = small()
    world["usage"][0]["value"] = value
    workspace = worlds.write(tmp_path, world, parquet=True)
    assert problems(workspace, "usage") == {"value is not a finite number": 1}
    numbers = frames.feature_frame(workspace, [DAY]).select_dtypes("number").to_numpy()
    assert not ((numbers == float("inf")) | (numbers == float("-inf"))).any()


def test_values_beyond_exact_sums_are_refused(tmp_path: Path) -> None:
    for folder, value in {"sum": 3e12, "single": 8e15}.items():
        world = small()
        for row in world["usage"]:
            row["value"] = value
        with pytest.raises(PropensityError, match="the values of usage facts add up to more than"):
            worlds.frame(worlds.write(tmp_path / folder, world), DAY)


def test_minus_zero_is_zero(tmp_path: Path) -> None:
    world = small()
    world["usage"] = [row | {"value": 0.0} for row in world["usage"]]
    plain = hashed(tmp_path / "plain", world, parquet=True)[1]
    world["usage"] = [row | {"value": -0.0} for row in world["usage"]]
    assert list(hashed(tmp_path / "minus", world, parquet=True)[1]["row_hash"]) == list(plain["row_hash"])


def test_an_extra_column_is_noted_and_changes_nothing(tmp_path: Path) -> None:
    world = small()
    plain = hashed(tmp_path / "plain", world)
    world["usage"] = [{"colour": "red", **row} for row in world["usage"]]
    workspace = worlds.write(tmp_path / "extra", world)
    report = worlds.take_in(workspace)
    assert "columns that are not in the contract ignored: colour" in report.tables["usage"].handled
    assert (workspace.tables / "current").read_text() == plain[0]


@pytest.mark.parametrize("parquet", [False, True])
def test_a_file_that_arrives_twice_adds_nothing(parquet: bool, tmp_path: Path) -> None:
    world = small()
    plain = hashed(tmp_path / "once", world, parquet=parquet)
    doubled: World = {name: rows + rows for name, rows in world.items()}
    workspace = worlds.write(tmp_path / "twice", doubled, parquet=parquet)
    report = worlds.take_in(workspace)
    assert {name: (table.repeated, table.quarantined) for name, table in report.tables.items()} == {
        name: (len(rows), 0) for name, rows in world.items()
    }
    assert (workspace.tables / "current").read_text() == plain[0]


def test_overlapping_files_without_keys_are_counted_once(tmp_path: Path) -> None:
    """Rows that have no identifier are told apart by content and how often they come in one file."""
    rows = [{"account": "a", "occurred_at": NOON, "event": "login", "value": 1}] * 2
    later = [{"account": "a", "occurred_at": NOON + ONE_DAY, "event": "login", "value": 1}]
    world = small() | {"usage": rows}
    workspace = worlds.write(tmp_path, world, sources={"usage": {"path": "data/usage*.csv"}})
    worlds.write_csv(tmp_path / "data" / "usage2.csv", rows + later, list(rows[0]))
    report = worlds.take_in(workspace)
    assert report.tables["usage"].rows == 3
    assert "usage: 2 files read as one, rows that they share counted once" in report.tables["usage"].handled


@pytest.mark.parametrize(("table", "column", "value"), [("accounts", "segment", "large"), ("usage", "value", 99), ("tickets", "severity", "low")])
def test_one_of_two_rows_with_one_key_is_set_aside(table: str, column: str, value: object, tmp_path: Path) -> None:
    world, swapped = small(), small()
    other = {**world[table][0], column: value}
    world[table].append(other)
    swapped[table].insert(0, other)
    workspace = worlds.write(tmp_path / "after", world)
    assert problems(workspace, table) == {f"{TABLES[table].key} seen before with other content": 1}
    assert (workspace.tables / "current").read_text() == hashed(tmp_path / "before", swapped)[0]


def test_rows_of_the_future_are_told_and_count_for_no_earlier_as_of(tmp_path: Path) -> None:
    world = small()
    plain = hashed(tmp_path / "plain", world, as_of={**worlds.AS_OF, "exported": DAY})[1]
    beyond = [datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC) + ONE_DAY, datetime(2199, 1, 1, tzinfo=UTC)]
    last_known = datetime(2026, 3, 31, 23, 59, 59, 999999, tzinfo=UTC)
    for number, instant in enumerate(beyond):
        world["usage"].append({**world["usage"][0], "event_id": f"f{number}", "occurred_at": instant})
    workspace = worlds.write(tmp_path / "future", world, as_of={**worlds.AS_OF, "exported": DAY})
    assert problems(workspace, "usage") == {"happens after the exports were taken": 3}
    pd.testing.assert_frame_equal(frames.feature_frame(workspace, [DAY]), plain, check_exact=True)
    world["usage"][-1]["occurred_at"] = last_known
    moved = hashed(tmp_path / "moved", world, as_of={**worlds.AS_OF, "exported": DAY})[1]
    assert moved["usage_events_30d"].tolist() == [plain["usage_events_30d"][0] + 1, plain["usage_events_30d"][1]]


@pytest.mark.parametrize(
    ("zone", "local", "instant"),
    [
        ("UTC", "2026-03-29 02:30", "2026-03-29T02:30"),
        ("Europe/Berlin", "2026-03-29 01:59:59.999999", "2026-03-29T00:59:59.999999"),
        ("Europe/Berlin", "2026-03-29 02:30", "2026-03-29T01:30"),  # skipped by the clocks: as if they had not moved
        ("Europe/Berlin", "2026-03-29 03:00", "2026-03-29T01:00"),
        ("Europe/Berlin", "2025-10-26 02:30", "2025-10-26T01:30"),  # comes twice: the second time
        ("Europe/Berlin", "2026-03-29T02:30:00Z", "2026-03-29T02:30"),  # an offset needs no zone
        ("Europe/Berlin", "2026-03-29T02:30:00-05:00", "2026-03-29T07:30"),
        ("America/New_York", "2026-03-08 02:30", "2026-03-08T07:30"),
    ],
)
@pytest.mark.parametrize("machine", ["UTC", "Pacific/Auckland"])
def test_local_times_become_instants(
    zone: str, local: str, instant: str, machine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the zone of the table, whatever the zone of the machine."""
    with machine_zone(machine, monkeypatch):
        world = {"accounts": [{"account": "a"}], "usage": [{"account": "a", "event": "login", "occurred_at": local}]}
        workspace = worlds.write(tmp_path, world, tables={"usage": {"timezone": zone}})
        worlds.take_in(workspace)
        assert stored(workspace, "usage", "epoch_us(occurred_at)") == [
            int(datetime.fromisoformat(instant).replace(tzinfo=UTC).timestamp() * 1_000_000 + 0.5)
        ]
'''
''' if False else None
