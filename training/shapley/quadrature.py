"""Contributions by integral, for leaves at any depth.

A leaf is reached for certain where a column on its path is known, else with the share of training rows that went its
way. So what it gives to a set of known columns is a product with one factor for each column, and the Shapley value of a
column is the integral over t in (0, 1) of the difference it makes where any other is known with probability t: where
its factor is (1 - t) · share + t · (does the row satisfy it?). That is a polynomial, for which Gauss's quadrature with
half as many points as there are columns is exact. No factor is ever 0.

Down a tree, factors are multiplied at each point; up, leaves are summed, and each edge gives its column its part. Where
a column is asked again further down, its factor so far is divided out: a handful of operations for each edge.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

import numba
import numpy as np

from training.shapley.forest import Bits, Integers, Leaf, Matrix, Turn

_UP, _DOWN, _LEAF = range(3)


@lru_cache
def points(columns: int) -> tuple[Matrix, Matrix, Matrix]:
    """Points t in (0, 1), 1 - t, and weights, which are exact for what so many columns make."""
    at, weight = np.polynomial.legendre.leggauss((columns + 1) // 2)
    return (1 + at) / 2, (1 - at) / 2, weight / 2


class Edge(NamedTuple):
    """A turn, how deep, and the depth of the one above it that asks for the same column (0: none).

    ``before`` is the share of training rows that took all such turns above it, and ``share`` that of those which took it
    too. ``value`` is that of the leaf it leads to, 1 if it does not.
    """

    turn: Turn
    depth: int
    earlier: int
    before: float
    share: float
    value: float


class Walk(NamedTuple):
    """Steps down and up the edges of trees, as compiled code takes them.

    Of a step: what it does, and along which edge. Of an edge: depth, node, does it go left, column, depth of the earlier
    one, and where its numbers begin: at each point, the factor of a column that was not satisfied above, what is added
    if it was, and if it still is; and what the column changes by for the last two.
    """

    step_begins: Integers
    steps: Integers
    edges: Integers
    numbers: Matrix
    point_begins: Integers
    weights: Matrix
    deepest: np.uint64
    most: np.uint64

    @classmethod
    def of(cls, trees: Iterable[list[Leaf]]) -> Walk:
        """A walk to these leaves of each tree, which are in order from left to right."""
        steps: list[tuple[int, int]] = []
        edges: list[tuple[int, ...]] = []
        begins, numbers, weights, counts, at = [0], [np.zeros(0)], [np.zeros(0)], [0], 0
        for leaves in filter(None, trees):
            known, unknown, weight = points(max(len({turn.column for turn in leaf.path}) for leaf in leaves))
            mine: list[Edge] = []
            steps += [(what, len(edges) + edge) for what, edge in _steps(leaves, mine)]
            for edge in mine:
                edges.append((edge.depth, edge.turn.node, edge.turn.left, edge.turn.column, edge.earlier, at))
                at += 5 * len(known)
            numbers.append(_numbers(mine, known, unknown))
            begins.append(len(steps))
            weights.append(weight)
            counts.append(len(weight))
        return cls(
            np.array(begins),
            np.array(steps, dtype=np.int64).reshape(-1, 2),
            np.array(edges, dtype=np.int64).reshape(-1, 6),
            np.concatenate(numbers),
            np.cumsum(counts),
            np.concatenate(weights),
            np.uint64(max((edge[0] for edge in edges), default=0)),
            np.uint64(max(counts)),
        )

    def add(self, left: Bits, sums: Matrix) -> None:
        """To the sums (columns, rows), what the leaves give to rows that decide like this (nodes, rows)."""
        if len(self.steps):
            _walk(left, *self, sums)


def _steps(leaves: list[Leaf], edges: list[Edge]) -> Iterator[tuple[int, int]]:
    """What to do, and along which of the edges, which are listed on the way."""
    taken: list[tuple[Turn, int]] = []
    for leaf in leaves:
        same = 0
        while same < len(taken) and taken[same][0] is leaf.path[same]:
            same += 1
        while len(taken) > same:
            yield _UP, taken.pop()[1]
        for edge in list(_along(leaf))[same:]:
            yield (_LEAF if edge.depth == len(leaf.path) else _DOWN), len(edges)
            if edge.depth < len(leaf.path):
                taken.append((edge.turn, len(edges)))
            edges.append(edge)
    while taken:
        yield _UP, taken.pop()[1]


def _along(leaf: Leaf) -> Iterator[Edge]:
    """The edges to a leaf."""
    so_far: dict[int, tuple[int, float]] = {}
    for depth, turn in enumerate(leaf.path, 1):
        earlier, before = so_far.get(turn.column, (0, 1.0))
        so_far[turn.column] = (depth, before * turn.share)
        yield Edge(turn, depth, earlier, before, before * turn.share, leaf.value if depth == len(leaf.path) else 1.0)


def _numbers(edges: list[Edge], known: Matrix, unknown: Matrix) -> Matrix:
    before, share, value, own = (
        np.array(of)[:, None]
        for of in zip(*((edge.before, edge.share, edge.value, edge.turn.share) for edge in edges), strict=True)
    )
    then, now = before * unknown + known, share * unknown + known
    lost, kept = share * unknown / then, now / then
    had = (1 - before) / then
    losing, keeping = -1 / unknown - had, (1 - share) / now - had
    never = np.broadcast_to(own, lost.shape)
    each = [never * value, (lost - never) * value, (kept - lost) * value, losing, keeping - losing]
    return np.stack(each, axis=1).ravel()


@numba.njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _walk(  # type: ignore[no-untyped-def]  # pragma: no cover
    left, step_begins, steps, edges, numbers, point_begins, weights, deepest, most, sums
):
    rows = np.uint64(left.shape[1])  # positions are unsigned, which compiled code need not check for being negative
    width = most * rows
    down = np.empty((deepest + 1) * width)
    up = np.empty((deepest + 1) * width)
    holds = np.ones((deepest + 1) * rows)  # 1 where all is satisfied that a column was asked for down to this depth
    for tree in range(len(step_begins) - 1):
        count = point_begins[tree + 1] - point_begins[tree]
        for q in range(count):
            for row in range(rows):
                down[np.uint64(q) * rows + row] = weights[point_begins[tree] + q]
        for step in range(step_begins[tree], step_begins[tree + 1]):
            code, edge = steps[step, 0], steps[step, 1]
            depth, node, side = np.uint64(edges[edge, 0]), np.uint64(edges[edge, 1]), edges[edge, 2]
            hold, held, column = depth * rows, np.uint64(edges[edge, 4]) * rows, np.uint64(edges[edge, 3])
            at = edges[edge, 5]
            if code != _UP:
                for row in range(rows):
                    holds[hold + row] = holds[held + row] if left[node, row] == side else 0.0
            here = depth * width
            above = here - width
            for q in range(count):
                never, lost, kept = numbers[at + q], numbers[at + count + q], numbers[at + 2 * count + q]
                losing, keeping = numbers[at + 3 * count + q], numbers[at + 4 * count + q]
                if code == _DOWN:
                    for row in range(rows):
                        factor = never + holds[held + row] * lost + holds[hold + row] * kept
                        down[here + row] = down[above + row] * factor
                        up[here + row] = 0.0
                elif code == _UP:
                    for row in range(rows):
                        change = holds[held + row] * losing + holds[hold + row] * keeping
                        sums[column, row] += up[here + row] * change
                        up[above + row] += up[here + row]
                else:
                    for row in range(rows):
                        factor = never + holds[held + row] * lost + holds[hold + row] * kept
                        change = holds[held + row] * losing + holds[hold + row] * keeping
                        given = down[above + row] * factor
                        sums[column, row] += given * change
                        up[above + row] += given
                here += rows
                above += rows
