"""Portfolio, programme and metrics as pages: the API's numbers, totals that reconcile, cells that lead to their accounts."""

from __future__ import annotations

import html as escaping
import time
from typing import Any
from urllib.parse import quote

import pytest

from features.workspace import Workspace
from serving import amounts
from serving.stores.keys import KEYS, Keys
from serving.stores.store import Store
from serving.web import application as web
from tests.serving.conftest import LONG, Inside
from tests.serving.pages.reading import Element, read

PAGES = ("/app/portfolio", "/app/programme", "/app/metrics")


def page(inside: Inside, path: str) -> Element:
    found = inside.page(path)
    assert found.status_code == 200, found.text
    assert len(found.content) < 300_000
    return read(found.text)


def api(inside: Inside, path: str) -> Any:
    return inside.ask("GET", path).raise_for_status().json()


def line(row: Element) -> dict[str, str]:
    return {str(cell.attributes["data-of"]): cell.text for cell in row.all("td") if "data-of" in cell.attributes}


def told(group: Any) -> dict[str, str]:
    return {"accounts": f"{group['accounts']:,}", "arr": f"{group['arr']:,.2f}"}


def links(found: Element) -> dict[str, str]:
    """Cell of a picture → where it leads."""
    return {
        str(a.attributes["data-cell"]): str(a.attributes["href"]) for a in found.all("a") if "data-cell" in a.attributes
    }


def test_every_level_adds_up_to_the_one_above(inside: Inside) -> None:
    within: list[str] = []
    for level in ("country", "line_of_business", "account"):
        query = "&".join(within)
        shown, groups = page(inside, f"/app/portfolio?{query}"), api(inside, f"/v1/portfolio?by={level}&{query}")
        rows = {str(row.attributes["data-group"]): row for row in shown.all("tr") if "data-group" in row.attributes}
        assert list(rows) == [group["group"] for group in groups["groups"]], "the API's groups in its order"
        if level != "account":
            assert [line(row) for row in rows.values()] == [told(group) for group in groups["groups"]]
        assert line(shown.one("tr", id="sum")) == line(shown.one("tr", id="above")) == told(groups["total"])
        assert "the same" in shown.one("tr", id="above").text
        first = groups["groups"][0]["group"]
        link = next(a for a in rows[first].all("a"))
        within.append(f"{level}={quote(first, safe='')}")
        if level == "account":
            assert link.attributes["href"] == f"/app/accounts/{quote(first, safe='')}"
        else:
            assert page(inside, str(link.attributes["href"])).one("tr", id="sum")


@pytest.mark.parametrize("kind", ["business", "loyalty", "states"])
def test_a_cell_leads_to_the_accounts_in_it(inside: Inside, kind: str) -> None:
    tallies = api(inside, "/v1/portfolio")["total"][kind]
    there = {cell: href for cell, href in links(page(inside, "/app/portfolio")).items() if cell.startswith(kind)}
    assert set(there) == {f"{kind}: {label}" for label in tallies}, "each that has somebody, and no other"
    for label, tally in tallies.items():
        shown = page(inside, there[f"{kind}: {label}"])
        assert line(shown.one("tr", id="sum")) == line(shown.one("tr", id="above")) == told(tally)
        rows = [row for row in shown.all("tr") if "data-group" in row.attributes]
        assert len(rows) == min(tally["accounts"], 100)
        assert all(label in row.text for row in rows)


def test_long_lists_come_page_by_page(inside: Inside) -> None:
    count = api(inside, "/v1/portfolio?by=account&top=0")["count"]
    assert count > 100, "else nothing is paged"
    seen: list[str] = []
    for start in range(0, count, 100):
        shown = page(inside, f"/app/portfolio?by=account&start={start}")
        seen += [str(row.attributes["data-group"]) for row in shown.all("tr") if "data-group" in row.attributes]
    assert seen == [group["group"] for group in api(inside, "/v1/portfolio?by=account&top=10000")["groups"]]


def test_the_transitions_are_drawn_and_told(inside: Inside) -> None:
    found, shown = api(inside, "/v1/states?top=0")["transitions"], page(inside, "/app/portfolio")
    told_ = [row.text for row in shown.one("table", id="transitions").one("tbody").all("tr")]
    assert len(told_) == len(found)
    for row, (before, afters) in zip(told_, found.items(), strict=True):
        counts = [f"{went['count']:,} {amounts.percent(went['share'])}" for went in afters.values()]
        assert row.startswith(" ".join([before, *counts]))
    pictures = [str(one.attributes.get("aria-label")) for one in shown.all("svg", role="img")]
    assert len(pictures) == 2
    assert all(one.attributes.get("style") is None for one in shown.all())


def test_the_programme_is_that_of_the_api(inside: Inside) -> None:
    shown, found = page(inside, "/app/programme?days="), api(inside, "/v1/programme")
    numbers = {
        str(one.attributes["data-number"]): one.text for one in shown.all("span") if "data-number" in one.attributes
    }
    part, revenue, nps = found["participation"], found["revenue"], found["nps"]
    assert numbers["participation"] == amounts.percent(part["rate"])
    assert part["verdict"] in shown.text
    assert numbers["touched"] == amounts.percent(revenue["share"])
    assert "touched, not caused" in shown.text
    difference = nps["difference"]
    assert numbers["nps"] == (f"{difference['value']:+.1f}" if difference else "–")
    assert nps["verdict"] in shown.text
    funnel = next(one for one in shown.all("svg", role="img") if "eligible:" in str(one.attributes["aria-label"]))
    said = str(funnel.attributes["aria-label"])
    assert f"eligible: {found['funnel']['eligible']:,} accounts" in said
    assert all(
        f"{found['funnel'][step]['yes']:,} of {found['funnel'][step]['of']:,}" in said for step in ("accepted", "done")
    )
    loops = [row.text for row in shown.one("table", id="loops").one("tbody").all("tr")]
    assert [row.split()[:2] for row in loops] == [
        [kind["kind"], amounts.percent(kind["closed"]["rate"])] for kind in found["closed_loop"]["kinds"]
    ]
    gaps = api(inside, "/v1/stories?top=10")["gaps"]
    assert gaps
    assert len(list(shown.one("table", id="gaps").one("tbody").all("tr"))) == len(gaps)
    quarter = page(inside, "/app/programme?days=90")
    assert amounts.percent(api(inside, "/v1/programme?days=90")["participation"]["rate"]) in quarter.text


def test_metrics_that_foretell_and_what_they_go_with_are_those_of_the_api(inside: Inside) -> None:
    asked = "/app/metrics?metric=nps_answer&points=5&cost=1000"
    shown = page(inside, asked)
    beacon = api(inside, "/v1/beacon?outcome=churn")["outcomes"]["churn"]
    assert beacon["headline"][1:] in shown.text
    rows = {
        str(row.attributes["data-metric"]): row.text
        for row in shown.one("table", id="tried").all("tr")
        if "data-metric" in row.attributes
    }
    tried = [one for one in beacon["metrics"] if one["found"] != "too few"]
    assert tried
    assert list(rows) == [one["metric"] for one in tried]
    for one in tried:
        for name in ("auc", "band", "lift"):
            interval = one[name]
            assert f"{interval['value']:.2f} {interval['low']:.2f} to {interval['high']:.2f}" in rows[one["metric"]]
        assert ("foretells" in rows[one["metric"]]) == one["beacon"]
    worth = api(inside, "/v1/worth")
    assert worth["metrics"]
    slopes = shown.one("table", id="slopes").text
    assert all(one["sentence"][1:] in slopes for one in worth["metrics"].values())
    assert "observational" in shown.text
    value = inside.ask("GET", "/v1/initiative?metric=nps_answer&points=5&cost=1000")
    if value.status_code == 200:
        found = value.json()
        assert amounts.number(found["expected"]) in shown.one("dl", id="value").text
        assert found["verdict"][1:] in shown.text
    else:
        assert value.json()["error"][1:] in shown.text, "why not, beside the form"
    chosen = [one for one in shown.all("option") if "selected" in one.attributes]
    assert "nps_answer" in [one.attributes["value"] for one in chosen], "the address fills in the form"


def test_calls_that_were_not_measured_say_so_beside_the_form(inside: Inside) -> None:
    shown = page(inside, "/app/metrics?metric=calls&cost=1000&points=&segment=&owner=")
    assert "has not been measured" in shown.text
    assert list(shown.all("select", name="metric"))


def test_hostile_names_are_text(inside: Inside) -> None:
    hostile = "<script>alert(1)</script>"
    for path in (f"/app/portfolio?country={quote(hostile)}", f"/app/metrics?outcome={quote(hostile)}"):
        until = time.monotonic() + LONG
        while (found := inside.ask("GET", path)).status_code == 202:
            assert time.monotonic() < until
        assert found.status_code == 404, found.text
        assert hostile not in found.text
        assert escaping.escape(hostile, quote=False)[:20] in found.text


def test_who_sees_some_accounts_alone_is_kept_out_and_not_led_there(inside: Inside, apart: Workspace) -> None:
    owner = next(one for one in inside.app.state.live.owners.values() if one)
    before = inside.app.state.protection
    _, key = Keys(Store(apart)).create("ann", "read", owner)
    web.protect(inside.app, apart, loopback=True)
    try:
        entered = inside.ask("POST", "/app/login", data={"key": key, "to": "/app/today"})
        assert entered.status_code == 303
        cookie = {"Cookie": entered.headers["set-cookie"].split(";")[0]}
        for path in PAGES:
            assert inside.ask("GET", path, headers=cookie).status_code == 403
        today = inside.ask("GET", "/app/today", headers=cookie)
        assert today.status_code == 200
        assert not {a.attributes["href"] for a in read(today.text).all("a")} & set(PAGES)
    finally:
        inside.app.state.protection = before
        with Store(apart).engine.begin() as connection:
            connection.execute(KEYS.delete())
