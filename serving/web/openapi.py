"""The OpenAPI document: what each path takes and answers, true to what it does."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from serving import __version__

REFUSED = {
    400: "What was asked cannot be read or understood",
    401: "There is no key that works, or, where there are no keys, it was not asked from this machine",
    403: "The key is of another scope, or sees other accounts; or a page of another site would write",
    408: "The body did not come in time",
    413: "The body is too large",
    415: "The body is not declared as JSON",
    429: "Asked too often with this key; Retry-After says when to ask again",
    500: "Something unexpected went wrong; the log of the service says what",
    503: "Still loading, too much to do, or a store that cannot be reached; ask again",
}
"""What any path may answer, and one that takes a body (408, 413, 415)."""
ABOUT = """Scores of accounts and what follows from them. Every error has one shape: what was wrong, what to do about it, and
the status. Reads of what a batch holds carry an ETag; requests that write take an Idempotency-Key."""
PROBLEM = {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


KEY = {
    "type": "http",
    "scheme": "bearer",
    "description": "A key of `propensity key create`; none is needed where none exists.",
}
TAG = {"ETag": {"description": "Names this answer", "schema": {"type": "string"}}}
SAME = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "ETag of an answer one has: 304 where it would be the same.",
    "schema": {"type": "string"},
}


def described(app: FastAPI, endpoints: Sequence[ModuleType]) -> None:
    """Have the application tell what its endpoints do, their scopes too; made once."""
    scopes = {
        (route.path_format, method): endpoint.SCOPE
        for endpoint in endpoints
        for route in endpoint.router.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(title=app.title, version=__version__, description=ABOUT, routes=app.routes)
            for path, methods in made["paths"].items():
                for method, operation in methods.items():
                    _mend(operation)
                    operation["x-scope"] = scopes[path, method.upper()]
            made["components"]["securitySchemes"] = {"key": KEY}
            made["security"] = [{"key": []}]
            for name in ("HTTPValidationError", "ValidationError"):
                made["components"]["schemas"].pop(name, None)
            app.openapi_schema = made
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _mend(operation: dict[str, Any]) -> None:
    """What is refused before an endpoint sees it; and what it does not accept is 400 here, not 422."""
    responses = operation["responses"]
    if responses.get("422", {}).get("description") == "Validation Error":
        del responses["422"]
    for status, words in REFUSED.items():
        if status in (408, 413, 415) and "requestBody" not in operation:
            continue
        responses.setdefault(str(status), {"description": words, "content": PROBLEM})
    if "304" in responses:
        operation.setdefault("parameters", []).append(SAME)
        responses["200"]["headers"] = responses["304"]["headers"] = TAG
    operation["responses"] = dict(sorted(responses.items()))
