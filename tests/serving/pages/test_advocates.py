"""Whom to ask as a page: the API's numbers a piece at a time, every block with its rule and day, and asks that are written."""

from __future__ import annotations

import csv
from io import StringIO
from threading import Event
from typing import Any

import pytest

from features.workspace import Workspace
from serving import amounts
from serving.endpoints import situation_of
from serving.pages import advocates as of_page
from serving.web.html import day
from serving.web.live import Live
from serving.work.asking import Situation
from tests.serving.conftest import Inside
from tests.serving.pages.reading import Element, read
from training.charts import stories, svg

PAGE = "/app/advocates"


@pytest.fixture(scope="module", autouse=True)
def known(inside: Inside) -> None:
    """Who says yes is learnt once; the page does not wait for it."""
    situation_of(inside.app.state.live, seconds=600)


def api(inside: Inside, path: str) -> Any:
    return inside.ask("GET", path).raise_for_status().json()


def page(inside: Inside, path: str = PAGE, status: int = 200) -> Element:
    found = inside.page(path)
    assert found.status_code == status, found.text
    return read(found.text)


def part(shown: Element, name: str) -> Element:
    """The section under a heading."""
    return shown.one("section", aria_labelledby=name)


def rows(found: Element, what: str = "account") -> dict[str, Element]:
    told = f"data-{what}"
    return {row.attributes[told] or "": row for row in found.all("tr") if told in row.attributes}


def follow(shown: Element, name: str, words: str) -> str:
    """Where a link of a section leads."""
    return next(one.attributes["href"] or "" for one in part(shown, name).all("a") if words in one.text).split("#")[0]


def test_who_may_be_asked_is_the_api_s_least_effort_first(inside: Inside) -> None:
    told = api(inside, f"/v1/advocates?sort=least%20effort&top={of_page.EACH}&blocked=false")
    found = rows(part(page(inside), "may"))
    assert told["lines"]
    assert list(found) == [one["account"] for one in told["lines"]]
    assert [one["effort"] for one in told["lines"]] == sorted(one["effort"] for one in told["lines"])
    for one in told["lines"]:
        wanted = [
            one["name"], one["kind"], one["contact"], one["role"], amounts.percent(one["accepts"]),
            amounts.between(one["low"], one["high"]), amounts.percent(one["probability"]), f"{one['left']} of",
        ]  # fmt: skip
        assert [words for words in wanted if words not in found[one["account"]].text] == [], one


def test_every_page_of_who_may_not_names_rules_and_days_and_together_they_are_all(inside: Inside) -> None:
    shown = page(inside)
    seen: dict[str, Any] = {}
    told = {one["account"]: one for one in api(inside, "/v1/advocates/blocked?top=10000")["lines"]}
    while True:
        here = rows(part(shown, "maynot"))
        assert not here.keys() & seen.keys()
        seen |= here
        if not any("after" in one.text for one in part(shown, "maynot").all("a")):
            break
        shown = page(inside, follow(shown, "maynot", "after"))
    assert list(seen) == list(told), "whoever clears first is first"
    assert len(told) > of_page.EACH, "more than one page"
    for account, one in told.items():
        text = seen[account].text
        for objection in one["objections"]:
            assert f"{objection['rule']} {' '.join(objection['words'].split())}" in text
            assert (f"clears {day(objection['clears'])}" if objection["clears"] else "until it is settled") in text


@pytest.mark.parametrize("rule", ["tenure", "nobody to ask"])
def test_it_is_cut_by_rule(inside: Inside, rule: str) -> None:
    told = api(inside, f"/v1/advocates/blocked?rule={rule}&top={of_page.EACH}")
    found = rows(part(page(inside, f"{PAGE}?rule={rule}"), "maynot"))
    assert told["count"] == told["rules"][rule] == api(inside, "/v1/advocates/blocked")["rules"][rule]
    assert list(found) == [one["account"] for one in told["lines"]] != []


def test_it_is_cut_by_owner_and_by_kind(inside: Inside) -> None:
    line = api(inside, "/v1/advocates?blocked=false")["lines"][0]
    cut = page(inside, f"{PAGE}?owner={line['owner']}&kind={line['kind']}&rule=&account=&sort=likeliest")
    told = api(inside, f"/v1/advocates?owner={line['owner']}&kind={line['kind']}&top=25&blocked=false")
    assert list(rows(part(cut, "may"))) == [one["account"] for one in told["lines"]]
    assert {(one["owner"], one["kind"]) for one in told["lines"]} == {(line["owner"], line["kind"])}


def test_as_a_file_it_is_the_same_and_no_cell_is_a_formula(inside: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    def as_file(query: str) -> list[dict[str, str]]:
        answer = inside.ask("GET", f"{PAGE}.csv?{query}")
        assert answer.headers["content-type"].startswith("text/csv")
        return list(csv.DictReader(StringIO(answer.text.removeprefix("\ufeff"))))

    may, may_not = as_file("kind=review"), as_file("which=may%20not&rule=tenure")
    wanted = api(inside, "/v1/advocates?kind=review&top=10000&sort=least%20effort&blocked=false")["lines"]
    assert [(one["account"], one["accepts"]) for one in may] == [(w["account"], repr(w["accepts"])) for w in wanted]
    blocked = api(inside, "/v1/advocates/blocked?rule=tenure&top=10000")["lines"]
    assert [(one["account"], one["clears"]) for one in may_not] == [(w["account"], w["clears"] or "") for w in blocked]
    assert all("tenure" in one["rules"] for one in may_not)
    named = {"lines": [wanted[0] | {"name": "=cmd|' /C calc'!A0"}], "as_of": "2026-06-30"}
    monkeypatch.setattr(of_page, "_may", lambda *_: named)
    assert as_file("")[0]["name"] == "'=cmd|' /C calc'!A0"


def send(inside: Inside, form: Element, status: int = 303, **filled: str) -> Any:
    """Send a form as a browser would."""
    fields = {one.attributes["name"]: one.attributes.get("value") or "" for one in form.all("input")}
    for one in form.all("select"):
        there = list(one.all("option"))
        chosen = next((each for each in there if "selected" in each.attributes), there[0])
        fields[one.attributes["name"]] = chosen.text
    assert set(filled) <= set(fields), f"the form has {sorted(map(str, fields))}"
    answer = inside.ask(
        "POST", form.attributes["action"] or "", data=fields | filled, headers={"sec-fetch-site": "same-origin"}
    )
    assert answer.status_code == status, answer.text
    return answer


def test_an_ask_is_logged_once_accepted_and_done(inside: Inside) -> None:
    may = rows(part(page(inside), "may"))
    account, row = next(iter(may.items()))
    form = row.one("form", action="/app/asks")
    assert send(inside, form, by="ann").headers["location"] == PAGE
    send(inside, form, by="ann")
    [asked] = [one for one in api(inside, "/v1/log?about=ask")["entries"] if one["account"] == account]
    assert asked["contact"] in row.text
    shown = page(inside)
    assert account not in rows(part(shown, "may"))
    [waiting] = rows(part(shown, "open"), "ask").values()
    assert api(inside, "/v1/asks/open?logged=true")["lines"][0]["ask"] == asked["thing"]
    accepted = next(
        one for one in waiting.all("form") if one.one("input", name="event").attributes["value"] == "accepted"
    )
    send(inside, accepted, by="ann")
    [waiting] = rows(part(page(inside), "open"), "ask").values()
    assert "accepted" in waiting.text
    send(inside, waiting.one("form"), by="ann")
    assert [one["event"] for one in api(inside, f"/v1/log?about=ask&account={account}")["entries"]] == [
        "done", "accepted", "asked",
    ]  # fmt: skip
    assert "open" not in {one.attributes.get("aria-labelledby") for one in page(inside).all("section")}


def test_who_may_not_be_asked_is_refused_by_name_of_the_rule_and_with_the_day(inside: Inside) -> None:
    line = next(one for one in api(inside, "/v1/advocates/blocked")["lines"] if one["clears"])
    one = part(page(inside, f"{PAGE}?account={line['account']}"), "one")
    assert f"may not be asked before {day(line['clears'])}" in one.text
    assert all(each["rule"] in one.text for each in line["objections"])
    form = next(iter(rows(part(page(inside), "may")).values())).one("form", action="/app/asks")
    refused = read(send(inside, form, 409, account=line["account"], contact="", by="ann").text)
    assert all(each["words"] in refused.one("h1").text for each in line["objections"])
    assert line["clears"] in refused.text
    assert "no account" in part(page(inside, f"{PAGE}?account=nobody"), "one").text.lower()


def test_stories_are_those_of_the_api_and_the_chart_has_them(inside: Inside) -> None:
    told = api(inside, f"/v1/stories?top={of_page.GAPS}")
    shown = part(page(inside), "stories")
    assert told["gaps"]
    assert [row.text for row in shown.all("th", scope="row")] == [", ".join(gap["story"]) for gap in told["gaps"]]
    for gap in told["gaps"]:
        assert all(one["name"] in shown.text for one in gap["candidates"])
    assert shown.one("svg", role="img").attributes["aria-label"]
    [bars] = stories.gaps(told["gaps"]).to_dict()["datasets"].values()
    assert sum(one["value"] for one in bars) == pytest.approx(sum(gap["value"] for gap in told["gaps"]))
    assert "style=" not in svg(stories.gaps(told["gaps"]), "stories")


def test_while_it_is_worked_out_the_page_says_so_and_looks_again(
    inside: Inside, apart: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, made = Event(), Situation.of

    def of(workspace: Workspace) -> Situation:
        assert go_on.wait(60)
        return made(workspace)

    monkeypatch.setattr(Situation, "of", of)
    monkeypatch.setitem(inside.app.state._state, "live", Live.load(apart))
    answer = inside.ask("GET", PAGE)
    assert (answer.status_code, "refresh" in answer.headers) == (202, True)
    assert "being computed" in read(answer.text).one("main").text
    go_on.set()
    situation_of(inside.app.state.live, seconds=600)


def test_a_name_that_attacks_is_text(inside: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    attack = "<script>alert(1)</script>\"' \u202e" + "x" * 200
    told = api(inside, "/v1/advocates?top=1&blocked=false")
    named = told | {"lines": [told["lines"][0] | {"name": attack, "account": "a/<b>", "contact": attack}]}
    monkeypatch.setattr(of_page, "_may", lambda *_: named)
    [row] = rows(part(page(inside), "may")).values()
    assert attack in row.one("a").text
    assert row.one("a").attributes["href"] == "/app/accounts/a%2F%3Cb%3E"
    assert not list(row.all("script"))
