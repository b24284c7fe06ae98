"""The gate promotes only what is shown to be better than everything it stands beside."""

from __future__ import annotations

import numpy as np
import pytest

from training import gate, metrics
from training.gate import NO_SIGNAL, NOT_BETTER, PROMOTED, Comparison
from training.metrics import Estimate

BETTER, UNSURE, WORSE = Estimate(-0.1, -0.2, -0.01), Estimate(-0.1, -0.2, 0.0), Estimate(0.1, 0.05, 0.2)
NAMES = ("base rate", "best column", "recency", "logistic regression")


def _against(**gains: Estimate) -> list[Comparison]:
    return [Comparison(name, gains.get(name.replace(" ", "_"), BETTER)) for name in NAMES]


CASES: dict[str, tuple[dict[str, Estimate], Estimate | None, str]] = {
    "better than all": ({}, None, PROMOTED),
    "better than all and the champion": ({}, BETTER, PROMOTED),
    "the champion may be as good": ({}, UNSURE, NOT_BETTER),
    "the champion is better": ({}, WORSE, NOT_BETTER),
    "a simple rule may be as good": ({"best_column": UNSURE}, None, NOT_BETTER),
    "logistic regression is better": ({"logistic_regression": WORSE}, None, NOT_BETTER),
    "the base rate may be as good": ({"base_rate": UNSURE}, None, NO_SIGNAL),
    "better than the champion, not than the base rate": ({"base_rate": WORSE}, BETTER, NO_SIGNAL),
    "no gain can be measured": ({"base_rate": Estimate(np.nan, np.nan, np.nan)}, None, NO_SIGNAL),
}


@pytest.mark.parametrize(("gains", "champion", "expected"), CASES.values(), ids=CASES)
def test_verdicts(gains: dict[str, Estimate], champion: Estimate | None, expected: str) -> None:
    beside = [] if champion is None else [Comparison("champion (version 3)", champion)]
    verdict = gate.decide(_against(**gains), beside)
    assert verdict.verdict == expected
    assert verdict.promoted == (expected == PROMOTED)
    assert len(verdict.reasons) == len(NAMES) + (champion is not None)
    for name in NAMES:
        assert sum(name in reason for reason in verdict.reasons) == 1
    assert any("not shown to be better" in reason for reason in verdict.reasons) != verdict.promoted


def test_a_comparison_is_paired_row_by_row() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(2000) * 0.4
    y = (rng.random(2000) < truth).astype(float)
    weights = metrics.draws(np.arange(2000).astype(object), 200, 1)
    base = np.full(2000, y.mean())
    found = gate.compare("base rate", y, truth, base, weights)
    assert found.better
    assert found.gain.value == pytest.approx((metrics.losses(y, truth) - metrics.losses(y, base)).mean())
    assert not gate.compare("itself", y, truth, truth, weights).better
    assert not gate.compare("the truth", y, base, truth, weights).better
    little = gate.compare("a hair worse", y, truth, np.clip(truth + 0.04, 0, 1), weights)
    assert little.better, "a small lasting difference shows, since both lose on the same rows"


@pytest.mark.parametrize(
    ("yes", "no", "refused"),
    [(0, 500, True), (1, 500, True), (29, 500, True), (30, 500, False), (500, 29, True), (500, 30, False)],
)
def test_too_few_of_either_kind_is_refused_with_the_count(yes: int, no: int, refused: bool) -> None:
    found = gate.too_few("the test fold", yes, no, 30)
    assert (found is not None) == refused
    if found is not None:
        kind = "yes" if yes < no else "no"
        assert found.verdict == NO_SIGNAL
        assert f"the test fold has {min(yes, no)} rows with {kind}; at least 30" in found.reasons[0]
