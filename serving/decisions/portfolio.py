"""One measure at every level: account, line of business, country, everything; totals reconcile exactly.

The least part is a ``Slice``: what an account has in one line of business. What adds up is whole numbers (money in
millionths), split among the slices of an account once and for all, so that any way of putting slices together comes to
the same total. What does not add up is made anew at each level: accounts are counted once in each group that they are
in, and once in the total; rates and scores are divided after the sums, never averaged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from scipy.stats import norm

from features.errors import PropensityError, one_of
from features.facts import UNIT

ACCOUNT, LINE, GLOBAL = "account", "line_of_business", "global"
DIMENSIONS = (ACCOUNT, LINE, "country", "owner", "segment", "partner", "industry", GLOBAL)
LABELS = ("business", "loyalty", "states")
"""What an account is called, beside where it belongs: nothing is put together by it, but one can look within it."""
MONEY = ("arr", "arr_year_before", "arr_scored", "arr_at_risk", "arr_under_notice", "arr_expanding")
COUNTS = ("contracts", "escalations", "acts", "nps_answers", "nps_promoters", "nps_detractors")
AMOUNTS = (*MONEY, *COUNTS)
"""What adds up, in millionths of its unit."""
COVERAGE = 0.95


@dataclass(frozen=True)
class Slice:
    """What an account has in a line of business, and where that belongs: dimension → group.

    ``here`` is false where all of it lies in the past: it has an ARR of a year before, and no account that is counted.
    ``labels`` are those of the account: its state, its loyalty, its business.
    """

    account: str
    places: Mapping[str, str]
    here: bool
    amounts: Mapping[str, int] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Tally:
    """So many accounts, with so much ARR (millionths)."""

    accounts: int = 0
    arr: int = 0


@dataclass
class Group:
    """Everything of one group. ``amounts`` are whole numbers of millionths, ``labels`` kind → label → tally."""

    name: str
    accounts: int = 0
    amounts: Counter[str] = field(default_factory=Counter)
    labels: dict[str, dict[str, Tally]] = field(default_factory=dict)

    @property
    def retention(self) -> float | None:
        """ARR against that of a year before, new business included; null without any."""
        before = self.amounts["arr_year_before"]
        return self.amounts["arr"] / before if before else None

    @property
    def risk(self) -> float | None:
        """Share of the scored ARR that is expected to leave; null where nothing is scored."""
        scored = self.amounts["arr_scored"]
        return self.amounts["arr_at_risk"] / scored if scored else None

    @property
    def nps(self) -> tuple[float, float, float] | None:
        """Promoters less detractors in points, with its 95% interval; null without answers."""
        answers, up, down = (self.amounts[name] for name in ("nps_answers", "nps_promoters", "nps_detractors"))
        return (
            None if not answers else (100 * (up - down) / answers, *_interval(up / UNIT, down / UNIT, answers / UNIT))
        )

    def of(self, kind: str, label: str) -> Tally:
        return self.labels.get(kind, {}).get(label, Tally())

    def as_dict(self) -> dict[str, Any]:
        nps = self.nps
        return {
            "group": self.name,
            "accounts": self.accounts,
            **{name: self.amounts[name] / UNIT for name in AMOUNTS},
            "arr_against_year_before": self.retention,
            "risk_of_scored_arr": self.risk,
            "nps": None if nps is None else nps[0],
            "nps_low": None if nps is None else nps[1],
            "nps_high": None if nps is None else nps[2],
            **{
                kind: {label: {"accounts": one.accounts, "arr": one.arr / UNIT} for label, one in sorted(of.items())}
                for kind, of in sorted(self.labels.items())
            },
        }


@dataclass(frozen=True)
class Portfolio:
    """Groups by ARR, the largest first, and the total of all: distinct accounts, and sums that are exactly theirs.

    ``count`` is how many groups there are, of which these may be some.
    """

    by: str
    groups: list[Group]
    total: Group
    count: int


def portfolio(
    slices: Iterable[Slice],
    by: str,
    within: Mapping[str, str] | None = None,
    start: int = 0,
    top: int | None = None,
) -> Portfolio:
    """Put slices together by a dimension, of those only that are ``within`` groups of other dimensions or have a label;
    groups are shown from ``start`` on, ``top`` at most.

    Raises PropensityError where a dimension is none, or nothing is within a group.
    """
    _require(by, DIMENSIONS)
    chosen = list(slices)
    for dimension, group in (within or {}).items():
        _require(dimension, (*DIMENSIONS, *LABELS))
        there = {_place(one, dimension) for one in chosen}
        chosen = [one for one in chosen if _place(one, dimension) == group]
        if not chosen:
            hint = f"There are {one_of(there - {None})}."
            raise PropensityError(f"nothing has the {dimension} {group!r}", hint, status=404)
    parts: dict[str, list[Slice]] = {}
    for one in chosen:
        parts.setdefault(_place(one, by) or "", []).append(one)
    arr = {name: sum(one.amounts.get("arr", 0) for one in part) for name, part in parts.items()}
    ranked = sorted(parts, key=lambda name: (-arr[name], name))
    shown = ranked[start : None if top is None else start + top]
    return Portfolio(by, [_together(name, parts[name]) for name in shown], _together("total", chosen), len(parts))


def _require(dimension: str, there: Sequence[str]) -> None:
    if dimension not in there:
        raise PropensityError(f"there is no level {dimension!r}", f"There are {one_of(there)}.")


def split(amount: int, weights: Sequence[int]) -> list[int]:
    """A whole number shared out by weights, to whole numbers that come to exactly it; equally where all weights are 0."""
    if not sum(weights):
        weights = [1] * len(weights)
    total, so_far, given = sum(weights), 0, 0
    shares = []
    for weight in weights:
        so_far += weight
        upto = amount * so_far // total
        shares.append(upto - given)
        given = upto
    return shares


def expected(probability: float, arr: int) -> int:
    """What of an ARR (millionths) goes with a probability, to the nearest whole number."""
    return round(Fraction(probability) * arr)


def _place(one: Slice, dimension: str) -> str | None:
    """Null where it has no such label, since nothing of it is left."""
    if dimension in LABELS:
        return one.labels.get(dimension)
    return GLOBAL if dimension == GLOBAL else one.account if dimension == ACCOUNT else one.places[dimension]


def _together(name: str, slices: Sequence[Slice]) -> Group:
    amounts = Counter({amount: sum([one.amounts.get(amount, 0) for one in slices]) for amount in AMOUNTS})
    here = [one for one in slices if one.here]
    counted: set[str] = set()
    alike: dict[tuple[tuple[str, str], ...], Tally] = {}
    for one in here:
        tally = alike.setdefault(tuple(one.labels.items()), Tally())
        tally.accounts += one.account not in counted
        tally.arr += one.amounts.get("arr", 0)
        counted.add(one.account)
    labels: dict[str, dict[str, Tally]] = {}
    for named, tally in alike.items():
        for kind, label in named:
            so_far = labels.setdefault(kind, {}).setdefault(label, Tally())
            so_far.accounts += tally.accounts
            so_far.arr += tally.arr
    return Group(name, len(counted), amounts, labels)


def _interval(up: float, down: float, answers: float) -> tuple[float, float]:
    """95% interval of NPS in points, by the variance of answers that are each worth 1, 0 or -1, with one of each added, so
    that a few alike answers do not pass for certainty. Answers count as if each were somebody else's.
    """
    total = answers + 3
    high, low = (up + 1) / total, (down + 1) / total
    spread = float(norm.ppf(0.5 + COVERAGE / 2)) * ((high + low - (high - low) ** 2) / total) ** 0.5
    return 100 * max(high - low - spread, -1), 100 * min(high - low + spread, 1)
