"""The section about metrics: which are tried for the name beacon, and over how many days they are told."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from features.settings.base import Strict

Days = Annotated[int, Field(ge=7, le=3650)]


class Beacon(Strict):
    """What `propensity beacon`, `worth` and `initiative` look at.

    ``metrics`` are columns or features of the frame that are tried beside answers and usage by role and touchpoint.
    Answers count for ``days`` and usage for ``usage_days`` before a date; what a metric is worth is told from the answers
    of ``worth_days``, in ARR over the ``growth_days`` after. A metric needs answers from at least the share ``coverage``
    of accounts, and among those of the test at least ``fewest`` with the outcome and as many without.
    """

    metrics: tuple[str, ...] = ()
    days: Days = 365
    usage_days: Days = 90
    coverage: Annotated[float, Field(ge=0, le=1)] = 0.1
    fewest: Annotated[int, Field(ge=5)] = 10
    worth_days: Days = 180
    growth_days: Days = 180
