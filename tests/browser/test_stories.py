"""Monday morning of the three who use it, from login to what came of it; what one does, the next finds done."""

from __future__ import annotations

import csv
import re
import shutil
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from features.workspace import Workspace, load
from serving.stores.keys import Keys
from serving.stores.store import Store
from tests.browser.attacks import GROUPS
from tests.browser.conftest import NARROW, Heard, Site, Tab, serving
from training.registry import Registry

OWNER = GROUPS["owner"]["owner-1"]


@dataclass
class Company(Site):
    """A service that asks for keys."""

    keys: dict[str, str]


@pytest.fixture(scope="module")
def site(hostile: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """Written to by tests: with people's keys, and a second version of churn."""
    root = tmp_path_factory.mktemp("stories")
    here = load(Path(shutil.copytree(hostile.root, root / "company")))
    store = Keys(Store(here))
    asked = {"ann": ("write", None), "dee": ("admin", None), "owen": ("write", OWNER)}
    keys = {name: store.create(name, *may)[1] for name, may in asked.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow uses what SQLAlchemy has deprecated; none of it is ours
        registry = Registry(here)
        registry.versions("churn")  # points MLflow here
        first = registry.client.get_model_version("churn", "1")
        registry.client.create_model_version("churn", first.source, first.run_id, tags=dict(first.tags))
    with serving(here, root / "server.log", keys["dee"]) as found:
        yield Company(found.workspace, found.address, keys)


def log_in(tab: Page, site: Company, name: str, to: str = "/app/today") -> Page:
    """By the keyboard alone."""
    tab.goto(to)
    expect(tab.get_by_role("heading", level=1)).to_have_text("Log in")
    tab.get_by_label("Key").focus()
    tab.keyboard.type(site.keys[name])
    tab.keyboard.press("Enter")
    tab.wait_for_url(site.address + to)
    return tab


def accounts(within: Locator) -> list[str]:
    """Those of a list, in its order."""
    found: list[str] = within.locator("tr[data-account]").evaluate_all("rows => rows.map(row => row.dataset.account)")
    return found


def filled(row: Locator, form: str, button: str, **fields: str) -> None:
    """A form of a row is opened, filled in and sent."""
    row.locator("summary", has_text=re.compile(f"^{form}$")).click()
    opened = row.locator("details[open] form")
    for name, value in fields.items():
        opened.locator(f"[name={name}]").fill(value)
    opened.get_by_role("button", name=button).click()


def said(tab: Page, what: str) -> None:
    expect(tab.get_by_role("status").first).to_contain_text(what)


def at(tab: Page, section: str) -> Locator:
    return tab.locator(f"section[aria-labelledby={section}]")


def test_nobody_gets_in_without_a_key_that_works(tab: Tab, site: Company, heard: Heard) -> None:
    page = tab(viewport=NARROW)
    page.goto("/app/advocates")
    assert page.evaluate("document.scrollingElement.scrollWidth") <= NARROW["width"]
    assert [one["id"] for one in Axe().run(page).response["violations"]] == []
    heard.expected.add(401)
    page.get_by_label("Key").fill("pk_wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Key").fill(site.keys["ann"])
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(site.address + "/app/advocates")
    page.get_by_role("button", name="Log out").click()
    page.goto("/app/today")
    expect(page.get_by_role("heading", level=1)).to_have_text("Log in")


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without"])
def test_a_call_is_logged_and_leaves_the_list(script: bool, tab: Tab, site: Company) -> None:
    page = log_in(tab(java_script_enabled=script), site, "ann") if script else tab(java_script_enabled=False)
    if not script:
        page.goto("/app/today")
        page.get_by_label("Key").fill(site.keys["ann"])
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(site.address + "/app/today")
    row = at(page, "next").locator("tr[data-account]").first
    called = row.get_attribute("data-account")
    filled(row, "Log a call", "Called", outcome="=cmd|'/c calc'!A0 will renew")
    said(page, "has left the list")
    left = [one.get_attribute("data-account") for one in page.locator("tr[data-account]").all()]
    assert left
    assert called not in left


def test_a_list_is_cut_by_owner_and_its_address_can_be_passed_on(tab: Tab, site: Company) -> None:
    page = log_in(tab(), site, "ann")
    everybody = accounts(at(page, "next"))
    page.get_by_label("Owner").select_option(OWNER)
    page.wait_for_url("**owner=**")
    theirs = accounts(at(page, "next"))
    assert len(theirs) > 0
    assert theirs != everybody
    owners = at(page, "next").locator("tr[data-account] td:first-child .quiet").all_inner_texts()
    assert set(owners) == {OWNER}
    another = log_in(tab(), site, "ann")
    another.goto(page.url)
    assert accounts(at(another, "next")) == theirs
    assert another.get_by_label("Owner").input_value() == OWNER


def test_what_is_exported_is_what_is_shown_and_no_cell_runs(tab: Tab, site: Company, tmp_path: Path) -> None:
    for address, section in (("/app/today", "next"), ("/app/advocates", "may")):
        page = tab()
        log_in(page, site, "ann", address)
        with page.expect_download() as loading:
            page.get_by_role("link", name="Export CSV").click()
        loading.value.save_as(file := tmp_path / "list.csv")
        with file.open(encoding="utf-8-sig", newline="") as stream:
            head, *rows = csv.reader(stream)
        shown = [name.removeprefix("'") for name in (row[head.index("account")] for row in rows)]
        on_page = accounts(at(page, section))
        assert [one for one in shown if one in on_page] == on_page
        assert not [cell for row in rows for cell in row if re.match(r"[=+@\t\r]|-\D", cell)]


def test_somebody_disagrees_with_a_score(tab: Tab, site: Company) -> None:
    page = log_in(tab(), site, "ann")
    row = at(page, "next").locator("tr[data-account]").nth(1)
    filled(row, "Disagree", "Say so", percent="3.5", why="They have told us that they renew.")
    said(page, "Your own number is kept")


def test_who_looks_after_some_sees_those_and_no_other(tab: Tab, site: Company) -> None:
    page = log_in(tab(), site, "owen")
    owners = page.locator("tr[data-account] td:first-child .quiet").all_inner_texts()
    assert set(owners) == {OWNER}
    assert "Portfolio" not in page.get_by_role("navigation", name="Pages").inner_text()


def test_who_may_not_be_asked_has_a_rule_and_a_day(tab: Tab, site: Company) -> None:
    page = log_in(tab(), site, "ann", "/app/advocates")
    blocked = at(page, "maynot").locator("tr[data-account]")
    assert blocked.count() > 3
    for text in blocked.locator("td:nth-child(2) li").all_inner_texts():
        assert re.search(r"clears \d{1,2} \w{3} 20\d\d|until it is settled", text), text
    account = accounts(at(page, "maynot"))[0]
    page.get_by_label("May I ask").fill(account)
    page.keyboard.press("Enter")
    page.wait_for_url("**account=**")
    expect(page.locator("main")).to_contain_text(re.compile(r"clears|until it is settled"))


def test_an_ask_is_made_accepted_and_done(tab: Tab, site: Company) -> None:
    page = log_in(tab(), site, "ann", "/app/advocates")
    row = at(page, "may").locator("tr[data-account]").first
    account = row.get_attribute("data-account")
    filled(row, "Log an ask", "Asked")
    said(page, "The ask is written down")
    assert account not in accounts(at(page, "may"))
    for form, came in (("Said yes", "accepted"), ("Did it", "")):
        mine = at(page, "open").locator("tr[data-ask]").filter(has=page.get_by_text(form, exact=True)).first
        filled(mine, form, form)
        said(page, "What came of it is written down")
        if came:
            expect(at(page, "open").locator(".tag.good").first).to_have_text(came)


def money(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))


def test_totals_are_the_same_at_every_level_down_to_the_account(tab: Tab, site: Company) -> None:
    page = log_in(tab(), site, "dee", "/app/portfolio")
    deep = 0
    while True:
        expect(page.locator("#above .good")).to_have_text("✓ the same")
        lines = page.locator("#groups tbody td[data-of=arr]").all_inner_texts()
        total = page.locator("#sum td[data-of=arr]").inner_text()
        whole = page.locator("nav[aria-label='Pages of the table']").count() == 0
        assert not whole or sum(map(money, lines), Decimal(0)) == money(total)
        inner = page.locator("#groups tbody th a.name").first
        if "/app/accounts/" in (inner.get_attribute("href") or ""):
            break
        arr = page.locator("#groups tbody tr").first.locator("td[data-of=arr]").inner_text()
        inner.click()
        expect(page.locator("#above td[data-of=arr]")).to_have_text(arr)
        deep += 1
    assert deep >= 2
    page.locator("#groups tbody th a.name").first.click()
    page.wait_for_url("**/app/accounts/**")
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_a_version_is_promoted_and_rolled_back_by_who_may(tab: Tab, site: Company, heard: Heard) -> None:
    page = log_in(tab(), site, "dee", "/app/models")
    page.goto("/app/models?outcome=churn")
    row = page.locator("tr[data-version='2']")
    row.locator("summary", has_text="Promote").click()
    form = row.locator("details[open] form")
    for box in form.locator("[name=force]").all():
        box.check()
    form.get_by_label("Why").fill("Better on what came after.")
    form.get_by_role("button").click()
    said(page, "The champion is another one now")
    expect(page.locator("tr[data-version='2'] .tag.good", has_text="champion")).to_be_visible()
    filled(page.locator("tr[data-version='2']"), "Roll back", "Back to the champion before", why="Worse on Monday.")
    said(page, "The champion before is back")
    expect(page.locator("tr[data-version='1'] .tag.good", has_text="champion")).to_be_visible()
    expect(at(page, "history")).to_contain_text("Worse on Monday.")
    other = log_in(tab(), site, "ann", "/app/models")
    assert other.get_by_text("Promote", exact=True).count() == 0
