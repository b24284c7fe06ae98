"""Pictures of every page for ``docs/pages``, and the page that shows them.

    python -m benchmarks.screenshots [--workspace demo]

Of a workspace that is trained and scored: ``make demo`` makes one. A copy of it is served.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page

from benchmarks.browser import opened
from benchmarks.every_page import every_page, told
from benchmarks.serving.__main__ import copied, ours, running
from features.errors import PropensityError
from features.files import replaced
from features.workspace import FILE

PICTURES = Path(__file__).parents[1] / "docs" / "pages"
WIDE, NARROW = 1280, 390
TALLEST = 1600
COLOURS = 128
MAKING = 202


@dataclass(frozen=True)
class Shot:
    """A picture: of which page, how wide, and for which eyes."""

    name: str
    page: str
    width: int = WIDE
    scheme: str = "light"

    @property
    def file(self) -> Path:
        return PICTURES / f"{self.name}.png"


def shots() -> list[Shot]:
    """Every page once; the list of the day in the dark and on a telephone besides."""
    plain = [Shot(name, name) for name in every_page({"account": "a"})]
    return [*plain, Shot("today-dark", "today", scheme="dark"), Shot("today-narrow", "today", NARROW)]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.screenshots", description=__doc__)
    parser.add_argument("--workspace", type=Path, default=Path("demo"), help="one that is trained and scored")
    workspace = parser.parse_args().workspace
    if not (workspace / FILE).is_file():
        raise PropensityError(f"{workspace} is no workspace", "Make one: `make demo`.")
    PICTURES.mkdir(exist_ok=True)
    with TemporaryDirectory() as scratch:
        root = copied(workspace, Path(scratch) / "company")
        with running(ours(root), root) as port, opened() as browser:
            address = f"http://127.0.0.1:{port}"
            pages = every_page({"account": first(address)})
            for page in pages.values():  # parts of one page are made for another
                made(browser, address + page)
            for shot in shots():
                with replaced(shot.file) as part:
                    part.write_bytes(small(taken(browser, shot, address + pages[shot.page])))
                print(f"{shot.file.name}\t{shot.file.stat().st_size / 1000:.0f} kB")


def first(address: str) -> str:
    """The account at the head of the list of the day."""
    found = httpx.get(f"{address}/v1/calls", timeout=300, trust_env=False).raise_for_status().json()
    account: str = found["lines"][0]["account"]
    return account


def made(browser: Browser, address: str) -> None:
    with browser.new_context() as context:
        _shown(context, address)


def _shown(context: BrowserContext, address: str) -> Page:
    """A page once it is made."""
    tab = context.new_page()
    tab.set_default_timeout(300_000)
    while (answer := tab.goto(address)) is not None and answer.status == MAKING:
        tab.wait_for_timeout(1000)
    return tab


def taken(browser: Browser, shot: Shot, address: str) -> bytes:
    context = browser.new_context(viewport={"width": shot.width, "height": 900}, color_scheme=shot.scheme)
    try:
        tab = _shown(context, address)
        tall = min(TALLEST, tab.evaluate("document.documentElement.scrollHeight"))
        tab.set_viewport_size({"width": shot.width, "height": tall})
        return tab.screenshot()
    finally:
        context.close()


def small(picture: bytes) -> bytes:
    """The same in few colours: a page has not many."""
    out = io.BytesIO()
    Image.open(io.BytesIO(picture)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(
        out, "PNG", optimize=True
    )
    return out.getvalue()


def parts() -> Iterator[str]:
    """``docs/pages.md``: a sentence and a picture of each page, as the pages say of themselves."""
    yield "# Pages"
    yield (
        "What `propensity serve` shows under `/app`. Pictures are of the demo, made by `make screenshots`; the numbers "
        "are those of the API and of the commands. Pages need no script, are read by a keyboard alone, are light or dark "
        "with their reader, and fit a telephone and a sheet of paper; `tests/browser` looks at all of them."
    )
    for shot in shots():
        if shot.file.is_file():
            yield f"## {title(shot)}\n\n{told(shot.page)}\n\n![{title(shot)}](pages/{shot.file.name})"


def title(shot: Shot) -> str:
    return shot.name.replace("-", " ").capitalize()


if __name__ == "__main__":
    main()
