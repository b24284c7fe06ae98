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
    found = inside.ask("GET", path)
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


def test_the_address_holds_the_filter(inside: Inside) -> None:
    owner = next(line["owner"] for line in api(inside, "/v1/calls")["lines"] if line["owner"])
    cut = page(inside, f"/app/today?owner={owner}&segment=&country=&line_of_business=&capacity=300")
    wanted = [line["account"] for line in api(inside, f"/v1/calls?owner={owner}&capacity=300")["lines"]]
    assert wanted
    assert list(lines(cut)) == wanted
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
