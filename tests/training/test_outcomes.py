"""Outcomes on hand-made worlds, on the boundary instants: yes, no, and unknown where nobody can know yet.

The as_of is 1 March 2026 in Berlin, lead 10, horizon 30 and grace 15 days; the clocks change within the horizon.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from features.errors import PropensityError
from features.workspace import Workspace
from tests import worlds
from training.outcomes import labels

ZONE = "Europe/Berlin"
DAY, ONE_DAY, TICK = date(2026, 3, 1), timedelta(days=1), timedelta(microseconds=1)
LONG_AGO = datetime(2025, 1, 1, tzinfo=ZoneInfo(ZONE))
BEGINS = datetime(2026, 3, 12, tzinfo=ZoneInfo(ZONE))
ENDS = datetime(2026, 4, 11, tzinfo=ZoneInfo(ZONE))
GRACE_ENDS = datetime(2026, 4, 26, tzinfo=ZoneInfo(ZONE))
EXPORTED = date(2026, 6, 30)
TIMES = {"lead": 10, "horizon": 30, "grace": 15}
YES, NO = 1.0, 0.0
Row = dict[str, object]


def _world(
    root: Path, outcome: str, settings: dict[str, Any], tables: worlds.Tables, exported: date = EXPORTED
) -> Workspace:
    workspace = worlds.write(
        root,
        tables,
        timezone=ZONE,
        as_of={"since": date(2025, 1, 1), "exported": exported},
        cohort={"kind": "activity", "activity": settings.pop("activity", ["usage"])},
        outcomes={outcome: settings},
    )
    worlds.take_in(workspace)
    return workspace


def _rows(accounts: list[str], day: date = DAY) -> pd.DataFrame:
    return pd.DataFrame({"account": accounts, "as_of": [day] * len(accounts)})


def _told(workspace: Workspace, outcome: str, accounts: list[str]) -> dict[str, float]:
    """The labels, asked for in both orders of the accounts."""
    found = labels(workspace, outcome, _rows(accounts))
    assert np.array_equal(labels(workspace, outcome, _rows(accounts[::-1]))[::-1], found, equal_nan=True)
    return dict(zip(accounts, found.tolist(), strict=True))


def _utc(instant: datetime) -> datetime:
    return instant.astimezone(ZoneInfo("UTC"))


def _contract(**times: datetime) -> Row:
    return {"starts": LONG_AGO, "ends": None, "cancelled": None, **times}


CONTRACTS: dict[str, tuple[list[Row], float]] = {
    "open-ended": ([_contract()], NO),
    "runs beyond the horizon": ([_contract(ends=ENDS + 90 * ONE_DAY)], NO),
    "ends just after the horizon": ([_contract(ends=ENDS + TICK)], NO),
    "ends with the horizon": ([_contract(ends=ENDS)], YES),
    "ends within the horizon": ([_contract(ends=BEGINS)], YES),
    "ends before the horizon": ([_contract(ends=BEGINS - ONE_DAY)], YES),
    "cancelled with an end later on runs to it": ([_contract(cancelled=BEGINS, ends=ENDS + TICK)], NO),
    "cancelled without an end": ([_contract(cancelled=ENDS - ONE_DAY)], YES),
    "cancelled without an end, on the horizon's": ([_contract(cancelled=ENDS)], YES),
    "cancelled without an end, after the horizon": ([_contract(cancelled=ENDS + TICK)], NO),
    "renewed at once": ([_contract(ends=BEGINS), _contract(starts=BEGINS)], NO),
    "renewed on the last instant of the grace": ([_contract(ends=BEGINS), _contract(starts=GRACE_ENDS - TICK)], NO),
    "renewed as the grace ends": ([_contract(ends=BEGINS), _contract(starts=GRACE_ENDS)], YES),
    "renewed a day after the grace": ([_contract(ends=BEGINS), _contract(starts=GRACE_ENDS + ONE_DAY)], YES),
    "renewed and gone again by the end": ([_contract(ends=BEGINS), _contract(starts=BEGINS, ends=ENDS - TICK)], YES),
    "one of two goes": ([_contract(ends=BEGINS), _contract()], NO),
}


@pytest.fixture(scope="module")
def contracts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    rows: list[Row] = []
    for account, (terms, _) in CONTRACTS.items():
        for term in terms:
            rows.append({"contract": str(len(rows)), "account": account, "arr": 1, **term})
    tables: worlds.Tables = {"accounts": [{"account": account} for account in CONTRACTS], "contracts": rows}
    workspace = _world(tmp_path_factory.mktemp("contracts"), "churn", {"kind": "contract", **TIMES}, tables)
    return _told(workspace, "churn", list(CONTRACTS))


@pytest.mark.parametrize("account", CONTRACTS)
def test_contract_churn(account: str, contracts: dict[str, float]) -> None:
    assert contracts[account] == CONTRACTS[account][1]


@pytest.mark.parametrize(
    ("begins", "expected"), [(ENDS - TICK, NO), (ENDS, NO), (ENDS + TICK, YES), (ENDS + ONE_DAY / 2, YES)]
)
def test_without_grace_the_instant_at_which_the_horizon_ends_decides(
    begins: datetime, expected: float, tmp_path: Path
) -> None:
    tables: worlds.Tables = {
        "accounts": [{"account": "a"}],
        "contracts": [{"contract": "c", "account": "a", **_contract(starts=begins)}],
    }
    settings = {"kind": "contract", **TIMES, "grace": 0}
    assert _told(_world(tmp_path, "churn", settings, tables), "churn", ["a"]) == {"a": expected}


INSTANTS: dict[str, tuple[datetime, bool]] = {
    "before the horizon": (BEGINS - TICK, False),
    "as the horizon begins": (BEGINS, True),
    "just before the horizon ends": (ENDS - TICK, True),
    "as the horizon ends": (ENDS, False),
}
"""When something happens, and whether the horizon has it."""

STREAMS: dict[str, tuple[str, dict[str, Any], Row, str, float]] = {
    "inactivity": ("churn", {"kind": "inactivity"}, {"event": "login"}, "usage", NO),
    "inactivity of the kind that counts": ("churn", {"kind": "inactivity", "activity": ["usage.login"]}, {"event": "login"}, "usage", NO),
    "inactivity of another kind": ("churn", {"kind": "inactivity", "activity": ["usage.login"]}, {"event": "export"}, "usage", YES),
    "either kind of activity": ("churn", {"kind": "inactivity", "activity": ["usage.login", "usage.export"]}, {"event": "export"}, "usage", NO),
    "an act": ("advocacy", {"kind": "act"}, {"kind": "review"}, "advocacy", YES),
    "an act that counts": ("advocacy", {"kind": "act", "acts": ["review", "referral"]}, {"kind": "referral"}, "advocacy", YES),
    "an act that does not count": ("advocacy", {"kind": "act", "acts": ["review"]}, {"kind": "speaking"}, "advocacy", NO),
    "a rating at the threshold": ("advocacy", {"kind": "feedback", "at_least": 4}, {"instrument": "rating", "score": 4}, "feedback", YES),
    "a rating below it": ("advocacy", {"kind": "feedback", "at_least": 4}, {"instrument": "rating", "score": 3.99}, "feedback", NO),
    "an answer to another question": ("advocacy", {"kind": "feedback", "at_least": 4}, {"instrument": "CSAT", "score": 5}, "feedback", NO),
    "a promoter": ("advocacy", {"kind": "feedback", "instrument": "NPS", "at_least": 9}, {"instrument": "NPS", "score": 9}, "feedback", YES),
}  # fmt: skip
"""Outcome, its settings, a row, its table, and what the row makes of the outcome if it falls into the horizon."""
WHEN = {"usage": "occurred_at", "advocacy": "done", "feedback": "responded"}
LACKING: dict[str, Row] = {"usage": {"value": 1}, "advocacy": {"asked": LONG_AGO, "revenue_touched": 1}, "feedback": {}}
COUNTING: dict[str, list[Row]] = {
    "usage": [{"event": "login"}, {"event": "export"}],
    "advocacy": [{"kind": "review"}],
    "feedback": [{"instrument": "rating", "score": 5}, {"instrument": "NPS", "score": 10}],
}
"""Rows of long ago, so that recording has begun before the horizon."""


@pytest.mark.parametrize("case", STREAMS)
def test_what_happens_within_the_half_open_horizon(case: str, tmp_path: Path) -> None:
    outcome, settings, row, table, falls = STREAMS[case]
    rest = LACKING[table]
    rows: list[Row] = [{"account": "old", WHEN[table]: LONG_AGO, **rest, **old} for old in COUNTING[table]]
    rows += [{"account": name, WHEN[table]: _utc(at), **rest, **row} for name, (at, _) in INSTANTS.items()]
    tables: worlds.Tables = {"accounts": [{"account": name} for name in [*INSTANTS, "old"]], table: rows}
    settings = {**settings, **TIMES, "grace": 0}
    nothing = YES if outcome == "churn" else NO
    expected = {name: falls if inside else nothing for name, (_, inside) in INSTANTS.items()}
    assert _told(_world(tmp_path, outcome, settings, tables), outcome, list(INSTANTS)) == expected


def test_an_ask_is_no_act(tmp_path: Path) -> None:
    asked: Row = {"account": "a", "kind": "review", "asked": BEGINS, "done": None, "revenue_touched": None}
    done: Row = {"account": "b", "kind": "review", "asked": BEGINS, "done": BEGINS + ONE_DAY, "revenue_touched": None}
    old: Row = {"account": "c", "kind": "review", "asked": None, "done": LONG_AGO, "revenue_touched": None}
    tables: worlds.Tables = {"accounts": [{"account": name} for name in "abc"], "advocacy": [asked, done, old]}
    found = _told(_world(tmp_path, "advocacy", {"kind": "act", **TIMES}, tables), "advocacy", ["a", "b", "c"])
    assert found == {"a": NO, "b": YES, "c": NO}


SPAN = 10 + 30 + 15 + 2
MATURE = {"kind": "contract", **TIMES, "delay": 2}


@pytest.mark.parametrize(("exported", "known"), [(DAY + SPAN * ONE_DAY, True), (DAY + (SPAN - 1) * ONE_DAY, False)])
@pytest.mark.parametrize("kind", ["contract", "inactivity"])
def test_a_window_that_was_not_observed_to_its_end_is_unknown_not_no(
    kind: str, exported: date, known: bool, tmp_path: Path
) -> None:
    tables: worlds.Tables = {
        "accounts": [{"account": "gone"}, {"account": "here"}],
        "contracts": [
            {"contract": "1", "account": "gone", **_contract(ends=BEGINS)},
            {"contract": "2", "account": "here", **_contract()},
        ],
        "usage": [
            {"account": "gone", "occurred_at": LONG_AGO, "event": "login", "value": 1},
            {"account": "here", "occurred_at": BEGINS, "event": "login", "value": 1},
        ],
    }
    workspace = _world(tmp_path, "churn", {**MATURE, "kind": kind}, tables, exported)
    found = labels(workspace, "churn", _rows(["gone", "here"]))
    assert found.tolist() == [YES, NO] if known else np.isnan(found).all()


@pytest.mark.parametrize(
    ("first", "known"),
    [
        (LONG_AGO, True),
        (BEGINS, True),
        (BEGINS + ONE_DAY - TICK, True),  # the day on which recording starts is taken as recorded
        (BEGINS + ONE_DAY, False),
        (ENDS + ONE_DAY, False),
        (None, False),
    ],
)
def test_a_window_that_begins_before_anything_was_recorded_is_unknown(
    first: datetime | None, known: bool, tmp_path: Path
) -> None:
    acts: list[Row] = [{"account": "a", "kind": "review", "asked": LONG_AGO, "done": first, "revenue_touched": None}]
    usage: list[Row] = [{"account": "a", "occurred_at": LONG_AGO, "event": "login", "value": 1}]
    tables: worlds.Tables = {"accounts": [{"account": "a"}, {"account": "b"}], "advocacy": acts, "usage": usage}
    found = labels(_world(tmp_path, "advocacy", {"kind": "act", **TIMES}, tables), "advocacy", _rows(["b"]))
    assert found.tolist() == [NO] if known else np.isnan(found).all()


def test_an_outcome_that_is_not_configured_is_named_with_the_cure(tmp_path: Path) -> None:
    tables: worlds.Tables = {
        "accounts": [{"account": "a"}],
        "contracts": [{"contract": "c", "account": "a", **_contract()}],
    }
    workspace = _world(tmp_path, "churn", {"kind": "contract"}, tables)
    for name, hint in (("advocacy", "[outcomes.advocacy]"), ("growth", "Use one of churn")):
        with pytest.raises(PropensityError) as error:
            labels(workspace, name, _rows(["a"]))
        assert f"no outcome {name!r} in this workspace; there are churn" in error.value.message
        assert hint in error.value.hint
        assert error.value.status == 404
