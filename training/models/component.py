"""What every kind of model can do.

What a kind makes are log-odds, and contributions of columns that add up to them, so that kinds can be weighted and
added up, and the sum is explained like each of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from training.sample import Cut, Matrix, Sample, Vector

Progress = Callable[[str], None]


class Component(Protocol):
    """A fitted model of one kind."""

    def raw(self, matrix: Matrix) -> Vector:
        """Log-odds, one per row; one row alone gets, bit for bit, what it gets among a million."""

    def with_variance(self, matrix: Matrix) -> tuple[Vector, Vector]:
        """``raw``, and how uncertain it is because the rows learnt from were few: a variance per row."""

    def contributions(self, matrix: Matrix) -> Matrix:
        """What each column adds to the log-odds; the last column is the starting point, a row sums to ``raw``."""

    def as_data(self) -> tuple[dict[str, Any], dict[str, str]]:
        """Numbers for the contract, and texts for files of their own by name."""


@dataclass(frozen=True)
class Learnt:
    """A component, and for every row its log-odds by a model of the same kind that had not met the row's account."""

    component: Component
    unseen: Vector


Fit = Callable[[Sample, list[Cut], int, Progress], Learnt]


def added(each: list[Matrix]) -> Matrix:
    """The sum, one after the other so that it does not depend on how many rows there are."""
    total = each[0].copy()
    for one in each[1:]:
        total += one
    return total


def mean_of(each: list[Matrix]) -> Matrix:
    return added(each) / len(each)
