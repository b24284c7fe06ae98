"""The advocacy funnel: eligible → asked → accepted → done, per kind and quarter, how long it takes, and who tires of it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from serving.decisions.asks import Ask
from serving.decisions.eligibility import YEAR
from serving.decisions.intervals import Bootstrap, Share, Vector, share, told
from training.metrics import Estimate

DEFINITION = (
    "asks made in the period, by what is known now. Accepted: within {days} days, of those made so long ago or longer; done: "
    "within {days} days after that, of those accepted so long ago or longer. What is younger is not counted, answered or not: "
    "else the last quarter would look better than it is. Acts that nobody asked for are not in it"
)


@dataclass(frozen=True)
class Step:
    """Asks of one kind, or of one quarter: how many, and what came of those of which it is known."""

    name: str
    asked: int
    accepted: Share
    done: Share

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name, "asked": self.asked, "accepted": self.accepted.as_dict(), "done": self.done.as_dict()
        }  # fmt: skip


@dataclass(frozen=True)
class Funnel:
    """``eligible`` counts accounts, ``asked`` how many of them were asked, ``beside`` who was asked and was not eligible;
    ``whole`` counts asks. ``trend`` is by how much the share accepted changes from one
    quarter to the next; None where there is but one. ``tired``: how many asks an account had had in the year before → the
    share accepted. Days are medians.
    """

    rest_days: int
    eligible: int
    asked: Share
    beside: int
    whole: Step
    kinds: list[Step]
    quarters: list[Step]
    trend: Estimate | None
    days_to_accept: Estimate | None
    days_to_do: Estimate | None
    tired: list[tuple[str, Share]]

    @property
    def verdict(self) -> str:
        """Of the trend, in words."""
        if self.trend is None or math.isnan(self.trend.low):
            return "no trend can be told: it takes asks of two quarters whose answers are known"
        per = f"{abs(self.trend.value) * 100:.0f} points a quarter"
        if self.trend.low > 0:
            return f"acceptance rises by {per}"
        return f"acceptance falls by {per}" if self.trend.high < 0 else "acceptance is not shown to rise or fall"

    def as_dict(self) -> dict[str, Any]:
        return {
            "eligible": self.eligible,
            "accounts_asked": self.asked.as_dict(),
            "asked_and_not_eligible": self.beside,
            **self.whole.as_dict(),
            "kinds": [step.as_dict() for step in self.kinds],
            "quarters": [step.as_dict() for step in self.quarters],
            "trend": told(self.trend),
            "verdict": self.verdict,
            "days_to_accept": told(self.days_to_accept),
            "days_to_do": told(self.days_to_do),
            "acceptance_by_asks_in_the_year_before": [{"asks": many, **part.as_dict()} for many, part in self.tired],
            "definition": DEFINITION.format(days=self.rest_days),
        }


def funnel(
    asks: Sequence[Ask], eligible: set[str], since: date, until: date, rest_days: int, draws: Bootstrap
) -> Funnel:
    """``asks`` are all there ever were; those made after ``since``, by ``until``, are looked at. ``eligible`` are the accounts
    that could be asked in the period.
    """
    made = sorted((ask for ask in asks if since < ask.asked <= until), key=lambda ask: (ask.asked, ask.ask))
    asked, everybody, ripe = {ask.account for ask in made}, sorted(eligible), _Ripe(until, timedelta(days=rest_days))
    known = [ask for ask in made if ripe.asked(ask)]
    finished = [ask for ask in known if ripe.accepted(ask)]

    def step(name: str, of: Sequence[Ask]) -> Step:
        mine = [ask for ask in of if ripe.asked(ask)]
        return Step(
            name, len(of), _share(mine, ripe.yes), _share([ask for ask in mine if ripe.accepted(ask)], ripe.did)
        )

    def steps(name: Callable[[Ask], str]) -> list[Step]:
        each: dict[str, list[Ask]] = defaultdict(list)
        for ask in made:
            each[name(ask)].append(ask)
        return [step(part, each[part]) for part in sorted(each)]

    return Funnel(
        rest_days,
        len(everybody),
        share([account in asked for account in everybody], everybody),
        len(asked - eligible),
        step("all", made),
        steps(lambda ask: ask.kind),
        steps(lambda ask: quarter(ask.asked)),
        _trend(known, ripe.yes, draws),
        _days([ask for ask in known if ripe.yes(ask)], lambda ask: (ask.asked, said_yes(ask)), draws),
        _days([ask for ask in finished if ripe.did(ask)], lambda ask: (said_yes(ask), ask.done), draws),
        _tired(known, ripe.yes, asks),
    )


def quarter(day: date) -> str:
    return f"{day.year} Q{(day.month + 2) // 3}"


def said_yes(ask: Ask) -> date | None:
    """When they accepted; who did it has."""
    return min((day for day in (ask.accepted, ask.done) if day is not None), default=None)


@dataclass(frozen=True)
class _Ripe:
    """Which asks are old enough to be counted, and what came of them in the same number of days each."""

    until: date
    days: timedelta

    def asked(self, ask: Ask) -> bool:
        return self.until >= ask.asked + self.days

    def yes(self, ask: Ask) -> bool:
        said = said_yes(ask)
        return said is not None and said < ask.asked + self.days

    def accepted(self, ask: Ask) -> bool:
        said = said_yes(ask)
        return said is not None and self.yes(ask) and self.until >= said + self.days

    def did(self, ask: Ask) -> bool:
        said = said_yes(ask)
        return said is not None and ask.done is not None and ask.done < said + self.days


def _share(asks: Sequence[Ask], yes: Callable[[Ask], bool]) -> Share:
    return share([yes(ask) for ask in asks], [ask.account for ask in asks])


def _days(
    asks: Iterable[Ask], between: Callable[[Ask], tuple[date | None, date | None]], draws: Bootstrap
) -> Estimate | None:
    each = [(ask.account, *between(ask)) for ask in asks]
    known = [(account, (end - begin).days) for account, begin, end in each if begin is not None and end is not None]
    return draws.median([float(days) for _, days in known], [account for account, _ in known])


def _trend(asks: Sequence[Ask], yes: Callable[[Ask], bool], draws: Bootstrap) -> Estimate | None:
    """The slope of acceptance over quarters, every ask counting the same."""
    if len({quarter(ask.asked) for ask in asks}) < 2:
        return None
    at = np.array([ask.asked.year * 4.0 + (ask.asked.month - 1) // 3 for ask in asks])
    accepted = np.array([float(yes(ask)) for ask in asks])

    def slope(weights: Vector) -> float:
        from_mean = at - weights @ at / weights.sum() if weights.sum() else at
        spread = weights @ from_mean**2
        return float(weights @ (from_mean * accepted) / spread) if spread else math.nan

    return draws.of([ask.account for ask in asks], slope)


def _tired(asks: Sequence[Ask], yes: Callable[[Ask], bool], everything: Iterable[Ask]) -> list[tuple[str, Share]]:
    """Fatigue: how many asks the account had had in the year before the ask → the share accepted. Who
    is asked again was not drawn at random.
    """
    of: dict[str, list[date]] = defaultdict(list)
    for ask in everything:
        of[ask.account].append(ask.asked)
    each: dict[int, list[Ask]] = defaultdict(list)
    for ask in asks:
        before = sum(ask.asked - timedelta(days=YEAR) <= day < ask.asked for day in of[ask.account])
        each[min(before, 3)].append(ask)
    return [("3 or more" if many == 3 else str(many), _share(each[many], yes)) for many in sorted(each)]
