"""Which save rate lists are ranked by: the assumed one, until calls have measured it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from serving.decisions.effect import Between, Effect

WIDEST = 0.3
"""How wide the 95% interval of a measured save rate may be for lists to go by it."""


@dataclass(frozen=True)
class SaveRate:
    """``value`` is what lists go by: the measured one where ``by_measure``, else the ``assumed``. ``between`` is what was
    measured so far, null where nothing was, on so many ``accounts``; ``shown`` whether calls are shown to do anything.
    """

    value: float
    assumed: float
    by_measure: bool
    between: Between
    accounts: int
    shown: bool

    def __str__(self) -> str:
        return f"{'measured' if self.by_measure else 'assumed'} {self._number}{self._remark}"

    @property
    def _number(self) -> str:
        if not self.by_measure:
            return f"{self.assumed:.2f}"
        return f"{_told(self.between)}, {self.accounts:,} accounts"

    @property
    def _remark(self) -> str:
        if self.by_measure:
            if self.between.high < 0:
                return ": calls are shown to drive accounts away; lists go by 0, at which nobody is worth a call"
            at_zero = "; lists go by 0, at which nobody is worth a call" if self.value == 0 else ""
            return "" if self.shown else f": no effect is shown{at_zero}"
        if math.isnan(self.between.value):
            return ""
        return f" (measured so far: {_told(self.between)}, {self.accounts:,} accounts)"

    def as_dict(self) -> dict[str, Any]:
        return {
            "value": self.value,
            "source": "measured" if self.by_measure else "assumed",
            "assumed": self.assumed,
            "measured": self.between.as_dict(),
            "accounts": self.accounts,
            "shown": self.shown,
            "told": str(self),
        }


def chosen(found: Effect, wanted: bool = True) -> SaveRate:
    """The measured save rate where it is ``wanted`` and its interval is at most ``WIDEST`` wide, or lies wholly below the
    assumed one: what speaks against calling counts as soon as it is shown, what speaks for it once it is known well.

    Never below zero: where calls are found to keep nobody, none is worth its cost. An effect that is not shown is taken
    at what was measured, and said not to be shown.
    """
    between, assumed = found.save_rate, found.assumed
    narrow = between.high - between.low <= WIDEST  # not so where either is infinite or null
    by_measure = wanted and not math.isnan(between.value) and (narrow or between.high < assumed)
    return SaveRate(
        max(between.value, 0.0) if by_measure else assumed,
        assumed,
        by_measure,
        between,
        found.called.accounts + found.held_out.accounts,
        found.shown,
    )


def _told(between: Between) -> str:
    low = "below -1" if between.low < -1 else f"{between.low:.2f}"
    return f"{between.value:.2f} ({low} to {between.high:.2f})"
