"""Worlds whose true probabilities are known: do intervals cover them, does the ladder ever do harm, how near do we come?

    python -m benchmarks.worlds [--small 200] [--large 2]

A small world has 300 accounts of which about 20 leave; a large one 20,000 accounts at six dates. What matters, how much
and in which shape is drawn anew for each. Some columns are seen as counts, and values are missing: the true probability
is that of an account given what is seen of it, for nobody can know more. Seeds of the recorded run were never looked at
before.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit
from scipy.stats import norm

from benchmarks import results
from features.feature import Attribute, Column
from features.plan import Plan
from features.settings.training import Training
from training.dataset import Dataset
from training.learn import Learned, learned
from training.model import COVERAGE
from training.splits import Fold

Vector = npt.NDArray[np.float64]
DAY = date(2026, 1, 31)
COLUMNS = 40
NAMES = [f"signal_{number}" for number in range(COLUMNS)]
PLAN = Plan(
    tuple(Column(name, Attribute(name, "context", name, "{value}", categorical=False)) for name in NAMES), {}, {}, ()
)
SKEWED, COUNTED, MISSING = slice(0, None, 4), slice(1, None, 4), 0.02
DRAWS = 200
SMALL_FIRST_SEED, LARGE_FIRST_SEED = 7000, 9700


@dataclass(frozen=True)
class Cause:
    """A column that matters: straight, or as a step beyond a threshold, or only where another column is high."""

    column: int
    strength: float
    shape: str
    other: int


@dataclass(frozen=True)
class World:
    """What decides: causes, and the log-odds that make the mean probability the rate."""

    causes: tuple[Cause, ...]
    base: float

    @classmethod
    def drawn(cls, rng: np.random.Generator, rate: float, spread: float) -> World:
        """``spread``: how far accounts are apart in log-odds, as a standard deviation."""
        count = int(rng.integers(3, 10))
        strengths = rng.normal(size=count)
        strengths *= spread / np.sqrt((strengths**2).sum())
        columns, shapes = rng.choice(COLUMNS, count, replace=False), rng.choice(["straight", "step", "both"], count)
        causes = tuple(
            Cause(int(column), float(strength), str(shape), int(rng.integers(COLUMNS)))
            for column, strength, shape in zip(columns, strengths, shapes, strict=True)
        )
        latent = rng.normal(size=(20_000, COLUMNS))
        told = cls(causes, 0.0).odds(latent)
        return cls(causes, float(brentq(lambda base: expit(told + base).mean() - rate, -30, 30)))

    def odds(self, latent: Vector) -> Vector:
        total = np.full(len(latent), self.base)
        for cause in self.causes:
            x = latent[:, cause.column]
            if cause.shape == "step":
                x = 2 * (x > 0.5) - 0.6
            elif cause.shape == "both":
                x = x * 2 * (latent[:, cause.other] > 0)
            total += cause.strength * x
        return total


def seen(latent: Vector, rng: np.random.Generator) -> Vector:
    """What is seen of standard normal columns: every fourth skewed, every fourth as a count, a little of it missing."""
    found = latent.copy()
    found[:, SKEWED] = np.exp(found[:, SKEWED])
    found[:, COUNTED] = np.round(np.exp(found[:, COUNTED]))
    found[rng.random(found.shape) < MISSING] = np.nan
    return found


def behind(found: Vector, rng: np.random.Generator) -> Vector:
    """Columns that may lie behind what is seen, drawn: anything behind what is missing, anything that makes the count."""
    drawn = found.copy()
    drawn[:, SKEWED] = np.log(found[:, SKEWED])
    counts = found[:, COUNTED]
    with np.errstate(divide="ignore"):
        low, high = (norm.cdf(np.log(np.maximum(counts + half, 0.0))) for half in (-0.5, 0.5))
    drawn[:, COUNTED] = norm.ppf(low + rng.random(counts.shape) * (high - low))
    return np.where(np.isnan(found), rng.normal(size=found.shape), drawn)


def knowable(world: World, found: Vector, rng: np.random.Generator) -> Vector:
    """The true probability given what is seen: the mean over what may lie behind it."""
    return np.mean([expit(world.odds(behind(found, rng))) for _ in range(DRAWS)], axis=0)


def rows(world: World, rng: np.random.Generator, accounts: int, dates: int = 1) -> Dataset:
    """Accounts at dates, what is seen of them, and what came of them."""
    lasting = rng.normal(size=(accounts, COLUMNS))
    latent = np.concatenate([0.8 * lasting + 0.6 * rng.normal(size=lasting.shape) for _ in range(dates)])
    p = expit(world.odds(latent))
    found = seen(latent, rng)
    days = [DAY - timedelta(days=30 * number) for number in range(dates)]
    keys = {
        "account": np.tile([f"a{number}" for number in range(accounts)], dates).astype(object),
        "as_of": np.repeat(np.array(days, dtype=object), accounts),
        "row_hash": [str(number) for number in range(accounts * dates)],
    }
    frame = pd.concat([pd.DataFrame(keys), pd.DataFrame(found, columns=NAMES)], axis=1)
    return Dataset(frame, (rng.random(len(p)) < p).astype(float), PLAN, pd.DataFrame(), horizon=30)


def small(seed: int, accounts: int = 300, leave: int = 20) -> dict[str, Any]:
    """One small world: coverage of the true probabilities of other accounts, and expected log loss beside the prior's."""
    rng = np.random.default_rng(seed)
    world = World.drawn(rng, leave / accounts, abs(rng.normal(0, 1.0)))
    found, test, p = _learnt(world, rng, accounts, 1)
    scores = found.model.scores(test.frame)
    prior = np.full(len(p), found.model.facts["base_rate"])
    return {
        "world": "small",
        "seed": seed,
        "rung": found.model.rung,
        "yes": round(found.model.facts["base_rate"] * found.model.facts["rows"]),
        "covered": float(((scores.low <= p) & (p <= scores.high)).mean()),
        "width": float((scores.high - scores.low).mean()),
        "log_loss": _expected(p, scores.probability),
        "prior": _expected(p, prior),
        "truth": _expected(p, p),
        "gain": _expected(p, prior) - _expected(p, scores.probability),
    }


def large(seed: int, accounts: int = 20_000, dates: int = 6) -> dict[str, Any]:
    """One large world: how much of the gain that the truth itself has over the base rate is reached."""
    rng = np.random.default_rng(seed)
    found, test, p = _learnt(World.drawn(rng, 0.05, 1.5), rng, accounts, dates)
    scores = found.model.scores(test.frame)
    loss, prior, truth = (
        _expected(p, q) for q in (scores.probability, np.full(len(p), found.model.facts["base_rate"]), p)
    )
    return {
        "world": "large",
        "seed": seed,
        "rung": found.model.rung,
        "covered": float(((scores.low <= p) & (p <= scores.high)).mean()),
        "width": float((scores.high - scores.low).mean()),
        "log_loss": loss,
        "prior": prior,
        "truth": truth,
        "reached": (prior - loss) / (prior - truth),
    }


def _learnt(world: World, rng: np.random.Generator, accounts: int, dates: int) -> tuple[Learned, Dataset, Vector]:
    learn, test = rows(world, rng, accounts, dates), rows(world, rng, max(accounts // dates, 300))
    days = tuple(sorted(set(learn.as_of.tolist())))
    found = learned(learn, [Fold(days, (DAY + timedelta(days=1),))], Training(), {})
    return found, test, knowable(world, test.frame[NAMES].to_numpy(), rng)


def _expected(p: Vector, q: Vector) -> float:
    """The log loss that probabilities ``q`` come to on average where ``p`` is true."""
    q = np.clip(q, 1e-9, 1 - 1e-9)
    return float(-(p * np.log(q) + (1 - p) * np.log1p(-q)).mean())


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.worlds", description=__doc__)
    parser.add_argument("--small", type=int, default=200)
    parser.add_argument("--large", type=int, default=2)
    given = parser.parse_args()
    sweep(given.small, given.large)


def sweep(smalls: int, larges: int) -> None:
    found: list[dict[str, Any]] = []
    for seed in range(SMALL_FIRST_SEED, SMALL_FIRST_SEED + smalls):
        found.append(small(seed))
        print(found[-1], file=sys.stderr)
    for seed in range(LARGE_FIRST_SEED, LARGE_FIRST_SEED + larges):
        found.append(large(seed))
        print(found[-1], file=sys.stderr)
    if found:
        results.save("worlds", found)
    covered = [one["covered"] for one in found if one["world"] == "small"]
    if covered:
        print(f"small worlds: mean coverage {np.mean(covered):.3f} of {COVERAGE}", file=sys.stderr)


if __name__ == "__main__":
    main()
