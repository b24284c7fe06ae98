"""The section about the service: how much it takes on before it says no."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from features.settings.base import Strict


class Service(Strict):
    """Limits of the HTTP service; beyond them it answers 429, 503 or 408 and stays well.

    ``requests_per_minute`` is per key, 0: no limit. ``at_work`` requests at once, ``waiting`` more for at most
    ``wait_seconds``. A body must have come within ``body_seconds``; a store that says nothing for ``store_seconds`` counts
    as down. An Idempotency-Key is remembered for ``remember_days``. Every ``watch_seconds`` it looks whether there is
    another champion or another batch of scores to serve.
    """

    requests_per_minute: Annotated[int, Field(ge=0)] = 6_000
    at_work: Annotated[int, Field(ge=1, le=1_000)] = 16
    waiting: Annotated[int, Field(ge=0, le=100_000)] = 64
    wait_seconds: Annotated[float, Field(gt=0, le=60)] = 2.0
    body_seconds: Annotated[float, Field(gt=0, le=60)] = 10.0
    store_seconds: Annotated[float, Field(gt=0, le=60)] = 5.0
    remember_days: Annotated[int, Field(ge=1, le=3650)] = 30
    watch_seconds: Annotated[float, Field(gt=0, le=3600)] = 5.0
