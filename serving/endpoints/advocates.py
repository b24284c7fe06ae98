"""``GET /v1/advocates`` and ``/v1/advocates/blocked``: whom to ask to speak up for us, and who may not be asked."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from serving.endpoints import Asking, Loaded, Owner, answers, situation_of
from serving.web.answers import Advocates, Blocked
from serving.web.tags import Tag
from serving.work.advocates import advocates as whom
from serving.work.advocates import blocked as whom_not

SCOPE = "read"
OWNED = True
Kind = Literal["social", "review", "community", "referral", "reference", "case study", "speaking"]
Rule = Literal[
    "risk", "notice", "opted out", "tenure", "escalation", "unhappy", "renewal", "open ask", "asked lately",
    "declined lately", "budget", "nobody to ask",
]  # fmt: skip
Sort = Literal["likeliest", "least effort"]
Skip = Annotated[int, Query(ge=0, le=10_000_000, description="How many to leave out, from the first on.")]
router = APIRouter()


@router.get("/v1/advocates", responses=answers(Advocates, 304, 400, 403, 404, 503))
def advocates(
    request: Request,
    live: Loaded,
    caller: Asking,
    top: Annotated[
        int | None, Query(ge=1, le=10_000, description="How many; by default the outcome's capacity.")
    ] = None,
    skip: Skip = 0,
    owner: Owner = None,
    kind: Annotated[Kind | None, Query(description="Only those to be asked for this.")] = None,
    sort: Annotated[
        Sort, Query(description="The likeliest to act first, or what takes the least effort, and then a likely yes.")
    ] = "likeliest",
    blocked: Annotated[bool, Query(description="Whether to tell too of all who may not be asked.")] = True,
) -> Response:
    """Accounts that may be asked, the likeliest to act first, with the person and the least effort; and who may not, why."""
    whose = caller.whose(owner)
    tag = Tag(request, live, caller.owner, written=True)
    if tag.known:
        return tag.unchanged()
    now, asked = situation_of(live), (top, skip, whose, kind, sort, blocked)
    return tag.on(live.kept(("advocates", *asked), lambda: whom(now, *asked).as_dict()))


@router.get("/v1/advocates/blocked", responses=answers(Blocked, 304, 400, 403, 404, 503))
def blocked(
    request: Request,
    live: Loaded,
    caller: Asking,
    top: Annotated[int, Query(ge=1, le=10_000, description="How many.")] = 100,
    skip: Skip = 0,
    owner: Owner = None,
    rule: Annotated[Rule | None, Query(description="Only those that this rule speaks against.")] = None,
) -> Response:
    """Who may not be asked, by which rules, and the day on which each is over, whoever is over first before the others."""
    whose = caller.whose(owner)
    tag = Tag(request, live, caller.owner, written=True)
    if tag.known:
        return tag.unchanged()
    now, asked = situation_of(live), (top, skip, whose, rule)
    return tag.on(live.kept(("blocked", *asked), lambda: whom_not(now, *asked).as_dict()))
