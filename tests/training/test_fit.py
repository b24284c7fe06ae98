"""Fitting keeps accounts together and learns only from the rows it is given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.training import made
from training import gate, metrics
from training.fit import Fitted, fit
from training.model import raw_score

LEARN = made.rows(60)


def _texts(fitted: Fitted) -> list[str]:
    return [booster.model_to_string() for booster in fitted.boosters]


def test_every_row_is_scored_by_the_one_booster_that_has_not_met_its_account() -> None:
    fitted = fit(LEARN, 7, 3)
    matrix = fitted.encoder.matrix(LEARN.frame)
    by = np.stack([raw_score(booster, matrix) == fitted.unseen for booster in fitted.boosters])
    met = [set(LEARN.accounts[~mine]) for mine in by]
    left_out = [set(LEARN.accounts[mine]) for mine in by]
    assert (by.sum(axis=0) == 1).all()
    assert [there & out for there, out in zip(met, left_out, strict=True)] == [set(), set(), set()]
    assert sum(map(len, left_out)) == 60


def test_more_rows_to_be_judged_change_nothing_that_is_learnt() -> None:
    """The rows of later dates are in the same dataset; only those of the fit dates are looked at."""
    early, late = list(made.DAYS[:8]), list(made.DAYS[8:])
    expected = _texts(fit(LEARN.at(early), 7, 2))
    frame = LEARN.frame.copy()
    later = np.isin(LEARN.as_of, np.array(late, dtype=object))
    frame.loc[later, ["logins", "tickets"]] = 1e9
    frame.loc[later, "segment"] = "brand new"
    disturbed = replace(LEARN, frame=frame, y=np.where(later, 1 - LEARN.y, LEARN.y))
    assert _texts(fit(disturbed.at(early), 7, 2)) == expected
    assert _texts(fit(disturbed, 7, 2)) != expected


@pytest.mark.parametrize("seed", [0, 1])
def test_shuffled_outcomes_cannot_be_foretold(seed: int) -> None:
    learn, test = made.rows(seed=seed), made.rows(100, seed=seed + 10)
    shuffled = replace(learn, y=np.random.default_rng(seed).permutation(learn.y))
    y = np.random.default_rng(seed + 1).permutation(test.y)
    for rows, truth, foretold in ((learn, test.y, True), (shuffled, y, False)):
        p = made.model(rows).scores(test.frame).probability
        weights = metrics.draws(test.accounts, 200, 1)
        auc = metrics.judge(truth, p, weights)["auc"]
        assert (auc.low > 0.5) == foretold
        assert auc.low < 0.5 < auc.high or foretold
        base = np.full(len(test), rows.y.mean())
        assert gate.decide([gate.compare("base rate", truth, p, base, weights)], None).promoted == foretold
