"""Every measure's specification, from rows in files to its column; that each has one; that frames do not hold them."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from features import measures
from features.definitions import FEATURES
from features.feature import Declaration
from features.tables import ROLES, TABLES, TOUCHPOINTS
from tests import specification, worlds

DAYS, USAGE_DAYS = 60, 20
MEASURES, DECLARED = measures.measures(DAYS, USAGE_DAYS)
CONFIG: dict[str, Any] = {
    "timezone": specification.ZONE,
    "signals": {"windows": [30]},
    "cohort": {"kind": "activity", "days": 3650, "activity": ["account.created"]},
    "outcomes": {},
    "as_of": {"since": specification.DAY},
    "beacon": {"days": DAYS, "usage_days": USAGE_DAYS},
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """One workspace in which each declaration has an account of its own."""
    rows: dict[str, list[dict[str, object]]] = {"accounts": [], "contacts": [], "usage": [], "feedback": []}
    for number, declared in enumerate(DECLARED):
        for table, row in specification.parsed(declared, f"m{number:03}").rows:
            rows[table].append({column: row.get(column) for column in TABLES[table].by_name})
    workspace = worlds.write(tmp_path_factory.mktemp("measures"), rows, parquet=True, **CONFIG)
    worlds.take_in(workspace)
    accounts = [f"m{number:03}" for number in range(len(DECLARED))]
    configured = measures.of(workspace.config.beacon)
    assert configured == (MEASURES, DECLARED)
    return measures.values(workspace, accounts, [specification.DAY] * len(accounts), DECLARED)


@pytest.mark.parametrize(("number", "declared"), list(enumerate(DECLARED)), ids=[one.name for one in DECLARED])
def test_specification(number: int, declared: Declaration, told: pd.DataFrame) -> None:
    found = specification.parsed(declared, f"m{number:03}")
    assert found.answers
    for window, answer in found.answers:
        column = declared.name if window is None else f"{declared.name}_{window}d"
        assert told[column][number] == pytest.approx(float(answer), rel=1e-9), declared.spec


def test_every_measure_has_a_column_and_words_of_its_own(told: pd.DataFrame) -> None:
    assert {one.column for one in MEASURES} <= set(told)
    for what in ("name", "said", "column"):
        assert len({getattr(one, what) for one in MEASURES}) == len(MEASURES)


def test_every_role_and_touchpoint_is_measured() -> None:
    for role in ROLES:
        assert {one.answers for one in MEASURES if one.role == role} == {True, False}
    assert {one.touchpoint for one in MEASURES} == {"", *TOUCHPOINTS} - {"other"}


def test_frames_do_not_hold_them() -> None:
    assert not {one.name for one in DECLARED} & {one.name for one in FEATURES}


def test_points_are_shares_of_the_scale() -> None:
    """An NPS answer one higher is ten points of 100, a CSAT one is twenty."""
    points = {one.name: one.points for one in MEASURES}
    assert (points["nps_answer"], points["csat"], points["usage"]) == (10, 20, 0)


def test_only_what_it_takes_is_computed() -> None:
    """NPS is made of two shares, and these of three counts."""
    by_name = {one.name: one.column for one in MEASURES}
    nps = [one.name for one in measures.only(DECLARED, {by_name["nps"]})]
    assert nps == [
        "promoters_of",
        "detractors_of",
        "nps_of",
        "promoters_per_answer",
        "detractors_per_answer",
        "nps_balance",
    ]
    assert [one.name for one in measures.only(DECLARED, {by_name["csat"]})] == ["mean_csat"]
