"""HTML: templates that escape everything, the files that go with them, and errors as a page."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, Response

from features.errors import PropensityError
from serving import amounts
from serving.web.words import WORDS

APP = "/app"
"""Under this path are pages; everything else is JSON."""
HOME = Path(__file__).parents[1] / "pages"
ASSETS = {"style.css": "text/css", "page.js": "text/javascript", "mark.svg": "image/svg+xml"}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "same-origin",
}
"""Of every page: nothing runs and nothing is shown that is not a file of ours."""
SAID_COOKIE = "propensity_said"
SAID = {
    "called": "The call is written down, and the account has left the list.",
    "planned": "It is planned for the day you named, and off the list till then.",
    "listed": "The list is written down: a call is planned of everybody on it.",
    "snoozed": "The alert is put off. It comes back on the day you named.",
    "disagreed": "Your own number is kept beside the model's.",
    "closed": "The alert is closed.",
    "asked": "The ask is written down and counts against the budget.",
    "outcome": "What came of it is written down.",
    "again": "It was written down before; nothing has changed.",
    "promoted": "The champion is another one now. The service takes it over within seconds.",
    "rolled back": "The champion before is back. The service takes it over within seconds.",
}
"""What a page may say after a form; a cookie names one of these, so nobody can make it say anything else."""
router = APIRouter()


@cache
def environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HOME / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "number": amounts.number,
        "percent": amounts.percent,
        "points": amounts.points,
        "days": amounts.days,
        "part": part,
        "day": day,
        "counted": counted,
        "told": told,
    }
    made.globals |= {
        "between": amounts.between,
        "asset": asset,
        "word": WORDS.__getitem__,
        "app": APP,
        "drawn": lambda: secrets.token_hex(8),
    }
    return made


def render(template: str, **given: Any) -> str:
    return environment().get_template(template).render(given)


def document(body: bytes) -> Any:
    return json.loads(body)


def part(text: str) -> str:
    """A name as a part of a path."""
    return quote(text, safe="")


def day(text: str | date | None) -> str:
    """A date, or the date of an instant, as people write it: 3 Jul 2026."""
    if text is None:
        return amounts.NOTHING
    found = text if isinstance(text, date) else date.fromisoformat(text[:10])
    return f"{found.day} {found:%b %Y}"


def counted(count: int, one: str, many: str | None = None) -> str:
    """1 call, 2 calls."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def told(text: str | None) -> Markup:
    """A hint, whose commands stand between backticks: as code."""
    parts = enumerate(re.split(r"`([^`]*)`", text or ""))
    return Markup().join(Markup("<code>{}</code>").format(part) if odd % 2 else escape(part) for odd, part in parts)


@cache
def _asset(name: str) -> tuple[bytes, str]:
    body = (HOME / "assets" / name).read_bytes()
    return body, hashlib.sha256(body).hexdigest()[:16]


def asset(name: str) -> str:
    """The address of a file; another once it has changed, so that it may be kept for good."""
    return f"{APP}/static/{_asset(name)[1]}/{name}"


@router.get(APP + "/static/{digest}/{name}", include_in_schema=False)
def static(digest: str, name: str) -> Response:
    if name not in ASSETS or digest != _asset(name)[1]:
        raise PropensityError("there is no such file", "Load the page again.", status=404)
    kept = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(_asset(name)[0], media_type=ASSETS[name], headers=kept)


def invalid(found: Sequence[Any]) -> PropensityError:
    """What pydantic refused; the input itself is not repeated."""
    said = [f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in found]
    more = f" (and {len(said) - 5} more)" if len(said) > 5 else ""
    return PropensityError("; ".join(said[:5]) + more, "What an endpoint takes is described in /v1/openapi.json.")


def problem(error: PropensityError, headers: Mapping[str, str] | None = None) -> HTMLResponse:
    """An error as a page of its own."""
    return HTMLResponse(render("error.html", error=error), error.status, headers={**HEADERS, **(headers or {})})
