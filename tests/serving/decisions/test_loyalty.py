"""Attitude × intent and risk × growth, worked by hand."""

from __future__ import annotations

import pytest

from features.settings.states import States
from serving.decisions.loyalty import ARR_CHANGE, CELLS, LOYALTIES, MODEL, UNKNOWN, business, loyalty
from serving.decisions.states import Seen

TERMS = States(attitude=70, stay=0.8, risk=0.2, expansion=0.3, growth=1.1)


@pytest.mark.parametrize(
    ("answers", "leaves", "notice", "name"),
    [
        (70, 0.2, 0, "truly loyal"),
        (70, 0.21, 0, "accessible"),
        (69, 0.2, 0, "trapped"),
        (69, 0.21, 0, "high risk"),
        (90, 0.01, 1, "accessible"),  # what they have stated goes before what is modelled
        (10, None, 1, "high risk"),
        (None, 0.01, 0, UNKNOWN),  # that it stays says nothing about what it thinks
        (None, 0.99, 1, UNKNOWN),
        (90, None, 0, UNKNOWN),
    ],
)
def test_loyalty(answers: float | None, leaves: float | None, notice: float, name: str) -> None:
    found = loyalty(Seen("a", {"answers": answers, "notice_given": notice}, leaves), TERMS)
    assert found.name == name
    assert name in LOYALTIES


@pytest.mark.parametrize(
    ("leaves", "grows", "arr", "before", "name", "by"),
    [
        (0.2, 0.3, 1, 1, "at risk, growing", MODEL),
        (0.19, 0.29, 9, 1, "safe, not growing", MODEL),  # the model, not what ARR did
        (0.19, None, 110, 100, "safe, growing", ARR_CHANGE),
        (0.19, None, 109, 100, "safe, not growing", ARR_CHANGE),
        (0.19, None, 109, 0, "safe, growth unknown", ARR_CHANGE),
        (None, 0.5, 1, 1, "risk unknown, growing", MODEL),
        (None, None, None, None, "risk unknown, growth unknown", ARR_CHANGE),
    ],
)
def test_business(
    leaves: float | None, grows: float | None, arr: float | None, before: float | None, name: str, by: str
) -> None:
    found = business(Seen("a", {"arr": arr, "arr_year_before": before}, leaves, grows), TERMS)
    assert (found.name, found.evidence[1].rule) == (name, by)
    assert name in CELLS


def test_notice_is_risk_without_a_score() -> None:
    assert business(Seen("a", {"notice_given": 1}), TERMS).name == "at risk, growth unknown"


def test_evidence_has_the_accounts_own_numbers() -> None:
    seen = Seen("a", {"answers": 64, "arr": 120, "arr_year_before": 100}, 0.25)
    words = [one.words for one in (*loyalty(seen, TERMS).evidence, *business(seen, TERMS).evidence)]
    assert words == [
        "answers at 64 of 100 in the last 180 days; well from 70 on",
        "stays with a probability of 75%; means to from 80% on",
        "leaves with a probability of 25%",
        "ARR at 1.20 times that of a year before",
    ]
