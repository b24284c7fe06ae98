"""A browser that looks at pages: Debian's chromium, driven by Playwright, which asks nobody but the page it is sent to."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from features.errors import PropensityError

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-sync",
    "--no-first-run",
]


def executable() -> str:
    """The first browser of ``NAMES``; raises PropensityError where there is none."""
    for name in NAMES:
        if found := shutil.which(name):
            return found
    raise PropensityError(
        f"there is no browser to look at the pages with: none of {', '.join(NAMES)}",
        "As root on Debian, `make browser` installs chromium; elsewhere install it, or Google Chrome, as you do there.",
    )


@contextmanager
def opened() -> Iterator[Browser]:
    alone = ["--no-sandbox"] if os.geteuid() == 0 else []  # chromium refuses to run as root with one
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable(), args=[*QUIET, *alone])
        try:
            yield browser
        finally:
            browser.close()
