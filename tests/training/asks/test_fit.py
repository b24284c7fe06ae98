"""From asks to the chance of a yes: never-asked accounts without a label, the ladder, the backtest, and fatigue by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import beta

from features.errors import PropensityError
from features.windows import day_number
from tests.training.asks.worlds import CONFIG, DAYS, UNTIL, everybody, made
from training.asks.backtest import CORRECTED, PER_KIND, UNCORRECTED, backtest
from training.asks.fatigue import NEVER, fatigue
from training.asks.fit import LEAST, SHARES, dataset, fit, folds, learnable
from training.asks.past import Past, plan_of
from training.asks.shares import shares
from training.dataset import Encoder
from training.models import linear, prior
from training.sample import Sample


@pytest.fixture(scope="module")
def past() -> Past:
    return made()


def test_shares_are_pulled_towards_all_asks_by_hand() -> None:
    """Three of four say yes: (3 + 1) / (4 + 2) in all, and ten asks like that are added to each kind."""
    found = shares(pd.Series(["review", "review", "review", "speaking"]), np.array([1.0, 1.0, 1.0, 0.0]))
    scores = found.scores(pd.DataFrame({"kind": ["review", "speaking", "social"]}))
    overall = 4 / 6
    yes = np.array([3 + 10 * overall, 10 * overall, 10 * overall])
    size = np.array([13.0, 11.0, 10.0])
    np.testing.assert_allclose(scores.probability, yes / size)
    np.testing.assert_allclose(scores.low, beta.ppf(0.05, yes, size - yes))
    assert (scores.low < scores.probability).all()
    assert (scores.probability < scores.high).all()
    assert type(found).from_data(found.as_data()).scores(
        pd.DataFrame({"kind": ["review"]})
    ).probability == pytest.approx(scores.probability[:1])


def test_a_weighted_share_counts_each_ask_as_its_weight_says() -> None:
    """One yes of weight 0.5 and one no of weight 1.5: (0.5 + 1) / (2 + 2)."""
    found = shares(pd.Series(["review", "review"]), np.array([1.0, 0.0]), np.array([0.5, 1.5]))
    overall = 1.5 / 4
    assert found.kinds["review"] == pytest.approx((0.5 + 10 * overall, 1.5 + 10 * (1 - overall)))


def test_who_was_never_asked_has_no_label(past: Past) -> None:
    """More accounts that nobody asks change how much asks count, but neither which are learnt from nor what came of them."""
    found = learnable(past, UNTIL)
    more = past.cells.assign(account=[f"more {name}" for name in past.cells["account"]])
    cells = pd.concat([past.cells, more], ignore_index=True)
    again = learnable(replace(past, cells=cells), UNTIL)
    assert len(found.y) == len(past.asks) - found.unknown
    assert found.unknown == int((past.asks["asked"] + 2 > day_number(UNTIL)).sum())
    pd.testing.assert_frame_equal(found.asks, again.asks)
    np.testing.assert_equal(found.y, again.y)
    assert (again.overlap.cells, again.overlap.asked) == (2 * found.overlap.cells, found.overlap.asked)


def test_what_is_learnt_by_a_day_does_not_depend_on_what_came_later(past: Past) -> None:
    day = DAYS[5]
    later = past.asks["asked"] > day_number(day)
    changed = past.asks.copy()
    changed.loc[later, ["yes", "no"]] = changed.loc[later, ["no", "yes"]].to_numpy()
    for other in (replace(past, asks=past.asks[~later]), replace(past, asks=changed)):
        ours, theirs = (fit(one, day, CONFIG).model.scores(everybody(past)).probability for one in (past, other))
        np.testing.assert_array_equal(ours, theirs)


def test_an_account_that_the_rules_speak_against_is_counted_and_not_learnt_from(past: Past) -> None:
    asks = past.asks.copy()
    asks.loc[asks.index[:10], "cell"] = -1
    found = learnable(replace(past, asks=asks), UNTIL)
    assert found.outside == 10
    assert not set(asks.index[:10]) & set(found.asks.index)


def test_the_model_tells_the_keen_apart_with_intervals(past: Past) -> None:
    found = fit(past, UNTIL, CONFIG)
    assert found.rung != SHARES
    assert len(found.steps) == 3, "prior, logistic, small trees"
    rows = everybody(past)
    scores = found.model.scores(rows)
    keen = rows["keen"].to_numpy() == 1
    assert abs(scores.probability[keen].mean() - 0.8) < 0.1
    assert abs(scores.probability[~keen].mean() - 0.1) < 0.15
    assert (scores.low < scores.probability).all()
    assert (scores.probability < scores.high).all()


def test_few_asks_make_shares_and_say_so(past: Past) -> None:
    few = replace(past, asks=past.asks[: LEAST - 1])
    found = fit(few, UNTIL, CONFIG)
    assert found.rung == SHARES
    assert f"{LEAST - 1} asks with an answer" in found.why
    nothing = fit(replace(past, asks=past.asks[:0]), UNTIL, CONFIG)
    assert nothing.model.scores(everybody(past)).probability[0] == pytest.approx(0.5)
    assert nothing.overlap.asked == 0


def test_the_last_asks_are_foretold_from_those_answered_before_them(past: Past) -> None:
    rows = dataset(past.asks, np.zeros(len(past.asks)), plan_of(past.signals))
    first, last = folds(rows, patience=90)
    assert max(first.fit) + timedelta(days=91) <= min(first.test)
    assert set(last.fit) == set(rows.as_of)


def test_the_backtest_finds_what_there_is_and_nothing_where_nothing_is(past: Past) -> None:
    found = backtest(past, UNTIL, CONFIG)
    assert [one.day for one in found.origins] == [DAYS[2], DAYS[5]]
    assert found.n == sum(one.n for one in found.origins)
    best, plain = found.judged[CORRECTED], found.judged[PER_KIND]
    assert best.gain_eligible.high < 0
    assert best.asked["auc"].value > 0.6
    assert plain.gain.value == 0
    assert set(found.judged) > {CORRECTED, UNCORRECTED, PER_KIND}
    rng = np.random.default_rng(1)
    luck = past.asks.assign(keen=rng.random(len(past.asks)).round())
    nothing = backtest(replace(past, asks=luck), UNTIL, CONFIG)
    assert nothing.judged[CORRECTED].gain.high > -0.02


def test_a_backtest_of_too_little_is_refused(past: Past) -> None:
    with pytest.raises(PropensityError, match="no date has 15 asks accepted"):
        backtest(replace(past, asks=past.asks[:5]), UNTIL, CONFIG)


def test_fatigue_by_hand() -> None:
    """Four asks without one before, half of them accepted; two with one before, none accepted."""
    rows = [(0, np.nan, True), (0, np.nan, True), (0, np.nan, False), (0, 400, False), (1, 30, False), (1, 120, False)]
    asks = pd.DataFrame(
        [
            {
                "account": f"a{number}", "asked": 100.0, "yes": 101.0 if yes else np.nan, "no": np.nan if yes else 101.0,
                "recorded": np.nan, "asks_made_365d": float(before), "asks_recency": days, "cell": -1,
            }
            for number, (before, days, yes) in enumerate(rows)
        ]
    )  # fmt: skip
    cells = pd.DataFrame({"account": [], "as_of": [], "ends": []})
    past = Past(asks, cells, ("asks_made_365d", "asks_recency"), 90)
    found = {(one.by, one.name): (one.asks, one.yes) for one in fatigue(past, date(2025, 1, 1), CONFIG)}
    assert found["asks in the year before", "none"] == (4, 2)
    assert found["asks in the year before", "1"] == (2, 0)
    assert found["asks in the year before", "2"] == (0, 0)
    assert found["since the last ask", NEVER] == (3, 2)
    assert found["since the last ask", "up to 90 days"] == (1, 0)
    assert found["since the last ask", "90 to 180 days"] == (1, 0)
    assert found["since the last ask", "longer"] == (1, 0)


def test_a_row_that_counts_twice_is_as_good_as_two() -> None:
    """Weights of the ladder: whole weights and repeated rows come to the same coefficients."""
    rng = np.random.default_rng(2)
    x, accounts = rng.normal(size=(80, 2)), np.array([f"a{n}" for n in range(80)], dtype=object)
    y, counts = (rng.random(80) < expit(x[:, 0])).astype(float), rng.integers(1, 4, 80).astype(float)
    encoder = Encoder(("one", "two"), {})
    weighed = Sample(x, y, accounts, encoder, weights=counts)
    again = np.repeat(np.arange(80), counts.astype(int))
    repeated = Sample(x[again], y[again], accounts[again], encoder)
    design = linear.Design.fitted(weighed)
    found = [
        linear._posterior(
            np.column_stack([np.ones(len(one)), design.terms(one.matrix)]), one.y, one.counts, 1.0, 1.0, np.zeros(3)
        ).mean
        for one in (weighed, repeated)
    ]
    np.testing.assert_allclose(found[0], found[1], atol=1e-6)
    cuts = weighed.cuts(2, 1)
    assert prior.fit(weighed, cuts, 1).component.raw(x[:1]) == pytest.approx(
        prior.fit(repeated, repeated.cuts(2, 1), 1).component.raw(x[:1])
    )
