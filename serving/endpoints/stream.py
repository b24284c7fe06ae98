"""``POST /v1/score/stream``: one outcome of many accounts, a line each, sent as they are made."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from features.errors import PropensityError
from serving.endpoints import Asking, Loaded, answers
from serving.endpoints.score import Accounts, lines
from serving.web.guard import Json

SCOPE = "read"
OWNED = True
AT_ONCE = 1000
"""Accounts that are scored, and sent, together: what is held of an answer at any time."""
KIND = "application/x-ndjson"
router = APIRouter()


LINES = {
    "description": "A line of JSON for each account: `Told`, or `Unscored`. Where something goes wrong on the way, the last "
    "line is a `Problem`.",
    "content": {KIND: {"schema": {"type": "string"}}},
}


@router.post("/v1/score/stream", response_class=Response, responses=answers(None, 400, 404, 503) | {200: LINES})
def stream(asked: Accounts, live: Loaded, caller: Asking) -> StreamingResponse:
    """As ``POST /v1/score`` has them, in the order asked for; however many they are, the first come at once."""
    served = live.of(asked.outcome)
    parts = [asked.accounts[begin : begin + AT_ONCE] for begin in range(0, len(asked.accounts), AT_ONCE)]

    def made(part: list[str]) -> bytes:
        return b"".join(bytes(Json(line).body) + b"\n" for line in lines(live, served, caller, part))

    first = made(parts[0])  # what is wrong from the beginning is answered as such

    def sent() -> Iterator[bytes]:
        yield first
        try:
            for part in parts[1:]:
                yield made(part)
        except PropensityError as error:
            yield bytes(Json(error.as_dict()).body) + b"\n"

    return StreamingResponse(sent(), media_type=KIND)
