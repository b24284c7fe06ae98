"""How many of those who could be asked take part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from serving.decisions.happened import Act
from serving.decisions.intervals import Share, share, verdict

DEFINITION = (
    "took part: accepted an ask or completed an act in the period; eligible: no rule of `propensity eligibility` spoke "
    "against asking at one of the month-ends at least, by what was known then, or took part"
)


@dataclass(frozen=True)
class Participation:
    """Accounts that took part, of those that were eligible. ``risk_unknown`` are the month-ends for which no scores are
    stored: on these, risk did not speak against anybody.
    """

    found: Share
    target: float
    month_ends: list[date]
    risk_unknown: list[date]

    @property
    def verdict(self) -> str:
        return verdict(self.found, self.target)

    def as_dict(self) -> dict[str, Any]:
        return {
            **self.found.as_dict(),
            "target": self.target,
            "verdict": self.verdict,
            "definition": DEFINITION,
            "month_ends": [str(day) for day in self.month_ends],
            "risk_unknown": [str(day) for day in self.risk_unknown],
        }


def took_part(acts: Iterable[Act], since: date, until: date) -> set[str]:
    """Accounts that accepted or completed something after ``since``, by ``until``."""
    days = ((act.account, day) for act in acts for day in (act.accepted, act.done))
    return {account for account, day in days if day is not None and since < day <= until}


def participation(
    part: set[str], eligible: Mapping[date, set[str]], risk_unknown: Iterable[date], target: float
) -> Participation:
    """``eligible``: month-end → the accounts that could be asked then. Who took part could be asked, whatever a rule says."""
    everybody = sorted(part.union(*eligible.values()))
    found = share([account in part for account in everybody], everybody)
    return Participation(found, target, sorted(eligible), sorted(risk_unknown))
