"""Sections about the outcomes: what is to be foretold, and for how long."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from features.settings.base import Strict
from features.tables import ADVOCACY_KINDS


class Outcome(Strict):
    """What every outcome states: lead, horizon, source delay, and its own as_of grid where it differs.

    ``given_level`` names a level of facts that must be above zero at as_of, or the question makes no sense; ``table``
    the table without which there is no answer.
    """

    given_level: ClassVar[str] = ""
    table: ClassVar[str] = ""
    lead: Annotated[int, Field(ge=0, le=3650)] = 0
    horizon: Annotated[int, Field(ge=1, le=3650)] = 90
    grace: Annotated[int, Field(ge=0, le=365)] = 0
    delay: Annotated[int, Field(ge=0, le=365)] = 0
    given_days: Annotated[int, Field(ge=1, le=3650)] | None = None
    until: date | None = None
    capacity: Annotated[int, Field(ge=1)] = 25
    directions: dict[str, Literal["raises", "lowers"]] = Field(default_factory=dict)
    """Columns or features that can only raise, or only lower, the probability, because people know so."""
    season: Literal["none", "year"] = "none"
    """``year`` where the business knows that the time of the year matters: see ``training.season``."""

    @property
    def span(self) -> int:
        """Days after as_of until the outcome is known: lead + horizon + grace + source delay."""
        return self.lead + self.horizon + self.grace + self.delay


class Churn(Outcome):
    """No live contract at the end of the horizon, or no activity in it."""

    kind: Literal["contract", "inactivity"] = "contract"
    grace: Annotated[int, Field(ge=0, le=365)] = 30


class Advocacy(Outcome):
    """A completed act, or the feedback the user names as one, within the horizon."""

    kind: Literal["act", "feedback"] = "act"
    acts: tuple[Literal[ADVOCACY_KINDS], ...] = ADVOCACY_KINDS  # type: ignore[valid-type]
    instrument: Literal["NPS", "CSAT", "CES", "rating"] = "rating"
    at_least: float = 4


class Unasked(Outcome):
    """A completed act within the horizon that nobody had asked for."""

    table: ClassVar[str] = "advocacy"
    acts: tuple[Literal[ADVOCACY_KINDS], ...] = ADVOCACY_KINDS  # type: ignore[valid-type]


class Growth(Outcome):
    """ARR at the end of the horizon against ARR at as_of, for accounts that have any at as_of."""

    given_level: ClassVar[str] = "contract.arr"
    table: ClassVar[str] = "contracts"
    grace: Annotated[int, Field(ge=0, le=365)] = 30
    share: Annotated[float, Field(ge=0.001, le=10)] = 0.05


class Contraction(Growth):
    """ARR lower by at least ``share``, of an account that stays: one that leaves is a churn."""

    share: Annotated[float, Field(ge=0.001, le=1)] = 0.05


class Expansion(Growth):
    """ARR higher by at least ``share``."""


class Promoter(Outcome):
    """The last answer within the horizon is at the threshold or above; unknown without an answer."""

    table: ClassVar[str] = "feedback"
    instrument: Literal["NPS", "CSAT", "CES", "rating"] = "NPS"
    at_least: float = 9

    @model_validator(mode="after")
    def _own_threshold(self) -> Promoter:
        if self.instrument != "NPS" and "at_least" not in self.model_fields_set:
            raise ValueError(f"9 is the threshold of NPS; state at_least for {self.instrument}")
        return self


class Outcomes(Strict):
    churn: Churn | None = None
    contraction: Contraction | None = None
    expansion: Expansion | None = None
    advocacy: Advocacy | None = None
    unasked: Unasked | None = None
    promoter: Promoter | None = None

    def of(self, name: str) -> Outcome:
        """The settings of an outcome that is configured."""
        return dict(self)[name]

    def __iter__(self) -> Iterator[tuple[str, Outcome]]:  # type: ignore[override]
        for name in type(self).model_fields:
            if (outcome := getattr(self, name)) is not None:
                yield name, outcome
