"""The section about the advocacy programme: over how long it is looked at, and what it is held against."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from features.settings.base import Strict


class Programme(Strict):
    """The period in days that ends with the data, and the targets; a target that is not the company's own is changed here.

    ``participation`` and ``revenue`` are shares, ``nps`` is relative to a year before (0.2: up by a fifth). Feedback counts
    as answered by us when something was done ``answer_days`` after it at the latest. Where fewer than ``nps_accounts``
    accounts answered, NPS is unknown.
    """

    period: Annotated[int, Field(ge=28, le=3650)] = 365
    participation: Annotated[float, Field(gt=0, le=1)] = 1 / 3
    nps: Annotated[float, Field(gt=-1, le=10)] = 0.2
    revenue: Annotated[float, Field(gt=0, le=1)] = 0.5
    answer_days: Annotated[int, Field(ge=1, le=365)] = 14
    nps_accounts: Annotated[int, Field(ge=2)] = 20
