"""The list of the day as a page: the API's numbers, cut as the address says, and forms that write what they say."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Any

import pytest

from serving import amounts
from serving.web.html import day
from tests.serving.conftest import Inside
from tests.serving.pages.reading import Element, read


def page(inside: Inside, path: str = "/app/today", status: int = 200) -> Element:
    found = inside.page(path)
    assert found.status_code == status, found.text
    return read(found.text)


def api(inside: Inside, path: str) -> Any:
    return inside.ask("GET", path).raise_for_status().json()


def lines(found: Element) -> dict[str, Element]:
    return {row.attributes["data-account"] or "": row for row in found.all("tr") if "data-account" in row.attributes}


def test_every_number_is_that_of_the_api(inside: Inside) -> None:
    calls, shown = api(inside, "/v1/calls"), page(inside)
    rows = lines(shown)
    assert calls["lines"], "a list with nobody on it shows nothing"
    assert list(rows) == [line["account"] for line in calls["lines"]], "in the order of the list"
    for line in calls["lines"]:
        row = rows[line["account"]]
        told = [
            line["name"],
            amounts.percent(line["probability"]),
            amounts.between(line["low"], line["high"]),
            amounts.number(line["arr"]),
            amounts.days(line["days_to_renewal"]),
            amounts.number(line["worth"]),
            line["action"],
            *line["reasons"],
        ]
        assert [one for one in told if " ".join(one.split()) not in row.text] == [], line["account"]
    assert day(calls["as_of"]) in shown.text
    assert all(f"{count} {rule}" in shown.text for rule, count in calls["kept_back"].items())
    assert all(line["why_not"] in shown.text for line in calls["below"])


def test_a_page_is_shown_whole_whatever_is_said_to_be_known(inside: Inside) -> None:
    known = inside.ask("GET", "/app/today", headers={"If-None-Match": "*"})
    assert (known.status_code, len(lines(read(known.text)))) == (200, len(lines(page(inside))))


def test_the_address_holds_the_filter(inside: Inside) -> None:
    owner = next(line["owner"] for line in api(inside, "/v1/calls")["lines"] if line["owner"])
    cut = page(inside, f"/app/today?owner={owner}&segment=&country=&line_of_business=&capacity=300")
    wanted = [line["account"] for line in api(inside, f"/v1/calls?owner={owner}&capacity=300")["lines"]]
    assert wanted
    assert list(lines(cut)) == wanted
    assert list(lines(page(inside, "/app/today?capacity="))) == list(lines(page(inside))), "blank is as usual"
    chosen = [one.text for one in cut.all("option", selected="") if one.text != "All"] or [
        one.text for one in cut.all("option") if "selected" in one.attributes
    ]
    assert chosen == [owner], "and the form says what it is cut to"


@pytest.mark.parametrize("name", ["owner", "segment", "country", "line_of_business"])
def test_there_is_no_such(inside: Inside, name: str) -> None:
    refused = page(inside, f"/app/today?{name}=%3Cb%3Enobody", 404)
    assert "<b>nobody" in refused.one("h1").text, "named, as text"


def test_as_a_file_it_is_the_same_list(inside: Inside) -> None:
    answer = inside.ask("GET", "/app/today.csv?capacity=7")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(StringIO(answer.text.removeprefix("\ufeff"))))
    wanted = api(inside, "/v1/calls?capacity=7")["lines"]
    assert [(row["account"], row["probability"]) for row in rows] == [
        (line["account"], repr(line["probability"])) for line in wanted
    ]


def test_every_field_has_a_label_and_every_writing_form_a_token(inside: Inside) -> None:
    shown = page(inside)
    labelled = {id(field) for label in shown.all("label") for field in (*label.all("input"), *label.all("select"))}
    named = {label.attributes.get("for") for label in shown.all("label")}
    fields = [
        one
        for one in (*shown.all("input"), *shown.all("select"))
        if one.attributes.get("type") != "hidden" and one.attributes.get("id") not in named
    ]
    assert [one.attributes for one in fields if id(one) not in labelled] == []
    forms = list(shown.all("form", method="post"))
    assert forms
    assert all(any(one.attributes.get("name") == "token" for one in form.all("input")) for form in forms)


def send(inside: Inside, form: Element, status: int = 303, **filled: str) -> Any:
    """Send a form as a browser would, with these fields filled in."""
    fields = {one.attributes["name"]: one.attributes.get("value") or "" for one in form.all("input")}
    assert set(filled) <= set(fields), f"the form has {sorted(map(str, fields))}"
    answer = inside.ask(
        "POST",
        form.attributes["action"] or "",
        data=fields | filled,
        headers={"sec-fetch-site": "same-origin"},
    )
    assert answer.status_code == status, answer.text
    return answer


def form(row: Element, action: str) -> Element:
    return row.one("form", action=action)


def test_a_call_is_logged_and_leaves_the_list_once(inside: Inside) -> None:
    shown = lines(page(inside))
    account, row = next(iter(shown.items()))
    log = form(row, "/app/calls")
    answer = send(inside, log, outcome="will renew", by="ann")
    assert answer.headers["location"] == "/app/today"
    send(inside, log, outcome="will renew", by="ann")
    entries = [one for one in api(inside, "/v1/log?about=outreach")["entries"] if one["account"] == account]
    assert sorted((one["event"], one["value"], one["by"]) for one in entries) == [
        ("done", None, "ann"),
        ("outcome", "will renew", "ann"),
    ], "sent twice, written once"
    assert account not in lines(page(inside))


def test_a_call_is_put_off_then_made(inside: Inside) -> None:
    account, row = next(iter(lines(page(inside)).items()))
    send(inside, form(row, "/app/calls/later"), day="2026-12-24", by="ann")
    planned = page(inside)
    [one] = [one for one in api(inside, "/v1/calls")["planned"] if one["account"] == account]
    assert one["planned"] == "2026-12-24"
    assert "24 Dec 2026" in lines(planned)[account].text
    send(inside, form(lines(planned)[account], "/app/calls"), outcome="no answer", by="bob")
    assert account not in lines(page(inside))
    assert {
        entry["thing"] for entry in api(inside, "/v1/log?about=outreach")["entries"] if entry["account"] == account
    } == {one["touch"]}, "the touch that was planned is the one that was done"


def test_somebody_disagrees(inside: Inside) -> None:
    account, row = next(iter(lines(page(inside)).items()))
    send(inside, form(row, "/app/scores/disagree"), percent="80", why="their board said so", by="ann")
    [said] = api(inside, f"/v1/accounts/{account}/overrides")["overrides"]
    assert (said["probability"], said["why"], said["by"]) == (0.8, "their board said so", "ann")


@pytest.mark.parametrize(("field", "wrong"), [("percent", "101"), ("percent", "nan"), ("why", "")])
def test_what_a_form_cannot_mean_is_refused(inside: Inside, field: str, wrong: str) -> None:
    account, row = next(iter(lines(page(inside)).items()))
    filled = {"percent": "80", "why": "so", "by": "eve"} | {field: wrong}
    refused = read(send(inside, form(row, "/app/scores/disagree"), 400, **filled).text)
    assert field in refused.one("h1").text
    assert not [one for one in api(inside, f"/v1/accounts/{account}/overrides")["overrides"] if one["by"] == "eve"]


def test_a_list_is_written_down_once(inside: Inside) -> None:
    shown = page(inside)
    plan = shown.one("form", action="/app/calls/plan")
    send(inside, plan, by="ann")
    before = api(inside, "/v1/log")["entries"]
    assert read(inside.ask("GET", "/app/today", headers={"cookie": "propensity_said=again"}).text).one(
        "p", class_="note good"
    )
    send(inside, plan, by="ann")
    assert api(inside, "/v1/log")["entries"] == before
    planned = [one["account"] for one in api(inside, "/v1/calls")["planned"]]
    assert set(lines(shown)) >= set(planned) > set(), "who was on the list is to be called"
