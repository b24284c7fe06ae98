"""Bodies: read within limits, and JSON as strict as the standard."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message

from features.errors import PropensityError
from serving.web.body import DEEPEST, MOST_BYTES, MOST_HELD, Bodies, HungUpError, again, check, declared_json

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)
HOSTILE = {
    "a name twice": b'{"a": 1, "a": 2}',
    "a name twice, one of them escaped": b'{"a": 1, "\\u0061": 2}',
    "a name twice, far inside": b'{"rows": [{"x": {"a": 1, "a": 1}}]}',
    "NaN": b'{"a": NaN}',
    "Infinity": b"[Infinity]",
    "-Infinity": b"[-Infinity]",
    "beyond a float": b"[1e999]",
    "thousands of digits": b"9" * 5_000,
    "not UTF-8": b'{"a": "\xff"}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "overlong UTF-8": b'"\xc0\x80"',
    "a byte order mark": b'\xef\xbb\xbf{"a": 1}',
    "half a character": b'"\\ud800"',
    "half a character as a name": b'{"\\uDC00": 1}',
    "half a character deep inside": b'[[{"a": ["\\ud800x"]}]]',
    "NUL": b'["a\\u0000b"]',
    "a bare NUL": b'["a\0b"]',
    "too deep": b"[" * (DEEPEST + 2) + b"]" * (DEEPEST + 2),
    "far too deep": b"[" * 100_000,
    "far too deep, of objects": b'{"a":' * 100_000,
    "two documents": b"{} {}",
    "a comma too many": b"[1,]",
    "single quotes": b"{'a': 1}",
    "a comment": b"[1] // one",
    "a control character": b'"\n"',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_strict_json_is_refused(name: str) -> None:
    with pytest.raises(PropensityError, match="the body cannot be read") as caught:
        check(HOSTILE[name])
    assert caught.value.status == 400


@given(PLAIN, st.booleans())
def test_what_is_strict_json_is_not(value: Any, escaped: bool) -> None:
    check(json.dumps(value, ensure_ascii=escaped).encode())


def test_what_only_looks_odd_is_not() -> None:
    check(b'["\\\\u0000", "\\ud83d\\ude00", "[[[[[[[[[[[[[[[[[[[[[[[[["]')
    check(b"[" * DEEPEST + b"]" * DEEPEST)


@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused_and_nothing_else(body: bytes) -> None:
    try:
        check(body)
    except PropensityError as error:
        assert error.status == 400
    else:
        assert json.loads(body.decode()) is not NotImplemented


def test_only_json_in_utf_8_is_json() -> None:
    assert all(
        map(declared_json, ["application/json", "Application/JSON; charset=UTF-8", 'application/json;charset="utf-8"'])
    )
    wrong = [
        "",
        "text/plain",
        "text/json",
        "application/json; charset=utf-16",
        "application/jsonp",
        "application/x-json",
    ]
    assert not any(
        map(declared_json, [*wrong, "multipart/form-data", "application/x-www-form-urlencoded", "x;application/json"])
    )


def read(parts: Iterable[bytes], bodies: Bodies | None = None, seconds: float = 5, then: str = "") -> bytes:
    messages: list[Message] = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    messages += [{"type": then}] if then else []

    async def receive() -> Message:
        if messages:
            return messages.pop(0)
        await asyncio.sleep(3600)
        raise AssertionError

    if not then and messages:
        messages[-1]["more_body"] = False
    return asyncio.run((bodies or Bodies()).read(receive, seconds))


def test_a_body_comes_whole_and_once_more() -> None:
    async def nothing() -> Message:
        return {"type": "http.disconnect"}

    async def both() -> list[Message]:
        give = again(b"abc", nothing)
        return [await give(), await give()]

    assert read([b"a", b"", b"bc"]) == b"abc"
    first, second = asyncio.run(both())
    assert (first["body"], first["more_body"], second["type"]) == (b"abc", False, "http.disconnect")


def test_a_body_that_is_too_large_is_not_read_to_its_end() -> None:
    with pytest.raises(PropensityError, match="larger than 2,000,000 bytes") as caught:
        read((b" " * 100_000 for _ in range(10_000)), then="never")
    assert caught.value.status == 413
    assert len(read([b" " * MOST_BYTES])) == MOST_BYTES


def test_a_body_that_dribbles_is_given_up() -> None:
    with pytest.raises(PropensityError, match="too long to come") as caught:
        read([], seconds=0.05)
    assert caught.value.status == 408


def test_who_hangs_up_is_told_nothing() -> None:
    with pytest.raises(HungUpError):
        read([b"a"], then="http.disconnect")


def test_all_bodies_together_have_a_limit_and_what_is_over_is_given_back() -> None:
    bodies = Bodies()
    bodies.held = MOST_HELD - 10
    with pytest.raises(PropensityError, match="busy") as caught:
        read([b"x" * 11], bodies)
    assert (caught.value.status, bodies.held) == (503, MOST_HELD - 10)
    assert read([b"x" * 10], bodies) == b"x" * 10
    assert bodies.held == MOST_HELD - 10
