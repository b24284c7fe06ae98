"""The section about how models are judged."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from features.settings.base import Strict


class Training(Strict):
    """How models are judged: the last ``test_dates`` as_of dates are the test fold, fixed beforehand.

    ``trusted`` are columns or features that may foretell ever so well: the leakage alarm names them, and lets them pass.
    """

    test_dates: Annotated[int, Field(ge=1)] = 3
    folds: Annotated[int, Field(ge=1, le=12)] = 2
    minimum_positives: Annotated[int, Field(ge=5)] = 30
    seed: int = 7
    bags: Annotated[int, Field(ge=1, le=20)] = 5
    bootstraps: Annotated[int, Field(ge=50, le=5000)] = 400
    trusted: tuple[str, ...] = ()
