"""The scores of one account, answered from memory where they have been answered before: the same bytes.

It sits behind ``serving.web.guard``, so keys, limits, headers, log and metrics are those of every request.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from serving.endpoints import account as endpoint
from serving.web.live import Live
from serving.web.tags import Tag

ROUTE = endpoint.router.routes[0]
BEFORE, AFTER = "/v1/accounts/", "/scores"


class Ready:
    """ASGI middleware: what is prepared and the caller may see; everything else goes on as it was."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (_answer(scope) or self.app)(scope, receive, send)


def _answer(scope: Scope) -> Response | None:
    if scope["type"] != "http" or scope["method"] != "GET" or scope["query_string"]:
        return None
    path: str = scope["path"]
    if not (path.startswith(BEFORE) and path.endswith(AFTER)):
        return None
    live, key = getattr(scope["app"].state, "live", None), scope.get("state", {}).get("key")
    if not isinstance(live, Live) or key is None:
        return None
    account = path[len(BEFORE) : -len(AFTER)]
    if key.owner is not None and live.owners.get(account) != key.owner:
        return None
    tag = Tag(Request(scope), live, key.owner)
    body = live.prepared.get(tag.of, account)
    if body is None:
        return None
    scope["route"] = ROUTE
    return tag.unchanged() if tag.known else tag.on_bytes(body)
