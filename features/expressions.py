"""Features made of other features of the same row: ratios, differences, blends, extremes, and the rank among peers."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from features.feature import Column, Expression, Family, Meant, Numbers, column_name

Over = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class Ratio(Meant):
    """``top`` over ``bottom``; null where the bottom is null or 0.

    Features over windows divide window by window; a bottom without windows serves all. A ``pace`` divides each window
    by the next longer one instead, by the day ("rate", for counts and sums) or as it is ("level", for means):
    1 is steady, below 1 is falling.
    """

    name: str
    top: str
    bottom: str
    family: Family
    doc: str
    reason: str
    unit: str = ""
    pace: Literal["", "rate", "level"] = ""
    spec: str = ""

    @property
    def parts(self) -> tuple[str, ...]:
        return (self.top, self.bottom)

    @property
    def formula(self) -> str:
        return f"{self.top} / {self.bottom}" + (", next longer window" if self.pace else "")

    @property
    def null(self) -> str:
        return f"{self.bottom} is 0 or unknown"

    def columns(self, over: Over) -> Iterator[Column]:
        if self.pace:
            for shorter, longer in pairwise(over[self.top]):
                yield Column(f"{self.name}_{shorter}d_{longer}d", self, shorter, longer)
        else:
            yield from _at(self, shared(over, self.parts))

    def inputs(self, column: Column) -> tuple[tuple[str, int], ...]:
        return ((self.top, column.window), (self.bottom, column.longer or column.window))

    def alike(self, column: Column) -> Hashable:
        return (column.window, column.longer) if self.pace == "rate" else ()

    def number(self, column: Column, *inputs: Numbers) -> Numbers:
        top, bottom = inputs
        if self.pace == "rate":
            top, bottom = top / column.window, bottom / column.longer
        usable = (bottom != 0) & ~np.isnan(bottom)
        return np.where(usable, top / np.where(usable, bottom, 1.0), np.nan)


@dataclass(frozen=True)
class Difference(Meant):
    """``left`` minus ``right``, window by window; null where either is."""

    name: str
    left: str
    right: str
    family: Family
    doc: str
    reason: str
    unit: str = ""
    spec: str = ""

    @property
    def parts(self) -> tuple[str, ...]:
        return (self.left, self.right)

    @property
    def formula(self) -> str:
        return f"{self.left} - {self.right}"

    @property
    def null(self) -> str:
        return f"{self.left} or {self.right} is unknown"

    def columns(self, over: Over) -> Iterator[Column]:
        yield from _at(self, shared(over, self.parts))

    def inputs(self, column: Column) -> tuple[tuple[str, int], ...]:
        return ((self.left, column.window), (self.right, column.window))

    def alike(self, column: Column) -> Hashable:
        return ()

    def number(self, column: Column, *inputs: Numbers) -> Numbers:
        return inputs[0] - inputs[1]


@dataclass(frozen=True)
class Blend(Meant):
    """The mean of several features with weights, over those that are known; null where none is."""

    name: str
    weights: tuple[tuple[str, float], ...]
    family: Family
    doc: str
    reason: str
    unit: str = ""
    spec: str = ""

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.weights)

    @property
    def formula(self) -> str:
        return "mean of " + ", ".join(f"{name} (weight {weight:g})" for name, weight in self.weights)

    @property
    def null(self) -> str:
        return "all of them are unknown"

    def columns(self, over: Over) -> Iterator[Column]:
        yield from _at(self, shared(over, self.parts))

    def inputs(self, column: Column) -> tuple[tuple[str, int], ...]:
        return tuple((name, column.window) for name in self.parts)

    def number(self, column: Column, *inputs: Numbers) -> Numbers:
        top, bottom = np.zeros(len(inputs[0])), np.zeros(len(inputs[0]))
        for (_, weight), values in zip(self.weights, inputs, strict=True):
            there = ~np.isnan(values)
            top += np.where(there, weight * values, 0.0)
            bottom += np.where(there, weight, 0.0)
        return np.where(bottom > 0, top / np.where(bottom > 0, bottom, 1.0), np.nan)


@dataclass(frozen=True)
class _Several(Meant):
    """What is made of any number of features, window by window."""

    name: str
    parts: tuple[str, ...]
    family: Family
    doc: str
    reason: str
    unit: str = ""
    spec: str = ""

    def columns(self, over: Over) -> Iterator[Column]:
        yield from _at(self, shared(over, self.parts))  # type: ignore[arg-type]  # formula, null and number are theirs

    def inputs(self, column: Column) -> tuple[tuple[str, int], ...]:
        return tuple((name, column.window) for name in self.parts)


@dataclass(frozen=True)
class Lowest(_Several):
    """The smallest of several features, of those that are known; null where none is."""

    @property
    def formula(self) -> str:
        return f"lowest of {', '.join(self.parts)}"

    @property
    def null(self) -> str:
        return "all of them are unknown"

    def number(self, column: Column, *inputs: Numbers) -> Numbers:
        return np.fmin.reduce(inputs)


@dataclass(frozen=True)
class Covered(_Several):
    """How many of several features are above 0."""

    @property
    def formula(self) -> str:
        return f"how many of {', '.join(self.parts)} are above 0"

    @property
    def null(self) -> str:
        return "never null (0 of nothing)"

    def number(self, column: Column, *inputs: Numbers) -> Numbers:
        return np.sum([part > 0 for part in inputs], axis=0).astype(np.float64)


@dataclass(frozen=True)
class Rank(Meant):
    """The share of the peers at the same as_of that lie below, ties counted half.

    Peers are the accounts of the frame with the same value of the attribute ``among`` (null is a group too) for which
    ``of`` is known, the account itself included. Null where ``of`` is null or fewer than ``features.peers.FEWEST`` are
    left. The whole as_of must be there before a rank can be given, so ranks are the last columns to be computed.
    """

    name: str
    of: str
    among: str
    family: Family
    doc: str
    reason: str
    over: tuple[int, ...] = ()
    unit: str = "share"
    spec: str = ""

    @property
    def parts(self) -> tuple[str, ...]:
        return (self.of, self.among)

    @property
    def formula(self) -> str:
        return f"rank of {self.of} among the same {self.among}"

    @property
    def null(self) -> str:
        return f"{self.of} is unknown, or too few peers"

    def columns(self, over: Over) -> Iterator[Column]:
        yield from _at(self, tuple(days for days in self.over if days in over[self.of]) if over[self.of] else (0,))

    def inputs(self, column: Column) -> tuple[tuple[str, int], ...]:
        return ((self.of, column.window),)

    def number(self, column: Column, *inputs: Numbers) -> Numbers:
        """Not yet known: see ``features.peers``."""
        return np.full(len(inputs[0]), np.nan)


def shared(over: Over, parts: tuple[str, ...]) -> tuple[int, ...]:
    """The windows that all parts have, of those parts that have any; 0 where none has."""
    windows = [over[part] for part in parts if over[part]]
    return tuple(days for days in windows[0] if all(days in other for other in windows)) if windows else (0,)


def _at(declaration: Expression, windows: tuple[int, ...]) -> Iterator[Column]:
    """One column for each window; none where there is no window."""
    return (Column(column_name(declaration.name, days), declaration, days) for days in windows)
