"""The section about alerts: what raises one, and how soon something has to be done."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from features.settings.base import Strict


class Alerts(Strict):
    """When an account calls for somebody's attention.

    Dissatisfied are NPS detractors, and answers to other questions up to the share ``dissatisfied`` of their scale; ``stake`` the least influence × ARR ×
    dissatisfaction of an influencer, in median ARRs of the customers. ``unanswered_days`` is how long a detractor may wait,
    ``renewal_days`` the lead time of a renewal and ``renewal_risk`` the probability of churn from which it is at risk.
    What happened longer ago than ``recent_days`` raises nothing, and an act of advocacy counts for ``advocate_days``.
    ``deadline_days`` is how long there is to act.
    """

    dissatisfied: Annotated[float, Field(ge=0, lt=1)] = 0.5
    stake: Annotated[float, Field(ge=0)] = 0.5
    unanswered_days: Annotated[int, Field(ge=1, le=365)] = 7
    renewal_days: Annotated[int, Field(ge=1, le=730)] = 90
    renewal_risk: Annotated[float, Field(gt=0, le=1)] = 0.3
    recent_days: Annotated[int, Field(ge=1, le=3650)] = 90
    advocate_days: Annotated[int, Field(ge=1, le=3650)] = 365
    deadline_days: Annotated[int, Field(ge=0, le=365)] = 7
