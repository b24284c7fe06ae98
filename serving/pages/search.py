"""``/app/search``: an account or a contact, by what people call it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from serving.endpoints import search as of_search
from serving.pages import Page, Showing, answered

SCOPE = "read"
OWNED = True
PAGE = Page("Search", "/search")
LISTED = 25
router = APIRouter()


@router.get(PAGE.address)
def search(show: Showing, q: Annotated[str, Query(max_length=of_search.LONGEST)] = "") -> Response:
    wanted = q.strip()
    found = (
        show.once_made(lambda: answered(of_search.search(show.live, show.caller, wanted, LISTED))) if wanted else None
    )
    if wanted and found is None:
        return show.waiting(PAGE, "Every account and contact is read once for each change of the data.")
    return show("search.html", PAGE, q=wanted, found=found, listed=LISTED)
