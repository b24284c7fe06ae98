"""Contributions by table: a few nodes decide what a few leaves give, and there are few patterns of their decisions.

Neighbouring leaves share a table: for each pattern of going left at the nodes above them, and each column that these
ask for, the exact Shapley value, computed beforehand. A row is looked up once in each table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numba
import numpy as np

from training.shapley.forest import Bits, Integers, Leaf, Matrix, ragged
from training.shapley.quadrature import points

BITS = 8  # nodes above the leaves of one table, at most: a pattern is a byte


class Tables(NamedTuple):
    """Where each table's nodes, columns and values begin, and these: for each of its columns a value per pattern.

    A pattern has a bit for each node, the first one's highest: does the row go left?
    """

    node_begins: Integers
    nodes: Integers
    column_begins: Integers
    columns: Integers
    value_begins: Integers
    values: Matrix

    @classmethod
    def of(cls, trees: Iterable[list[Leaf]]) -> Tables:
        """Tables of these leaves of each tree, which are in order; no more than BITS nodes lead to any."""
        groups = [group for tree in trees for group in _groups(tree)]
        nodes = [sorted({turn.node for leaf in group for turn in leaf.path}) for group in groups]
        columns = [sorted({turn.column for leaf in group for turn in leaf.path}) for group in groups]
        begins = np.cumsum([0, *(len(asked) << len(above) for asked, above in zip(columns, nodes, strict=True))])
        tables = cls(*ragged(nodes), *ragged(columns), begins, np.zeros(begins[-1]))
        each = zip(groups, nodes, columns, strict=True)
        tables._fill(groups, [list(_parts(leaf, above, asked)) for group, above, asked in each for leaf in group])
        return tables

    def _fill(self, groups: list[list[Leaf]], parts: list[list[tuple[float, ...]]]) -> None:
        leaf_begins = np.cumsum([0, *map(len, groups)])
        leaf_values = np.array([leaf.value for group in groups for leaf in group])
        part_begins, flat = ragged(parts, np.float64)
        part = flat.reshape(-1, 4)
        rules = np.zeros((3, BITS + 1, BITS))
        for count in range(1, BITS + 1):
            rules[:, count, : (count + 1) // 2] = points(count)
        _tabulate(
            leaf_begins, leaf_values, part_begins, part[:, :3].astype(np.int64), part[:, 3].copy(), rules,
            self.node_begins, self.value_begins, self.values,
        )  # fmt: skip

    def add(self, left: Bits, sums: Matrix) -> None:
        """To the sums (columns, rows), what the leaves give to rows that decide like this (nodes, rows)."""
        _look_up(left, *self, sums)


def _groups(leaves: list[Leaf]) -> Iterator[list[Leaf]]:
    """Neighbours, as many as so few nodes lead to."""
    group: list[Leaf] = []
    nodes: set[int] = set()
    for leaf in leaves:
        mine = {turn.node for turn in leaf.path}
        if len(nodes | mine) > BITS:
            yield group
            group, nodes = [], set()
        group.append(leaf)
        nodes |= mine
    if group:
        yield group


def _parts(leaf: Leaf, nodes: list[int], columns: list[int]) -> Iterator[tuple[float, ...]]:
    """For each column on the way to a leaf: its place in the table, the bits of its nodes, which of them must be set,
    and the share of training rows that went this way at all of them.
    """
    found: dict[int, tuple[int, int, float]] = {}
    for turn in leaf.path:
        bit = 1 << (len(nodes) - 1 - nodes.index(turn.node))
        mask, wanted, share = found.get(turn.column, (0, 0, 1.0))
        found[turn.column] = (mask | bit, wanted | (bit if turn.left else 0), share * turn.share)
    for column, part in found.items():
        yield columns.index(column), *part


@numba.njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _tabulate(  # type: ignore[no-untyped-def]  # pragma: no cover
    leaf_begins, leaf_values, part_begins, parts, shares, rules, node_begins, value_begins, values
):
    """Each leaf's values for each set of its columns that are satisfied, added to those of the patterns they are in."""
    for table in range(len(leaf_begins) - 1):
        patterns = 1 << (node_begins[table + 1] - node_begins[table])
        for leaf in range(leaf_begins[table], leaf_begins[table + 1]):
            first, last = part_begins[leaf], part_begins[leaf + 1]
            count = last - first
            of_set = np.zeros((1 << count, count))
            for satisfied in range(1 << count):
                for q in range((count + 1) // 2):
                    t, rest = rules[0, count, q], rules[1, count, q]
                    product = rules[2, count, q] * leaf_values[leaf]
                    for k in range(count):
                        product *= rest * shares[first + k] + (t if satisfied >> k & 1 else 0.0)
                    for k in range(count):
                        share = shares[first + k]
                        change = (1 - share) / (rest * share + t) if satisfied >> k & 1 else -1 / rest
                        of_set[satisfied, k] += product * change
            for pattern in range(patterns):
                satisfied = 0
                for k in range(count):
                    if pattern & parts[first + k, 1] == parts[first + k, 2]:
                        satisfied |= 1 << k
                for k in range(count):
                    values[value_begins[table] + parts[first + k, 0] * patterns + pattern] += of_set[satisfied, k]


@numba.njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _look_up(  # type: ignore[no-untyped-def]  # pragma: no cover
    left, node_begins, nodes, column_begins, columns, value_begins, values, sums
):
    rows = np.uint64(left.shape[1])  # positions are unsigned, which compiled code need not check for being negative
    pattern = np.empty(rows, dtype=np.uint8)
    for table in range(len(node_begins) - 1):
        first, deciding = node_begins[table], node_begins[table + 1] - node_begins[table]
        pattern[:] = 0
        for bit in range(deciding):
            goes_left = left[nodes[first + bit]]
            for row in range(len(pattern)):
                pattern[row] = (pattern[row] << np.uint8(1)) | goes_left[row]
        at = np.uint64(value_begins[table])
        for place in range(column_begins[table], column_begins[table + 1]):
            column = np.uint64(columns[place])
            for row in range(rows):
                sums[column, row] += values[at + pattern[row]]
            at += np.uint64(1) << np.uint64(deciding)
