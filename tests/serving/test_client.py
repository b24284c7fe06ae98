"""The Python client against the real server: every method, the service's own words, and one write however often sent."""

from __future__ import annotations

import inspect
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import httpx
import pytest

from features.errors import PropensityError
from features.workspace import Workspace, load
from serving import client as module
from serving.client import Client
from serving.scores.score import Score
from serving.stores.log import Log
from serving.stores.store import Store
from serving.web import application as web
from tests.serving.conftest import PATIENCE, launch, stop

AT = datetime(2026, 7, 1, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def company(served: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    root = tmp_path_factory.mktemp("client") / "company"
    return load(Path(shutil.copytree(served.root, root, ignore=shutil.ignore_patterns("bentoml", "data"))))


@pytest.fixture(scope="module")
def service(company: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    running = launch(company, tmp_path_factory.mktemp("log") / "server.log")
    with Client(f"http://127.0.0.1:{running.port}", timeout=PATIENCE) as client:
        yield client
    stop(running)


@pytest.fixture(scope="module")
def scored(company: Workspace) -> list[Score]:
    return Store(company).top("churn", 10_000)


def test_it_reads(service: Client, company: Workspace, scored: list[Score]) -> None:
    first = scored[0]
    assert service.health()["status"] == "ok"
    mine = next(one for one in service.of_account(first.account)["scores"] if one["outcome"] == "churn")
    assert {name: mine[name] for name in first.as_dict()} == first.as_dict()  # type: ignore[literal-required]
    told = service.score("churn", [one.account for one in scored[:3]])
    assert [one["account"] for one in told["scores"]] == [one.account for one in scored[:3]]
    assert service.score_features("churn", [{}, {"days_to_renewal": 3}])["model_version"] == 1
    streamed = list(service.score_stream("churn", [one.account for one in scored[:3]]))
    assert streamed == told["scores"]
    assert service.now(first.account, "churn")["batch_probability"] == first.probability
    assert service.stored(first.score_id)["account"] == first.account
    assert service.replay(first.score_id)["identical"]
    assert service.explain(first.account, "churn")["score"]["score_id"] == first.score_id
    assert service.list("churn", top=2)["lines"][0]["account"] == first.account
    assert len(service.calls(capacity=3)["lines"]) == 3
    assert service.advocates(top=2)["as_of"] == str(first.as_of)
    assert service.eligibility(first.account)["account"] == first.account
    assert service.what_if(first.account, {"touches": 1}, outcome="churn")["outcomes"][0]["outcome"] == "churn"
    assert (
        service.states(months=2, top=1)["as_of"] == service.state(first.account, months=2)["as_of"] == str(first.as_of)
    )
    assert (
        service.portfolio("country", owner=service.list("churn", top=1)["lines"][0]["owner"] or "")["by"] == "country"
    )
    assert service.programme(days=60)["days"] == 60
    assert service.alerts()["written"] is False
    assert service.stories(top=1)["as_of"] == str(first.as_of)
    assert service.effect()["called"]["accounts"] == 0
    assert service.worth("nps_answer")["metrics"]["nps_answer"]["points"] == 10
    assert service.beacon("churn")["outcomes"]["churn"]["outcome"] == "churn"
    assert service.search(first.account)["accounts"][0]["account"] == first.account
    assert service.signals(first.account)["as_of"] == str(first.as_of)
    assert service.people(first.account, as_of=first.as_of)["as_of"] == str(first.as_of)
    assert len(service.timeline(first.account, top=2)["events"]) == 2
    assert service.history(first.account)["outcomes"]["churn"][-1]["score_id"] == first.score_id
    assert {one["name"] for one in service.levers(first.account)["outcomes"]["churn"]} >= {"touches"}
    assert service.models()["outcomes"]["churn"]["versions"][0]["version"] == 1


def test_it_turns_the_pages(service: Client, scored: list[Score]) -> None:
    assert [one["account"] for one in service.scores("churn", page_size=100)] == [one.account for one in scored]
    owner = next(service.scores("churn", page_size=1))["owner"]
    assert {one["owner"] for one in service.scores("churn", owner=owner, page_size=7)} == {owner}


def test_it_writes(service: Client, company: Workspace, scored: list[Score]) -> None:
    account = scored[1].account
    touch = service.touch(account, kind="e-mail", at=AT, by="ann")["entries"][0]["thing"]
    assert service.done(touch, at=AT, by="ann")["new"] == 1
    assert service.outcome(touch, "stays", at=AT, by="ann")["entries"][0]["value"] == "stays"
    assert service.opt_out(account, by="ann")["new"] == 1
    assert service.opt_out(account, back=True, by="ann")["entries"][0]["event"] == "in"
    assert service.opinion(scored[1].score_id, True, "so it is", by="ann")["new"] == 1
    assert service.override(scored[1].score_id, 0.4, "rather", by="ann")["new"] == 1
    assert service.overrides(account)["overrides"][0]["probability"] == 0.4
    assert service.plan(capacity=2, by="ann")["planned"] == 2
    entries = list(service.log(account, page_size=2))
    assert [one["event"] for one in entries] == ["says", "agrees", "in", "out", "outcome", "done", "planned"]
    line = service.advocates(top=1)["lines"][0]
    ask = service.ask(line["account"], line["kind"], contact=line["contact"], by="ann")["entries"][0]["thing"]
    assert service.accepted(ask, by="ann")["new"] == 1
    assert service.ask_done(ask, by="ann")["new"] == 1
    assert [entry.event for entry in Log(company).of(ask)] == ["asked", "accepted", "done"]


def test_it_says_what_the_service_says(service: Client, scored: list[Score]) -> None:
    for asked, status, words in (
        (lambda: service.of_account("a/b ?%"), 404, "there is no account 'a/b ?%'"),
        (lambda: service.score("renewal", ["a"]), 404, "no outcome 'renewal'"),
        (lambda: list(service.scores("churn", sort="luck")), 400, "query.sort"),
        (lambda: service.declined("k-0", by="ann"), 404, "knows nothing of 'k-0'"),
        (lambda: service.curve(scored[0].account), 404, "no retention curve"),
        (lambda: service.movement(scored[0].account, since=date(2020, 1, 1)), 409, "no earlier score"),
        (lambda: service.promote("churn", 9, by="ann"), 404, "no version 9"),
        (lambda: service.rollback("churn", 7, by="ann"), 409, "is version 1, not 7"),
        (lambda: service.initiative(1.0), 409, "has not been measured"),
        (lambda: service.close_alert("a-0", "done", by="ann"), 404, "knows nothing of 'a-0'"),
        (lambda: service.snooze_alert("a-0", date(2026, 9, 1), by="ann"), 404, "knows nothing of 'a-0'"),
        (lambda: service.touch(scored[0].account), 400, "does not say who"),
    ):
        with pytest.raises(PropensityError, match=re.escape(words)) as refused:
            asked()
        assert (refused.value.status, bool(refused.value.hint)) == (status, True)


def test_what_is_sent_again_has_the_same_key_and_the_holder_s_name() -> None:
    seen: list[httpx.Request] = []

    def fails_once(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if len(seen) == 1:
            raise httpx.ReadError("gone")
        return httpx.Response(201, json={"new": 1, "entries": []})

    client = Client("http://service", key="pk_1_2", transport=httpx.MockTransport(fails_once))
    assert client.touch("a", at=AT)["new"] == 1
    assert len({request.headers["Idempotency-Key"] for request in seen}) == 1
    assert {request.headers["Authorization"] for request in seen} == {"Bearer pk_1_2"}
    assert len({request.content for request in seen}) == 1
    client.touch("a", at=AT)
    assert seen[-1].headers["Idempotency-Key"] != seen[0].headers["Idempotency-Key"]


def test_a_service_that_is_not_there_or_is_another_is_named() -> None:
    with pytest.raises(PropensityError, match="cannot be reached") as away:
        Client("http://127.0.0.1:9", timeout=5).health()
    assert away.value.status == 503
    other = Client("http://other", transport=httpx.MockTransport(lambda _: httpx.Response(502, text="<html>")))
    with pytest.raises(PropensityError, match="answered 502") as wrong:
        other.health()
    assert wrong.value.status == 502


def test_it_has_a_method_for_every_path_and_for_no_other() -> None:
    source = inspect.getsource(module)
    asked = {re.sub(r"\{[^}]*\}", "{}", path) for path in re.findall(r'"(/v1/[^"]*)"', source)}
    paths = {re.sub(r"\{[^}]*\}", "{}", path) for path in web.application().openapi()["paths"]}
    assert asked == paths
