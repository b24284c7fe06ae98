"""The section about what an account has come to: satisfied, loyal, advocate, at risk; its attitude and its intent."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from features.settings.base import Strict

Days = Annotated[int, Field(ge=1, le=3650)]
Share = Annotated[float, Field(gt=0, le=1)]
Points = Annotated[float, Field(ge=0, le=100)]


class States(Strict):
    """The bounds of the definitions in ``serving.decisions.states`` and ``serving.decisions.loyalty``.

    What is lately: ``usage_days`` of use, ``feedback_days`` of answers; an account's own usual are the ``usual_days``
    before, and what falls short of it by the share ``noise`` still counts as at it. Answers are points of 100 of their
    scale: above ``expectation`` is more than was expected, from ``attitude`` on they think well of us. An act makes an
    advocate for ``act_days``. Probabilities: of leaving, from ``risk`` on an account is at risk; of staying, from ``stay``
    on it means to; of more ARR, from ``expansion`` on it is growing, or, where no model says, at ``growth`` times the ARR
    of a year before. Where no model says, an NPS answer of ``low_nps`` or less is a sign of risk, and so is use below
    ``little_use`` of the usual.
    """

    usage_days: Days = 90
    feedback_days: Days = 180
    usual_days: Days = 365
    noise: Annotated[float, Field(ge=0, lt=1)] = 0.1
    expectation: Points = 80
    act_days: Days = 365
    risk: Share = 0.2
    low_nps: Annotated[float, Field(ge=0, le=10)] = 6
    little_use: Share = 0.5
    attitude: Points = 70
    stay: Share = 0.8
    expansion: Share = 0.2
    growth: Annotated[float, Field(gt=0, le=100)] = 1.05
