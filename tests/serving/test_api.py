"""The API as its OpenAPI document tells it: every example of it is run, and what is written is written once."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import threading
import warnings
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import numpy as np
import pytest
import sqlalchemy as sa
from fastapi import FastAPI

from features import frame
from features.errors import PropensityError
from features.workspace import FILE, Workspace, load
from serving.endpoints import account
from serving.endpoints import beacon as beacon_endpoint
from serving.scores import batch
from serving.scores.overrides import overrides
from serving.scores.score import Score
from serving.stores import once
from serving.stores.keys import Key
from serving.stores.log import Entry, Log
from serving.stores.once import REQUESTS
from serving.stores.store import Store
from serving.web import application as web
from serving.web import book, freshness
from serving.web.backroom import BackRoom
from serving.web.kept import MOST, Kept
from serving.work import states as found_by
from serving.work.advocates import advocates
from serving.work.alerts import alerts
from serving.work.asking import Situation
from serving.work.outreach import outreach
from serving.work.portfolio import portfolio
from serving.work.states import continuum
from serving.work.stories import stories
from serving.work.writing import touch
from tests.serving import inside
from training import hazard, retention
from training.backtest import backtest
from training.dataset import Encoder, dataset
from training.hazard import Lives
from training.registry import Registry
from training.worth import worth

EARLIER = date(2026, 4, 30)
PATIENCE = 240
NOW = "2026-07-01T09:30:00Z"


@pytest.fixture(scope="module")
def company(served: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """With an earlier batch, a second version of churn, a retention curve, and the likeliest tenth at risk."""
    root = Path(shutil.copytree(served.root, tmp_path_factory.mktemp("api") / "company"))
    store = Store(served)
    risks = sorted(score.probability for score in store.top("churn", store.require_shown("churn").rows))
    with (root / FILE).open("a", encoding="utf-8") as config:
        config.write(f"\n[asks]\nrisk = {risks[-len(risks) // 10]!r}\n")
    here = load(root)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow uses what SQLAlchemy has deprecated; none of it is ours
        batch.score(here, EARLIER)
        _register_again(here)
        _keep_a_curve(here)
        backtest(here, "churn", most=1)
    return here


def _register_again(workspace: Workspace) -> None:
    registry = Registry(workspace)
    registry.versions("churn")  # points MLflow here
    first = registry.client.get_model_version("churn", "1")
    registry.client.create_model_version("churn", first.source, first.run_id, tags=dict(first.tags))


def _keep_a_curve(workspace: Workspace) -> None:
    rows = dataset(workspace, "churn")
    encoder = Encoder.fitted(rows.frame, rows.plan)
    lives = Lives((60,), np.ones((len(rows), 1), dtype=bool), (rows.y == 1).reshape(-1, 1))
    facts = {"meanings": rows.plan.meanings}
    dates = len(set(rows.as_of.tolist()))
    retention.keep(
        workspace, hazard.fit(encoder.matrix(rows.frame), lives, rows.accounts, dates, encoder, 7, 2, facts), []
    )


@pytest.fixture(scope="module")
def app(company: Workspace) -> FastAPI:
    return inside.application(company)


@pytest.fixture(scope="module")
def api(app: FastAPI) -> Iterator[httpx.Client]:
    with inside.client(app) as client:
        yield client


@pytest.fixture(scope="module")
def scored(company: Workspace) -> list[Score]:
    """Accounts that have scores of both outcomes, by their churn."""
    store = Store(company)
    both = {score.account for score in store.top("advocacy", 10_000)}
    return [score for score in store.top("churn", 10_000) if score.account in both]


def well(answer: httpx.Response, *statuses: int) -> Any:
    assert answer.status_code in (statuses or (200,)), answer.text
    lines = answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()] if lines else answer.json()


def refused(answer: httpx.Response, status: int) -> str:
    told = well(answer, status)
    assert told.keys() == {"error", "hint", "status"}
    assert (told["status"], bool(told["error"]), bool(told["hint"])) == (status, True, True)
    return str(told["error"])


# Every example of the document

DOCUMENT = web.application().openapi()
OPERATIONS = [(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods]
IDS = ("account-0000042", "account-0000043", "3f9c0d1e2b4a5f607182", "t-3f9c0d1e2b4a")
"""What stands in the examples for ids that a workspace has."""


def prepared(company: Workspace, app: FastAPI, path: str, scored: list[Score]) -> dict[str, str]:
    """Example id → one that there is, in a state in which what the path does can be done."""
    one, other, log = scored[0], scored[1], Log(company)
    found = dict(zip(IDS, (one.account, other.account, one.score_id, ""), strict=True))
    at = company_day(company)
    if path.startswith("/v1/outreach/"):
        [made] = touch(one.account, "ann", path, at=at)
        later = [Entry("outreach", made.thing, "done", one.account, at, "ann")] if path.endswith("outcome") else []
        log.add([made, *later])
        found[IDS[3]] = made.thing
    if path == "/v1/asks":
        found[IDS[0]] = next(
            line.account for line in advocates(Situation.of(company), 300).asked if line.kind == "review"
        )
    if path.startswith("/v1/asks/{ask}"):  # an id may have a slash in it
        thing = f"k-{path[-8:]}"
        asked = Entry("ask", thing, "asked", scored[-1].account, at, "ann", "somebody", "review")
        log.add(
            [asked, *([Entry("ask", thing, "accepted", asked.account, at, "ann")] if path.endswith("/done") else [])]
        )
        found[IDS[3]] = thing
    if path.startswith("/v1/alerts/"):
        thing = f"a-{path[-8:]}"
        log.add([Entry("alert", thing, "raised", one.account, at, "propensity", None, "silent", "a fact")])
        found[IDS[3]] = thing
    if path.endswith("/rollback"):
        registry = Registry(company)
        if registry.require_champion("churn").number == 1:
            with inside.client(app) as client:
                force = {"version": 2, "force": True, "why": "to go back from", "by": "ann"}
                well(client.post("/v1/models/churn/promote", json=force))
    return found


def company_day(company: Workspace) -> datetime:
    return datetime.combine(frame.observed_until(company), datetime.min.time(), UTC)


def filled(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: filled(one, ids) for name, one in value.items()}
    if isinstance(value, list):
        return [filled(one, ids) for one in value]
    return ids.get(value, value) if isinstance(value, str) else value


@pytest.mark.parametrize(("path", "method"), OPERATIONS, ids=[f"{method} {path}" for path, method in OPERATIONS])
def test_its_example_does_what_it_says(
    company: Workspace, app: FastAPI, api: httpx.Client, scored: list[Score], path: str, method: str
) -> None:
    operation = DOCUMENT["paths"][path][method]
    assert operation["x-scope"] in ("read", "write", "admin")
    assert operation["description"] or path == "/v1/health"
    ids = prepared(company, app, path, scored)
    parameters = {
        one["name"]: (one["in"], filled(one["schema"]["examples"][0], ids))
        for one in operation.get("parameters", ())
        if "examples" in one["schema"] and one["in"] != "header"
    }
    assert {one["name"] for one in operation.get("parameters", ()) if one["required"]} <= parameters.keys()
    where = path
    for name, (kind, value) in parameters.items():
        where = where.replace(f"{{{name}}}", str(value)) if kind == "path" else where
    query = {name: value for name, (kind, value) in parameters.items() if kind == "query"}
    body = None
    if "requestBody" in operation:
        reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        declared = DOCUMENT["components"]["schemas"][reference.rpartition("/")[2]]
        body = filled(declared["examples"][0], ids)
        if path.endswith("/promote"):
            body |= {"force": True}  # of so few accounts no model is shown to be better
        if path.endswith("/what-if"):
            body["changes"] = {"touches": 1}
    answer = api.request(method.upper(), where, params=query, json=body)
    told = well(answer, 200, 201)
    assert str(answer.status_code) in operation["responses"]
    assert told


def test_every_file_of_an_endpoint_says_who_may_use_it() -> None:
    scopes = {endpoint.__name__.rpartition(".")[2]: endpoint.SCOPE for endpoint in web.ENDPOINTS}
    assert set(scopes.values()) == {"read", "write", "admin"}
    for endpoint in web.ENDPOINTS:
        for route in endpoint.router.routes:
            told = DOCUMENT["paths"][route.path_format]
            assert {told[method.lower()]["x-scope"] for method in route.methods} == {endpoint.SCOPE}
    reading = {"score", "stream", "features", "what_if"}
    posts = {name for name in scopes for route in _module(name).router.routes if "POST" in route.methods}
    assert {name for name, scope in scopes.items() if scope != "read"} == posts - reading


def _module(name: str) -> Any:
    return next(one for one in web.ENDPOINTS if one.__name__.endswith(f".{name}"))


# Pages


@pytest.mark.parametrize("sort", book.SORTS)
def test_pages_hold_everybody_once_in_order(api: httpx.Client, company: Workspace, sort: str) -> None:
    found: list[Any] = []
    cursor = None
    while True:
        asked = {"outcome": "churn", "page_size": 50, "sort": sort} | ({"cursor": cursor} if cursor else {})
        page = well(api.get("/v1/scores", params=asked))
        assert len(page["scores"]) == 50 or page["next"] is None
        found += page["scores"]
        if (cursor := page["next"]) is None:
            break
    stored = {score.account: score.as_dict() for score in Store(company).top("churn", 10_000)}
    assert page["count"] == len(found) == len(stored)
    assert {line["account"] for line in found} == set(stored)
    assert all(line[name] == value for line in found for name, value in stored[line["account"]].items())
    name, sign = sort.removeprefix("-"), -1 if sort.startswith("-") else 1
    values = [line[name] for line in found if line[name] is not None]
    assert values == (sorted(values) if sign == 1 else sorted(values, reverse=True))
    assert [line[name] for line in found[: len(values)]] == values, "what is not known comes last"


def test_pages_are_filtered_by_owner_and_segment(api: httpx.Client) -> None:
    whole = well(api.get("/v1/scores", params={"outcome": "churn", "page_size": 1000}))["scores"]
    owner, segment = whole[0]["owner"], whole[0]["segment"]
    mine = well(
        api.get("/v1/scores", params={"outcome": "churn", "owner": owner, "segment": segment, "page_size": 1000})
    )
    expected = [line for line in whole if (line["owner"], line["segment"]) == (owner, segment)]
    assert mine["scores"] == expected
    assert 0 < mine["count"] == len(expected) < len(whole)


def test_a_cursor_of_another_batch_or_sort_is_refused(api: httpx.Client) -> None:
    asked = {"outcome": "churn", "page_size": 2}
    cursor = well(api.get("/v1/scores", params=asked))["next"]
    other = str(book.Cursor("9 another", "rank", (False, 2.0, "a")))
    assert "other scores are served" in refused(api.get("/v1/scores", params=asked | {"cursor": other}), 409)
    assert "another sort" in refused(api.get("/v1/scores", params=asked | {"cursor": cursor, "sort": "arr"}), 400)
    for broken in ("x", "AAAA", "W10", "bnVsbA", cursor[:-3], "🙂"):
        assert "none that a page gave" in refused(api.get("/v1/scores", params=asked | {"cursor": broken}), 400)


def test_what_follows_a_question_mark_is_declared_or_refused(api: httpx.Client) -> None:
    told = api.get("/v1/scores", params={"outcome": "churn", "ownr": "owner-1"})
    assert "takes no ownr" in refused(told, 400)
    assert "owner" in told.json()["hint"]
    assert "more than once" in refused(api.get("/v1/scores?outcome=churn&outcome=advocacy"), 400)


# Ages and tags


def test_a_score_says_how_old_it_is(company: Workspace) -> None:
    as_of, days = date(2026, 6, 30), company.config.freshness.days
    assert freshness.aged(company, as_of, as_of) == {"age_days": 0, "stale": False}
    assert freshness.aged(company, as_of, as_of + timedelta(days)) == {"age_days": days, "stale": False}
    assert freshness.aged(company, as_of, as_of + timedelta(days + 1)) == {"age_days": days + 1, "stale": True}
    assert freshness.aged(company, as_of, as_of - timedelta(1)) == {"age_days": 0, "stale": False}


TAGGED = [
    "/v1/accounts/{account}/scores",
    "/v1/accounts/{account}/explain?outcome=churn",
    "/v1/accounts/{account}/eligibility",
    "/v1/scores?outcome=churn",
    "/v1/lists/churn",
    "/v1/calls",
    "/v1/advocates",
    "/v1/advocates/blocked",
    "/v1/asks/open",
    "/v1/alerts",
    "/v1/accounts/{account}/state",
    "/v1/states",
    "/v1/portfolio",
    "/v1/programme",
    "/v1/stories",
    "/v1/effect",
    "/v1/beacon",
    "/v1/worth",
    "/v1/initiative?cost=1&metric=nps_answer",
]


@pytest.mark.parametrize("path", TAGGED)
def test_what_has_not_changed_is_not_sent_again(
    api: httpx.Client, scored: list[Score], path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = path.format(account=scored[0].account)
    tag = api.get(where).headers["etag"]
    for asked in (tag, f'"other", W/{tag}', "*"):
        again = api.get(where, headers={"If-None-Match": asked})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert api.get(where, headers={"If-None-Match": '"other"'}).status_code == 200
    monkeypatch.setattr("serving.web.tags.today", lambda _: date(2030, 1, 1))
    assert api.get(where, headers={"If-None-Match": tag}).status_code == 200, "it is older now"


def test_every_path_that_is_tagged_is_tested() -> None:
    told = {path for path, method in OPERATIONS if "304" in DOCUMENT["paths"][path][method]["responses"]}
    assert told == {path.partition("?")[0].replace("churn", "{outcome}") for path in TAGGED}


# Writing


def test_the_same_key_writes_once(api: httpx.Client, company: Workspace, scored: list[Score]) -> None:
    body = {"account": scored[2].account, "kind": "e-mail", "by": "ann"}
    before = len(Log(company).entries())
    first = api.post("/v1/outreach", json=body, headers={"Idempotency-Key": "one"})
    again = api.post("/v1/outreach", json=body, headers={"Idempotency-Key": "one"})
    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    assert len(Log(company).entries()) == before + 1
    other = api.post("/v1/outreach", json=body | {"kind": "call"}, headers={"Idempotency-Key": "one"})
    assert "used for another request" in refused(other, 422)
    elsewhere = api.post(
        "/v1/opt-outs", json={"account": body["account"], "by": "ann"}, headers={"Idempotency-Key": "one"}
    )
    assert "used for another request" in refused(elsewhere, 422)
    of_bob = api.post("/v1/outreach", json=body | {"by": "bob", "at": NOW}, headers={"Idempotency-Key": "one"})
    assert well(of_bob, 201)["new"] == 1, "the keys of two people are two"
    assert len(Log(company).entries()) == before + 2
    assert refused(api.post("/v1/outreach", json=body, headers={"Idempotency-Key": "a b"}), 400)


def test_many_at_once_with_one_key_write_once_and_all_get_that_answer(
    app: FastAPI, company: Workspace, scored: list[Score]
) -> None:
    account, headers = scored[3].account, {"Idempotency-Key": "many"}
    before = len(Log(company).entries(accounts=[account]))

    def requests(client: httpx.AsyncClient) -> list[Any]:
        body = {"account": account, "by": "ann"}
        return [client.post("/v1/opt-outs", json=body, headers=headers) for _ in range(8)]

    found = inside.together(app, requests)
    assert {answer.status_code for answer in found} == {201}, [answer.text for answer in found]
    assert len({answer.text for answer in found}) == 1
    assert len(Log(company).entries(accounts=[account])) == before + 1


def test_a_key_is_forgotten_after_its_days_and_not_before(
    api: httpx.Client, company: Workspace, scored: list[Score], monkeypatch: pytest.MonkeyPatch
) -> None:
    def named(key: str) -> int:
        body = {"account": scored[5].account, "kind": key, "by": "ann"}
        return api.post("/v1/outreach", json=body, headers={"Idempotency-Key": key}).status_code

    def aged(key: str, days: int) -> None:
        at = datetime.now(UTC) - timedelta(days=days)
        with Log(company).store.writing() as connection:
            connection.execute(REQUESTS.update().where(REQUESTS.c.key == key).values(at=at))

    def known() -> set[str]:
        with Log(company).store.engine.connect() as connection:
            return {"old", "young", "new", "sweeper"} & set(connection.execute(sa.select(REQUESTS.c.key)).scalars())

    days = company.config.service.remember_days
    assert {named("old"), named("young")} == {201}
    aged("old", days + 1)
    aged("young", days - 1)
    monkeypatch.setattr(once.Request, "sweeps", False)
    assert (named("new"), known()) == (201, {"old", "young", "new"})
    monkeypatch.setattr(once.Request, "sweeps", True)
    assert (named("sweeper"), known()) == (201, {"young", "new", "sweeper"})
    assert named("young") == 201


def test_one_in_so_many_sweeps() -> None:
    sweeping = sum(once.Request.of("ann", str(number)).sweeps for number in range(6400))
    assert 70 < sweeping < 130


def test_what_fails_after_the_entries_are_written_leaves_neither(company: Workspace, scored: list[Score]) -> None:
    log = Log(company)
    before = log.entries()

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        log.add(touch(scored[0].account, "ann", "letter"), within=dies)
    assert log.entries() == before


def test_the_same_touch_again_is_not_new(api: httpx.Client, scored: list[Score]) -> None:
    body = {"account": scored[4].account, "at": NOW, "by": "ann"}
    first, again = (api.post("/v1/outreach", json=body) for _ in range(2))
    assert (first.status_code, first.json()["new"]) == (201, 1)
    assert (again.status_code, again.json()) == (200, first.json() | {"new": 0})
    thing = first.json()["entries"][0]["thing"]
    done = {"at": "2026-07-02T10:00", "by": "bob", "outcome": "stays"}
    assert well(api.post(f"/v1/outreach/{thing}/done", json=done), 201)["new"] == 2
    assert "cannot follow" in refused(api.post(f"/v1/outreach/{thing}/done", json={"by": "eve"}), 409)
    assert "is outreach, not ask" in refused(api.post(f"/v1/asks/{thing}/accepted", json={"by": "eve"}), 404)
    told = well(api.get("/v1/log", params={"account": scored[4].account, "about": "outreach"}))["entries"]
    assert [(entry["event"], entry["by"]) for entry in told] == [
        ("outcome", "bob"),
        ("done", "bob"),
        ("planned", "ann"),
    ]
    assert all(entry["recorded_at"] for entry in told)


def test_a_blocked_ask_names_every_rule(api: httpx.Client, company: Workspace) -> None:
    situation = Situation.of(company)
    at_risk = max((one for one in situation.facing.values() if one.risk is not None), key=lambda one: one.risk or 0)
    told = api.post("/v1/asks", json={"account": at_risk.account, "kind": "review", "by": "ann"})
    words = refused(told, 409)
    assert all(one.words in words for one in situation.eligibility(at_risk.account).objections)
    rested = next(one for one in advocates(Situation.of(company), 300).blocked.values() if one.clears is not None)
    told = api.post("/v1/asks", json={"account": rested.account, "kind": "review", "by": "ann"})
    refused(told, 409)
    assert str(rested.clears) in told.json()["hint"]


def test_an_ask_is_made_once_and_then_it_is_open(api: httpx.Client, company: Workspace) -> None:
    line = next(line for line in advocates(Situation.of(company), 300).asked if line.kind == "review")
    body, headers = {"account": line.account, "kind": "review", "by": "ann"}, {"Idempotency-Key": "ask once"[:3]}
    first, again = (api.post("/v1/asks", json=body, headers=headers) for _ in range(2))
    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    assert first.json()["entries"][0]["contact"] == line.contact
    told = well(api.get(f"/v1/accounts/{line.account}/eligibility"))
    assert "open ask" in {one["rule"] for one in told["objections"]}
    assert line.account not in {one["account"] for one in well(api.get("/v1/advocates?top=300"))["lines"]}
    assert "not over" in refused(api.post("/v1/asks", json=body | {"by": "bob"}), 409)


def test_who_opted_out_is_neither_called_nor_asked_from_then_on(api: httpx.Client, company: Workspace) -> None:
    account = well(api.get("/v1/calls?capacity=40"))["lines"][-1]["account"]
    well(api.post("/v1/opt-outs", json={"account": account, "by": "ann"}), 201)
    told = well(api.get("/v1/calls?capacity=40"))
    assert account not in {line["account"] for line in told["lines"]}
    assert told == outreach(company, 40).as_dict()
    rules = {one["rule"] for one in well(api.get(f"/v1/accounts/{account}/eligibility"))["objections"]}
    assert "opted out" in rules
    assert refused(api.post("/v1/opt-outs", json={"account": account, "by": "ann", "at": NOW}), 409)


def test_a_person_s_own_call_is_kept_beside_the_models(api: httpx.Client, scored: list[Score]) -> None:
    score = scored[5]
    where = f"/v1/scores/{score.score_id}/override"
    for by, own in (("ann", 0.5), ("bob", 0.25), ("ann", 0.1 + 0.2)):
        well(api.post(where, json={"probability": own, "why": "they: said so", "by": by}), 201)
    told = well(api.get(f"/v1/accounts/{score.account}/overrides"))["overrides"]
    assert [(one["by"], one["probability"], one["why"]) for one in told] == [
        ("ann", 0.1 + 0.2, "they: said so"),
        ("bob", 0.25, "they: said so"),
    ]
    assert {name: told[0]["score"][name] for name in score.as_dict()} == score.as_dict()
    assert well(api.get(f"/v1/scores/{score.score_id}"))["probability"] == score.probability
    assert overrides([]) == []
    refused(api.post(where, json={"probability": 1.5, "why": "x", "by": "ann"}), 400)


def test_an_opinion_is_given_once(api: httpx.Client, scored: list[Score]) -> None:
    where, body = f"/v1/scores/{scored[6].score_id}/opinion", {"agrees": False, "why": "they renewed", "by": "ann"}
    assert well(api.post(where, json=body), 201)["entries"][0]["event"] == "disagrees"
    refused(api.post(where, json=body | {"agrees": True}), 409)
    assert "no score has the id" in refused(api.post(f"/v1/scores/{'0' * 20}/opinion", json=body), 404)


# The whole


def test_states_and_portfolio_are_those_of_the_commands(api: httpx.Client, company: Workspace) -> None:
    whole = continuum(company, 3).as_dict()
    told = well(api.get("/v1/states?months=3&top=10000"))
    assert {name: told[name] for name in ("as_of", "months", "transitions", "left_out_of_transitions")} == {
        name: whole[name] for name in ("as_of", "months", "transitions", "left_out_of_transitions")
    }
    states = {one["account"]: one["state"] for one in whole["accounts"]}
    assert {one["account"]: one["state"] for one in told["accounts"]} == states
    at_risk = well(api.get("/v1/states", params={"months": 3, "state": "at risk", "top": 1}))
    assert at_risk["count"] == list(states.values()).count("at risk") == told["months"][-1]["states"]["at risk"]
    assert [one["state"] for one in at_risk["accounts"]] == ["at risk"]
    account = at_risk["accounts"][0]["account"]
    assert well(api.get(f"/v1/accounts/{account}/state?months=3")) == found_by.told(company, account, 3).as_dict()
    groups = portfolio(company, "owner").as_dict()
    told = well(api.get("/v1/portfolio?by=owner"))
    assert told == groups | {"count": len(groups["groups"])}
    owner = groups["groups"][0]["group"]
    within = well(api.get("/v1/portfolio", params={"by": "country", "owner": owner, "top": 1}))
    assert within["total"]["arr"] == groups["groups"][0]["arr"]
    assert (len(within["groups"]), within["within"]) == (1, {"owner": owner})


def test_what_the_metrics_and_calls_came_to_is_that_of_the_commands(api: httpx.Client, company: Workspace) -> None:
    told = well(api.get("/v1/worth?metric=nps_answer"))["metrics"]["nps_answer"]
    assert told == worth(company, ("nps_answer",))[0].as_dict()
    assert well(api.get("/v1/effect"))["assumed_save_rate"] == company.config.value.save_rate
    assert well(api.get("/v1/programme?days=90"))["days"] == 90
    assert well(api.get("/v1/stories?top=3"))["gaps"] == stories(company, 3).as_dict()["gaps"]


def test_what_cannot_be_told_of_an_outcome_is_said_once_and_kept(
    api: httpx.Client, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    def too_short(_: Workspace, outcome: str) -> None:
        made.append(outcome)
        raise PropensityError(f"no date to judge {outcome} on", "Take in more history.")

    kept = app.state.live.kept
    monkeypatch.setattr(beacon_endpoint, "metrics", SimpleNamespace(ASKED=("churn", "advocacy"), beacon=too_short))
    monkeypatch.setattr(BackRoom, "__call__", lambda room, make, *given: make(room.workspace, *given))
    kept._beside.clear()
    assert well(api.get("/v1/beacon"))["skipped"].keys() == {"churn", "advocacy"}
    assert "no date to judge churn" in refused(api.get("/v1/beacon?outcome=churn"), 400)
    assert made == ["churn", "advocacy"]
    kept._beside.clear()


def test_reading_alerts_raises_none_and_one_that_was_dealt_with_is_gone(api: httpx.Client, company: Workspace) -> None:
    before = len(Log(company).entries("alert"))
    told = well(api.get("/v1/alerts"))
    assert (told["written"], len(Log(company).entries("alert"))) == (False, before)
    first, second = (one["alert"] for one in told["open"][:2])
    assert told["open"][0]["new"]
    assert refused(api.post(f"/v1/alerts/{first}/close", json={"why": "renewed", "by": "ann"}), 404)
    raised = alerts(company)
    known = well(api.get("/v1/alerts"))
    assert [one["alert"] for one in known["open"]] == [one.alert for one in raised.open]
    assert not any(one["new"] for one in known["open"])
    well(api.post(f"/v1/alerts/{first}/close", json={"why": "renewed", "by": "ann"}), 201)
    well(api.post(f"/v1/alerts/{second}/snooze", json={"until": "2099-01-01", "by": "ann"}), 201)
    after = well(api.get("/v1/alerts"))
    assert {one["alert"] for one in known["open"]} - {one["alert"] for one in after["open"]} == {first, second}
    assert after["snoozed"] == known["snoozed"] + 1
    assert refused(api.post(f"/v1/alerts/{first}/close", json={"why": "again", "by": "bob"}), 409)


# What is prepared


def test_what_is_prepared_is_what_would_be_made(api: httpx.Client, app: FastAPI, scored: list[Score]) -> None:
    live, asked = app.state.live, [f"/v1/accounts/{score.account}/scores" for score in scored[:20]]
    live.prepared._held = (None, {})
    made = [api.get(path) for path in asked]
    assert len(live.prepared._held[1]) == len(asked)
    again = [api.get(path) for path in asked]
    for one, other in zip(made, again, strict=True):
        assert one.content == other.content
        assert [(n, v) for n, v in one.headers.items() if n != "x-request-id"] == [
            (n, v) for n, v in other.headers.items() if n != "x-request-id"
        ]
    prepared = live.prepared._held[1]
    live.prepared._held = (None, {})
    account.prepare(live)
    assert prepared.items() <= live.prepared._held[1].items()
    assert {score.account for score in scored} <= live.prepared._held[1].keys()


def test_what_is_prepared_is_given_only_as_it_was_asked(
    api: httpx.Client, app: FastAPI, scored: list[Score], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, live = scored[0].account, app.state.live
    path = f"/v1/accounts/{one}/scores"
    api.get(path)
    of, bodies = live.prepared._held
    monkeypatch.setitem(bodies, one, b'{"from": "memory"}')
    assert well(api.get(path)) == {"from": "memory"}
    assert "takes no outcome" in refused(api.get(f"{path}?outcome=churn"), 400)
    assert api.post(path, json={}).status_code == 405
    assert "memory" not in api.get(f"/v1/accounts/{one}x/scores").text
    with monkeypatch.context() as later:
        later.setattr("serving.web.tags.today", lambda _: date(2030, 1, 1))
        assert "from" not in well(api.get(path)), "the ages of another day"
    assert live.prepared._held[0] != of


def test_a_score_is_made_again_once_and_not_for_each_request(
    app: FastAPI, scored: list[Score], monkeypatch: pytest.MonkeyPatch
) -> None:
    served = app.state.live.of("churn")
    served.shown.agreed.clear()
    asked = [score.account for score in scored[:3]]
    first = served.scores(asked)
    assert served.shown.agreed == set(asked)
    monkeypatch.setattr(type(served.scorer), "score", lambda *_: pytest.fail("made again"))
    assert served.scores(asked) == first


# Who asks


@pytest.fixture
def keyed(app: FastAPI, company: Workspace, scored: list[Score]) -> Iterator[SimpleNamespace]:
    """A key for one owner's accounts, which every request brings."""
    live, protection = app.state.live, app.state.protection
    owner = live.owners[scored[0].account]
    key = Key("1", "cleo", "", "admin", owner, datetime.now(UTC))
    door, protection.door = protection.door, SimpleNamespace(enter=lambda *_: key)
    with inside.client(app) as client:
        theirs = next(score.account for score in scored if live.owners[score.account] != owner)
        yield SimpleNamespace(client=client, key=key, owner=owner, mine=scored[0].account, theirs=theirs, live=live)
    protection.door = door


def test_a_key_of_one_owner_sees_their_accounts_alone(keyed: SimpleNamespace, scored: list[Score]) -> None:
    client, theirs = keyed.client, keyed.theirs
    for rest in (
        "scores",
        "now?outcome=churn",
        "explain?outcome=churn",
        "movement",
        "curve",
        "eligibility",
        "overrides",
        "state",
    ):
        well(client.get(f"/v1/accounts/{keyed.mine}/{rest}"))
        assert refused(client.get(f"/v1/accounts/{theirs}/{rest}"), 404) == f"there is no account {theirs!r}"
    refused(client.post(f"/v1/accounts/{theirs}/what-if", json={"changes": {"touches": 1}}), 404)
    for path in (
        "/v1/scores?outcome=churn",
        "/v1/lists/churn",
        "/v1/calls",
        "/v1/advocates",
        "/v1/advocates/blocked",
        "/v1/asks/open",
        "/v1/log",
        "/v1/alerts",
    ):
        told = well(client.get(path))
        lines = told.get("scores") or told.get("lines") or told.get("entries") or told.get("open") or []
        assert {keyed.live.owners[line["account"]] for line in lines} <= {keyed.owner}, path
        assert {keyed.live.owners[line["account"]] for line in told.get("blocked", ())} <= {keyed.owner}
    both = well(client.post("/v1/score", json={"outcome": "churn", "accounts": [keyed.mine, theirs]}))["scores"]
    assert ("probability" in both[0], both[1]["status"]) == (True, 404)
    foreign = next(score for score in scored if score.account == theirs)
    for path in (f"/v1/scores/{foreign.score_id}", f"/v1/scores/{foreign.score_id}/replay"):
        refused(client.get(path), 404)
    refused(client.get("/v1/calls", params={"owner": "somebody else"}), 403)
    refused(client.post("/v1/calls/plan", json={}), 403)


def test_what_a_key_writes_is_under_its_name(keyed: SimpleNamespace, company: Workspace, scored: list[Score]) -> None:
    raised = Entry("alert", "a-theirs", "raised", keyed.theirs, company_day(company), "propensity", None, "silent", "x")
    Log(company).add([raised])
    before = len(Log(company).entries())
    foreign = next(score for score in scored if score.account == keyed.theirs)
    for path, body in (
        ("/v1/outreach", {"account": keyed.theirs}),
        ("/v1/opt-outs", {"account": keyed.theirs}),
        (f"/v1/alerts/{raised.thing}/close", {"why": "so"}),
        ("/v1/asks", {"account": keyed.theirs, "kind": "review"}),
        (f"/v1/scores/{foreign.score_id}/opinion", {"agrees": True, "why": "so"}),
        (f"/v1/scores/{foreign.score_id}/override", {"probability": 0.5, "why": "so"}),
    ):
        refused(keyed.client.post(path, json=body), 404)
    refused(keyed.client.post("/v1/outreach", json={"account": keyed.mine, "by": "bob"}), 403)
    assert len(Log(company).entries()) == before
    told = well(keyed.client.post("/v1/outreach", json={"account": keyed.mine, "kind": "letter"}), 201)
    assert told["entries"][0]["by"] == "cleo"


def test_without_a_key_the_body_says_who(api: httpx.Client, scored: list[Score]) -> None:
    assert "does not say who" in refused(api.post("/v1/outreach", json={"account": scored[0].account}), 400)


# What is kept


def test_what_is_kept_is_made_again_when_something_was_written(company: Workspace, scored: list[Score]) -> None:
    kept, made = Kept(company), []

    def make() -> int:
        made.append(1)
        return len(made)

    assert [kept("a", make), kept("a", make), kept("b", make)] == [1, 1, 2]
    Log(company).add(touch(scored[0].account, "ann", "visit"))
    assert [kept("a", make), kept("a", make)] == [3, 3]
    batch.score(company, EARLIER)
    assert kept("a", make) == 4


def test_an_error_is_not_kept(company: Workspace) -> None:
    kept = Kept(company)
    with pytest.raises(ZeroDivisionError):
        kept("a", lambda: 1 // 0)
    assert kept("a", lambda: 7) == 7


def test_what_takes_long_keeps_nobody_waiting_and_without_the_log_stays(
    company: Workspace, scored: list[Score]
) -> None:
    kept = Kept(company)
    assert kept("long", lambda: kept("short", lambda: 7) + 1, long=True, log=False) == 8  # both at once
    Log(company).add(touch(scored[1].account, "ann", "visit"))
    assert kept("long", lambda: 0, long=True, log=False) == 8
    assert kept("short", lambda: 9) == 9


def test_what_is_asked_for_again_and_again_stays(company: Workspace) -> None:
    kept = Kept(company)
    kept("situation", lambda: 7)
    kept("made within minutes", lambda: 7, long=True)
    for page in range(3 * MOST):
        kept(page, lambda: 0)
        assert kept("situation", lambda: 8) == 7
    kept("nobody has asked since", lambda: 7)
    for page in range(MOST):
        kept(page, lambda: 0)
    assert kept("nobody has asked since", lambda: 8) == 8
    assert kept("made within minutes", lambda: 8, long=True) == 7, "pages do not drive it out"


def test_what_takes_minutes_is_made_once_beside_the_requests(company: Workspace) -> None:
    kept, begun, may_end = Kept(company), [], threading.Event()

    def make() -> int:
        begun.append(1)
        may_end.wait()
        return 7

    for _ in range(2):
        with pytest.raises(PropensityError, match="being worked out") as still:
            kept.soon("a", make, 0.01)
        assert still.value.status == 503
    assert kept("b", lambda: 8) == 8, "nobody else waits for it"
    may_end.set()
    assert (kept.soon("a", make, PATIENCE), kept.soon("a", make, 0), begun) == (7, 7, [1])
    with pytest.raises(ZeroDivisionError):
        kept.soon("c", lambda: 1 // 0, PATIENCE)
    assert kept.soon("c", lambda: 9, PATIENCE) == 9, "an error is not kept"


def test_requests_that_named_themselves_hold_no_more_than_they_need(company: Workspace) -> None:
    assert set(REQUESTS.c.keys()) == {"who", "key", "asked", "answer", "at"}


def test_slow_work_does_not_keep_others_waiting(app: FastAPI, company: Workspace, scored: list[Score]) -> None:
    """Everything that reads frames or the registry runs in a thread: nothing of it is a coroutine."""
    for endpoint in web.ENDPOINTS:
        for route in endpoint.router.routes:
            assert not asyncio.iscoroutinefunction(route.endpoint), route.path


def test_the_page_about_it_names_every_path_and_no_other() -> None:
    text = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
    told = set(re.findall(r"`(GET|POST) (/v1/[^`?]*)[^`]*`", text))
    assert told == {(method.upper(), path) for path, method in OPERATIONS}
