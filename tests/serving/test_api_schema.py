"""Schemathesis over all that the OpenAPI document declares, and bodies that nobody would send in good faith."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig

from features.workspace import Workspace, load
from serving.stores.keys import Keys
from serving.stores.store import Store
from serving.web import application as web
from serving.web.guard import Guard
from serving.web.live import Live
from tests.serving import inside

EXAMPLES = 5
QUIET = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.function_scoped_fixture]
ANSWERED = [200, 201, 304, 400, 401, 403, 404, 409, 410, 422]
"""To what the document allows: 400 is for what no document can say, such as which features there are, and 422 for an
Idempotency-Key that was used before.
"""


APP = web.application()
CONFIG = SchemathesisConfig.from_dict(
    {
        "seed": 7,
        "generation": {"max-examples": EXAMPLES, "deterministic": True, "database": "none"},
        "checks": {"positive_data_acceptance": {"expected-statuses": ANSWERED}},
    }
)
CLIENT = inside.client(APP)
schema = schemathesis.openapi.from_asgi("/v1/openapi.json", APP, config=CONFIG)
schema.app = Guard(APP)


@pytest.fixture(scope="module", autouse=True)
def secret(served: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One that may do everything, without which nobody comes in."""
    here = load(Path(shutil.copytree(served.root, tmp_path_factory.mktemp("schema") / "company")))
    _, made = Keys(Store(here)).create("ann", "admin")
    web.protect(APP, here, loopback=True)
    APP.state.live = Live.load(here)
    CLIENT.headers["Authorization"] = f"Bearer {made}"
    yield made
    del CLIENT.headers["Authorization"]


@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=QUIET)
def test_it_does_what_its_document_says(case: Any, secret: str) -> None:
    """With a key; and without it, which is one of the checks."""
    headers = {"Authorization": f"Bearer {secret}"}
    case.call_and_validate(headers=headers)


@pytest.mark.parametrize("path", sorted(APP.openapi()["paths"]))
def test_a_method_that_is_not_declared_is_refused_with_those_that_are(path: str) -> None:
    declared = {method.upper() for method in APP.openapi()["paths"][path]}
    assert len(declared) == 1, "with two, each router would name its own in Allow"
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"} - declared:
        for body in ({"content": b"{}", "headers": {"content-type": "application/json"}}, {}):
            answer = CLIENT.request(method, path, **body)
            assert (answer.status_code, answer.headers["allow"]) == (405, *declared)


DOCUMENT = APP.openapi()
WRITES = {
    path: DOCUMENT["components"]["schemas"][
        methods["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    ]
    for path, methods in DOCUMENT["paths"].items()
    if "post" in methods
}
WORDS = st.text(st.characters(exclude_categories=()), max_size=20) | st.sampled_from(
    ["'; DROP TABLE log; --", "=cmd|'/c calc'!A0", "<script>", "../../etc/passwd", "\x00", "\ud800", "%00", "9" * 400]
)
NUMBERS = st.integers() | st.floats() | st.sampled_from([10**400, -0.0, 1e308, 2**63])
ANYTHING = st.recursive(
    st.none() | st.booleans() | NUMBERS | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=8,
)


@st.composite
def hostile(draw: st.DrawFn) -> tuple[str, bytes]:
    """A path that takes a body, and a body: anything, an example with something else in places, or no JSON at all."""
    path = draw(st.sampled_from(sorted(WRITES)))
    where = "".join(quote(draw(WORDS), safe="", errors="replace") if part[0] == "{" else part for part in _parts(path))
    if draw(st.integers(0, 9)) == 0:
        return where, draw(st.binary(max_size=60))
    body = draw(ANYTHING)
    if draw(st.booleans()):
        changed = draw(st.dictionaries(st.sampled_from(sorted(WRITES[path]["properties"])), ANYTHING, max_size=2))
        body = WRITES[path]["examples"][0] | changed
    return where, json.dumps(body).encode()


def _parts(path: str) -> list[str]:
    return [part for part in re.split(r"(\{[^}]*\})", path) if part]


@given(asked=hostile(), key=st.none() | st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=10))
@settings(max_examples=200, deadline=None, derandomize=True, database=None, suppress_health_check=QUIET)
def test_no_body_whatever_makes_it_fail(asked: tuple[str, bytes], key: str | None) -> None:
    path, body = asked
    headers = {"content-type": "application/json"} | ({} if key is None else {"idempotency-key": key})
    try:
        answer = CLIENT.post(
            path, content=body, headers={name: value.encode("latin-1") for name, value in headers.items()}
        )
    except (httpx.LocalProtocolError, httpx.InvalidURL):  # cannot even be sent
        return
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.json().keys() == {"error", "hint", "status"}
