"""What a feature is: a frozen declaration. Column names, docs, catalogue rows and reasons all derive from it.

A ``Feature`` aggregates facts, an ``Attribute`` is a column of the account, an ``Expression`` (``features.expressions``)
is made of other features. Each has a ``spec``: a few rows of canonical tables and what comes of them
(``features.specification``), run by the tests and shown in the catalogue.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from features.aggregations import Aggregation
from features.windows import Span

Family = Literal["interaction", "perception", "outcome", "stakeholders", "context"]
WORDS = ("family", "doc", "reason", "unit", "spec", "controllable")
Numbers = npt.NDArray[np.float64]
Windows = tuple[int, ...] | Literal["all"]


class Meant:
    """What all declarations share: a meaning, apart from the words for it."""

    @property
    def meaning(self) -> str:
        parts = {name: part for name, part in vars(self).items() if name not in WORDS}
        return f"{type(self).__name__} {parts}"

    def alike(self, column: Column) -> Hashable:
        return column.name


@dataclass(frozen=True)
class Feature(Meant):
    """An aggregation of one stream of facts.

    ``of`` names the facts (``usage``, ``ticket.opened``), ``label`` and ``role`` narrow them; ``over`` are windows in
    days, "all" for those of the workspace, () for everything visible; ``back`` moves a window into the past by days, or
    by its own length ("window"). ``reason`` is the sentence shown to people: ``{value}`` and ``{window}`` are filled in.
    ``per_event`` makes one feature of each usage event that the workspace names, with ``{event}`` in name and texts.
    ``controllable``: can we act on it directly, so that it makes sense to ask what if?
    """

    name: str
    of: str
    agg: Aggregation
    family: Family
    doc: str
    reason: str
    unit: str = ""
    over: Windows = ()
    label: str = ""
    role: str = ""
    per_event: bool = False
    back: int | Literal["window"] = 0
    spec: str = ""
    controllable: bool = False

    def span(self, window: int) -> Span:
        """The span of its column for this window."""
        return Span(window, window if self.back == "window" else self.back)

    def for_event(self, event: str) -> Feature:
        def fill(text: str) -> str:
            return text.replace("{event}", event)

        slug = "".join(letter if letter.isalnum() else "_" for letter in event.lower())
        return replace(
            self,
            name=self.name.replace("{event}", slug),
            doc=fill(self.doc),
            reason=fill(self.reason),
            spec=fill(self.spec),
            label=event,
            per_event=False,
        )


@dataclass(frozen=True)
class Attribute(Meant):
    """A column of the account that has no history: taken as always known, and the catalogue says so."""

    name: str
    family: Family
    doc: str
    reason: str
    unit: str = ""
    categorical: bool = True
    spec: str = ""


class Expression(Protocol):
    """A feature made of other features of the same row, named in ``parts``."""

    @property
    def name(self) -> str: ...
    @property
    def family(self) -> Family: ...
    @property
    def doc(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def spec(self) -> str: ...
    @property
    def meaning(self) -> str: ...
    @property
    def parts(self) -> tuple[str, ...]:
        """The features it is made of."""

    @property
    def formula(self) -> str:
        """The same as people write it."""

    @property
    def null(self) -> str:
        """When it is null."""

    def columns(self, over: dict[str, tuple[int, ...]]) -> Iterator[Column]:
        """Its columns, given the windows of its parts."""

    def inputs(self, column: Column) -> tuple[tuple[str, int], ...]:
        """The features a column of it is computed from, each with its window."""

    def alike(self, column: Column) -> Hashable:
        """What else but its inputs decides the values of a column."""

    def number(self, column: Column, *inputs: Numbers) -> Numbers:
        """The values of a column from those of its inputs, line by line."""


Declaration = Feature | Attribute | Expression


@dataclass(frozen=True)
class Column:
    """One column of the frame: a declaration at a window (0: none), and for a pace the longer window beside it."""

    name: str
    declaration: Declaration
    window: int = 0
    longer: int = 0

    @property
    def categorical(self) -> bool:
        return isinstance(self.declaration, Attribute) and self.declaration.categorical

    @property
    def meaning(self) -> str:
        """What decides the values, without the words for it."""
        return f"{self.name} {self.declaration.meaning} {self.window} {self.longer}"

    def explain(self, value: float | str | None) -> str:
        """The reason in words, with the account's own number."""
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return f"{self.declaration.doc.split(',')[0]}: nothing known"
        text = self._reason.replace("{value}", written(value, self.declaration.unit))
        return text[:1].upper() + text[1:]

    @cached_property
    def _reason(self) -> str:
        """All of it but the value."""
        return self.declaration.reason.replace("{window}", span(self.window)).replace("{longer}", span(self.longer))


def columns(declaration: Declaration, over: dict[str, tuple[int, ...]]) -> Iterator[Column]:
    """The columns of a declaration. ``over`` has the windows of every feature by name."""
    if isinstance(declaration, Attribute):
        yield Column(declaration.name, declaration)
    elif isinstance(declaration, Feature):
        yield from windowed(declaration, over[declaration.name])
    else:
        yield from declaration.columns(over)


def windowed(declaration: Declaration, spans: tuple[int, ...]) -> Iterator[Column]:
    """One column for each window, or one without."""
    for days in spans or (0,):
        yield Column(column_name(declaration.name, days), declaration, days)


def column_name(feature: str, days: int) -> str:
    return f"{feature}_{days}d" if days else feature


def span(days: int) -> str:
    return "24 hours" if days == 1 else f"{days} days"


def written(value: float | str, unit: str) -> str:
    """A number as a person would write it: 3, 41%, 12.4k."""
    if isinstance(value, str):
        return value
    if unit == "share":
        return f"{100 * value:.0f}%"
    if abs(value) >= 10_000:
        return f"{value / 1000:,.1f}k"
    if value == round(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"
