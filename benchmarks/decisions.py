"""What a list at capacity is worth where it is known who leaves and what a call does: ours, and those it is beside.

    python -m benchmarks.decisions [--seeds 20] [--part worlds]

The worlds are those of ``benchmarks/decision_worlds.py``, declared before any list was judged. Ours is the list of the
product (``serving.decisions.calls.listed``) with the probabilities of a model that the product learnt from what such a
company has on record, at the save rate that is assumed, or that its holdout has measured, and by uplift where that is
used. It is worth the true expected profit of calling who is on it: what a call takes from the true chance of leaving,
times the ARR as it is, less the cost. Of the others each calls as many as there is capacity for: plain risk by the same
model, ARR as far as it is on record, a score by hand, chance; the best possible list is the limit. Nobody is held out
on the day itself. Intervals resample the seeds, paired.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit, logit

from benchmarks import decision_companies, results
from benchmarks.decision_worlds import (
    CAPACITY,
    COLUMNS,
    FIRST_SEED,
    HISTORY,
    SEEDS,
    SETTINGS,
    TODAY,
    Accounts,
    Company,
    Setting,
    health,
)
from features.feature import Attribute, Column
from features.plan import Plan
from features.settings.decisions import Calls, Economics
from features.settings.training import Training
from serving.decisions import save_rate, uplift
from serving.decisions.calls import Candidate, listed
from serving.decisions.effect import Arm, effect
from serving.decisions.uplift import Tried
from training import metrics, value
from training.dataset import Dataset
from training.judge import arr_of
from training.learn import learned
from training.model import Model
from training.splits import Fold

Vector = npt.NDArray[np.float64]
DAY = date(2026, 1, 31)
PLAN = Plan(
    tuple(Column(name, Attribute(name, "context", name, "{value}", categorical=False)) for name in COLUMNS), {}, {}, ()
)
TERMS, RULES = Economics(), Calls(holdout=0)
OURS, LIMIT = "ours", "the best possible"
BESIDE = ("plain risk", "ARR", "score by hand", "at random")


def worth(setting: Setting, seed: int, size: float = 1.0) -> dict[str, Any]:
    """One world: what each list is worth, whether uplift was used, and the save rate that ours went by."""
    rng = np.random.default_rng(seed)
    company = Company.drawn(setting, rng)
    history = company.accounts(rng, round(HISTORY * size))
    model = _learnt(history)
    today = company.accounts(rng, round(TODAY * size))
    p = _said(setting, model, today, rng)
    terms, saved, used = TERMS, np.full(len(p), np.nan), False
    if setting.tried:
        tried = company.accounts(rng, round(setting.tried * size), called=0.9)
        terms, saved, used = _from_trial(setting, model, tried, today, p, rng)
    profit = today.saved * today.arr * TERMS.margin - TERMS.contact_cost
    capacity = round(CAPACITY * size)
    places = lists(p, saved, today.seen["arr"], health(today), terms, capacity)
    found = _worth(places, profit, capacity)
    return {"world": setting.name, "seed": seed, "worth": found, "uplift": used, "save_rate": terms.save_rate}


def companies() -> Iterator[list[dict[str, Any]]]:
    """The lists of the simulated companies, by both truths; one for each company and test date, so far as there are."""
    found: list[dict[str, Any]] = []
    for world, day, rows, p, truths in decision_companies.judged():
        arr = arr_of(rows)
        places = lists(p, np.full(len(p), np.nan), arr, decision_companies.by_hand(rows), TERMS, CAPACITY)
        for name, saved in truths.items():
            told = _worth(places, saved * np.nan_to_num(arr) * TERMS.margin - TERMS.contact_cost, CAPACITY)
            seed, rate = f"{world.seed} {day}", TERMS.save_rate
            found.append({"world": name, "seed": seed, "worth": told, "uplift": False, "save_rate": rate})
        yield found


def _worth(places: Mapping[str, Any], profit: Vector, capacity: int) -> dict[str, float]:
    """What each list is worth by the true profit of a call to each; chance on average, and the limit."""
    best = float(np.sort(profit)[::-1][:capacity].clip(0).sum())
    return {name: float(profit[called].sum()) for name, called in places.items()} | {
        "at random": float(profit.mean() * capacity),
        LIMIT: best,
    }


def lists(p: Vector, saved: Vector, arr: Vector, by_hand: Vector, terms: Economics, capacity: int) -> dict[str, Any]:
    """Whom each calls, by position; NaN where something is not known."""
    candidates = [
        Candidate(str(number), None, float(p[number]), _known(arr[number]), None, _known(saved[number]))
        for number in range(len(p))
    ]
    ours = listed(candidates, {}, terms, RULES, capacity, DAY, "draw")
    stated = np.where(np.isnan(arr), terms.arr, arr)
    best = {"plain risk": -p, "ARR": -stated, "score by hand": by_hand}
    return {OURS: [int(one.candidate.account) for one in ours.called]} | {
        name: np.argsort(order, kind="stable")[:capacity] for name, order in best.items()
    }


def _from_trial(
    setting: Setting, model: Model, tried: Accounts, today: Accounts, p: Vector, rng: np.random.Generator
) -> tuple[Economics, Vector, bool]:
    """What the product makes of those who were held out: the save rate, and whom a call helps most."""
    arms = [Arm(int((tried.called == arm).sum()), int(tried.left[tried.called == arm].sum())) for arm in (True, False)]
    rate = save_rate.chosen(effect(arms[0], arms[1], TERMS.save_rate, 0.1))
    terms = TERMS.model_copy(update={"save_rate": rate.value})
    risk = _said(setting, model, tried, rng)
    names = np.arange(len(risk)).astype(object)
    rows = Tried(
        _matrix(tried, risk), risk, tried.called, tried.left, names, *value.stakes(risk, tried.seen["arr"], terms)
    )
    if not uplift.judged(rows, 7, terms.save_rate).used:
        return terms, np.full(len(p), np.nan), False
    return terms, uplift.learnt(rows, 7).saved(_matrix(today, p), p), True


def _matrix(accounts: Accounts, risk: Vector) -> Vector:
    return np.column_stack([risk, *(accounts.seen[name] for name in COLUMNS)])


def _learnt(history: Accounts) -> Model:
    keys = {"account": [f"a{n}" for n in range(len(history.chance))], "as_of": DAY, "row_hash": "0"}
    frame = pd.DataFrame(dict(history.seen)).assign(**keys)
    rows = Dataset(frame, history.left.astype(float), PLAN, pd.DataFrame(), horizon=30)
    return learned(rows, [Fold((DAY,), (DAY + timedelta(days=1),))], Training(bags=1), {}).model


def _said(setting: Setting, model: Model, accounts: Accounts, rng: np.random.Generator) -> Vector:
    slope, shift, noise = setting.distorted
    odds = logit(np.clip(model.scores(pd.DataFrame(dict(accounts.seen)).assign(as_of=DAY)).probability, 1e-9, 1 - 1e-9))
    return np.asarray(expit(slope * odds + shift + noise * rng.normal(size=len(odds))))


def _known(number: float) -> float | None:
    return None if np.isnan(number) else float(number)


def compared(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """A world's seeds together: what each list is worth on average, and ours minus each of the others, paired."""
    weights = metrics.draws(np.array([str(row["seed"]) for row in rows], dtype=object), 2000, 1)
    weights = weights / weights.sum(axis=1, keepdims=True)
    each = {name: np.array([row["worth"][name] for row in rows]) for name in (OURS, *BESIDE, LIMIT)}
    return {
        "world": rows[0]["world"],
        "seeds": len(rows),
        "worth": {name: metrics.estimate(weights @ found).as_dict() for name, found in each.items()},
        "ahead": {name: metrics.estimate(weights @ (each[OURS] - each[name])).as_dict() for name in BESIDE},
        "won": {name: int((each[OURS] > each[name]).sum()) for name in BESIDE},
        "uplift": sum(row["uplift"] for row in rows),
        "save_rate": float(np.mean([row["save_rate"] for row in rows])),
    }


def losses(rows: list[Mapping[str, Any]]) -> Iterator[str]:
    """Where ours is shown to be worth less, or not shown to be worth more."""
    for row in rows:
        for name, ahead in row["ahead"].items():
            if ahead["low"] is None or ahead["low"] <= 0:
                verdict = "we lose to" if ahead["high"] is not None and ahead["high"] < 0 else "not shown to beat"
                yield f"{row['world']}: {verdict} {name}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.decisions", description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument(
        "--part", choices=("worlds", "companies"), help="one of them; of the other, what is there is kept"
    )
    given = parser.parse_args()
    there = [
        row
        for row in results.load("decisions")
        if (row["world"] in decision_companies.TRUTHS) != (given.part == "companies")
    ]
    kept = there if given.part else []
    found: list[dict[str, Any]] = []
    for setting in SETTINGS if given.part != "companies" else ():
        begun = time.perf_counter()
        found.append(compared([worth(setting, seed) for seed in range(FIRST_SEED, FIRST_SEED + given.seeds)]))
        print(f"{setting.name}: {time.perf_counter() - begun:.0f} s {found[-1]['ahead']}", file=sys.stderr, flush=True)
        results.save("decisions", found, kept)
    if given.part != "worlds":
        worlds = list(found)
        for rows in companies():
            by_truth = [[row for row in rows if row["world"] == truth] for truth in decision_companies.TRUTHS]
            found = [*worlds, *(compared(each) for each in by_truth)]
            results.save("decisions", found, kept)
    for line in losses(found):
        print(line, file=sys.stderr)


if __name__ == "__main__":
    main()
