"""How much of the revenue that was won an act of advocacy has touched. Touched, not caused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from serving.decisions.happened import Act, Won

LABEL = "touched, not caused"
DEFINITION = (
    "what acts completed in the period are said to have touched (advocacy.revenue_touched), of the value of deals won in it. "
    "A deal does not say which act touched it: two acts may count the same deal, so the share is the most it can be"
)


@dataclass(frozen=True)
class Revenue:
    """In the workspace's currency: ``won`` of so many deals, ``touched`` as acts say, at most all that was won."""

    deals: int
    won: float
    acts: int
    said: float
    deals_unknown: int
    acts_unknown: int
    target: float
    why: str = ""

    @property
    def touched(self) -> float:
        return min(self.said, self.won)

    @property
    def capped(self) -> bool:
        return self.said > self.won

    @property
    def share(self) -> float | None:
        return None if self.why else self.touched / self.won

    @property
    def verdict(self) -> str:
        """Counted, not estimated, so without an interval: what was won is all there was."""
        if self.share is None:
            return f"unknown: {self.why}"
        capped = "; acts claim more than was won, so it is capped" if self.capped else ""
        if self.share >= self.target:
            return f"{self.target:.0%} may be reached: at most {self.share:.0%} of what is known was {LABEL}{capped}"
        if self.acts_unknown:
            return (
                f"not known whether {self.target:.0%} is reached: {self.acts_unknown:,} of {self.acts:,} acts do not say what "
                f"they touched; the others come to {self.share:.0%} at most"
            )
        return f"below {self.target:.0%}: at most {self.share:.0%} was {LABEL}"

    def as_dict(self) -> dict[str, Any]:
        more = {"touched": self.touched, "capped": self.capped, "share": self.share, "label": LABEL}
        return vars(self) | more | {"verdict": self.verdict, "definition": DEFINITION}


def revenue(won: Sequence[Won], acts: Sequence[Act], target: float, missing: str = "") -> Revenue:
    """Deals won and acts completed in the same period; ``missing`` says which table is not there."""
    values = [one.value for one in won if one.value is not None]
    touched = [one.revenue for one in acts if one.revenue is not None]
    total = sum(values)
    why = missing or ("" if total > 0 else "nothing of known value was won in the period")
    if not why and not touched:
        why = "no act of the period says what revenue it touched"
    return Revenue(
        len(won), total, len(acts), sum(touched), len(won) - len(values), len(acts) - len(touched), target, why
    )
