"""Columns that look at one kind of facts, as of some days: what they ask of the kernel, and the numbers made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from features import kernel, sequences, windows
from features.aggregations import Seen
from features.facts import Facts
from features.feature import Column, Feature
from features.kernel import Ask, Measure, Names, Rows, Stream
from features.windows import Bounds

Integers = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Aggregates:
    """Worked out once, for any rows and any accounts. ``exact`` are asked of ``features.kernel``, ``shapes`` of
    ``features.sequences``; ``asked`` has what each column is made of, and its span.
    """

    columns: Sequence[Column]
    asked: list[tuple[list[Ask], int]]
    bounds: Bounds
    exact: list[Ask]
    shapes: list[Ask]
    of_exact: kernel.Question
    of_shapes: sequences.Question

    @classmethod
    def of(cls, names: Names, columns: Sequence[Column], days: Sequence[date], zone: str) -> Aggregates:
        declared = [(column, declaration(column)) for column in columns]
        streams = list(dict.fromkeys(Stream(d.label, d.role) for _, d in declared))
        spans = list(dict.fromkeys(d.span(column.window) for column, d in declared))
        bounds = windows.bounds(days, spans, zone)
        asked = []
        for column, d in declared:
            stream, span = streams.index(Stream(d.label, d.role)), spans.index(d.span(column.window))
            asked.append(([Ask(need, stream, span) for need in d.agg.needs], span))
        asks = list(dict.fromkeys(ask for needs, _ in asked for ask in needs))
        exact = [ask for ask in asks if ask.measure < len(Measure)]
        shapes = [ask for ask in asks if ask.measure >= len(Measure)]
        of_exact = kernel.Question.of(names, bounds, streams, exact)
        return cls(
            columns, asked, bounds, exact, shapes, of_exact, sequences.Question.of(names, bounds, streams, shapes)
        )

    def answers(self, found: Facts, rows: Rows) -> tuple[Integers, Numbers]:
        """A line for each of ``exact``, and for each of ``shapes``; one column per row."""
        exact = self.of_exact.answers(found, rows) if self.exact else np.zeros((0, len(rows)), np.int64)
        shapes = self.of_shapes.answers(found, rows) if self.shapes else np.zeros((0, len(rows)))
        return exact, shapes

    def values(self, found: Facts, rows: Rows) -> dict[str, npt.NDArray[np.generic]]:
        """Every column, with one pass of the kernel."""
        exact, shapes = self.answers(found, rows)
        answers: dict[Ask, npt.NDArray[np.generic]] = dict(zip(self.exact, exact, strict=True))
        answers |= dict(zip(self.shapes, shapes, strict=True))
        as_of = self.bounds.as_of[rows.at]
        values: dict[str, npt.NDArray[np.generic]] = {}
        for column, (needs, span) in zip(self.columns, self.asked, strict=True):
            found_ = {ask.measure: answers[ask] for ask in needs}
            seen = Seen(found_, as_of, self.bounds.end_day[rows.at, span], column.window)
            values[column.name] = declaration(column).agg.number(seen)
        return values


def declaration(column: Column) -> Feature:
    assert isinstance(column.declaration, Feature)
    return column.declaration
