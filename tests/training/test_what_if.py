"""What if: only what can be acted on, only within what was seen, and the row that is scored hangs together."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from features.aggregations import contacts, count, recency
from features.definitions import FEATURES
from features.errors import PropensityError
from features.expressions import Difference, Rank, Ratio
from features.feature import Attribute, Column, Declaration, Feature, columns
from features.peers import Peers
from features.plan import Plan
from tests.training import made
from training.dataset import Dataset
from training.model import Model
from training.what_if import CAVEAT, levers, what_if

WORDS = ("interaction", "doc", "{value}")
DECLARED: tuple[Declaration, ...] = (
    Attribute("segment", "context", "segment", "{value}"),
    Feature("touches", "outreach.done", count, *WORDS, over=(30, 90, 365), controllable=True),  # type: ignore[arg-type]
    Feature("touches_before", "outreach.done", count, *WORDS, over=(90,), back="window"),  # type: ignore[arg-type]
    Feature("touches_recency", "outreach.done", recency, *WORDS, controllable=True),  # type: ignore[arg-type]
    Feature("reached", "outreach.done", contacts, *WORDS, over=(30, 90), controllable=True),  # type: ignore[arg-type]
    Feature("logins", "usage", count, *WORDS, over=(30,)),  # type: ignore[arg-type]
    Difference("touches_change", "touches", "touches_before", *WORDS),  # type: ignore[arg-type]
    Ratio("per_change", "touches_change", "logins", *WORDS),  # type: ignore[arg-type]
    Ratio("logins_per_touch", "logins", "touches", *WORDS),  # type: ignore[arg-type]
)
RANK = Rank("touches_rank", "touches", "segment", *WORDS, over=(90,))  # type: ignore[arg-type]


def _plan(*declared: Declaration) -> Plan:
    over = {one.name: one.over for one in declared if isinstance(one, Feature)}
    found: list[Column] = []
    for one in declared:
        mine = list(columns(one, over))  # type: ignore[arg-type]
        over[one.name] = tuple(column.window for column in mine if column.window)
        found += mine
    return Plan(tuple(found), {one.name: one for one in declared}, {}, over)  # type: ignore[arg-type]


PLAN = _plan(*DECLARED)


def _rows(plan: Plan, seed: int = 0, size: int = 600) -> Dataset:
    rng = np.random.default_rng(seed)
    short, middle, long, logins = rng.poisson([1.0, 2.0, 6.0, 8.0], size=(size, 4)).T
    values = {
        "touches_30d": short,
        "touches_90d": short + middle,
        "touches_365d": short + middle + long,
        "touches_before_90d": rng.poisson(2.0, size),
        "touches_recency": np.where(short > 0, 5.0, 60.0),
        "reached_30d": np.minimum(short, 2),
        "reached_90d": np.minimum(short + middle, 3),
        "logins_30d": logins,
    }
    frame = pd.DataFrame({name: found.astype(float) for name, found in values.items()})
    frame["segment"] = np.array(["small", "large"], dtype=object)[rng.integers(0, 2, size)]
    frame["touches_change_90d"] = frame["touches_90d"] - frame["touches_before_90d"]
    frame["logins_per_touch_30d"] = frame["logins_30d"] / frame["touches_30d"].where(frame["touches_30d"] > 0)
    if "touches_rank_90d" in plan.names:
        frame["touches_rank_90d"] = rng.random(size)
    frame["account"] = [f"a{number % 200}" for number in range(size)]
    frame["as_of"] = np.repeat(np.array(made.DAYS[:3], dtype=object), 200)
    y = (rng.random(size) < 1 / (1 + np.exp(1.5 * frame["touches_30d"].to_numpy() - 0.5))).astype(float)
    return Dataset(frame, y, plan, pd.DataFrame(), horizon=31)


@pytest.fixture(scope="module")
def model() -> Model:
    return made.model(_rows(PLAN))


@pytest.fixture
def row() -> pd.DataFrame:
    rows = _rows(PLAN, seed=1).frame
    chosen = rows[(rows["touches_30d"] == 1) & (rows["touches_90d"] == 3) & (rows["touches_before_90d"] == 2)]
    return chosen.iloc[[0]].assign(logins_30d=6.0, touches_365d=8.0, logins_per_touch_30d=6.0, touches_change_90d=1.0)


def test_the_made_plan_is_whole() -> None:
    assert "touches_change_90d" in PLAN.names
    assert "logins_per_touch_30d" in PLAN.names


def test_levers_are_the_shortest_of_what_we_could_act_on_unless_all_were_alike(model: Model, row: pd.DataFrame) -> None:
    found = {one.column.name: (one.now, one.low, one.high) for one in levers(model, PLAN, row)}
    assert found.keys() == {"touches_30d", "touches_recency", "reached_30d"}
    assert found["reached_30d"] == (1.0, 0.0, 2.0)
    alike = replace(model, facts={**model.facts, "seen": {**model.facts["seen"], "reached_30d": [1.0, 1.0]}})
    assert [one.column.name for one in levers(alike, PLAN, row)] == ["touches_30d", "touches_recency"]


def test_a_count_changes_in_every_longer_window_by_as_much(model: Model, row: pd.DataFrame) -> None:
    found = what_if(model, PLAN, row, {"touches": 3})
    assert found.changed == {
        "touches_30d": (1, 3),
        "touches_90d": (3, 5),
        "touches_365d": (8, 10),
        "touches_change_90d": (1, 3),
        "logins_per_touch_30d": (6, 2),
    }
    assert found.held == ("touches_before_90d", "touches_recency", "reached_30d", "reached_90d")
    assert found.after.probability < found.before.probability
    expected = row.assign(**{name: now for name, (_, now) in found.changed.items()})
    scores = model.scores(expected)
    assert vars(found.after) == {
        "probability": scores.probability[0], "low": scores.low[0], "high": scores.high[0]
    }  # fmt: skip
    assert found.before.probability == model.scores(row).probability[0]


def test_a_longer_window_leaves_the_shorter_and_may_not_fall_below_it(model: Model, row: pd.DataFrame) -> None:
    found = what_if(model, PLAN, row, {"touches_90d": 2})
    assert {name: now for name, (_, now) in found.changed.items() if name.startswith("touches_")} == {
        "touches_90d": 2,
        "touches_365d": 7,
        "touches_change_90d": 0,
    }
    with pytest.raises(PropensityError, match="touches_90d cannot be 0 while touches_30d is 1"):
        what_if(model, PLAN, row, {"touches_90d": 0})
    both = what_if(model, PLAN, row, {"touches_90d": 0, "touches_30d": 0})
    assert [both.changed[f"touches_{days}d"][1] for days in (30, 90, 365)] == [0, 0, 5]


def test_of_what_does_not_add_up_only_the_column_named_changes(model: Model, row: pd.DataFrame) -> None:
    assert set(what_if(model, PLAN, row, {"touches_recency": 5.0}).changed) <= {"touches_recency"}
    found = what_if(model, PLAN, row.assign(reached_30d=0.0), {"reached": 1})
    assert found.changed == {"reached_30d": (0, 1)}
    assert "reached_90d" in found.held


def test_what_becomes_null_is_null(model: Model, row: pd.DataFrame) -> None:
    found = what_if(model, PLAN, row, {"touches": 0})
    assert math.isnan(found.changed["logins_per_touch_30d"][1])
    assert found.as_dict()["changed"]["logins_per_touch_30d"] == {"from": 6.0, "to": None}


def test_contributions_sum_to_the_difference(model: Model, row: pd.DataFrame) -> None:
    found = what_if(model, PLAN, row, {"touches": 3})
    told = found.as_dict()
    assert told["what"] == CAVEAT
    for unit, change in (
        ("log_odds", found.movement.change),
        ("probability", found.after.probability - found.before.probability),
    ):
        assert math.fsum(share[unit] for share in told["contributions"].values()) == pytest.approx(change, abs=1e-12)
    assert found.movement.model_part == 0


def test_the_same_value_again_changes_nothing(model: Model, row: pd.DataFrame) -> None:
    found = what_if(model, PLAN, row, {"touches": 1})
    assert (found.changed, found.before, found.movement.change) == ({}, found.after, 0.0)


REFUSED = {
    "beyond what was seen": ({"touches": 1000.0}, "touches_30d would be 1000; in training it was between 0 and"),
    "not to be acted on": ({"logins": 3.0}, "logins is nothing that we could act on directly"),
    "an attribute": ({"segment": 1.0}, "segment is nothing that we could act on directly"),
    "computed": ({"touches_change_90d": 3.0}, r"touches_change_90d is computed \(touches - touches_before\)"),
    "unknown": ({"tuoches": 3.0}, "there is no feature 'tuoches'"),
    "nothing": ({}, "nothing is to be changed"),
    "null": ({"touches": math.nan}, "cannot be set to nothing known"),
}


@pytest.mark.parametrize(("changes", "message"), REFUSED.values(), ids=REFUSED)
def test_refusals_name_what_can_be_set(
    changes: dict[str, float], message: str, model: Model, row: pd.DataFrame
) -> None:
    with pytest.raises(PropensityError, match=message) as error:
        what_if(model, PLAN, row, changes)
    if "range" not in error.value.hint and "number" not in error.value.hint:
        assert "reached, touches, touches_recency" in error.value.hint or "touches, touches_recency" in error.value.hint


def test_what_follows_from_a_change_must_have_been_seen_too(model: Model, row: pd.DataFrame) -> None:
    high = model.facts["seen"]["touches_change_90d"][1]
    with pytest.raises(PropensityError, match=f"touches_change_90d would be .* and {high:g}"):
        what_if(model, PLAN, row.assign(touches_before_90d=-50.0), {"touches": 2})


def test_a_model_of_an_older_version_says_that_it_does_not_know_its_ranges(model: Model, row: pd.DataFrame) -> None:
    old = replace(model, facts={key: value for key, value in model.facts.items() if key != "seen"})
    with pytest.raises(PropensityError, match="does not say what it has seen"):
        what_if(old, PLAN, row, {"touches": 2})


def test_a_rank_is_told_among_the_same_peers(row: pd.DataFrame) -> None:
    plan = _plan(*DECLARED, RANK)
    model = made.model(_rows(plan))
    segment = row["segment"].iloc[0]
    peers = Peers({"touches_rank_90d": {segment: np.arange(20.0)}})
    ranked = row.assign(touches_rank_90d=0.175)
    found = what_if(model, plan, ranked, {"touches": 3}, peers)
    assert found.changed["touches_rank_90d"] == (0.175, (5 + 6) / 2 / 20)
    with pytest.raises(PropensityError, match="touches_rank_90d would change, and what it ranks among is gone"):
        what_if(model, plan, ranked, {"touches": 3})


def test_what_can_be_acted_on_is_declared_and_changes_no_meaning() -> None:
    can = {one.name for one in FEATURES if isinstance(one, Feature) and one.controllable}
    assert {"touches", "review_meetings", "tickets_open", "questions_unanswered", "champions_touched_recency"} <= can
    for one in FEATURES:
        if isinstance(one, Feature) and one.controllable:
            assert one.meaning == replace(one, controllable=False).meaning
            assert "controllable" not in one.meaning
