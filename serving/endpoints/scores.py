"""``GET /v1/scores``: all scores of an outcome by page, sorted and filtered."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from serving.endpoints import Asking, Loaded, OutcomeName, Owner, Segment, answers
from serving.scores import lists
from serving.web.answers import Page
from serving.web.book import Book
from serving.web.freshness import aged
from serving.web.tags import Tag

SCOPE = "read"
OWNED = True
Sort = Literal["rank", "account", "arr", "-arr", "days_to_renewal", "-days_to_renewal"]
router = APIRouter()


@router.get("/v1/scores", responses=answers(Page, 304, 400, 403, 404, 409, 503))
def scores(
    outcome: OutcomeName,
    request: Request,
    live: Loaded,
    caller: Asking,
    page_size: Annotated[int, Query(ge=1, le=1000, description="How many lines at most.")] = 100,
    cursor: Annotated[str | None, Query(max_length=2000, description="`next` of the page before.")] = None,
    sort: Annotated[Sort, Query(description="`-`: the highest first; what is not known comes last.")] = "rank",
    owner: Owner = None,
    segment: Segment = None,
) -> Response:
    """The batch that is served. While pages are read a new batch may come: then the cursor is refused (409)."""
    workspace, shown, whose = live.workspace, live.of(outcome).shown, caller.whose(owner)
    tag = Tag(request, live, caller.owner, written=True)
    if tag.known:
        return tag.unchanged()
    book = live.kept(("book", outcome, live.batches), lambda: Book.of(workspace, shown))
    rows, following, count = book.page(sort, page_size, cursor, whose, segment)
    age = aged(workspace, shown.as_of)
    lines = lists.lines(workspace, live.kept.log.store, [book.scores[row] for row in rows])
    told = [line.as_dict() | age | {"segment": book.segments[row]} for line, row in zip(lines, rows, strict=True)]
    version = live.of(outcome).scorer.version.number
    head = {"outcome": outcome, "as_of": shown.as_of.isoformat(), "model_version": version, **age, "count": count}
    return tag.on(head | {"scores": told, "next": following})
