"""What a feature is: a frozen declaration. Column names, docs, catalogue rows and reasons all derive from it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from features.aggregations import Aggregation

Family = Literal["interaction", "perception", "outcome", "stakeholders", "context"]
WORDS = ("family", "doc", "reason", "unit")
Windows = tuple[int, ...] | Literal["all"]


class Meant:
    """What all declarations share: a meaning, apart from the words for it."""

    @property
    def meaning(self) -> str:
        parts = {name: part for name, part in vars(self).items() if name not in WORDS}
        return f"{type(self).__name__} {parts}"


@dataclass(frozen=True)
class Feature(Meant):
    """An aggregation of one stream of facts.

    ``of`` names the facts (``usage``, ``ticket.opened``), ``label`` and ``role`` narrow them; ``over`` are windows in
    days, "all" for those of the workspace, () for aggregations of everything visible. ``reason`` is the sentence
    shown to people: ``{value}`` and ``{window}`` are filled in. ``per_event`` makes one feature of each usage event
    that the workspace names, with ``{event}`` in name and texts.
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

    def for_event(self, event: str) -> Feature:
        def fill(text: str) -> str:
            return text.replace("{event}", event)

        slug = "".join(letter if letter.isalnum() else "_" for letter in event.lower())
        name = self.name.replace("{event}", slug)
        return Feature(
            name,
            self.of,
            self.agg,
            self.family,
            fill(self.doc),
            fill(self.reason),
            self.unit,
            self.over,
            event,
            self.role,
        )


@dataclass(frozen=True)
class Ratio(Meant):
    """``top`` over ``bottom``, both named features; null where the bottom is null or 0.

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


@dataclass(frozen=True)
class Attribute(Meant):
    """A column of the account that has no history: taken as always known, and the catalogue says so."""

    name: str
    family: Family
    doc: str
    reason: str
    unit: str = ""
    categorical: bool = True


Declaration = Feature | Ratio | Attribute


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
        text = self.declaration.reason.replace("{value}", written(value, self.declaration.unit))
        text = text.replace("{window}", span(self.window)).replace("{longer}", span(self.longer))
        return text[:1].upper() + text[1:]


def columns(declaration: Declaration, windows: tuple[int, ...], known: dict[str, Declaration]) -> Iterator[Column]:
    """The columns of a declaration. ``known`` has every declaration by name, for ratios."""
    if isinstance(declaration, Attribute):
        yield Column(declaration.name, declaration)
    elif isinstance(declaration, Feature):
        yield from _windowed(declaration, over(declaration, windows))
    elif declaration.pace:
        spans = over(known[declaration.top], windows)
        for shorter, longer in pairwise(spans):
            yield Column(f"{declaration.name}_{shorter}d_{longer}d", declaration, shorter, longer)
    else:
        yield from _windowed(declaration, over(known[declaration.top], windows))


def over(declaration: Declaration, windows: tuple[int, ...]) -> tuple[int, ...]:
    """The windows of a feature, with "all" filled in."""
    if not isinstance(declaration, Feature):
        return ()
    return windows if declaration.over == "all" else declaration.over


def _windowed(declaration: Declaration, spans: tuple[int, ...]) -> Iterator[Column]:
    if not spans:
        yield Column(declaration.name, declaration)
    for days in spans:
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
