"""Sections about what is done with scores: what it is worth, who may be called, who may be asked."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from features.settings.base import Strict


class Economics(Strict):
    """What calling an account costs and brings, in the workspace's currency: lists and models are judged by it.

    ``save_rate`` is the share of those who would leave that stay when called: *assumed* until outreach has measured it,
    whose number lists then take in its place, unless ``measured`` is false. ``arr`` stands in for an account whose own is not known.
    """

    margin: Annotated[float, Field(ge=0, le=1)] = 0.7
    save_rate: Annotated[float, Field(ge=0, le=1)] = 0.2
    measured: bool = True
    contact_cost: Annotated[float, Field(ge=0)] = 150
    offer: Annotated[float, Field(ge=0)] = 0
    arr: Annotated[float, Field(ge=0)] = 10_000


class Calls(Strict):
    """Who may be called, and how many: the outcome's ``capacity`` in all, ``per_owner`` of one owner.

    An account that was touched is left alone for ``quiet_days``; one that was held out, until it is known what came of it.
    ``holdout`` is the share of the list that is drawn by ``seed`` and not called, so that what a call does can be
    measured; 0: nobody, and it never will be.
    """

    per_owner: Annotated[int, Field(ge=1)] | None = None
    quiet_days: Annotated[int, Field(ge=0, le=365)] = 30
    holdout: Annotated[float, Field(ge=0, le=0.5)] = 0.1
    seed: int = 7


class Asks(Strict):
    """When an account may be asked to speak up for us, and how often; one budget for all teams.

    ``risk`` is the probability of churn from which nobody is asked, ``renewal_days`` how close the end of a term may be.
    ``contact_rest_days`` is how long a person is left alone after an ask, wherever it came from.
    """

    tenure_days: Annotated[int, Field(ge=0, le=3650)] = 180
    risk: Annotated[float, Field(gt=0, le=1)] = 0.2
    renewal_days: Annotated[int, Field(ge=0, le=365)] = 30
    rest_days: Annotated[int, Field(ge=0, le=3650)] = 90
    declined_rest_days: Annotated[int, Field(ge=0, le=3650)] = 180
    contact_rest_days: Annotated[int, Field(ge=0, le=3650)] = 180
    per_year: Annotated[int, Field(ge=1, le=365)] = 3
    consent: Literal["required", "not needed"] = "required"
    consent_days: Annotated[int, Field(ge=1, le=36500)] | None = None
