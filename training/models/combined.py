"""Components weighted and added up in log-odds, explained by the same sum of their contributions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from training.models.component import Component, Learnt, added
from training.sample import Matrix, Vector

PULL = 5.0
LEAST = 0.02
"""A component with less than this share is left out: it would be explained and stored for nothing."""


@dataclass(frozen=True)
class Part:
    """A component and its share. One without weight has no say in the probability, only in how sure it is."""

    weight: float
    component: Component


def raw(parts: tuple[Part, ...], matrix: Matrix) -> Vector:
    return added([part.weight * part.component.raw(matrix) for part in parts if part.weight])


def with_variance(parts: tuple[Part, ...], matrix: Matrix) -> tuple[Vector, Vector]:
    """As if all erred alike, since all have learnt from the same rows. Where a component without weight is less sure,
    or sees it differently, that counts.
    """
    each = [(part.weight, *part.component.with_variance(matrix)) for part in parts]
    total = added([weight * one for weight, one, _ in each if weight])
    own = added([weight * np.sqrt(variance) for weight, _, variance in each if weight]) ** 2
    for weight, one, variance in each:
        if not weight:
            own = np.maximum(own, variance + (one - total) ** 2)
    return total, own


def contributions(parts: tuple[Part, ...], matrix: Matrix) -> Matrix:
    return added([part.weight * part.component.contributions(matrix) for part in parts if part.weight])


def blended(learnt: list[Learnt], y: Vector) -> tuple[tuple[Part, ...], Vector]:
    """Components in the shares that foretell accounts left out best, and what they foretell together.

    The loss is convex in the shares; a light pull towards equal shares keeps small samples sane.
    """
    each = np.column_stack([one.unseen for one in learnt])
    equal = 1 / len(learnt)

    def loss(at: Vector) -> tuple[float, Vector]:
        z = each @ at[:-1] + at[-1]
        gap = expit(z) - y
        value = float((np.logaddexp(0, z) - y * z).sum() + PULL / 2 * ((at[:-1] - equal) ** 2).sum())
        return value, np.append(each.T @ gap + PULL * (at[:-1] - equal), gap.sum())

    start = np.append(np.full(len(learnt), equal), 0.0)
    bounds = [(0.0, 2.0)] * len(learnt) + [(-5.0, 5.0)]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x[:-1]
    shares = np.where(found < LEAST * found.sum(), 0.0, found)
    shares /= shares.sum()
    parts = tuple(Part(float(share), one.component) for share, one in zip(shares, learnt, strict=True) if share > 0)
    return parts, each @ shares
