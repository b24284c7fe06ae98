"""``GET /v1/search``: an account or a contact, by what people call it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from serving.endpoints import PLAIN, Asking, Loaded, answers
from serving.web.accounts import Found
from serving.web.guard import Json
from serving.work.search import index

SCOPE = "read"
OWNED = True
LONGEST = 200
router = APIRouter()


@router.get("/v1/search", responses=answers(Found, 400, 503))
def search(
    live: Loaded,
    caller: Asking,
    q: Annotated[
        str,
        Query(
            min_length=1,
            max_length=LONGEST,
            pattern=PLAIN,
            description="A part of a name or an id; case and accents do not matter.",
            examples=["north"],
        ),
    ],
    top: Annotated[int, Query(ge=1, le=100, description="How many of each are listed.")] = 20,
) -> Json:
    """Accounts by name or id, and contacts by id: what begins so comes before what has it somewhere."""
    there = live.kept("search", lambda: index(live.workspace), log=False)
    accounts = there.accounts.find(q, top, caller.sees)
    contacts = there.contacts.find(q, top, caller.sees)
    return Json(
        {
            "q": q,
            "accounts": [
                {"account": one.account, "name": one.name, "owner": live.owners.get(one.account)}
                for one in accounts.first
            ],
            "accounts_found": accounts.found,
            "contacts": [vars(one) | {"owner": live.owners.get(one.account)} for one in contacts.first],
            "contacts_found": contacts.found,
        }
    )
