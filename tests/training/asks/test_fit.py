"""From asks to the chance of a yes: weights by hand, never-asked accounts without a label, and a biased choice corrected."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from scipy.stats import beta

from features.errors import PropensityError
from features.settings.training import Training
from features.windows import day_number
from training.asks import weights
from training.asks.backtest import CORRECTED, PER_KIND, UNCORRECTED, backtest
from training.asks.fatigue import NEVER, fatigue
from training.asks.fit import LEAST, SHARES, dataset, fit, folds, learnable
from training.asks.past import Past, plan_of
from training.asks.shares import shares
from training.dataset import Encoder
from training.models import linear, prior
from training.sample import Sample

CONFIG = Training(bags=2, bootstraps=50)
DAYS = [date(2025, 1, 31) + timedelta(days=30 * number) for number in range(9)]
UNTIL = DAYS[-1]


def _past(accounts: int = 150, seed: int = 3, *, often: float = 0.3, seldom: float = 0.04) -> Past:
    """Half of the accounts are ``keen``: they are asked often and say yes in 8 of 10 cases, the others seldom and in 1."""
    rng = np.random.default_rng(seed)
    cells, asks = [], []
    for number, day in enumerate(DAYS[:-1]):
        for account in range(accounts):
            keen = float(account % 2)
            cells.append({"account": f"a{account}", "as_of": day, "ends": day_number(DAYS[number + 1]), "keen": keen})
            if rng.random() < (often if keen else seldom):
                asked = day_number(day) + 1 + int(rng.integers(0, 25))
                yes = rng.random() < (0.8 if keen else 0.1)
                asks.append(
                    {
                        "account": f"a{account}", "as_of": day, "kind": str(rng.choice(["review", "reference"])),
                        "asked": float(asked), "yes": asked + 2.0 if yes else np.nan,
                        "no": np.nan if yes else asked + 2.0, "recorded": np.nan, "keen": keen, "cell": len(cells) - 1,
                        "role": "user", "champion_contact": 0.0, "mood": np.nan, "used": 3.0,
                    }
                )  # fmt: skip
    return Past(pd.DataFrame(asks), pd.DataFrame(cells), ("keen",), 90)


@pytest.fixture(scope="module")
def past() -> Past:
    return _past()


def _hidden(accounts: int = 300, seed: int = 4) -> Past:
    """A third would say yes in 8 of 10 cases, the others never; whoever asks knows, the records tell in 3 of 4 cases."""
    past, rng = _past(accounts, seed, often=0.0, seldom=0.0), np.random.default_rng(seed)
    willing = rng.random(accounts) < 1 / 3
    looks = np.where(rng.random(accounts) < 0.75, willing, ~willing).astype(float)
    number = past.cells["account"].str[1:].astype(int).to_numpy()
    cells = past.cells.assign(keen=looks[number])
    asked = rng.random(len(cells)) < np.where(willing[number], 0.24, 0.06)
    yes = willing[number] & (rng.random(len(cells)) < 0.8)
    asks = cells[asked].assign(
        kind="review", asked=[float(day_number(day) + 5) for day in cells["as_of"][asked]], recorded=np.nan,
        role="user", champion_contact=0.0, mood=np.nan, used=3.0, cell=np.flatnonzero(asked),
    )  # fmt: skip
    answered = asks["asked"] + 2.0
    asks = asks.assign(yes=answered.where(yes[asked]), no=answered.where(~yes[asked])).reset_index(drop=True)
    return replace(past, asks=asks, cells=cells)


def _everybody(past: Past) -> pd.DataFrame:
    """An ask for a review of everybody once."""
    rows = past.cells.drop_duplicates("account")
    return rows.assign(kind="review", role="user", champion_contact=0.0, mood=np.nan, used=3.0)


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


def test_weights_by_hand() -> None:
    """Asked in a tenth of all months: who is asked in a fifth of them counts half, who hardly ever is no more than ten."""
    found = weights.stabilised(0.1, np.array([0.2, 0.1, 0.05, 0.0001, 1.0]))
    np.testing.assert_allclose(found, [0.5, 1, 2, 10, 0.1])
    assert weights.effective(np.array([1.0, 1.0, 1.0])) == pytest.approx(3)
    assert weights.effective(np.array([3.0, 1.0])) == pytest.approx(16 / 10)
    assert weights.effective(np.array([])) == 0.0
    np.testing.assert_allclose(weights.scaled(np.array([3.0, 1.0])), [1.2, 0.4])
    asked, chance = np.array([1.0, 1.0, 0.0, 0.0, 0.0]), np.array([0.4, 0.2, 0.4, 0.1, 0.05])
    over = weights.overlap(asked, chance, np.array([1.0, 10.0]))
    assert (over.cells, over.asked, over.asks, over.clipped) == (5, 2, 2, 1)
    assert over.unlike == pytest.approx(2 / 5)
    assert over.selection == pytest.approx((1 + 1 + 0.5 + 1 + 1 + 0) / 6)
    assert weights.Overlap.from_dict(over.as_dict()) == over


def test_who_would_say_yes_is_asked_equally_often_by_hand() -> None:
    """Who said yes has a chance of 0.15 of being asked on average: with 0.1, two thirds of those alike are willing."""
    found = weights.leaning(np.array([1.0, 1.0, 0.0]), np.array([0.5, 0.5, 0.4]), np.array([0.2, 0.1, 0.1]))
    np.testing.assert_allclose(found, [1, 2 / 3, (1 - 0.4 * 2 / 3) / 0.6])
    np.testing.assert_allclose(weights.leaning(np.array([1.0, 0.0]), np.array([0.3, 0.9]), np.array([0.1, 0.1])), 1)
    np.testing.assert_allclose(weights.leaning(np.zeros(2), np.full(2, 0.1), np.array([0.1, 0.2])), 1)


@given(st.lists(st.tuples(st.floats(0.01, 0.98), st.floats(0.01, 0.9)), min_size=1, max_size=30))
def test_leaning_moves_weight_from_yes_to_no_among_those_alike(each: list[tuple[float, float]]) -> None:
    """Those who look alike count as much together as before, and no yes counts for more."""
    said, chance = np.array(each).T
    yes = weights.leaning(np.append(np.ones(len(each)), 1.0), np.append(said, 0.5), np.append(chance, chance.max()))[
        :-1
    ]
    often = np.append(chance, chance.max()).mean()
    no = (1 - said * np.minimum(1, chance / often)) / (1 - said)
    np.testing.assert_allclose(said * yes + (1 - said) * no, 1)
    assert (yes <= 1).all()


@given(st.lists(st.floats(0.1, 10), min_size=1, max_size=50))
def test_the_effective_sample_is_never_larger_than_the_sample(each: list[float]) -> None:
    found = np.array(each)
    assert 1 - 1e-9 <= weights.effective(found) <= len(found) + 1e-9
    assert weights.scaled(found).sum() == pytest.approx(weights.effective(found))


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
        ours, theirs = (fit(one, day, CONFIG).model.scores(_everybody(past)).probability for one in (past, other))
        np.testing.assert_array_equal(ours, theirs)


def test_an_account_that_the_rules_speak_against_is_counted_and_not_learnt_from(past: Past) -> None:
    asks = past.asks.copy()
    asks.loc[asks.index[:10], "cell"] = -1
    found = learnable(replace(past, asks=asks), UNTIL)
    assert found.outside == 10
    assert not set(asks.index[:10]) & set(found.asks.index)


def test_a_biased_choice_is_corrected_even_where_nothing_tells_accounts_apart(past: Past) -> None:
    """The truth over all is (0.8 + 0.1) / 2; of those asked nearly all are keen, and a share per kind cannot know."""
    found = learnable(past, UNTIL)
    plain = shares(found.asks["kind"], found.y)
    weighed = shares(found.asks["kind"], found.y, weights.scaled(found.weights))
    asked, all_of_them = (one.scores(_everybody(past)).probability.mean() for one in (plain, weighed))
    assert asked > 0.62
    assert abs(all_of_them - 0.45) < 0.08
    assert found.overlap.effective < len(found.y)
    assert found.overlap.selection > 0.7


def test_who_asks_knows_more_than_the_records_tell() -> None:
    """A third of 0.8 would say yes, as the records tell half of it; weights for what is on record take far more for sure."""
    past = _hidden()
    rows = _everybody(past)
    said = {
        hidden: fit(past, UNTIL, CONFIG, hidden=hidden).model.scores(rows).probability.mean()
        for hidden in (True, False)
    }
    assert said[False] > 0.8 / 3 + 0.12
    assert abs(said[True] - 0.8 / 3) < 0.6 * (said[False] - 0.8 / 3)


def test_where_the_records_hold_all_that_asking_goes_by_too_little_is_made_of_who_is_seldom_asked(past: Past) -> None:
    """The price of it: 1 in 10 of the others would say yes, and they are asked far less often than who is keen."""
    rows = _everybody(past)
    others = rows["keen"].to_numpy() == 0
    said = [
        fit(past, UNTIL, CONFIG, hidden=hidden).model.scores(rows).probability[others].mean()
        for hidden in (True, False)
    ]
    assert said[0] < said[1]
    assert abs(said[0] - 0.1) < 0.1


def test_asks_at_random_are_left_as_they_are() -> None:
    past = _past(often=0.2, seldom=0.2)
    rows = _everybody(past)
    said = [fit(past, UNTIL, CONFIG, corrected=corrected).model.scores(rows).probability for corrected in (True, False)]
    assert np.abs(said[0] - said[1]).max() < 0.06


def test_the_model_tells_the_keen_apart_with_intervals(past: Past) -> None:
    found = fit(past, UNTIL, CONFIG)
    assert found.rung != SHARES
    assert len(found.steps) == 3, "prior, logistic, small trees"
    rows = _everybody(past)
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
    assert nothing.model.scores(_everybody(past)).probability[0] == pytest.approx(0.5)
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
