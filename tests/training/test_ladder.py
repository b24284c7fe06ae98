"""Every rung keeps accounts together and learns only from its rows; one climbs only where it pays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from features.errors import PropensityError
from tests.training import made
from training import gate, ladder, metrics
from training.ladder import FULL, LOGISTIC, PRIOR, SMALL, Rung
from training.models import combined, trees
from training.models.component import Learnt
from training.models.linear import Linear
from training.models.prior import Prior
from training.models.trees import raw_score
from training.sample import sample

LEARN = made.rows(60)


@pytest.fixture(scope="module")
def rungs() -> dict[str, Rung]:
    return {rung.name: rung for rung in ladder.climb(sample(LEARN), 7, 3)}


def _data(rungs: list[Rung]) -> list[object]:
    return [(part.weight, part.component.as_data()) for rung in rungs for part in rung.parts]


def test_the_rungs_go_from_simple_to_all_of_it(rungs: dict[str, Rung]) -> None:
    assert list(rungs) == [PRIOR, LOGISTIC, SMALL, FULL]
    kinds = [[part.component.kind for part in rung.parts if part.weight] for rung in rungs.values()]
    assert kinds[:3] == [["prior"], ["linear"], ["trees"]]
    assert set(kinds[3]) <= {"trees", "linear"}
    for rung in rungs.values():
        assert sum(part.weight for part in rung.parts) == pytest.approx(1)


def test_every_row_is_scored_by_the_one_booster_that_has_not_met_its_account() -> None:
    rows = sample(LEARN)
    learnt = trees.full(rows, rows.cuts(3, 7), 7)
    assert isinstance(learnt.component, trees.Trees)
    by = np.stack([raw_score(booster, rows.matrix) == learnt.unseen for booster in learnt.component.boosters])
    met = [set(LEARN.accounts[~mine]) for mine in by]
    left_out = [set(LEARN.accounts[mine]) for mine in by]
    assert (by.sum(axis=0) == 1).all()
    assert [there & out for there, out in zip(met, left_out, strict=True)] == [set(), set(), set()]
    assert sum(map(len, left_out)) == 60


@pytest.mark.parametrize("name", [PRIOR, LOGISTIC])
def test_what_a_simple_rung_foretells_of_an_account_does_not_depend_on_what_came_of_it(name: str) -> None:
    rows = sample(LEARN)
    cuts = rows.cuts(3, 7)
    fits = {PRIOR: ladder.prior.fit, LOGISTIC: ladder.linear.fit}
    left = cuts[0][1]
    turned = replace(rows, y=np.where(np.isin(np.arange(len(rows)), left), 1 - rows.y, rows.y))
    before, after = (fits[name](one, cuts, 7).unseen for one in (rows, turned))
    if name == LOGISTIC:  # the spread of its prior is weighed on all rows; the coefficients are not
        assert np.corrcoef(before[left], after[left])[0, 1] > 0.99
    else:
        assert np.array_equal(before[left], after[left])
    assert not np.array_equal(before, after)


def test_more_rows_to_be_judged_change_nothing_that_is_learnt() -> None:
    """The rows of later dates are in the same dataset; only those of the fit dates are looked at."""
    early, late = list(made.DAYS[:8]), list(made.DAYS[8:])
    expected = _data(ladder.climb(sample(LEARN.at(early)), 7, 2))
    frame = LEARN.frame.copy()
    later = np.isin(LEARN.as_of, np.array(late, dtype=object))
    frame.loc[later, ["logins", "tickets"]] = 1e9
    frame.loc[later, "segment"] = "brand new"
    disturbed = replace(LEARN, frame=frame, y=np.where(later, 1 - LEARN.y, LEARN.y))
    assert _data(ladder.climb(sample(disturbed.at(early)), 7, 2)) == expected
    assert _data(ladder.climb(sample(disturbed), 7, 2)) != expected


def test_the_blend_is_no_worse_than_any_of_its_parts(rungs: dict[str, Rung]) -> None:
    def loss(raw: ladder.Vector) -> float:
        return float(metrics.losses(LEARN.y, expit(raw)).mean())

    assert loss(rungs[FULL].unseen) <= min(loss(rungs[LOGISTIC].unseen), loss(rungs[SMALL].unseen)) + 1e-3
    useless = Learnt(Prior(7, 0.0, 0.0), np.random.default_rng(0).normal(size=len(LEARN)))
    straight = Learnt(rungs[LOGISTIC].parts[0].component, rungs[LOGISTIC].unseen)
    parts, unseen = combined.blended([useless, straight], LEARN.y)
    assert [part.component.kind for part in parts if part.weight > 0.5] == ["linear"]
    assert len(unseen) == len(LEARN)


def _foretold(strength: dict[str, float], size: int = 400) -> tuple[dict[str, ladder.Vector], ladder.Vector]:
    rng = np.random.default_rng(3)
    truth = rng.normal(-2, 1.5, size)
    y = (rng.random(size) < expit(truth)).astype(float)
    return {name: -2 + s * (truth + 2) + (1 - s) * rng.normal(0, 0.2, size) for name, s in strength.items()}, y


CLIMBS = {
    "nothing foretells": ({PRIOR: 0.0, LOGISTIC: 0.0, SMALL: 0.0, FULL: 0.0}, PRIOR),
    "straight is as good as it gets": ({PRIOR: 0.0, LOGISTIC: 1.0, SMALL: 1.0, FULL: 1.0}, LOGISTIC),
    "trees see more": ({PRIOR: 0.0, LOGISTIC: 0.4, SMALL: 0.95, FULL: 0.95}, SMALL),
    "all of it sees most": ({PRIOR: 0.0, LOGISTIC: 0.3, SMALL: 0.4, FULL: 1.0}, FULL),
    "a bad rung is stepped over": ({PRIOR: 0.0, LOGISTIC: -1.0, SMALL: 0.9, FULL: 0.2}, SMALL),
}


@pytest.mark.parametrize(("strength", "expected"), CLIMBS.values(), ids=CLIMBS)
def test_one_climbs_as_far_as_it_pays(strength: dict[str, float], expected: str) -> None:
    rungs, y = _foretold(strength)
    accounts = np.array([f"a{number}" for number in range(len(y))], dtype=object)
    found = ladder.choose(rungs, y, accounts, 1)
    assert found.rung == expected
    assert [step.rung for step in found.steps] == [PRIOR, LOGISTIC, SMALL, FULL]
    assert [step.rung for step in found.steps if step.taken][-1] == expected


def test_where_the_rows_tell_little_coefficients_are_small_and_uncertain() -> None:
    rng = np.random.default_rng(0)
    whole = sample(made.rows(300, seed=4))
    few = whole.where(rng.permutation(len(whole))[:60])
    many, little = (ladder.linear.fitted(rows, 7, ladder.linear.weigh(rows, 7)) for rows in (whole, few))
    assert isinstance(many, Linear)
    test = sample(made.rows(50, seed=5)).matrix
    assert np.ptp(little.raw(test)) < np.ptp(many.raw(test))
    assert little.with_variance(test)[1].mean() > 3 * many.with_variance(test)[1].mean()


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
        assert gate.decide([gate.compare("base rate", truth, p, base, weights)]).promoted == foretold


@pytest.mark.parametrize("said", ["raises", "lowers"])
def test_a_stated_direction_holds_everywhere(said: str) -> None:
    """Against what the rows say, too: a direction is what people know."""
    rungs = ladder.climb(sample(replace(LEARN, directions={"tickets": said})), 7, 2)
    matrix = sample(made.rows(20, seed=9)).matrix
    column = made.NUMBERS.index("tickets")
    sign = 1 if said == "raises" else -1
    for rung in rungs:
        steps = []
        for value in np.linspace(-3, 3, 13):
            moved = matrix.copy()
            moved[:, column] = value
            steps.append(combined.raw(rung.parts, moved))
        assert (sign * np.diff(np.stack(steps), axis=0) >= -1e-12).all()


def test_a_direction_of_a_column_that_is_not_there_is_refused_by_name() -> None:
    with pytest.raises(PropensityError, match="directions names nonsense"):
        sample(replace(LEARN, directions={"nonsense": "raises"}))


def test_large_trees_are_not_grown_of_few_events() -> None:
    rows = sample(made.rows(40, made.DAYS[:3]))
    assert min(rows.y.sum(), (1 - rows.y).sum()) < ladder.ENOUGH
    assert [rung.name for rung in ladder.climb(rows, 7, 2)] == [PRIOR, LOGISTIC, SMALL]
    assert [rung.name for rung in ladder.climb(replace(sample(LEARN), overlap=10.0), 7, 2)] == [PRIOR, LOGISTIC, SMALL]
