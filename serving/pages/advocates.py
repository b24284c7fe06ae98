"""``/app/advocates``: whom to ask to speak up for us, who may not be asked and why, what is open, which stories are wanted."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query
from markupsafe import Markup
from pydantic import BeforeValidator
from starlette.responses import Response

from features.errors import PropensityError
from serving.cells import defused
from serving.decisions.asks import EFFORT
from serving.endpoints import advocates as of_advocates
from serving.endpoints import asked as of_asks
from serving.endpoints import eligibility as of_eligibility
from serving.endpoints import situation_of
from serving.endpoints import stories as of_stories
from serving.endpoints.advocates import Kind, Rule, Sort
from serving.pages import Choice, Page, Show, Showing, answered, chosen
from serving.work.among import choices
from training import charts
from training.charts import stories as drawn

SCOPE = "read"
OWNED = True
PAGE = Page("Advocates", "/advocates", 2)
EACH, OPEN, GAPS = 25, 10, 10
"""Accounts on a page, open asks on one, and stories that are told."""
PATIENCE, PATIENT = 2.0, 600.0
"""Seconds that a part is waited for, and those that the whole is, which the page does not wait for."""
MOST = 10_000
"""Lines of a file."""
MAY = ("account", "name", "owner", "contact", "role", "kind", "effort", "accepts", "low", "high", "probability",
       "unasked", "left")  # fmt: skip
MAY_NOT = ("account", "name", "owner", "rules", "why", "clears")
Number = Annotated[int, BeforeValidator(lambda given: 1 if given == "" else given), Query(ge=1, le=1_000_000)]
router = APIRouter()


@dataclass(frozen=True)
class Filter:
    """What the lists are cut to, and where in them one is; the address holds it."""

    owner: str | None
    kind: Kind | None
    rule: Rule | None
    sort: Sort
    account: str | None
    page: int
    blocked: int
    waiting: int
    exported: int

    def query(self, **other: Any) -> str:
        """What comes after the ``?``, where something is another."""
        told = vars(self) | other
        return urlencode({name: value for name, value in told.items() if value not in (None, 1, "least effort")})

    @property
    def cut(self) -> bool:
        return any((self.owner, self.kind, self.rule))


def _filter(
    owner: Choice = None,
    kind: Annotated[Kind | None, BeforeValidator(chosen)] = None,
    rule: Annotated[Rule | None, BeforeValidator(chosen)] = None,
    sort: Sort = "least effort",
    account: Choice = None,
    page: Number = 1,
    blocked: Number = 1,
    waiting: Number = 1,
    exported: Number = 1,
) -> Filter:
    return Filter(owner, kind, rule, sort, account, page, blocked, waiting, exported)


Filtered = Annotated[Filter, Depends(_filter)]


@router.get(PAGE.address)
def advocates(show: Showing, cut: Filtered) -> Response:
    live, owner = show.live, show.caller.owner

    def made() -> dict[str, Any]:
        situation_of(live, PATIENT)
        return {
            "may": _may(show, cut, EACH, EACH * (cut.page - 1)),
            "may_not": _may_not(show, cut, EACH, EACH * (cut.blocked - 1)),
            "open": _open(show, cut, True, cut.waiting),
            "exported": _open(show, cut, False, cut.exported),
            "one": _one(show, cut.account) if cut.account else None,
            "stories": _or_why(lambda: _stories(show)) if owner is None else None,
        }

    found = show.once_made(made)
    if found is None:
        return show.waiting(PAGE, "Who says yes is learnt from every ask so far, once for each change of the data.")
    return show(
        "advocates.html",
        PAGE,
        **found,
        owners=live.kept(("choices", owner), lambda: choices(live.workspace, owner), log=False).get("owner", []),
        kinds=EFFORT,
        rules=get_args(Rule),
        cut=cut,
        each=EACH,
        each_open=OPEN,
        risk=live.workspace.config.asks.risk,
    )


@router.get(PAGE.address + ".csv")
def as_file(show: Showing, cut: Filtered, which: Literal["may", "may not"] = "may") -> Response:
    """One of the lists as a spreadsheet takes it, at most so many lines."""
    may = which == "may"
    told = _may(show, cut, MOST, 0) if may else _may_not(show, cut, MOST, 0)
    columns = MAY if may else MAY_NOT
    out = StringIO()
    sheet = csv.writer(out, lineterminator="\r\n")
    sheet.writerow(columns)
    for line in told["lines"]:
        row = line if may else line | _reasons(line)
        sheet.writerow([defused(row[name]) for name in columns])
    name = f"{'to-be-asked' if may else 'not-to-be-asked'}-{told['as_of']}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response("\ufeff" + out.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def _may(show: Show, cut: Filter, top: int, skip: int) -> dict[str, Any]:
    asked = (top, skip, cut.owner, cut.kind, cut.sort, False)
    found: dict[str, Any] = answered(of_advocates.advocates(show.request, show.live, show.caller, *asked))
    return found


def _may_not(show: Show, cut: Filter, top: int, skip: int) -> dict[str, Any]:
    found: dict[str, Any] = answered(
        of_advocates.blocked(show.request, show.live, show.caller, top, skip, cut.owner, cut.rule)
    )
    return found


def _open(show: Show, cut: Filter, logged: bool, page: int) -> Any:
    asked = (OPEN, OPEN * (page - 1), cut.owner, logged)
    return answered(of_asks.asks(show.request, show.live, show.caller, *asked))


def _one(show: Show, account: str) -> dict[str, Any]:
    """Whether one account may be asked; or that there is no such account."""
    return _or_why(lambda: answered(of_eligibility.eligibility(account, show.request, show.live, show.caller)))


def _stories(show: Show) -> dict[str, Any]:
    of_stories.known(show.live, GAPS, PATIENCE)
    found: dict[str, Any] = answered(of_stories.stories(show.request, show.live, GAPS))
    chart = show.live.kept(("stories drawn", GAPS), lambda: _drawn(found["gaps"])) if found["gaps"] else None
    return found | {"chart": chart}


def _drawn(gaps: Sequence[Mapping[str, Any]]) -> Markup:
    told = (
        f"For each of {len(gaps)} stories, how much of the value of open deals that want it an advocate can tell it to"
    )
    return charts.svg(drawn.gaps(gaps), told)


def _or_why(find: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What is found, or why it is not."""
    try:
        return find()
    except PropensityError as error:
        return {"error": error.message, "hint": error.hint}


def _reasons(line: Mapping[str, Any]) -> dict[str, str]:
    found = line["objections"]
    return {"rules": "; ".join(one["rule"] for one in found), "why": "; ".join(one["words"] for one in found)}
