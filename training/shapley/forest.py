"""LightGBM's trees as arrays, read from a booster's own text, and how rows are decided at their nodes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Any, NamedTuple

import lightgbm as lgb
import numba
import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Matrix = npt.NDArray[np.float64]
Bits = npt.NDArray[np.uint8]
NEAR_ZERO = float(np.float32(1e-35))
"""LightGBM takes a value no farther from zero than this for zero."""
_CATEGORICAL, _DEFAULT_LEFT, _ZERO_IS_MISSING, _NAN_IS_MISSING = 1, 2, 4, 8  # bits of a node's decision_type


class UnsupportedError(Exception):
    """What it is about a booster that is not computed here."""


class Test(IntEnum):
    """What a value must satisfy to go left. What is near zero is zero already."""

    UP_TO = 0  # at most the threshold; a missing value is not
    UP_TO_OR_MISSING = 1
    UP_TO_OR_ZERO = 2  # zero counts as missing, and goes left
    UP_TO_NOT_ZERO = 3  # zero counts as missing, and goes right
    AMONG = 4  # one of these categories


_UP_TO, _UP_TO_OR_MISSING, _UP_TO_OR_ZERO, _UP_TO_NOT_ZERO = map(int, list(Test)[:4])


@dataclass(frozen=True)
class Tree:
    """Nodes by number, the root first; a child below 0 is the leaf ``~child``. ``test`` holds a ``Test`` for each node.

    A node of categories asks for the bits in ``words`` from ``first_word`` up to ``end_word``, 32 in each. ``rows`` and
    ``leaf_rows`` tell how many rows of training came to a node and to a leaf.
    """

    column: Integers
    test: Integers
    threshold: Matrix
    left: Integers
    right: Integers
    rows: Integers
    value: Matrix
    leaf_rows: Integers
    words: npt.NDArray[np.uint32]
    first_word: Integers
    end_word: Integers

    @property
    def expected(self) -> float:
        """The mean over the rows of training, summed in LightGBM's order."""
        if not len(self.column):
            return float(self.value[0])
        total, rows = 0.0, float(self.rows[0])
        for count, value in zip(self.leaf_rows.tolist(), self.value.tolist(), strict=True):
            total += count / rows * value
        return total


class Turn(NamedTuple):
    """A way out of a node, and the share of the node's rows of training that took it.

    Nodes are counted through the forest, columns through those that it asks for.
    """

    node: int
    column: int
    left: bool
    share: float


class Leaf(NamedTuple):
    """A leaf and the way to it."""

    value: float
    path: tuple[Turn, ...]


@dataclass(frozen=True)
class Forest:
    """The trees a booster predicts with, up to its best iteration if it has one; ``columns`` is how many it takes."""

    trees: tuple[Tree, ...]
    columns: int

    @classmethod
    def of(cls, booster: lgb.Booster) -> Forest:
        """Raises UnsupportedError where a raw score is not one sum of numbers in leaves."""
        head, *parts = booster.model_to_string().split("\nend of trees")[0].split("\nTree=")
        about = _fields(head)
        if (outputs := int(about["num_tree_per_iteration"])) != 1:
            raise UnsupportedError(f"it has {outputs} outputs")
        if "average_output" in head.splitlines():
            raise UnsupportedError("it averages its trees, as a random forest does")
        if not parts:
            raise UnsupportedError("it has no trees")
        return cls(tuple(_tree(_fields(part)) for part in parts), int(about["max_feature_idx"]) + 1)

    @cached_property
    def used(self) -> Integers:
        """The columns that any node asks for."""
        return np.unique(self._joined("column"))

    @cached_property
    def expected(self) -> float:
        total = 0.0
        for tree in self.trees:
            total += tree.expected
        return total

    def leaves(self) -> Iterator[list[Leaf]]:
        """Those of each tree from left to right; none of a tree that is a leaf itself."""
        place = {column: number for number, column in enumerate(self.used.tolist())}
        first = 0
        for tree in self.trees:
            yield _leaves(tree, place, first)
            first += len(tree.column)

    def decide(self, rows: Matrix) -> Bits:
        """(nodes, rows): 1 where a row goes left at a node."""
        values = np.ascontiguousarray(rows[:, self.used].T)
        values[np.abs(values) <= NEAR_ZERO] = 0.0
        found = np.empty((len(self._nodes[0]), len(rows)), dtype=np.uint8)
        _decide(values, *self._nodes, found)
        return found

    def raw(self, left: Bits) -> Matrix:
        """The raw score of rows that decide like this, added up in LightGBM's order."""
        found = np.zeros(left.shape[1])
        _raw(left, *self._ways, found)
        return found

    @cached_property
    def nodes(self) -> int:
        return sum(len(tree.column) for tree in self.trees)

    @cached_property
    def _ways(self) -> tuple[Any, ...]:
        """Where each tree begins, what is right and left of each node, and the leaves; counted through the forest."""
        nodes = np.cumsum([0, *(len(tree.column) for tree in self.trees)])
        leaves = np.cumsum([0, *(len(tree.value) for tree in self.trees)])
        starts = list(zip(self.trees, nodes.tolist(), leaves.tolist(), strict=False))
        roots = [node if len(tree.column) else ~leaf for tree, node, leaf in starts]
        ways = [
            np.concatenate(
                [np.where((side := getattr(tree, name)) < 0, side - leaf, side + node) for tree, node, leaf in starts]
            )
            for name in ("right", "left")
        ]
        return np.array(roots), np.stack(ways, axis=1), self._joined("value")

    @cached_property
    def _nodes(self) -> tuple[Any, ...]:
        starts = np.cumsum([0, *(len(tree.words) for tree in self.trees)])
        first, end = (
            np.concatenate([getattr(tree, name) + start for tree, start in zip(self.trees, starts, strict=False)])
            for name in ("first_word", "end_word")
        )
        columns = np.searchsorted(self.used, self._joined("column"))
        return columns, self._joined("test"), self._joined("threshold"), self._joined("words"), first, end

    def _joined(self, name: str) -> Any:
        return np.concatenate([getattr(tree, name) for tree in self.trees])


def _fields(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def _tree(fields: dict[str, str]) -> Tree:
    if fields.get("is_linear", "0") != "0":
        raise UnsupportedError("its leaves hold linear models")
    kinds, threshold = _integers(fields, "decision_type"), _numbers(fields, "threshold")
    place = np.where(kinds & _CATEGORICAL, threshold, 0).astype(np.int64)
    bounds = np.append(_integers(fields, "cat_boundaries"), [0, 0])
    tests = [_test(kind, at) for kind, at in zip(kinds.tolist(), threshold.tolist(), strict=True)]
    tree = Tree(
        column=_integers(fields, "split_feature"),
        test=np.array(tests, dtype=np.int64),
        threshold=threshold,
        left=_integers(fields, "left_child"),
        right=_integers(fields, "right_child"),
        rows=_integers(fields, "internal_count"),
        value=_numbers(fields, "leaf_value"),
        leaf_rows=_integers(fields, "leaf_count"),
        words=_integers(fields, "cat_threshold").astype(np.uint32),
        first_word=bounds[place],
        end_word=bounds[place + 1],
    )
    if len(tree.column) and min(tree.rows.min(), tree.leaf_rows.min()) < 1:
        raise UnsupportedError("it has leaves that no row of training came to")
    return tree


def _test(kind: int, threshold: float) -> Test:
    if kind & _CATEGORICAL:
        return Test.AMONG
    if kind & _ZERO_IS_MISSING:
        return Test.UP_TO_OR_ZERO if kind & _DEFAULT_LEFT else Test.UP_TO_NOT_ZERO
    # Where none was missing in training, a missing value is a zero.
    left = kind & _DEFAULT_LEFT if kind & _NAN_IS_MISSING else threshold >= 0
    return Test.UP_TO_OR_MISSING if left else Test.UP_TO


def _leaves(tree: Tree, place: dict[int, int], first: int) -> list[Leaf]:
    children = list(zip(tree.left.tolist(), tree.right.tolist(), strict=True))
    columns = [place[column] for column in tree.column.tolist()]
    rows, leaf_rows, values = tree.rows.tolist(), tree.leaf_rows.tolist(), tree.value.tolist()
    found: list[Leaf] = []
    waiting: list[tuple[int, tuple[Turn, ...]]] = [(0, ())] if children else []
    while waiting:
        node, path = waiting.pop()
        if node < 0:
            found.append(Leaf(values[~node], path))
            continue
        for child in reversed(children[node]):
            share = (rows[child] if child >= 0 else leaf_rows[~child]) / rows[node]
            turn = Turn(first + node, columns[node], child == children[node][0], share)
            waiting.append((child, (*path, turn)))
    return found


def ragged(lists: Iterable[Sequence[Any]], dtype: type = np.int64) -> tuple[Integers, npt.NDArray[Any]]:
    """Where each list begins in what they are one after the other (and where the last ends), and that."""
    kept = list(lists)
    return np.cumsum([0, *map(len, kept)]), np.array([each for one in kept for each in one], dtype=dtype)


def _numbers(fields: dict[str, str], name: str) -> Matrix:
    return np.array(fields.get(name, "").split(), dtype=np.float64)


def _integers(fields: dict[str, str], name: str) -> Integers:
    return np.array(fields.get(name, "").split(), dtype=np.int64)


@numba.njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _decide(values, columns, tests, thresholds, words, first, end, found):  # type: ignore[no-untyped-def]  # pragma: no cover
    rows = values.shape[1]
    for node in range(len(columns)):
        column, test, threshold = columns[node], tests[node], thresholds[node]
        if test == _UP_TO:
            for row in range(rows):
                found[node, row] = values[column, row] <= threshold
        elif test == _UP_TO_OR_MISSING:
            for row in range(rows):
                found[node, row] = not values[column, row] > threshold
        elif test == _UP_TO_OR_ZERO:
            for row in range(rows):
                value = values[column, row]
                found[node, row] = (not value > threshold) | (value == 0)
        elif test == _UP_TO_NOT_ZERO:
            for row in range(rows):
                value = values[column, row]
                found[node, row] = (value <= threshold) & (value != 0)
        else:
            for row in range(rows):
                value = values[column, row]
                found[node, row] = 0
                if -1 < value < 2147483648.0:  # LightGBM cuts a category to 32 bits; beyond them it is none
                    category = np.int64(value)
                    word = first[node] + (category >> 5)
                    if word < end[node]:
                        found[node, row] = (words[word] >> np.uint32(category & 31)) & np.uint32(1)


@numba.njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _raw(left, roots, ways, values, found):  # type: ignore[no-untyped-def]  # pragma: no cover
    for root in roots:
        for row in range(len(found)):
            at = root
            while at >= 0:
                at = ways[at, left[at, row]]
            found[row] += values[~at]
