"""Bodies: read within limits of size and time, JSON as strict as the standard, forms of pages, before anything is done with
them.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.types import Message, Receive

from features.errors import PropensityError

MOST_BYTES = 2_000_000
MOST_HELD = 64 * MOST_BYTES
"""Of all bodies that are being read at once."""
DEEPEST = 16
LONG = 64_000
"""A longer body is read by a thread, so that others are answered meanwhile."""

TOO_LARGE = PropensityError(
    f"the body is larger than {MOST_BYTES:,} bytes", "Split it over several requests.", status=413
)
TOO_SLOW = PropensityError("the body took too long to come", "Send it again, in one go.", status=408)
NOT_JSON = PropensityError(
    "the body is not declared as JSON", "Send it with the header Content-Type: application/json.", status=415
)
NO_FORM = PropensityError(
    "the body is not a form", "Send it as application/x-www-form-urlencoded, in UTF-8, with one token.", status=415
)
FULL = PropensityError("the service is busy", "Ask again in a second.", status=503)
MOST_FIELDS = 200
"""Of one form."""
ODD = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
"""What may be NUL or half a character."""


class HungUpError(Exception):
    """Whoever asked has hung up."""


class Bodies:
    """What is held of bodies that have not come in whole yet."""

    def __init__(self) -> None:
        self.held = 0

    async def bring(
        self, method: str, headers: Mapping[bytes, bytes], receive: Receive, seconds: float, form: bool
    ) -> bytes:
        """The body, declared as JSON (or as a form); raises PropensityError where it is not, or as ``read`` does."""
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length) > MOST_BYTES:
            raise TOO_LARGE.with_traceback(None)
        empty = length == b"0" and b"transfer-encoding" not in headers
        kind = headers.get(b"content-type", b"").decode("latin-1")
        declared = declared_form(kind) if form else declared_json(kind) or (method == "DELETE" and empty and not kind)
        if not declared or headers.get(b"content-encoding", b"identity") != b"identity":
            raise (NO_FORM if form else NOT_JSON).with_traceback(None)
        return await self.read(receive, seconds)

    async def read(self, receive: Receive, seconds: float) -> bytes:
        """The whole body; raises PropensityError: 413, 408, or 503 where too much is held; HungUpError where nobody waits."""
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(seconds):
                more = True
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise HungUpError
                    part: bytes = message.get("body", b"")
                    more = message.get("more_body", False)
                    size += len(part)
                    self.held += len(part)
                    if size > MOST_BYTES:
                        raise TOO_LARGE.with_traceback(None)
                    if self.held > MOST_HELD:
                        raise FULL.with_traceback(None)
                    parts.append(part)
        except TimeoutError:
            raise TOO_SLOW.with_traceback(None) from None
        finally:
            self.held -= size
        return b"".join(parts)


def again(body: bytes, receive: Receive) -> Callable[[], Awaitable[Message]]:
    """A body that was read, to be read once more; then whatever else comes."""
    given = False

    async def give() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return give


def declared_json(kind: str) -> bool:
    """``application/json``, in UTF-8 or silent about it."""
    main, *parameters = (part.strip().lower() for part in kind.split(";"))
    return main == "application/json" and all(part in {"charset=utf-8", 'charset="utf-8"', ""} for part in parameters)


def declared_form(kind: str) -> bool:
    main, *parameters = (part.strip().lower() for part in kind.split(";"))
    return main == "application/x-www-form-urlencoded" and all(part in {"charset=utf-8", ""} for part in parameters)


def form(body: bytes) -> dict[str, str]:
    """The fields of a form; raises PropensityError where it is not in UTF-8, has a NUL in it, or two tokens."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, encoding="utf-8", errors="strict", max_num_fields=MOST_FIELDS
        )
    except ValueError:  # UnicodeDecodeError is one
        raise NO_FORM.with_traceback(None) from None
    if any("\0" in text for pair in pairs for text in pair) or sum(name == "token" for name, _ in pairs) > 1:
        raise NO_FORM.with_traceback(None)
    return dict(pairs)


async def checked(body: bytes) -> None:
    """``check``, aside where it takes long."""
    if len(body) > LONG:
        await asyncio.to_thread(check, body)
    elif body:
        check(body)


def check(body: bytes) -> None:
    """Raises PropensityError (400) where a body is no strict JSON.

    Strict is: UTF-8, no NaN or Infinity, no number beyond 64-bit floats, no name twice in an object, no NUL and no half
    characters in text, nested no deeper than ``DEEPEST``.
    """
    try:
        text = body.decode("utf-8")
        found = json.loads(text, object_pairs_hook=_object, parse_constant=_constant, parse_float=_float)
    except UnicodeDecodeError:
        raise _unreadable("it is not in UTF-8") from None
    except RecursionError:
        raise _unreadable("it is nested too deep") from None
    except json.JSONDecodeError as error:
        raise _unreadable(f"it is no JSON: {error.msg} at character {error.pos}") from None
    except ValueError:  # a number of thousands of digits
        raise _unreadable("a number in it is too long") from None
    if text.count("[") + text.count("{") > DEEPEST:
        _shallow(found)
    if ODD.search(text):
        _whole(found)


def _unreadable(why: str) -> PropensityError:
    return PropensityError(
        f"the body cannot be read: {why}", "Send one JSON document in UTF-8, nested a few levels at most."
    )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _unreadable("a name comes twice in one object")
    return found


def _constant(name: str) -> None:
    raise _unreadable(f"{name} is no number in JSON")


def _float(digits: str) -> float:
    found = float(digits)
    if math.isinf(found):
        raise _unreadable(f"{digits[:20]} is no finite number: it is larger than any can be")
    return found


def _inside(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []


def _shallow(found: Any) -> None:
    level = [found]
    for _ in range(DEEPEST + 1):
        level = [inner for value in level for inner in _inside(value) if isinstance(inner, dict | list)]
        if not level:
            return
    raise _unreadable("it is nested too deep")


def _whole(found: Any) -> None:
    left = [found]
    while left:
        value = left.pop()
        if isinstance(value, str) and (value.isascii() is False or "\0" in value):
            if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
                raise _unreadable("a text in it has a NUL or half a character")
        elif isinstance(value, dict):
            left += value.keys()
        left += _inside(value)
