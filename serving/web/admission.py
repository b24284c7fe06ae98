"""What every endpoint asks of whoever calls it: a key of its scope, and only query parameters that it knows."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Any

from fastapi import Request
from pydantic import BaseModel

from features.errors import PropensityError, one_of
from serving.stores.audit import Written
from serving.stores.keys import SCOPES
from serving.web.guard import Protection, Visit


def admission(endpoint: ModuleType) -> Callable[[Request], Awaitable[None]]:
    """The dependency of an endpoint's routes.

    The module's ``SCOPE`` is what a key needs, "read" where it says nothing. Its ``OWNED`` says that it shows an owner
    that owner's accounts only; where it does not, keys of one owner are refused. What takes more than reading is
    written down before it is done.
    """
    scope: str = getattr(endpoint, "SCOPE", "read")
    owned: bool = getattr(endpoint, "OWNED", False)
    assert scope in SCOPES, scope

    async def admitted(request: Request) -> None:
        visit: Visit = request.state.visit
        route = request.scope["route"]
        protection: Protection = request.app.state.protection
        assert visit.key is not None
        name = visit.key.name

        async def write_down(status: int | None) -> None:
            written = Written(name, request.method, route.path, visit.request, status)
            await to_thread(protection.audit.add, written)

        if scope != "read":
            visit.write_down = write_down
        if not visit.key.may(scope):
            raise PropensityError(
                f"this takes a key of scope {scope}, and yours is of scope {visit.key.scope}",
                "Ask whoever runs the service for another: `propensity key create`.",
                status=403,
            )
        if visit.key.owner is not None and not owned:
            raise PropensityError(
                "this is about all accounts, and your key is for those of one owner",
                "Ask whoever runs the service for a key without an owner.",
                status=403,
            )
        if request.scope["query_string"]:
            _declared(request, _known(route.dependant))
        if scope != "read":
            await write_down(None)

    return admitted


def _declared(request: Request, known: set[str]) -> None:
    """Refuse what a path does not take after the ``?``: a misspelt filter would else be no filter."""
    given = request.query_params
    if unknown := set(given) - known:
        takes = f"It takes {one_of(known)}." if known else "It takes none."
        raise PropensityError(f"this path takes no {one_of(name[:80] for name in unknown)} after the '?'", takes)
    if twice := [name for name in given if len(given.getlist(name)) > 1]:
        raise PropensityError(f"{one_of(twice)} is given more than once", "Give it once.")


def _known(dependant: Any) -> set[str]:
    """Names of the query parameters that a route and what it depends on take."""
    names: set[str] = set()
    for field in dependant.query_params:
        kind = field.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            names |= {inner.alias or name for name, inner in kind.model_fields.items()}
        else:
            names.add(field.alias)
    return names.union(*(_known(inner) for inner in dependant.dependencies))
