"""What holds for every page, whatever is on it."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from benchmarks.every_page import every_page
from tests.browser.attacks import IDS, NAMES
from tests.browser.conftest import NARROW, Heard, Tab

ACCOUNT = IDS[0]
PAGES = every_page({"account": ACCOUNT})
"""The account page is that of an account whose id is an attack."""
MISSING = "/app/nowhere"
ADDRESSES = [pytest.param(address, id=name) for name, address in PAGES.items()]
WITH_MISSING = [*ADDRESSES, pytest.param(MISSING, id="error")]

HIDDEN = "nav:not(.path), form, .skip, button"
"""On paper; a path says of what the sheet is."""
FOCUS = """() => {
  const at = document.activeElement, style = getComputedStyle(at), box = at.getBoundingClientRect();
  return {what: at.outerHTML.slice(0, 160), seen: box.width > 1 && box.height > 1 && box.right > 0 && box.bottom > 0,
          outlined: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
          within: at.closest('nav') ? 'navigation' : at.closest('[role=search]') ? 'search' : at.closest('main') ? 'content'
                  : at.matches('.skip') ? 'skip' : at === document.body ? 'end' : 'other'};
}"""


def go(tab: Page, address: str, heard: Heard) -> Page:
    if address == MISSING:
        heard.expected.add(404)
    answer = tab.goto(address)
    assert answer is not None
    assert answer.status == (404 if address == MISSING else 200)
    assert answer.headers["content-type"].startswith("text/html")
    return tab


@pytest.mark.parametrize("address", WITH_MISSING)
def test_a_page_has_a_language_a_title_and_one_heading(address: str, tab: Tab, heard: Heard) -> None:
    page = go(tab(), address, heard)
    assert page.locator("html").get_attribute("lang") == "en"
    assert re.fullmatch(r".+ · propensity", page.title())
    headings = page.locator("h1:visible").all_inner_texts()
    assert (len(headings), bool(headings[0].strip())) == (1, True)


@pytest.mark.parametrize("address", WITH_MISSING)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(address: str, scheme: str, tab: Tab, heard: Heard) -> None:
    page = go(tab(color_scheme=scheme), address, heard)
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    found = Axe().run(page)
    serious = {
        f"{one['id']}: {node['html'][:200]}: {node['failureSummary'][:300]}"
        for one in found.response["violations"]
        if one["impact"] in {"serious", "critical"}
        for node in one["nodes"][:3]
    }
    assert serious == set()


@pytest.mark.parametrize("address", WITH_MISSING)
def test_a_narrow_page_does_not_scroll_sideways(address: str, tab: Tab, heard: Heard) -> None:
    page = go(tab(viewport=NARROW), address, heard)
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    assert page.evaluate("document.scrollingElement.scrollWidth") <= NARROW["width"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_on_paper_there_is_the_content_and_nothing_to_click(address: str, tab: Tab, heard: Heard) -> None:
    page = go(tab(), address, heard)
    page.emulate_media(media="print", color_scheme="light")
    assert page.locator(HIDDEN).locator("visible=true").count() == 0
    assert page.locator("h1").is_visible()
    assert len(page.locator("main").inner_text()) > 100


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_page_is_whole_without_script(address: str, tab: Tab, heard: Heard) -> None:
    bare, full = go(tab(java_script_enabled=False), address, heard), go(tab(), address, heard)
    told = [page.locator("main").inner_text() for page in (bare, full)]
    buttons = [page.locator("main button:not([data-print])").count() for page in (bare, full)]
    assert told[0] == told[1]
    assert buttons[0] == buttons[1]
    for form in bare.locator("form").all():
        assert (form.get_attribute("action") or form.get_attribute("method") or "get") != ""
        assert form.locator("button, input[type=search], input[type=submit]").count() > 0


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_keyboard_reaches_everything_and_shows_where_it_is(address: str, tab: Tab, heard: Heard) -> None:
    page = go(tab(), address, heard)
    reached = []
    for _ in range(60):
        page.keyboard.press("Tab")
        at = page.evaluate(FOCUS)
        if at["within"] == "end":
            break
        assert at["seen"] and at["outlined"], at
        reached.append(at["within"])
    assert reached[0] == "skip"
    order = list(dict.fromkeys(one for one in reached if one not in {"skip", "other"}))
    assert order == ["navigation", "search", "content"][: len(order)]
    inside = page.locator("main").locator("a[href], button, summary, input:not([type=hidden]), select, textarea")
    assert "content" in reached or inside.locator("visible=true").count() == 0
    page.goto(address)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_a_stroke_goes_to_the_search(tab: Tab) -> None:
    page = tab()
    page.goto("/app/today")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "q"
    assert page.locator("#q").input_value() == ""


@pytest.mark.parametrize("address", WITH_MISSING)
def test_names_that_attack_are_text(address: str, tab: Tab, heard: Heard) -> None:
    """Whatever runs or asks for something elsewhere is heard by the tab besides."""
    page = go(tab(), address, heard)
    assert page.evaluate("window.owned") is None
    assert page.locator("script:not([src])").count() == 0
    assert page.locator("img[src='x'], svg[onload], [onerror], [onload], iframe, object, embed").count() == 0
    assert page.locator("a[href^='javascript' i]").count() == 0
    assert page.locator("h1").filter(has_text=re.compile("^owned$")).count() == 0
    told = page.locator("body").inner_text()
    assert "49${" not in told
    assert "undefined" not in told.lower()
    if address == PAGES["today"]:
        assert [name for name in NAMES if name in told], told
