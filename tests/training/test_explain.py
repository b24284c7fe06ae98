"""Contributions by family, role and subject: every sum is that of its columns, and together they are the log-odds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from features.aggregations import count, recency
from features.expressions import Ratio
from features.feature import Attribute, Column, Declaration, Feature
from features.plan import Plan
from tests.training import made
from training import explain


def _feature(name: str, of: str, role: str = "", family: str = "interaction") -> Feature:
    return Feature(name, of, count, family, name, name, role=role)  # type: ignore[arg-type]


DECLARED: dict[str, Declaration] = {
    "tickets": _feature("tickets", "ticket.opened"),
    "deciders_active": _feature("deciders_active", "usage", "decision maker", "stakeholders"),
    "deciders_touched": Feature("deciders_touched", "outreach.done", recency, "stakeholders", "", "", role="decision maker"),
    "decider_pace": Ratio("decider_pace", "deciders_active", "deciders_touched", "stakeholders", "", ""),
    "mixed": Ratio("mixed", "deciders_active", "tickets", "interaction", "", ""),
    "segment": Attribute("segment", "context", "", ""),
}  # fmt: skip
PLAN = Plan(tuple(Column(name, declared) for name, declared in DECLARED.items()), DECLARED, {}, {})


def test_a_column_belongs_to_the_role_of_those_it_looks_at() -> None:
    role = explain.roles(PLAN)
    assert {name: role(name) for name in DECLARED} == {
        "tickets": "everybody",
        "deciders_active": "decision maker",
        "deciders_touched": "decision maker",
        "decider_pace": "decision maker",
        "mixed": "everybody",
        "segment": "everybody",
    }
    assert role("forgotten") == explain.GONE


def test_families_and_subjects_are_those_of_the_declarations() -> None:
    family, subject = explain.families(PLAN), explain.subjects(PLAN)
    assert [family(name) for name in DECLARED] == [declared.family for declared in DECLARED.values()]
    assert family("forgotten") == explain.GONE
    assert subject("forgotten") == "forgotten"
    assert len({subject(name) for name in DECLARED}) == 5
    assert subject("decider_pace") == subject("mixed"), "expressions of the same facts speak once"


def test_groups_and_the_starting_point_sum_to_the_log_odds() -> None:
    model, rows = made.model(made.rows(60)), made.rows(30, made.DAYS[:2], seed=1).frame
    families = ("interaction", "perception", "outcome", "stakeholders")
    declared = {
        name: replace(one, family=families[number % 4], role=("", "champion")[number % 2]) if isinstance(one, Feature) else one
        for number, (name, one) in enumerate(made.DECLARATIONS.items())
    }  # fmt: skip
    plan = Plan(tuple(Column(name, one) for name, one in declared.items()), declared, {}, {})
    contributions = model.contributions(rows)
    found = explain.grouped(model, plan, contributions)
    assert set(found.families) == {*families, "context"}
    assert set(found.roles) == {"everybody", "champion"}
    scale = np.abs(contributions).sum(axis=1)
    for groups in (found.families, found.roles):
        gap = np.abs(sum(groups.values(), found.start) - model.odds(rows))
        assert (gap <= 1e-9 * scale).all()
    place = list(model.encoder.columns).index
    expected = contributions[:, place("tickets")] + contributions[:, place("usage_recency")]
    assert found.families["outcome"] == pytest.approx(contributions[:, place("tickets")])
    assert set(expected) != set(found.families["interaction"])
    alone = explain.grouped(model, plan, model.contributions(rows.iloc[[7]]))
    assert {name: values[0] for name, values in alone.families.items()} == {
        name: values[7] for name, values in found.families.items()
    }
