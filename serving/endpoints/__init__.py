"""One file per endpoint; a new one is a ``router`` here and its name in ``serving.web.ENDPOINTS``."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from features.errors import PropensityError
from serving.live import Live


def _loaded(request: Request) -> Live:
    live = getattr(request.app.state, "live", None)
    if not isinstance(live, Live):
        raise PropensityError("the service is still loading", "Ask again once /readyz answers 200.", status=503)
    return live


Loaded = Annotated[Live, Depends(_loaded)]
"""What an endpoint declares to get the workspace as it is served."""
