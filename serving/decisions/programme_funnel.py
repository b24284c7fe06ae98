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
    "asks made in the period, by what is known now. Accepted: of those that were answered, or that nobody answered within {days} "
    "days; done: of those accepted that were done, or accepted {days} days ago or more. What may still be answered or done "
    "is not counted; acts that nobody asked for are not in it"
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
    """``eligible`` and ``asked`` count accounts, ``whole`` asks. ``trend`` is by how much the share accepted changes from one
    quarter to the next; None where there is but one. ``tired``: how many asks an account had had in the year before → the
    share accepted. Days are medians.
    """

    rest_days: int
    eligible: int
    asked: Share
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
    that could be asked in the period; who was asked counts among them.
    """
    made = sorted((ask for ask in asks if since < ask.asked <= until), key=lambda ask: (ask.asked, ask.ask))
    asked = {ask.account for ask in made}
    everybody = sorted(eligible | asked)

    def step(name: str, of: Sequence[Ask]) -> Step:
        settled = [ask for ask in of if answered(ask, until, rest_days)]
        said_yes = [ask for ask in of if accepted(ask) and finished(ask, until, rest_days)]
        return Step(
            name,
            len(of),
            _share(settled, accepted),
            _share(said_yes, lambda ask: ask.done is not None),
        )

    def steps(name: Callable[[Ask], str]) -> list[Step]:
        each: dict[str, list[Ask]] = defaultdict(list)
        for ask in made:
            each[name(ask)].append(ask)
        return [step(part, each[part]) for part in sorted(each)]

    settled = [ask for ask in made if answered(ask, until, rest_days)]
    return Funnel(
        rest_days,
        len(everybody),
        share([account in asked for account in everybody], everybody),
        step("all", made),
        steps(lambda ask: ask.kind),
        steps(lambda ask: quarter(ask.asked)),
        _trend(settled, draws),
        _days(made, lambda ask: (ask.asked, ask.accepted), draws),
        _days(made, lambda ask: (ask.accepted, ask.done), draws),
        _tired(settled, asks),
    )


def accepted(ask: Ask) -> bool:
    """Who did it has accepted it."""
    return ask.accepted is not None or ask.done is not None


def answered(ask: Ask, until: date, rest_days: int) -> bool:
    """Whether it is known that an ask was accepted or not: silence for so long is a no."""
    return ask.state != "asked" or until >= ask.asked + timedelta(days=rest_days)


def finished(ask: Ask, until: date, rest_days: int) -> bool:
    """Whether it is known that an accepted ask was done or not."""
    return ask.done is not None or (ask.accepted is not None and until >= ask.accepted + timedelta(days=rest_days))


def quarter(day: date) -> str:
    return f"{day.year} Q{(day.month + 2) // 3}"


def _share(asks: Sequence[Ask], yes: Callable[[Ask], bool]) -> Share:
    return share([yes(ask) for ask in asks], [ask.account for ask in asks])


def _days(
    asks: Iterable[Ask], between: Callable[[Ask], tuple[date | None, date | None]], draws: Bootstrap
) -> Estimate | None:
    each = [(ask.account, *between(ask)) for ask in asks]
    known = [(account, (end - begin).days) for account, begin, end in each if begin is not None and end is not None]
    return draws.median([float(days) for _, days in known], [account for account, _ in known])


def _trend(settled: Sequence[Ask], draws: Bootstrap) -> Estimate | None:
    """The slope of acceptance over quarters, every ask counting the same."""
    if len({quarter(ask.asked) for ask in settled}) < 2:
        return None
    at = np.array([ask.asked.year * 4.0 + (ask.asked.month - 1) // 3 for ask in settled])
    yes = np.array([float(accepted(ask)) for ask in settled])

    def slope(weights: Vector) -> float:
        from_mean = at - weights @ at / weights.sum() if weights.sum() else at
        spread = weights @ from_mean**2
        return float(weights @ (from_mean * yes) / spread) if spread else math.nan

    return draws.of([ask.account for ask in settled], slope)


def _tired(settled: Sequence[Ask], everything: Iterable[Ask]) -> list[tuple[str, Share]]:
    """Fatigue: how many asks the account had had in the year before the ask → the share accepted."""
    of: dict[str, list[date]] = defaultdict(list)
    for ask in everything:
        of[ask.account].append(ask.asked)
    each: dict[int, list[Ask]] = defaultdict(list)
    for ask in settled:
        before = sum(ask.asked - timedelta(days=YEAR) <= day < ask.asked for day in of[ask.account])
        each[min(before, 3)].append(ask)
    return [("3 or more" if many == 3 else str(many), _share(each[many], accepted)) for many in sorted(each)]
