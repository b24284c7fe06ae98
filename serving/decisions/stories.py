"""Which stories open deals want, which advocates can tell them, and whom to recruit for those that nobody tells."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from serving.decisions.whom import Chance

ANY = "any"
"""What stands where a deal does not say."""
NAMED = 3
"""Candidates that are named for each gap."""


@dataclass(frozen=True)
class Deal:
    """An open deal: what it is about, dimension → value (None: unknown), and its value in money (None: unknown)."""

    deal: str
    account: str | None
    about: Mapping[str, str | None]
    value: float | None


@dataclass(frozen=True)
class Teller:
    """An account that could tell a story of what it is: dimension → the values that hold of it. ``left``: how many more
    it may be asked for within the year. ``accepts`` is the chance of a yes, where it may be asked now.
    """

    account: str
    about: Mapping[str, frozenset[str]]
    left: int
    contact: str | None = None
    kind: str | None = None
    accepts: Chance | None = None


@dataclass(frozen=True)
class Candidate:
    """An account to recruit; ``misses`` is the one dimension in which its story is another, None where all fit."""

    account: str
    contact: str
    kind: str
    accepts: Chance
    misses: str | None

    def as_dict(self) -> dict[str, Any]:
        return {**vars(self), "accepts": vars(self.accepts)}


@dataclass(frozen=True)
class Gap:
    """A kind of story: how many open deals want it and are worth what, and how much of that no advocate can serve."""

    story: tuple[str, ...]
    deals: int
    value: float
    uncovered_deals: int
    uncovered: float
    advocates: int
    candidates: list[Candidate] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return {**vars(self), "story": list(self.story), "candidates": [one.as_dict() for one in self.candidates]}


def gaps(
    dimensions: Sequence[str], deals: Sequence[Deal], advocates: Sequence[Teller], candidates: Sequence[Teller]
) -> list[Gap]:
    """Every story that deals want, the dearest that nobody tells first. Deals are served in the order of their value, each
    by the advocate with most asks left that fits it in every dimension; nobody speaks for a deal of their own.
    """
    bare = uncovered(dimensions, deals, advocates)
    by_story: dict[tuple[str, ...], list[Deal]] = defaultdict(list)
    for deal in deals:
        by_story[story(dimensions, deal)].append(deal)
    found = []
    for which, wanting in by_story.items():
        open_still = [deal for deal in wanting if deal.deal in bare]
        found.append(
            Gap(
                which,
                len(wanting),
                _worth(wanting),
                len(open_still),
                _worth(open_still),
                sum(not _misses(dimensions, wanting[0], one) for one in advocates),
                _named(dimensions, open_still, candidates) if open_still else [],
            )
        )
    return sorted(found, key=lambda one: (-one.uncovered, -one.uncovered_deals, one.story))


def uncovered(dimensions: Sequence[str], deals: Iterable[Deal], advocates: Sequence[Teller]) -> set[str]:
    """The deals for which no advocate is left."""
    left = {one.account: one.left for one in advocates}
    tell: dict[tuple[str | None, ...], list[Teller]] = {}
    bare = set()
    for deal in sorted(deals, key=lambda deal: (-(deal.value or 0.0), deal.deal)):
        wanted = tuple(deal.about.get(name) for name in dimensions)
        if wanted not in tell:
            tell[wanted] = [one for one in advocates if not _misses(dimensions, deal, one)]
        fit = [one for one in tell[wanted] if left[one.account] > 0 and one.account != deal.account]
        if fit:
            left[min(fit, key=lambda one: (-left[one.account], one.account)).account] -= 1
        else:
            bare.add(deal.deal)
    return bare


def story(dimensions: Sequence[str], deal: Deal) -> tuple[str, ...]:
    return tuple(deal.about.get(name) or ANY for name in dimensions)


def _named(dimensions: Sequence[str], wanting: Sequence[Deal], candidates: Sequence[Teller]) -> list[Candidate]:
    """The likeliest to say yes among those that fit best: in everything, or in all but one."""
    found = []
    for one in candidates:
        misses = _misses(dimensions, wanting[0], one)
        if len(misses) > 1 or all(deal.account == one.account for deal in wanting):
            continue
        assert one.contact is not None and one.kind is not None and one.accepts is not None
        found.append(Candidate(one.account, one.contact, one.kind, one.accepts, misses[0] if misses else None))
    found.sort(key=lambda one: (one.misses is not None, -one.accepts.value, one.account))
    return found[:NAMED]


def _misses(dimensions: Sequence[str], deal: Deal, one: Teller) -> list[str]:
    return [
        name
        for name in dimensions
        if (wanted := deal.about.get(name)) is not None and wanted not in one.about.get(name, frozenset())
    ]


def _worth(deals: Iterable[Deal]) -> float:
    return sum(deal.value or 0.0 for deal in deals)
