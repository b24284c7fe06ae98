"""Whether what is asked for has changed since it was asked last: ``ETag`` and ``If-None-Match``."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from serving.stores.log import digest
from serving.web.freshness import today
from serving.web.guard import Json
from serving.web.live import Live


class Tag:
    """The tag of an answer that is made of the served batch and, where it is ``written`` too, of what the store holds.

    It changes with the day, since ages do, and with whose accounts are seen.
    """

    def __init__(self, request: Request, live: Live, owner: str | None, written: bool = False) -> None:
        self.of = (live.batches, str(today(live.workspace)))
        parts = [*self.of, owner]
        if written:
            parts.append(repr(live.kept.mark()))
        self.value = f'"{digest(*parts)}"'
        asked = request.headers.get("if-none-match", "")
        self.known = asked.strip() == "*" or self.value in [one.strip().removeprefix("W/") for one in asked.split(",")]

    def unchanged(self) -> Response:
        return Response(status_code=304, headers=self._headers)

    def on(self, content: dict[str, Any]) -> Json:
        return Json(content, headers=self._headers)

    def on_bytes(self, body: bytes) -> Response:
        """JSON that was made before."""
        return Response(body, headers=self._headers, media_type=Json.media_type)

    @property
    def _headers(self) -> dict[str, str]:
        """It may be kept by who asked, and is asked for again each time."""
        return {"ETag": self.value, "Cache-Control": "private, no-cache"}
