"""``/app/signals/{account}``: every signal of an account as of a date, by family, with its age and source."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from serving.endpoints import AccountId
from serving.endpoints import signals as of_signals
from serving.pages import Page, Showing
from serving.pages.dossier import Day, head, or_why

SCOPE = "read"
OWNED = True
PAGE = Page("Signals", "/signals")
FAMILIES = {
    "interaction": "what they do",
    "perception": "what they say",
    "outcome": "what it came to",
    "stakeholders": "who is there",
    "context": "what kind of account it is",
}
router = APIRouter()


@router.get(PAGE.address + "/{account:path}")
def signals(show: Showing, account: AccountId, as_of: Day = "") -> Response:
    top = head(show, account, "signals", as_of)
    found = or_why(lambda: of_signals.signals(account, show.live, show.caller, as_of or None))
    last = found if "error" not in found else or_why(lambda: of_signals.signals(account, show.live, show.caller))
    families = _families(found.get("signals", []))
    return show(
        "account/signals.html", PAGE, **top, as_of=as_of, found=found, dates=last.get("dates", []), families=families
    )


def _families(signals: list[dict[str, Any]]) -> list[tuple[str, str, list[dict[str, Any]], int]]:
    """Family, what it is, its signals, and how many of them are known."""
    order = list(FAMILIES)
    ranked = sorted(signals, key=lambda one: order.index(one["family"]))
    each = [(family, list(some)) for family, some in groupby(ranked, key=lambda one: one["family"])]
    return [(family, FAMILIES[family], some, sum(one["value"] is not None for one in some)) for family, some in each]
