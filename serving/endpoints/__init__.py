"""One file per endpoint; a new one is a ``router`` here and its name in ``serving.web.ENDPOINTS``.

Its ``SCOPE`` is what a key needs: "read" (where it says nothing), "write" or "admin". ``OWNED = True`` says that all it
tells of accounts comes from ``Loaded``, which knows an owner's accounts only where the key is of one owner; without it,
such keys are refused.
"""

from __future__ import annotations

from asyncio import to_thread
from typing import Annotated

from fastapi import Depends, Request

from features.errors import PropensityError
from serving.live import Live
from serving.owned import only


async def _loaded(request: Request) -> Live:
    state = request.app.state
    live = getattr(state, "live", None)
    if not isinstance(live, Live):
        raise PropensityError("the service is still loading", "Ask again once /readyz answers 200.", status=503)
    owner: str | None = request.state.key.owner
    if owner is None:
        return live
    views: dict[str, Live] = getattr(state, "views", {})
    seen = views.get(owner)
    if seen is None or seen.whole is not live:
        seen = views[owner] = await to_thread(only, live, owner)
        state.views = views
    return seen


Loaded = Annotated[Live, Depends(_loaded)]
"""What an endpoint declares to get the workspace as it is served."""
