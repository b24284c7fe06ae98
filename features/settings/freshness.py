"""Section about how old a score may be before whoever reads it is told so."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from features.settings.base import Strict


class Freshness(Strict):
    """A score is *stale* when its as_of lies more than ``days`` days back; it is served all the same, and says so."""

    days: Annotated[int, Field(ge=1, le=3650)] = 35
