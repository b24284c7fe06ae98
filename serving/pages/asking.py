"""Forms of the advocates: an ask that was made, and what came of one."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form
from pydantic import BeforeValidator
from starlette.responses import Response

from serving.endpoints import Writing, asks
from serving.pages import asked, back_to, chosen
from serving.pages.touching import By, Drawn, Text
from serving.web.html import APP

SCOPE = "write"
OWNED = True
ADVOCATES = f"{APP}/advocates"
Blank = Annotated[str | None, BeforeValidator(chosen), Form()]
CAME = {"accepted": asks.accepted, "declined": asks.declined, "done": asks.done}
router = APIRouter()


@router.post(f"{APP}/asks")
def ask(
    writer: Writing,
    account: Text,
    kind: Text,
    drawn: Drawn,
    contact: Blank = None,
    day: Blank = None,
    by: By = None,
) -> Response:
    """Somebody was asked; refused, by the rules that say so, where the account may not be."""
    made = asked(asks.Ask, account=account, kind=kind, contact=contact, at=day, by=by)
    asks.make(made, writer.named(drawn))
    return back_to(ADVOCATES, "asked")


@router.post(f"{APP}/asks/came")
def came(
    writer: Writing,
    ask: Text,
    event: Annotated[Literal["accepted", "declined", "done"], Form()],
    drawn: Drawn,
    day: Blank = None,
    by: By = None,
) -> Response:
    """What came of an ask."""
    CAME[event](ask, asked(asks.Answered, at=day, by=by), writer.named(drawn))
    return back_to(ADVOCATES, "outcome")
