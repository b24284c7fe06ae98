"""Features made of features: their numbers, their windows, and what becomes of them where a part is missing."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from features import intake, plan
from features.aggregations import count, total
from features.definitions import FEATURES
from features.expressions import Blend, Difference, Rank, Ratio
from features.feature import Attribute, Column, Declaration, Expression, Feature
from features.frame import build, read
from features.plan import Plan
from features.quality import Report, TableReport
from features.workspace import Config, parse
from tests import worlds

NULL, INF = math.nan, math.inf
WORDS: Any = {"family": "context", "doc": "doc", "reason": "{value}"}
COLUMN = Column("x", None, 30, 90)  # type: ignore[arg-type]


def numbers(expression: Expression, *parts: list[float], column: Column = COLUMN) -> list[float]:
    with np.errstate(all="raise"):
        return expression.number(column, *(np.array(part) for part in parts)).tolist()


def same(found: list[float], expected: list[float]) -> None:
    np.testing.assert_array_equal(found, expected)


def test_a_ratio_is_null_where_there_is_nothing_to_divide_by() -> None:
    ratio = Ratio("r", "top", "bottom", **WORDS)
    same(numbers(ratio, [6, 0, 6, 0, NULL, 6, NULL, -6], [3, 3, 0, 0, 3, NULL, 0, 3]), [2, 0] + [NULL] * 5 + [-2])
    same(numbers(ratio, [1.0], [-0.0]), [NULL])


def test_a_pace_is_by_the_day_or_as_it_is() -> None:
    rate, level = (Ratio("r", "top", "bottom", pace=pace, **WORDS) for pace in ("rate", "level"))  # type: ignore[arg-type]
    same(numbers(rate, [10, 30, 0, 1, NULL], [30, 30, 30, 0, 3]), [1, 3, 0, NULL, NULL])
    same(numbers(level, [10, 30, 0, 1, NULL], [20, 30, 30, 0, 3]), [0.5, 1, 0, NULL, NULL])


def test_a_difference_is_null_where_either_part_is() -> None:
    difference = Difference("d", "left", "right", **WORDS)
    same(numbers(difference, [5, 5, NULL, NULL, 0], [3, NULL, 3, NULL, 0]), [2, NULL, NULL, NULL, 0])


def test_a_blend_is_the_mean_of_what_is_known() -> None:
    blend = Blend("b", (("one", 1.0), ("two", 3.0), ("none", 0.0)), **WORDS)
    found = numbers(blend, [4, 4, NULL, NULL, NULL, 0], [8, NULL, 8, NULL, NULL, 0], [9, 9, 9, NULL, 9, 9])
    same(found, [7, 4, 8, NULL, NULL, 0])


def test_a_rank_waits_for_the_others() -> None:
    same(numbers(Rank("r", "of", "among", **WORDS), [1, 2]), [NULL, NULL])


# Windows.


def usage(name: str, *over: int) -> Feature:
    return Feature(name, "usage", count, over=over, **WORDS)


WINDOWLESS = usage("ever")
PARTS: tuple[Declaration, ...] = (
    WINDOWLESS,
    usage("two", 30, 90),
    usage("three", 30, 90, 365),
    usage("other", 7, 90),
    usage("apart", 14),
    Feature("valued", "usage", total, over="all", **WORDS),
    Feature("gone", "deal.won", count, **WORDS),
    Attribute("segment", "context", "", ""),
    Attribute("size", "context", "", "", categorical=False),
    Attribute("industry", "context", "", ""),
)


def planned(*declared: Declaration, windows: tuple[int, ...] = (7, 30)) -> Plan:
    """Of a workspace with usage and the columns segment and size."""
    tables = {"accounts": {"source": "a"}, "usage": {"source": "a"}}
    raw = {"name": "x", "as_of": {"since": date(2025, 1, 1)}, "tables": tables, "sources": {"a": {"path": "a.csv"}}}
    config: Config = parse({**raw, "signals": {"windows": list(windows), "events": ["log in"]}})
    found = {"accounts": ["account", "segment", "size"], "usage": ["account", "occurred_at", "event", "value"]}
    report = Report({name: TableReport(name, columns=columns) for name, columns in found.items()})
    return plan.plan(config, report, (*PARTS, *declared))


def columns_of(made: Plan, name: str) -> dict[str, list[str]]:
    """The columns of an expression, each with those it is computed from."""
    return {column.name: made.inputs(column) for column in made.columns if column.declaration.name == name}


def ratio(top: str, bottom: str, **more: Any) -> Ratio:
    return Ratio("x", top, bottom, **WORDS, **more)


CASES: list[tuple[Expression, dict[str, list[str]]]] = [
    (ratio("two", "three"), {"x_30d": ["two_30d", "three_30d"], "x_90d": ["two_90d", "three_90d"]}),
    (ratio("three", "other"), {"x_90d": ["three_90d", "other_90d"]}),
    (ratio("two", "ever"), {"x_30d": ["two_30d", "ever"], "x_90d": ["two_90d", "ever"]}),
    (ratio("size", "two"), {"x_30d": ["size", "two_30d"], "x_90d": ["size", "two_90d"]}),
    (ratio("ever", "size"), {"x": ["ever", "size"]}),
    (ratio("valued", "three"), {"x_30d": ["valued_30d", "three_30d"]}),
    (
        ratio("three", "three", pace="rate"),
        {"x_30d_90d": ["three_30d", "three_90d"], "x_90d_365d": ["three_90d", "three_365d"]},
    ),
    (Difference("x", "two", "other", **WORDS), {"x_90d": ["two_90d", "other_90d"]}),
    (
        Blend("x", (("three", 1.0), ("ever", 2.0), ("other", 1.0)), **WORDS),
        {"x_90d": ["three_90d", "ever", "other_90d"]},
    ),
    (Rank("x", "three", "segment", **WORDS, over=(90, 7)), {"x_90d": ["three_90d"]}),
    (Rank("x", "ever", "segment", **WORDS), {"x": ["ever"]}),
]


@pytest.mark.parametrize(("expression", "expected"), CASES)
def test_parts_are_taken_window_by_window(expression: Expression, expected: dict[str, list[str]]) -> None:
    made = planned(expression)
    assert columns_of(made, "x") == expected
    assert {name for names in expected.values() for name in names} <= set(made.names)
    assert "x" not in made.missing


def test_an_expression_is_a_part_like_any_other() -> None:
    inner = Ratio("inner", "two", "ever", **WORDS)
    made = planned(inner, Difference("x", "inner", "three", **WORDS), Rank("y", "x", "segment", **WORDS, over=(90,)))
    assert columns_of(made, "x") == {"x_30d": ["inner_30d", "three_30d"], "x_90d": ["inner_90d", "three_90d"]}
    assert columns_of(made, "y") == {"y_90d": ["x_90d"]}


LACKING: list[tuple[Expression, str]] = [
    (ratio("gone", "two"), "needs gone"),
    (ratio("two", "gone"), "needs gone"),
    (ratio("gone", "gone"), "needs gone"),
    (ratio("two", "never heard of"), "needs never heard of"),
    (Difference("x", "gone", "industry", **WORDS), "needs gone and industry"),
    (Blend("x", (("two", 1.0), ("gone", 1.0)), **WORDS), "needs gone"),
    (Rank("x", "two", "industry", **WORDS, over=(30,)), "needs industry"),
    (Rank("x", "gone", "segment", **WORDS), "needs gone"),
    (ratio("two", "apart"), "needs windows that the workspace does not have"),
    (ratio("apart", "apart", pace="rate"), "needs windows that the workspace does not have"),
    (Rank("x", "valued", "segment", **WORDS, over=(90,)), "needs windows that the workspace does not have"),
]


@pytest.mark.parametrize(("expression", "reason"), LACKING)
def test_what_cannot_be_had_is_missing_with_its_reason(expression: Expression, reason: str) -> None:
    """And so is what is made of it."""
    made = planned(expression, Difference("y", "x", "two", **WORDS))
    assert (made.missing["x"], made.missing["y"]) == (reason, "needs x")
    assert {"x", "y"}.isdisjoint(column.declaration.name for column in made.columns)
    assert made.missing["gone"] == "needs deal.won facts: table deals with won"
    assert made.missing["industry"] == "accounts has no column industry"


def test_the_meaning_of_an_expression_is_that_of_its_parts() -> None:
    """Other words are the same; another part, at whatever depth, another window or weight is not."""
    inner = Ratio("inner", "two", "ever", **WORDS)
    outer = Difference("x", "inner", "three", **WORDS)
    before = planned(inner, outer)
    other = planned(Ratio("inner", "three", "ever", **WORDS), outer)
    words = planned(Ratio("inner", "two", "ever", **{**WORDS, "doc": "other"}), outer)
    assert words.digest == before.digest != other.digest
    assert words.meanings == before.meanings
    assert other.meanings["x_30d"] != before.meanings["x_30d"]
    assert other.meanings["three_30d"] == before.meanings["three_30d"]
    ranked, elsewhere = (planned(Rank("x", "two", among, **WORDS, over=(30,))) for among in ("segment", "size"))
    assert ranked.meanings["x_30d"] != elsewhere.meanings["x_30d"]


# Every declaration, in every workspace.

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("windows", [(1,), (14,), (7, 14), (30, 90), (3650,)], ids=str)
def test_any_windows_will_do(windows: tuple[int, ...], tmp_path: Path) -> None:
    """Every column of the plan is computed, whichever windows the workspace names."""
    world = {
        "accounts": [{"account": f"{n}", "segment": "s"} for n in range(12)],
        "usage": [
            {"account": f"{n}", "occurred_at": START + timedelta(hours=h), "event": "log in", "value": 1.0}
            for n in range(12)
            for h in range(n + 1)
        ],
    }
    signals = {"windows": list(windows), "events": ["log in"]}
    cohort = {"kind": "activity", "days": 90}
    workspace = worlds.write(tmp_path, world, signals=signals, cohort=cohort, outcomes={})
    worlds.take_in(workspace)
    day = date(2026, 1, 31)
    frame = read(workspace, day, build(workspace, [day])[day])
    made = plan.plan(workspace.config, intake.current(workspace)[1])
    assert [name for name in frame.columns if name not in ("account", "as_of", "row_hash")] == made.names
    known = {column.declaration.name for column in made.columns}
    declared = {d.for_event("log in").name if getattr(d, "per_event", False) else d.name for d in FEATURES}  # type: ignore[union-attr]
    assert known | set(made.missing) == declared
    assert known.isdisjoint(made.missing)
