"""The pages of one account and the search: the API's numbers, as of the day that the address says, of those one may see."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date
from typing import Any
from urllib.parse import quote

import pytest

from features.errors import PropensityError
from features.workspace import Workspace
from serving import amounts
from serving.pages import account as account_page
from serving.stores.keys import KEYS, Keys
from serving.stores.store import NAMES, Store
from serving.web import application as web
from serving.web import html
from serving.web.html import day
from serving.web.reception import COOKIE
from serving.work.asking import Situation
from serving.work.search import Book, Hit
from tests.serving.conftest import Inside
from tests.serving.pages.reading import Element, read

PAGES = ("accounts", "signals", "timeline", "what-if", "history")
READ = ("signals", "people", "timeline", "history", "levers")
LIMIT = 300_000


def page(inside: Inside, path: str, status: int = 200) -> Element:
    found = inside.page(path)
    assert found.status_code == status, found.text
    assert len(found.content) < LIMIT, path
    return read(found.text)


def api(inside: Inside, path: str) -> Any:
    return inside.ask("GET", path).raise_for_status().json()


@pytest.fixture(scope="module")
def account(apart: Workspace) -> str:
    """The one with the highest risk."""
    return Store(apart).top("churn", 1)[0].account


@pytest.fixture(scope="module")
def earlier(inside: Inside, account: str) -> str:
    """The first date as of which there are signals of it."""
    first: str = api(inside, f"/v1/accounts/{account}/signals")["dates"][0]
    return first


def marked(found: Element, name: str) -> dict[str, Element]:
    return {one.attributes[name] or "": one for one in found.all() if name in one.attributes}


# What was known by a day


def test_an_age_is_that_of_the_newest_fact(inside: Inside, apart: Workspace) -> None:
    """As days since the last of them say, where there is such a signal beside the count."""
    checked = 0
    for score in Store(apart).top("churn", 12):
        told = api(inside, f"/v1/accounts/{score.account}/signals")
        found = {one["name"]: one for one in told["signals"]}
        assert len(found) == len(told["signals"])
        assert set(told["sources"]) == {table for one in told["signals"] for table in one["tables"]}
        for since, beside in (("tickets_recency", "tickets_opened_90d"), ("touches_recency", "touches_90d")):
            value = found[since]["value"]
            age = None if value is None else math.floor(value)
            assert (found[since]["age_days"], found[beside]["age_days"]) == (age, age), score.account
            checked += value is not None
        assert found["industry"]["age_days"] is None
    assert checked > 5


def test_signals_are_those_of_the_date(inside: Inside, account: str, earlier: str) -> None:
    now, then = (api(inside, f"/v1/accounts/{account}/signals{asked}") for asked in ("", f"?as_of={earlier}"))
    assert then["as_of"] == earlier < now["as_of"] == now["dates"][-1]
    assert [one["name"] for one in then["signals"]] == [one["name"] for one in now["signals"]]
    assert then["signals"] != now["signals"]
    end = date.fromisoformat(earlier)
    assert all(date.fromisoformat(one["newest"][:10]) <= end for one in then["signals"] if one["newest"])
    other = inside.ask("GET", f"/v1/accounts/{account}/signals?as_of=2026-06-29")
    assert other.status_code == 409
    assert earlier in other.json()["error"]


def test_nobody_is_there_and_nothing_happened_before_it_was_known(
    inside: Inside, apart: Workspace, earlier: str
) -> None:
    fewer = 0
    for score in Store(apart).top("churn", 8):
        people, then = (
            api(inside, f"/v1/accounts/{score.account}/people{asked}") for asked in ("", f"?as_of={earlier}")
        )
        events, before = (
            api(inside, f"/v1/accounts/{score.account}/timeline?top=10000{asked}")
            for asked in ("", f"&as_of={earlier}")
        )
        assert {one["contact"] for one in then["people"]} <= {one["contact"] for one in people["people"]}
        assert all(one["joined"] is None or one["joined"][:10] <= earlier for one in then["people"])
        assert all(one["last_used"] is None or one["last_used"][:10] <= earlier for one in then["people"])
        assert all(one["at"][:10] <= earlier for one in before["events"])
        assert [one["at"] for one in events["events"]] == sorted((one["at"] for one in events["events"]), reverse=True)
        shares = [one["usage_share"] for one in people["people"] if one["usage_share"] is not None]
        assert not shares or math.isclose(sum(shares), 1)
        assert sum(people["roles"].values()) == sum(one["left"] is None for one in people["people"])
        fewer += len(before["events"]) < len(events["events"])
    assert fewer == 8


# Pages


def test_who_may_be_asked_is_not_waited_for(inside: Inside, account: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Learning it takes seconds after a change of the data; the rest of the account is there at once."""

    def working(*_: object) -> Situation:
        raise PropensityError("this is being worked out", "Ask again in a minute or two.", status=503)

    monkeypatch.setattr(account_page, "situation_of", working)
    shown = page(inside, f"/app/accounts/{account}")
    assert "being worked out" in shown.one("section", id="next").text
    assert marked(shown, "data-outcome")


def test_the_overview_has_the_numbers_of_the_api(inside: Inside, account: str) -> None:
    objections = api(inside, f"/v1/accounts/{account}/eligibility")["objections"]  # waits until it is known
    shown = page(inside, f"/app/accounts/{account}")
    tiles = marked(shown, "data-outcome")
    for one in api(inside, f"/v1/accounts/{account}/scores")["scores"]:
        if "probability" in one:
            told = (amounts.percent(one["probability"]), amounts.between(one["low"], one["high"]))
            assert all(said in tiles[one["outcome"]].text for said in told)
    assert api(inside, f"/v1/accounts/{account}/state")["state"] in shown.one("dl", class_="tiles").text
    why = shown.one("section", id="why").text
    strongest = api(inside, f"/v1/accounts/{account}/explain?outcome=churn")["features"][:8]
    assert [one["text"] for one in strongest if " ".join(one["text"].split()) not in why] == []
    assert "no earlier score" in shown.one("section", id="moved").text, "and what to do"
    assert "no retention curve" in shown.one("section", id="curve").text
    people = marked(shown, "data-contact")
    assert set(people) == {one["contact"] for one in api(inside, f"/v1/accounts/{account}/people")["people"]}
    happened = shown.one("section", id="timeline").text
    assert all(one["words"] in happened for one in api(inside, f"/v1/accounts/{account}/timeline?top=12")["events"])
    assert all(one["words"] in shown.one("section", id="next").text for one in objections)


def test_on_another_day_it_is_what_was_known_then(inside: Inside, account: str, earlier: str) -> None:
    shown = page(inside, f"/app/accounts/{account}?as_of={earlier}")
    assert "had not been scored by then" in shown.text
    assert f"known by the end of {day(earlier)}" in shown.text
    then = api(inside, f"/v1/accounts/{account}/people?as_of={earlier}")["people"]
    assert set(marked(shown, "data-contact")) == {one["contact"] for one in then}
    assert not list(shown.all("section", id="moved"))
    assert page(inside, f"/app/accounts/{account}?as_of=").text == page(inside, f"/app/accounts/{account}").text
    page(inside, f"/app/accounts/{account}?as_of=2026-02-30", 400)


def test_every_signal_is_on_its_page(inside: Inside, account: str, earlier: str) -> None:
    told = api(inside, f"/v1/accounts/{account}/signals?as_of={earlier}")
    shown = page(inside, f"/app/signals/{account}?as_of={earlier}")
    rows = [[cell.text for cell in row.all("td")] for row in shown.all("tr")]
    wanted = [
        [" ".join(one["text"].split()), amounts.days(one["age_days"]), ", ".join(one["tables"])]
        for one in told["signals"]
    ]
    assert sorted(row for row in rows if row) == sorted(wanted)
    assert [one.text for one in shown.all("option")] == [day(one) for one in reversed(told["dates"])]
    found = page(inside, f"/app/signals/{account}?find=RENEWAL")
    assert 0 < len(list(found.all("tr"))) < len(rows) / 4
    assert "there are as of" in page(inside, f"/app/signals/{account}?as_of=2026-06-29").text


def test_what_if_by_its_address(inside: Inside, account: str) -> None:
    empty = page(inside, f"/app/what-if/{account}")
    levers = {one["name"]: one for one in api(inside, f"/v1/accounts/{account}/levers")["outcomes"]["churn"]}
    assert set(levers) <= {one.attributes["name"] for one in empty.all("input", type="number")}
    lever = levers["touches"]
    value = lever["high"] if lever["now"] != lever["high"] else lever["low"]
    asked = {"outcome": "churn", "changes": {"touches": value}}
    told = inside.ask("POST", f"/v1/accounts/{account}/what-if", json=asked).json()
    shown = marked(page(inside, f"/app/what-if/{account}?touches={value:g}&tickets_open="), "data-outcome")["churn"]
    if "error" in told:
        assert told["hint"] in shown.text
    else:
        [one] = told["outcomes"]
        assert all(amounts.percent(one[when]["probability"]) in shown.text for when in ("before", "after"))
        assert one["what"] in shown.text
    far = page(inside, f"/app/what-if/{account}?touches=1e9").text
    assert "in training it was between" in far
    assert "is 'many'" in page(inside, f"/app/what-if/{account}?touches=many", 400).text
    page(inside, f"/app/what-if/{account}?luck=1", 400)


def test_scores_and_each_made_again(inside: Inside, apart: Workspace, account: str) -> None:
    told = api(inside, f"/v1/accounts/{account}/history")
    stored = Store(apart).history(account, "churn")
    assert [one["score_id"] for one in told["outcomes"]["churn"]] == [one.score_id for one in stored]
    assert all(one["replayable"] for one in told["outcomes"]["churn"])
    rows = marked(page(inside, f"/app/history/{account}"), "data-score")
    for one in (one for scores in told["outcomes"].values() for one in scores):
        row = rows[one["score_id"]]
        assert row.attributes["data-probability"] == repr(one["probability"])
        assert f"version {one['model_version']}" in row.text
    assert "bit for bit" in page(inside, f"/app/history/{account}?replay={stored[0].score_id}").text
    other = Store(apart).top("churn", 2)[1].score_id
    page(inside, f"/app/history/{account}?replay={other}", 404)


def test_a_command_in_a_hint_is_code_and_everything_else_is_text() -> None:
    assert html.told("Say `propensity <b>`; or <i>wait` a day.") == (
        "Say <code>propensity &lt;b&gt;</code>; or &lt;i&gt;wait` a day."
    )
    assert html.told(None) == ""


def test_what_is_written_down_is_open_until_it_is_over(inside: Inside, account: str) -> None:
    body = {"account": account, "kind": "workshop <b>", "by": "ann"}
    touch = inside.ask("POST", "/v1/outreach", json=body).raise_for_status().json()["entries"][0]["thing"]
    shown = page(inside, f"/app/accounts/{account}")
    assert "Planned a touch: workshop <b>" in shown.one("section", id="next").text
    assert "Planned a touch: workshop <b>" in page(inside, f"/app/timeline/{account}").text
    inside.ask("POST", f"/v1/outreach/{touch}/done", json={"by": "ann"}).raise_for_status()
    assert "workshop" not in page(inside, f"/app/accounts/{account}").one("section", id="next").text
    ahead = inside.ask("POST", "/v1/outreach", json=body | {"kind": "visit", "at": "2100-01-01"}).raise_for_status()
    assert "visit" in page(inside, f"/app/accounts/{account}").one("section", id="next").text
    early = f"/v1/outreach/{ahead.json()['entries'][0]['thing']}/done"
    inside.ask("POST", early, json={"by": "ann"}).raise_for_status()
    assert "visit" not in page(inside, f"/app/accounts/{account}").one("section", id="next").text, "done before its day"
    yesterday = api(inside, f"/v1/accounts/{account}/timeline?as_of=2026-06-30&top=10000")
    assert touch not in {one["id"] for one in yesterday["events"]}, "it was not known then"


@pytest.mark.parametrize("path", PAGES)
def test_nobody_of_that_id(inside: Inside, path: str) -> None:
    assert "<b>no/body" in page(inside, f"/app/{path}/{quote('<b>no/body', safe='')}", 404).one("h1").text


# Search


def test_the_closest_is_found_first() -> None:
    names = ["Old Acme", "Acme Süd", "ACME", "Xacmex", "\u202eÁcme\u202c Nord", "Other"]
    book = Book.of((Hit(f"id-{place}", name), [name, f"id-{place}"]) for place, name in enumerate(names))
    found = book.find("  áCMe ", 10, lambda _: True)
    assert [hit.name for hit in found.first] == ["ACME", names[4], "Acme Süd", "Old Acme", "Xacmex"]
    assert found.found == 5
    assert [hit.name for hit in book.find("sud", 10, lambda _: True).first] == ["Acme Süd"]
    assert [hit.account for hit in book.find("ID-5", 10, lambda _: True).first] == ["id-5"]
    few = book.find("acme", 2, lambda account: account != "id-2")
    assert ([hit.name for hit in few.first], few.found) == ([names[4], "Acme Süd"], 4)
    for nothing in ("\u202e", " ", "%", "_", "a\nb", ".*"):
        assert book.find(nothing, 10, lambda _: True).found == 0, repr(nothing)


def test_accounts_by_name_and_id_and_contacts_lead_to_their_account(inside: Inside, account: str) -> None:
    name = api(inside, f"/v1/accounts/{account}/history")["name"]
    contact = api(inside, f"/v1/accounts/{account}/people")["people"][0]["contact"]
    for asked in (name.upper(), account):
        assert next(iter(marked(page(inside, f"/app/search?q={quote(asked)}"), "data-account"))) == account
    row = next(iter(marked(page(inside, f"/app/search?q={quote(contact)}"), "data-contact").values()))
    assert row.text.startswith(contact)
    assert next(row.all("a")).attributes["href"] == f"/app/accounts/{account}#people"
    many = api(inside, "/v1/search?q=a&top=3")
    assert (len(many["accounts"]), many["accounts_found"] > 100) == (3, True)
    assert "Type a part" in page(inside, "/app/search").text
    for nothing in ("'; DROP TABLE names; --", "<script>alert(1)</script>", "%25%00"[:3], "\u202e"):
        shown = page(inside, f"/app/search?q={quote(nothing)}")
        assert "Nothing that you may see" in shown.text
        assert not [one for one in shown.all("script") if "src" not in one.attributes]
    page(inside, f"/app/search?q={'a' * 201}", 400)


def test_a_name_that_attacks_is_text(inside: Inside, apart: Workspace, account: str) -> None:
    attack = "</h1><script>alert('x')</script>\" onload=\"x\u202e{{7*7}}" + "W" * 160
    with Store(apart).engine.begin() as connection:
        connection.execute(NAMES.update().where(NAMES.c.account == account).values(name=attack))
    for path in PAGES:
        shown = page(inside, f"/app/{path}/{account}")
        assert " ".join(attack.split()) in shown.one("h1").text
        assert not [one for one in shown.all("script") if "src" not in one.attributes]


@pytest.fixture
def limited(inside: Inside, apart: Workspace, account: str) -> Iterator[tuple[str, str]]:
    """A key for the accounts of one owner, and an account of another."""
    owners = inside.app.state.live.owners
    other = next(one for one, owner in owners.items() if owner not in (None, owners[account]))
    _, secret = Keys(Store(apart)).create("ann", "read", owners[account])
    before = inside.app.state.protection
    web.protect(inside.app, apart, loopback=True)
    yield secret, other
    inside.app.state.protection = before
    with Store(apart).engine.begin() as connection:
        connection.execute(KEYS.delete())


def test_a_key_of_one_owner_sees_theirs_alone(inside: Inside, account: str, limited: tuple[str, str]) -> None:
    key, other = limited
    reception = inside.app.state.protection.reception
    session = {"cookie": f"{COOKIE}={reception.begin(reception.by_key(key), None)}"}
    for path in (f"/app/{one}/{{}}" for one in PAGES):
        assert inside.ask("GET", path.format(account), headers=session).status_code == 200, path
        assert inside.ask("GET", path.format(other), headers=session).status_code == 404, path
    for path in (f"/v1/accounts/{{}}/{one}" for one in READ):
        assert inside.ask("GET", path.format(account), key).status_code == 200, path
        assert inside.ask("GET", path.format(other), key).status_code == 404, path
    assert f"/app/accounts/{other}" not in inside.ask("GET", f"/app/search?q={quote(other)}", headers=session).text
    owner = inside.app.state.live.owners[account]
    found = inside.ask("GET", "/v1/search?q=a&top=100", key).json()
    assert {one["owner"] for one in (*found["accounts"], *found["contacts"])} == {owner}
    assert found["accounts_found"] == list(inside.app.state.live.owners.values()).count(owner)
    assert inside.ask("GET", f"/v1/search?q={quote(other)}", key).json()["accounts"] == []
