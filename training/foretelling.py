"""Does a metric foretell an outcome? Learnt on earlier dates, judged on later ones, many metrics at a time.

Every date is judged by what was known before it: which end of a metric goes with the outcome, and where its outer fifth
begins. Metrics are ranked within a date, so that dates can be taken together; intervals draw whole accounts. As many are
tried, the band of each is widened until all of them hold together in about 95 of 100 cases (the largest studentised
deviation of any metric, over the same draws). It has two sides though the direction is learnt: an account that stands
out by chance does so on earlier and on later dates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm, rankdata
from scipy.stats import t as student

from training import metrics
from training.metrics import COVERAGE, Estimate, Names, Vector, Weights
from training.splits import Fold

CHANCE = 0.5
OUTER = 0.2
"""The share of the rows learnt from that the outer end of a metric holds."""
Found = Literal["beacon", "not shown", "turned", "too few"]
Draws = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Seen:
    """A metric's values on the rows; null where it is not known."""

    name: str
    values: Vector


@dataclass(frozen=True)
class Rows:
    """What came of the rows (1 or 0), whose they are, and as of when."""

    y: Vector
    accounts: Names
    as_of: Names

    def where(self, keep: Mask) -> Rows:
        return Rows(self.y[keep], self.accounts[keep], self.as_of[keep])

    def at(self, days: Sequence[date]) -> Mask:
        codes, there = self._dates
        return np.isin(codes, [there[day] for day in days if day in there])

    @cached_property
    def _dates(self) -> tuple[npt.NDArray[np.int64], dict[date, int]]:
        """Each row's date as a number, and the number of each date: compared often, and as objects slowly."""
        codes, names = pd.factorize(self.as_of)
        return codes, {name: code for code, name in enumerate(names.tolist())}


@dataclass(frozen=True)
class Judged:
    """A metric out of time. ``auc`` has its own 95% interval, ``band`` the one that holds for all that were tried.

    ``end`` is the end of the metric that goes with the outcome. ``lift`` is how much more often than all who have the
    metric those have the outcome who lie beyond ``threshold``, ``flagged`` their share; end and threshold are the last
    that were learnt. ``coverage`` is the share of the rows judged that have the metric, ``yes`` and ``no`` are accounts
    among them. Null where there was too little.
    """

    name: str
    found: Found
    coverage: float
    accounts: int
    yes: int
    no: int
    end: Literal["low", "high"] | None = None
    threshold: float | None = None
    flagged: float | None = None
    auc: Estimate | None = None
    band: Estimate | None = None
    lift: Estimate | None = None


@dataclass(frozen=True)
class _Ranked:
    """On each row, null where it was not judged: the rank within its date, 1 the likeliest, and whether it is beyond."""

    rank: Vector
    beyond: Vector
    end: Literal["low", "high"] | None = None
    threshold: float | None = None


def judged(
    seen: Sequence[Seen],
    rows: Rows,
    folds: Sequence[Fold],
    coverage: float,
    fewest: int,
    bootstraps: int,
    seed: int,
) -> list[Judged]:
    """Every metric, those with the highest AUC first and those with too few answers last.

    Enough is what at least the share ``coverage`` of the rows judged have, and ``fewest`` accounts with the outcome and as
    many without among them; a date is judged where as many of either were learnt from.
    """
    testing = np.logical_or.reduce([rows.at(fold.test) for fold in folds])
    test = rows.where(testing)
    weights = metrics.draws(test.accounts, bootstraps, seed)
    told, few, per_draw = [], [], []
    for one in seen:
        ranked = _ranked(one, rows, folds, fewest)
        rank = ranked.rank[testing]
        there = ~np.isnan(rank)
        counted = _counted(one, test.where(there), len(test.y))
        if counted.coverage < coverage or min(counted.yes, counted.no) < fewest:
            few.append(counted)
            continue
        y, mine, beyond = test.y[there], weights[:, there], ranked.beyond[testing][there]
        lift = metrics.estimate(metrics.over_draws(_lift, y, beyond, mine))
        told.append(
            replace(
                counted,
                end=ranked.end,
                threshold=ranked.threshold,
                flagged=float(beyond.mean()),
                lift=lift,
            )
        )
        per_draw.append(metrics.over_draws(metrics.auc, y, rank[there], mine))
    found = [
        replace(one, auc=metrics.estimate(draws), band=band, found=verdict(band))
        for one, draws, band in zip(
            told, per_draw, bands(per_draw, [min(one.yes, one.no) - 1 for one in told]), strict=True
        )
    ]
    return [*sorted(found, key=lambda one: -_value(one)), *few]


def bands(per_draw: Sequence[Draws], freedom: Sequence[int]) -> list[Estimate]:
    """An interval for each number (first as it is, then drawn anew) such that all hold together in 95 of 100 cases.

    ``freedom`` is how many accounts of the rarer kind each rests on, less one: few of them scatter as Student's t does.
    """
    if not per_draw:
        return []
    drawn = np.array(per_draw)
    value, spread = drawn[:, 0], np.nanstd(drawn[:, 1:], axis=1, ddof=1)
    off = np.nan_to_num(np.abs(drawn[:, 1:] - value[:, None]))
    far = np.divide(off, spread[:, None], out=np.zeros_like(off), where=spread[:, None] > 0)
    sure = norm.cdf(np.quantile(far.max(axis=0), COVERAGE))
    reach = student.ppf(sure, np.maximum(freedom, 1)) * spread
    return [Estimate(float(v), float(v - r), float(v + r)) for v, r in zip(value, reach, strict=True)]


def verdict(band: Estimate) -> Found:
    if band.low > CHANCE:
        return "beacon"
    return "turned" if band.high < CHANCE else "not shown"


def _value(one: Judged) -> float:
    return one.auc.value if one.auc is not None else 0.0


def _counted(one: Seen, test: Rows, of: int) -> Judged:
    yes, no = kinds(test)
    share = len(test.y) / of if of else 0.0
    return Judged(one.name, "too few", share, len(set(test.accounts.tolist())), yes, no)


def kinds(rows: Rows) -> tuple[int, int]:
    """Accounts with the outcome on any of these rows, and accounts without it on any."""
    yes, no = (len(set(rows.accounts[rows.y == kind].tolist())) for kind in (1, 0))
    return yes, no


def _ranked(one: Seen, rows: Rows, folds: Sequence[Fold], fewest: int) -> _Ranked:
    """Direction and threshold from what was known before each date; ranks and flags on it."""
    rank, beyond = np.full((2, len(rows.y)), np.nan)
    found = _Ranked(rank, beyond)
    known = ~np.isnan(one.values)
    for fold in folds:
        learn, test = rows.at(fold.fit) & known, rows.at(fold.test) & known
        if min(kinds(rows.where(learn))) < fewest or not test.any():
            continue
        area = metrics.auc(rows.y[learn], one.values[learn], np.ones((1, int(learn.sum()))))[0]
        high = bool(area >= CHANCE)
        threshold = float(np.quantile(one.values[learn], 1 - OUTER if high else OUTER))
        beyond[test] = one.values[test] >= threshold if high else one.values[test] <= threshold
        for day in fold.test:
            rank_of = test & rows.at([day])
            if rank_of.any():
                rank[rank_of] = rankdata(one.values[rank_of] if high else -one.values[rank_of]) / rank_of.sum()
        found = replace(found, end="high" if high else "low", threshold=threshold)
    return found


def _lift(y: Vector, beyond: Vector, weights: Weights) -> Vector:
    """How often those beyond have the outcome, as a multiple of how often all have."""
    caught, yes, all_of = weights @ beyond, weights @ y, weights.sum(axis=1)
    base = caught * yes
    return np.divide((weights @ (y * beyond)) * all_of, base, out=np.full(len(weights), np.nan), where=base > 0)
