"""``/app/what-if/{account}``: what the models would say if what we can act on were otherwise; its address says what."""

from __future__ import annotations

import math
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, create_model
from starlette.responses import Response

from features.definitions import FEATURES
from features.errors import PropensityError
from features.feature import Feature
from serving.endpoints import AccountId
from serving.endpoints import levers as of_levers
from serving.endpoints import what_if as of_what_if
from serving.pages import Page, Showing, asked
from serving.pages.dossier import head, or_why

SCOPE = "read"
OWNED = True
PAGE = Page("What if", "/what-if")
CONTROLLABLE = [one.name for one in FEATURES if isinstance(one, Feature) and one.controllable]
Otherwise: type[BaseModel] = create_model(  # type: ignore[call-overload]
    "Otherwise", **{name: (Annotated[str, Query(max_length=40)], "") for name in CONTROLLABLE}
)
"""A field of the form for each feature that we could act on; what is left empty stays as it is."""
router = APIRouter()


@router.get(PAGE.address + "/{account:path}")
def what_if(show: Showing, account: AccountId, given: Annotated[Otherwise, Query()]) -> Response:  # type: ignore[valid-type]
    top = head(show, account, "what-if")
    said = {name: text.strip() for name, text in given.model_dump().items() if text.strip()}  # type: ignore[attr-defined]
    levers = or_why(lambda: of_levers.levers(account, show.live, show.caller))

    def ask(outcome: str) -> Any:
        body = asked(of_what_if.Otherwise, changes=_numbers(said), outcome=outcome)
        return or_why(lambda: of_what_if.what_if(account, body, show.live, show.caller))

    found = {outcome: ask(outcome) for outcome in levers.get("outcomes", {})} if said else {}
    return show("account/what_if.html", PAGE, **top, levers=levers, rows=_rows(levers), asked=said, found=found)


def _numbers(said: dict[str, str]) -> dict[str, float]:
    return {name: _number(name, text) for name, text in said.items()}


def _number(name: str, text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise PropensityError(f"{name} is {text!r}", "Write a number.")
    return found


def _rows(levers: dict[str, Any]) -> list[dict[str, Any]]:
    """Each feature once: what can be set is what all models that look at it have seen."""
    found: dict[str, dict[str, Any]] = {}
    for some in levers.get("outcomes", {}).values():
        for one in some:
            before = found.setdefault(one["name"], dict(one))
            before["low"], before["high"] = max(before["low"], one["low"]), min(before["high"], one["high"])
    return list(found.values())
