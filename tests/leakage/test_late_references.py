"""Rows that others refer to, and columns filled in later, change nothing that was known before they arrived."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests import worlds

DAY = date(2025, 6, 30)
AS_OF = datetime(2025, 7, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
ACCOUNT = {"account": "a", "created": datetime(2025, 1, 1, tzinfo=UTC)}
USE = {"account": "a", "contact": "c", "occurred_at": AS_OF - 50 * HOUR, "event": "login", "value": 1}
DECIDER = {"contact": "c", "account": "a", "role": "decision maker", "joined": AS_OF - 99 * HOUR, "recorded_at": AS_OF}
SOMEBODY = {"contact": "d", "account": "a", "role": "user", "joined": AS_OF - 99 * HOUR}
TERM = {
    "contract": "k",
    "account": "a",
    "starts": AS_OF + 9 * HOUR,
    "signed": AS_OF - 9 * HOUR,
    "cancelled": None,
    "arr": 12,
}
ASK = {
    "act": "x",
    "account": "a",
    "kind": "review",
    "asked": AS_OF - 9 * HOUR,
    "accepted": AS_OF - 8 * HOUR,
    "declined": None,
}
CASES: dict[str, tuple[str, list[dict[str, Any]], list[dict[str, Any]]]] = {
    "a contact who used it before it was recorded": ("contacts", [SOMEBODY], [SOMEBODY, DECIDER]),
    "a contract cancelled later, before it starts": ("contracts", [TERM], [TERM | {"cancelled": AS_OF + HOUR}]),
    "an ask accepted, and declined later": ("advocacy", [ASK], [ASK | {"declined": AS_OF + HOUR}]),
}


def _frame(root: Path, **tables: list[dict[str, Any]]) -> pd.DataFrame:
    cohort = {"kind": "activity", "days": 90}
    rows = {"accounts": [ACCOUNT], "usage": [USE], **tables}
    return worlds.frame(worlds.write(root, rows, parquet=True, cohort=cohort), DAY)


@pytest.mark.parametrize("case", CASES)
def test_what_comes_later_moves_no_bit(case: str, tmp_path: Path) -> None:
    table, then, later = CASES[case]
    before, after = _frame(tmp_path / "then", **{table: then}), _frame(tmp_path / "later", **{table: later})
    pd.testing.assert_frame_equal(before, after, check_exact=True)
    assert before["usage_events_30d"].tolist() == [1]


def test_a_role_counts_once_its_contact_is_known(tmp_path: Path) -> None:
    known = DECIDER | {"recorded_at": USE["occurred_at"]}
    assert _frame(tmp_path / "known", contacts=[known])["deciders_active_90d"].tolist() == [1]
    assert _frame(tmp_path / "late", contacts=[DECIDER])["deciders_active_90d"].tolist() == [0]


def test_a_dangling_reference_is_told_and_kept(tmp_path: Path) -> None:
    workspace = worlds.write(tmp_path, {"accounts": [ACCOUNT], "usage": [USE], "contacts": [SOMEBODY]})
    report = worlds.take_in(workspace).tables["usage"]
    assert (report.rows, report.quarantined) == (1, 0)
    assert [(p.problem, p.count, p.quarantined) for p in report.problems] == [
        ("contact is not in contacts of this account", 1, False)
    ]


def test_usage_without_amounts_is_counted_all_the_same(tmp_path: Path) -> None:
    plain = {name: value for name, value in USE.items() if name != "value"}
    frame = _frame(tmp_path, usage=[plain])
    assert frame["usage_events_30d"].tolist() == [1]
    assert "usage_value_30d" not in frame
