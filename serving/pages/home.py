"""``/app``: to the list of the day."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import RedirectResponse

from serving.web.html import APP

SCOPE = "read"
OWNED = True
router = APIRouter()


@router.get(APP)
@router.get(APP + "/")
def home() -> RedirectResponse:
    return RedirectResponse(f"{APP}/today", 303)
