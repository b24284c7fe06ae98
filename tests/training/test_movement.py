"""Why it moved: over random models and rows, every share sums to its part, the parts to the change, also in probability."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from features.errors import PropensityError
from tests.training import made
from training import explain
from training.calibration import Sigmoid
from training.model import Model
from training.models.combined import Part
from training.movement import SEASON, START, Movement, movement
from training.season import YEAR, Season

EXACT = 1e-9
COLUMNS = {
    "all": made.PLAN.names,
    "no category": made.NUMBERS,
    "one less": [name for name in made.PLAN.names if name != "logins"],
    "few": ("logins", "segment"),
}
CHANGED = st.sampled_from([(), ("tickets",), ("logins", "segment")])


@cache
def fitted(columns: str) -> Model:
    """A model of each set of columns, each of other rows."""
    seed = list(COLUMNS).index(columns)
    rows = made.rows(40, made.DAYS[:3], seed=seed)
    kept = tuple(column for column in made.PLAN.columns if column.name in COLUMNS[columns])
    return made.model(replace(rows, plan=replace(made.PLAN, columns=kept)), seed=seed)


@pytest.fixture(scope="module", autouse=True)
def _all() -> None:
    """Fitted before anything is timed."""
    for columns in COLUMNS:
        fitted(columns)


@st.composite
def models(draw: st.DrawFn) -> Model:
    model = fitted(draw(st.sampled_from(sorted(COLUMNS))))
    weights = [draw(st.floats(0.01, 2)), *(draw(st.floats(0, 2)) for _ in model.parts[1:])]
    parts = tuple(Part(weight, part.component) for weight, part in zip(weights, model.parts, strict=True))
    meanings = model.facts["meanings"] | dict.fromkeys(draw(CHANGED), "another")
    sigmoid = Sigmoid(draw(st.floats(0.05, 5)), draw(st.floats(-10, 10)))
    return replace(model, parts=parts, sigmoid=sigmoid, facts=model.facts | {"meanings": meanings})


@st.composite
def lines(draw: st.DrawFn) -> pd.DataFrame:
    number = st.one_of(st.floats(-4, 4), st.just(math.nan))
    values: dict[str, Any] = {name: [draw(number)] for name in made.NUMBERS}
    return pd.DataFrame(values | {"segment": [draw(st.sampled_from([*made.SEGMENTS, "unseen"]))]})


def _close(total: float, shares: list[float], other: float) -> bool:
    return abs(total - other) <= EXACT * max(math.fsum(map(abs, shares)), abs(total), 1e-300) + 1e-300


def _reconciles(moved: Movement) -> None:
    shares = [*moved.data.values(), *moved.model.values()]
    assert _close(math.fsum(moved.data.values()), shares, moved.data_part)
    assert _close(math.fsum(moved.model.values()), shares, moved.model_part)
    scale = [*shares, moved.before, moved.after]
    assert _close(moved.data_part + moved.model_part, scale, moved.change)


@given(models(), lines(), models(), lines())
@settings(max_examples=150, deadline=None)
def test_shares_sum_to_the_parts_and_the_parts_to_the_change(
    old: Model, then: pd.DataFrame, new: Model, now: pd.DataFrame
) -> None:
    moved = movement((old, then), (new, now))
    assert (moved.before, moved.after) == (old.odds(then)[0], new.odds(now)[0])
    in_probability = moved.in_probability()
    assert in_probability.change == expit(moved.after) - expit(moved.before)
    for one in (moved, in_probability):
        _reconciles(one)
        for group in (explain.families(made.PLAN), explain.roles(made.PLAN), explain.subjects(made.PLAN)):
            grouped = one.by(group)
            shares = [*one.data.values(), *one.model.values()]
            assert _close(grouped.data_part, shares, one.data_part)
            assert _close(grouped.model_part, shares, one.model_part)
    signs = [(moved.data[name] > 0) - (moved.data[name] < 0) for name in moved.data]
    assert signs == [(share > 0) - (share < 0) for share in in_probability.data.values()]
    assert set(moved.data) == {*new.encoder.columns, SEASON}
    assert set(moved.model) == {*new.encoder.columns, *old.encoder.columns, START}


@given(models(), models(), lines(), lines())
@settings(max_examples=50, deadline=None)
def test_each_part_is_what_it_is_called(old: Model, new: Model, then: pd.DataFrame, now: pd.DataFrame) -> None:
    same_model = movement((new, then), (new, now))
    assert set(same_model.model.values()) == {0.0}
    assert same_model.unknown == ()
    same_row = movement(
        (old, then),
        (replace(new, facts=new.facts | {"meanings": {**new.facts["meanings"], **old.facts["meanings"]}}), then),
    )
    assert set(same_row.data.values()) == {0.0}
    still = movement((new, now), (new, now))
    assert (still.change, still.in_probability().change, still.in_probability().data_part) == (0.0, 0.0, 0.0)


@given(st.floats(-40, 40), st.floats(-1e-6, 1e-6), st.floats(-50, 50))
def test_shares_that_cancel_have_their_limit_in_probability(before: float, change: float, share: float) -> None:
    """Data up and models down by about as much: each share is scaled by the slope of the curve, not by noise."""
    after = before + change
    moved = Movement(before, after, {"a": share + after - before}, {"a": -share}).in_probability()
    slope = expit(before) * expit(-before)
    assert moved.model["a"] == pytest.approx(-share * slope, rel=1e-5, abs=1e-300)


def test_a_column_that_only_one_model_has_is_matched_by_name() -> None:
    old, new = fitted("one less"), fitted("all")
    then, now = made.rows(2, made.DAYS[:1], seed=3).frame.iloc[:1], made.rows(2, made.DAYS[:1], seed=4).frame.iloc[1:]
    there = movement((old, then), (new, now))
    assert there.unknown == (), "the old frame has the column, whatever the old model looked at"
    absent = movement((old, then.drop(columns=["logins", "segment"]).assign(segment="small")), (new, now))
    assert absent.unknown == ("logins",)
    nothing = then.assign(logins=np.nan, segment="small")
    assert absent.data == movement((new, nothing), (new, now)).data
    assert "logins" in absent.model
    gone = movement((new, now), (old, then))
    assert "logins" in gone.model
    assert "logins" not in gone.data


def test_a_column_that_was_redefined_is_null_to_the_new_model() -> None:
    old = fitted("all")
    new = replace(old, facts=old.facts | {"meanings": old.facts["meanings"] | {"tickets": "another"}})
    rows = made.rows(2, made.DAYS[:1]).frame
    moved = movement((old, rows.iloc[:1]), (new, rows.iloc[:1]))
    assert moved.unknown == ("tickets",)
    assert moved.change == 0.0
    assert moved.data_part == pytest.approx(-moved.model_part)
    assert moved.data_part != 0.0


def test_the_time_of_the_year_is_data_by_itself() -> None:
    winter, summer = made.DAYS[0], made.DAYS[5]
    days = (winter.toordinal() - YEAR, winter.toordinal(), summer.toordinal())
    model = replace(fitted("all"), season=Season(days, (0.0, 0.5, -0.25)))
    row = made.rows(1, [winter]).frame
    moved = movement((model, row), (model, row.assign(as_of=summer)))
    assert moved.data.pop(SEASON) == pytest.approx(-0.75)
    assert set(moved.data.values()) == {0.0}
    assert moved.change == pytest.approx(-0.75)
    assert moved.model_part == 0.0
    plain = movement((fitted("all"), row), (model, row))
    assert plain.model[START] == pytest.approx(0.5)
    assert plain.by(explain.families(made.PLAN)).model[START] == plain.model[START]


def test_what_moved_is_named() -> None:
    """More tickets raise the odds, fewer logins too; nothing else changed."""
    model = made.model(made.rows())
    then = pd.DataFrame({**{name: [0.0] for name in made.NUMBERS}, "segment": ["large"]})
    moved = movement((model, then), (model, then.assign(tickets=2.0, logins=-1.0)))
    assert moved.change > 0
    assert {name for name, _ in sorted(moved.data.items(), key=lambda item: -item[1])[:2]} == {"tickets", "logins"}


def test_several_rows_have_no_movement() -> None:
    model, rows = fitted("all"), made.rows(2, made.DAYS[:1]).frame
    with pytest.raises(PropensityError, match="one row, not of 2"):
        movement((model, rows), (model, rows))
