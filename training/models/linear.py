"""Penalised logistic regression, whose penalty is averaged over by how well each explains the rows (its evidence).

Coefficients have a normal prior, so the fit has a posterior: where the rows tell little, coefficients are small and
their spread is wide, which is what small data should look like. Columns enter as steps of equal surprise (signed log of
the distance from the median), missing values as a column of their own, categories one each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.special import expit
from threadpoolctl import threadpool_limits

from features.threads import each
from training.models.component import Learnt, Progress, mean_of
from training.sample import Cut, Matrix, Sample, Vector

MOST_ROWS, MOST_ROWS_WEIGHED = 20_000, 4_000
"""More rows would not change so few numbers, only take longer: to fit, and to weigh the priors; accounts are kept whole."""
SPREADS = (0.02, 0.3, 0.6, 0.9, 1.3, 1.8, 2.4, 3.2)
"""How far apart accounts may be in log-odds, all terms together (a standard deviation): from nothing matters to a lot."""
WORTH = 0.05
"""Priors whose share of the evidence is less are left out."""
DRAWS = 64
STEPS = 30


@dataclass(frozen=True)
class Design:
    """Matrix → what the coefficients multiply: numbers, flags of missing values, categories one each."""

    numbers: tuple[int, ...]
    medians: tuple[float, ...]
    scales: tuple[float, ...]
    flags: tuple[int, ...]
    levels: tuple[tuple[int, int], ...]
    centres: tuple[float, ...]
    widths: tuple[float, ...]

    @classmethod
    def fitted(cls, rows: Sample) -> Design:
        categorical = rows.encoder.categorical
        numbers, medians, scales = [], [], []
        for column in (n for n in range(rows.matrix.shape[1]) if n not in categorical):
            there = rows.matrix[:, column]
            there = there[np.isfinite(there)]
            if len(there) and there.min() < there.max():
                low, middle, high = np.quantile(there, [0.25, 0.5, 0.75])
                numbers.append(column)
                medians.append(float(middle))
                scales.append(float(high - low) or float(np.abs(there - middle).mean()) or 1.0)
        flags = _flags(np.isnan(rows.matrix))
        levels = tuple(
            (column, code) for column in categorical for code in range(len(rows.encoder.categories[rows.encoder.columns[column]]))
        )  # fmt: skip
        blank = cls(tuple(numbers), tuple(medians), tuple(scales), flags, levels, (), ())
        plain = blank.plain(rows.matrix)
        widths = plain.std(axis=0)
        return cls(
            blank.numbers,
            blank.medians,
            blank.scales,
            flags,
            levels,
            tuple(plain.mean(axis=0).tolist()),
            tuple(np.where(widths > 0, widths, 1.0).tolist()),
        )

    @property
    def owners(self) -> npt.NDArray[np.int64]:
        """The column of the matrix that each term speaks of."""
        return np.array([*self.numbers, *self.flags, *(column for column, _ in self.levels)], dtype=np.int64)

    def plain(self, matrix: Matrix) -> Matrix:
        away = (matrix[:, list(self.numbers)] - np.array(self.medians)) / np.array(self.scales)
        numbers = np.nan_to_num(np.sign(away) * np.log1p(np.abs(away)), nan=0.0, posinf=30.0, neginf=-30.0)
        flags = np.isnan(matrix[:, list(self.flags)]).astype(float)
        columns = [column for column, _ in self.levels]
        levels = (matrix[:, columns] == np.array([code for _, code in self.levels], dtype=float)).astype(float)
        return np.hstack([numbers, flags, levels.reshape(len(matrix), len(columns))])

    def terms(self, matrix: Matrix) -> Matrix:
        """Standardised, and cut at six: a single huge value must not decide a linear score."""
        return np.clip((self.plain(matrix) - np.array(self.centres)) / np.array(self.widths), -6, 6)


@dataclass(frozen=True)
class Linear:
    """``intercept + terms @ coefficients``; ``draws`` are coefficients (the intercept first) from the posterior."""

    columns: int
    design: Design
    intercept: float
    coefficients: tuple[float, ...]
    draws: tuple[tuple[float, ...], ...]
    kind: str = "linear"

    def raw(self, matrix: Matrix) -> Vector:
        return self._raw(self.design.terms(matrix))

    def with_variance(self, matrix: Matrix) -> tuple[Vector, Vector]:
        terms, draws = self.design.terms(matrix), np.array(self.draws).T
        raw, drawn = self._raw(terms), np.repeat(draws[:1], len(matrix), axis=0)
        _add(terms, np.ascontiguousarray(draws[1:]), drawn)
        return raw, mean_of(list((drawn.T - raw) ** 2))

    def _raw(self, terms: Matrix) -> Vector:
        return self.intercept + _rowwise(terms, np.array(self.coefficients))

    def contributions(self, matrix: Matrix) -> Matrix:
        out = np.zeros((len(matrix), self.columns + 1))
        terms = self.design.terms(matrix) * np.array(self.coefficients)
        for number, owner in enumerate(self.design.owners):
            out[:, owner] += terms[:, number]
        out[:, -1] = self.intercept
        return out

    def as_data(self) -> tuple[dict[str, Any], dict[str, str]]:
        return {**vars(self), "design": vars(self.design)}, {}

    @classmethod
    def from_data(cls, data: dict[str, Any], texts: dict[str, str]) -> Linear:
        design = Design(**{name: _frozen(value) for name, value in data["design"].items()})
        return cls(**{name: _frozen(value) for name, value in {**data, "design": None}.items()} | {"design": design})


@dataclass(frozen=True)
class _Posterior:
    """The most likely coefficients under one prior variance, the Cholesky factor of their precision, the evidence."""

    mean: Vector
    factor: Matrix
    evidence: float


def fit(rows: Sample, cuts: list[Cut], seed: int, progress: Progress = lambda _: None) -> Learnt:
    """Fit on these rows; the accounts left out of each cut are foretold by a fit on the others.

    On one thread each: those of the linear algebra would fight with ours, and their number would decide the last bits.
    """
    with threadpool_limits(1, "blas"):
        shares = weigh(rows, seed)
        whole = fitted(rows, seed, shares)

        def foretold(cut: Cut) -> Vector:
            return fitted(rows.where(cut[0]), seed, shares).raw(rows.matrix[cut[1]])

        unseen = np.zeros(len(rows))
        for (_, left), raw in zip(cuts, each(foretold, cuts), strict=True):
            unseen[left] = raw
    return Learnt(whole, unseen)


def weigh(rows: Sample, seed: int) -> dict[float, float]:
    """How far apart accounts may be → its share of the evidence."""
    _, terms, y, counts = _prepared(rows, seed, MOST_ROWS_WEIGHED)
    at, evidence = np.zeros(terms.shape[1]), {}
    for spread in SPREADS:
        found = _posterior(terms, y, counts, spread, 1 / rows.overlap, at)
        at, evidence[spread] = found.mean, found.evidence
    top = max(evidence.values())
    shares = {spread: float(np.exp(one - top)) for spread, one in evidence.items()}
    kept = {spread: share for spread, share in shares.items() if share >= WORTH * sum(shares.values())}
    return {spread: share / sum(kept.values()) for spread, share in kept.items()}


def fitted(rows: Sample, seed: int, shares: dict[float, float]) -> Linear:
    """Coefficients averaged over the priors in these shares, and draws from the posteriors in the same."""
    design, terms, y, counts = _prepared(rows, seed, MOST_ROWS)
    found: list[_Posterior] = []
    for spread in shares:
        start = found[-1].mean if found else np.zeros(terms.shape[1])
        found.append(_posterior(terms, y, counts, spread, 1 / rows.overlap, start))
    mean = np.sum([share * one.mean for share, one in zip(shares.values(), found, strict=True)], axis=0)
    mean[1:] = _directed(mean[1:], design, rows)
    rng = np.random.default_rng(seed)
    draws = [
        tuple((one.mean + solve_triangular(one.factor, rng.normal(size=len(mean)), lower=True, trans="T")).tolist())
        for one in (found[number] for number in rng.choice(len(found), DRAWS, p=list(shares.values())))
    ]
    return Linear(rows.matrix.shape[1], design, float(mean[0]), tuple(mean[1:].tolist()), tuple(draws))


def _directed(coefficients: Vector, design: Design, rows: Sample) -> Vector:
    """A number that goes the way it cannot go does not go; that a value is missing may tell either."""
    signs = np.zeros(len(coefficients))
    signs[: len(design.numbers)] = [rows.directions.get(column, 0) for column in design.numbers]
    return np.where(signs * coefficients < 0, 0.0, coefficients)


def _prepared(rows: Sample, seed: int, most: int) -> tuple[Design, Matrix, Vector, Vector]:
    chosen = rows.where(_some(rows, seed, most))
    design = Design.fitted(chosen)
    return design, np.column_stack([np.ones(len(chosen)), design.terms(chosen.matrix)]), chosen.y, chosen.counts


def _posterior(terms: Matrix, y: Vector, counts: Vector, spread: float, weight: float, start: Vector) -> _Posterior:
    """Newton's method to the mode, and Laplace's approximation of the evidence there; the intercept is left free."""
    precision = np.full(terms.shape[1], max(terms.shape[1] - 1, 1) / spread**2)
    precision[0] = 1e-2
    at = start.copy()

    def loss(at: Vector) -> float:
        z = terms @ at
        return float(weight * (counts * (np.logaddexp(0, z) - y * z)).sum() + (precision * at**2).sum() / 2)

    now = loss(at)
    for _ in range(STEPS):
        p = expit(terms @ at)
        gradient = weight * (terms.T @ (counts * (p - y))) + precision * at
        hessian = weight * ((terms * (counts * (p * (1 - p)))[:, None]).T @ terms) + np.diag(precision)
        step = cho_solve(cho_factor(hessian, lower=True), gradient)
        size = 1.0
        while (after := loss(at - size * step)) > now and size > 1e-6:
            size /= 2
        at, before, now = at - size * step, now, after
        if before - now < 1e-5 * (1 + abs(now)):
            break
    factor = np.linalg.cholesky(hessian)
    determinant = 2 * float(np.log(np.diag(factor)).sum())
    return _Posterior(at, factor, -now + float(np.log(precision).sum()) / 2 - determinant / 2)


def _flags(missing: npt.NDArray[np.bool_]) -> tuple[int, ...]:
    """Columns whose missing values tell something; those of several windows are often missing together, and tell it once."""
    share = missing.mean(axis=0)
    seen: dict[bytes, int] = {}
    for column in np.flatnonzero((share > 0.005) & (share < 0.995)):
        seen.setdefault(np.packbits(missing[:, column]).tobytes(), int(column))
    return tuple(seen.values())


def _some(rows: Sample, seed: int, most: int) -> npt.NDArray[np.bool_]:
    """As many whole accounts as make up the most rows that are worth it."""
    names, position = np.unique(rows.accounts.astype(str), return_inverse=True)
    share = min(1.0, most / len(rows))
    chosen = np.random.default_rng(seed).random(len(names)) <= share
    return np.asarray(chosen[position])


def _rowwise(terms: Matrix, coefficients: Vector) -> Vector:
    """Each row summed by itself, so that one row alone gives what it gives among others."""
    return np.asarray(np.ascontiguousarray(terms * coefficients).sum(axis=1))


@numba.njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _add(terms, coefficients, out):  # type: ignore[no-untyped-def]  # pragma: no cover
    """What each row comes to by each of many coefficients, term by term, so again a row is what it is among others."""
    for row in range(len(terms)):
        for term in range(terms.shape[1]):
            for one in range(coefficients.shape[1]):
                out[row, one] += terms[row, term] * coefficients[term, one]


def _frozen(value: Any) -> Any:
    return tuple(_frozen(one) for one in value) if isinstance(value, list | tuple) else value
