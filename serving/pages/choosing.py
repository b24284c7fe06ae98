"""Forms of the models: another champion, or the one before, each with a reason."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.responses import Response

from serving.endpoints import Asking, Loaded, champions
from serving.pages import asked, back_to
from serving.pages.touching import By, Text
from serving.web.html import APP, part

SCOPE = "admin"
Number = Annotated[int, Form()]
router = APIRouter()


@router.post(f"{APP}/models/promote")
def promote(
    live: Loaded,
    caller: Asking,
    outcome: Text,
    version: Number,
    why: Text,
    force: Annotated[bool, Form()] = False,
    by: By = None,
) -> Response:
    """Against the gate only where the form says so, which it shows for what the gate refused."""
    champions.promote(outcome, asked(champions.Promotion, version=version, why=why, force=force, by=by), live, caller)
    return back_to(f"{APP}/models?outcome={part(outcome)}", "promoted")


@router.post(f"{APP}/models/rollback")
def rollback(live: Loaded, caller: Asking, outcome: Text, champion: Number, why: Text, by: By = None) -> Response:
    """Back from the champion that the form showed, so that a form sent twice goes back once."""
    champions.rollback(outcome, asked(champions.Rollback, champion=champion, why=why, by=by), live, caller)
    return back_to(f"{APP}/models?outcome={part(outcome)}", "rolled back")
