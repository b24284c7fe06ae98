"""What each column adds to a booster's raw score: exact Shapley values, equal to LightGBM's ``pred_contrib``, and fast."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import lightgbm as lgb
import numpy as np

from features.threads import THREADS, each
from training.shapley.forest import Forest, Matrix, UnsupportedError
from training.shapley.patterns import BITS, Tables
from training.shapley.quadrature import Walk

PIECE = 2048  # rows that a thread takes at a time
DECISIONS = 8 << 20  # bytes of decisions that are kept at a time, so as to stay close to the processor
FEWEST, MOST = 64, 1024  # rows they are of


@dataclass(frozen=True)
class Explainer:
    """A forest, tables of its leaves near the root, and a walk to the others."""

    forest: Forest
    tables: Tables
    walk: Walk

    @classmethod
    def of(cls, forest: Forest) -> Explainer:
        leaves = list(forest.leaves())
        near = [[leaf for leaf in tree if len(leaf.path) <= BITS] for tree in leaves]
        far = [[leaf for leaf in tree if len(leaf.path) > BITS] for tree in leaves]
        return cls(forest, Tables.of(near), Walk.of(far))

    def raw(self, rows: Matrix, out: Matrix) -> None:
        out[:] = self.forest.raw(self.forest.decide(rows))

    def explain(self, rows: Matrix, out: Matrix) -> None:
        left = self.forest.decide(rows)
        sums = np.zeros((len(self.forest.used), len(rows)))
        self.tables.add(left, sums)
        self.walk.add(left, sums)
        out[:, :-1] = 0.0
        out[:, self.forest.used] = sums.T
        out[:, -1] = self.forest.expected

    def fill(self, work: Callable[[Matrix, Matrix], None], matrix: Matrix, out: Matrix) -> None:
        """What some work makes of each row, a few rows at a time, on as many threads as it is worth."""
        few = min(max(DECISIONS // max(self.forest.nodes, 1), FEWEST), MOST)

        def piece(begin: int) -> None:
            for at in range(begin, min(begin + PIECE, len(matrix)), few):
                some = slice(at, min(at + few, begin + PIECE))
                work(matrix[some], out[some])

        if len(matrix) <= PIECE:
            piece(0)
        else:
            for _ in each(piece, range(0, len(matrix), PIECE)):
                pass


@dataclass(frozen=True)
class Contributions:
    """Computes the raw scores of a booster, which must not change any more, and what each column adds to them.

    If it is ``fast``, by our own means; if not, by LightGBM's, and ``reason`` says why.
    """

    booster: lgb.Booster
    explainer: Explainer | None
    reason: str

    @classmethod
    def of(cls, booster: lgb.Booster) -> Contributions:
        try:
            return cls(booster, Explainer.of(Forest.of(booster)), "")
        except UnsupportedError as error:
            return cls(booster, None, f"LightGBM's own computation is used: {error}")

    @property
    def fast(self) -> bool:
        return self.explainer is not None

    def contributions(self, matrix: Matrix) -> Matrix:
        """A line for each row: what each column adds to its raw score and, last, the score where no column is known.

        One row alone gets, bit for bit, what it gets among a million, on any number of threads.
        """
        if self.explainer is None:
            threads = THREADS if len(matrix) > PIECE else 1
            return np.asarray(self.booster.predict(matrix, pred_contrib=True, num_threads=threads))
        rows = self._rows(matrix, self.explainer)
        out = np.empty((len(rows), rows.shape[1] + 1))
        self.explainer.fill(self.explainer.explain, rows, out)
        return out

    def raw(self, matrix: Matrix) -> Matrix:
        """Raw scores: bit for bit those of ``booster.predict(matrix, raw_score=True)``."""
        if self.explainer is None:
            threads = THREADS if len(matrix) > PIECE else 1
            return np.asarray(self.booster.predict(matrix, raw_score=True, num_threads=threads))
        rows = self._rows(matrix, self.explainer)
        out = np.empty(len(rows))
        self.explainer.fill(self.explainer.raw, rows, out)
        return out

    @staticmethod
    def _rows(matrix: Matrix, explainer: Explainer) -> Matrix:
        rows = np.asarray(matrix, dtype=np.float64)
        if rows.ndim != 2 or rows.shape[1] != explainer.forest.columns:
            raise ValueError(f"the booster takes rows of {explainer.forest.columns} columns, not {rows.shape}")
        return rows
