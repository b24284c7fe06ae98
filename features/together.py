"""Columns of one row that are made alike, computed together: a line each, where a frame has a line for each row.

The numbers are those of the declarations, which work line by line, so it makes no difference to any bit of them.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.aggregates import Aggregates, declaration
from features.aggregations import Aggregation, Seen
from features.expressions import Rank
from features.feature import Attribute, Column, Expression, Feature, Numbers
from features.kernel import Measure
from features.personas import Crowd
from features.plan import Plan

Integers = npt.NDArray[np.int64]
Place = dict[str, int]
"""Column → where it stands in the row."""


@dataclass(frozen=True)
class Block:
    """Columns with one aggregation: where they stand, and where what they are made of lies in all answers."""

    agg: Aggregation
    exact: bool
    columns: Integers
    needs: dict[int, Integers]
    end_day: Integers
    days: Integers

    def number(self, exact: Integers, shapes: Numbers, as_of: Integers) -> Numbers:
        answers: npt.NDArray[np.generic] = exact if self.exact else shapes
        return self.agg.number(
            Seen({need: answers[at] for need, at in self.needs.items()}, as_of, self.end_day, self.days)
        )


@dataclass(frozen=True)
class Step:
    """Columns made of others in the same way: where they stand, and where each of the others does."""

    made: Expression
    column: Column
    columns: Integers
    inputs: tuple[Integers, ...]

    def number(self, row: Numbers) -> Numbers:
        return self.made.number(self.column, *(row[at] for at in self.inputs))


def blocks(kinds: Iterable[Aggregates], place: Place) -> list[Block]:
    """All that is aggregated. Answers are those of every kind, one after the other."""
    found: dict[str, list[tuple[Column, dict[int, int], int]]] = {}
    first = {True: 0, False: 0}
    for kind in kinds:
        at = {ask: first[True] + number for number, ask in enumerate(kind.exact)}
        at |= {ask: first[False] + number for number, ask in enumerate(kind.shapes)}
        for column, (needs, span) in zip(kind.columns, kind.asked, strict=True):
            line = (column, {ask.measure: at[ask] for ask in needs}, int(kind.bounds.end_day[0, span]))
            found.setdefault(declaration(column).agg.name, []).append(line)
        first = {True: first[True] + len(kind.exact), False: first[False] + len(kind.shapes)}
    return [_block(lines, place) for lines in found.values()]


def _block(lines: list[tuple[Column, dict[int, int], int]], place: Place) -> Block:
    agg = declaration(lines[0][0]).agg
    return Block(
        agg,
        all(need < len(Measure) for need in agg.needs),
        np.array([place[column.name] for column, _, _ in lines]),
        {need: np.array([at[need] for _, at, _ in lines]) for need in agg.needs},
        np.array([end_day for _, _, end_day in lines], dtype=np.int64),
        np.array([column.window for column, _, _ in lines], dtype=np.int64),
    )


def steps(made: Plan, place: Place) -> list[Step]:
    """All that is made of other columns, each after what it is made of; not the ranks, which take everybody."""
    depth: dict[str, int] = {}
    alike: dict[Hashable, list[Column]] = {}
    for column in made.columns:
        one = column.declaration
        if isinstance(one, Feature | Attribute | Crowd | Rank):
            depth[column.name] = 0
        else:
            depth[column.name] = 1 + max(depth[name] for name in made.inputs(column))
            alike.setdefault((depth[column.name], type(one), one.alike(column)), []).append(column)
    found = []
    for _, columns in sorted(alike.items(), key=lambda item: depth[item[1][0].name]):
        inputs = np.array([[place[name] for name in made.inputs(column)] for column in columns])
        one = columns[0].declaration
        assert not isinstance(one, Feature | Attribute)
        found.append(Step(one, columns[0], np.array([place[column.name] for column in columns]), tuple(inputs.T)))
    return found
