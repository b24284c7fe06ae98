"""Who gets in, to what, how often and how many at once; and what is written down of it."""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI
from starlette.routing import BaseRoute

from features.errors import PropensityError
from features.settings.service import Service
from features.workspace import FILE, Workspace
from serving.scores import lists
from serving.service import Propensity, application
from serving.start import open_to_all
from serving.stores.audit import Audit
from serving.stores.keys import KEYS, SCOPES, Keys, holder
from serving.stores.store import Store
from serving.web import application as web
from serving.web.admission import admission
from serving.web.door import at_home
from serving.web.guard import HEADERS, HEALTH, REFRESH_SECONDS, Front, Guard, Protection
from serving.web.live import Live
from tests.commands import Command
from tests.serving.conftest import Inside, Server, launch, stop
from training.registry import Registry

ELSEWHERE = "192.0.2.7"


def secret(workspace: Workspace, scope: str = "read", owner: str | None = None, name: str = "") -> str:
    keys = Keys(Store(workspace))
    return keys.create(name or f"{scope}-{len(keys.all())}", scope, owner)[1]


@pytest.fixture
def guarded(inside: Inside, apart: Workspace) -> Iterator[Inside]:
    """The application over the copy, with a key that exists, so that everybody needs one."""
    with Store(apart).engine.begin() as connection:
        connection.execute(KEYS.delete())
    secret(apart, name="first")
    before = inside.app.state.protection
    web.protect(inside.app, apart, loopback=True)
    yield inside
    inside.app.state.protection = before
    with Store(apart).engine.begin() as connection:
        connection.execute(KEYS.delete())


def known(inside: Inside) -> None:
    inside.app.state.protection.door.refresh()


def paths(routes: list[BaseRoute]) -> set[str]:
    """Every path of these routes and of what is mounted and included among them."""
    found: set[str] = set()
    for route in routes:
        inner = getattr(getattr(route, "app", None), "routes", None) or getattr(route, "effective_candidates", None)
        inner = inner() if callable(inner) else inner
        if inner:
            found |= {getattr(route, "path", "") + path for path in paths(list(inner))}
        elif hasattr(route, "path"):
            found.add(route.path)
    return found


# Keys


def test_a_key_is_shown_once_and_kept_as_a_hash(propensity: Command, apart: Workspace) -> None:
    made = propensity("key", "create", "--name", "crm [sync]", "--scope", "read", "--workspace", apart.root, "--json")
    key = made.document["key"]
    assert re.fullmatch(r"pk_[0-9a-f]{12}_[0-9a-f]{48}", key)
    listed = propensity("key", "list", "--workspace", apart.root)
    assert "crm [sync]: read, made" in listed.out
    for file in apart.state.glob("propensity.db*"):
        assert key.encode() not in file.read_bytes()
        assert key.split("_")[2].encode() not in file.read_bytes()
    with Store(apart).engine.begin() as connection:
        connection.execute(KEYS.delete())


def test_names_and_scopes_are_checked(apart: Workspace) -> None:
    keys = Keys(Store(apart))
    keys.create("twice", "read")
    for name, scope, owner, said in [
        ("twice", "read", None, "there is or was a key called 'twice'"),
        ("x", "root", None, "no scope 'root'"),
        (" ", "read", None, "needs a name"),
        ("a\nb", "read", None, "needs a name"),
        ("y", "read", "", "blank"),
    ]:
        with pytest.raises(PropensityError, match=said):
            keys.create(name, scope, owner)
    assert keys.revoke("twice").revoked_at == keys.revoke("twice").revoked_at
    with pytest.raises(PropensityError, match="no key is called 'nobody'"):
        keys.revoke("nobody")
    with Store(apart).engine.begin() as connection:
        connection.execute(KEYS.delete())


def test_only_the_whole_key_is_a_key(apart: Workspace) -> None:
    keys = Keys(Store(apart))
    key, right = keys.create("right", "read")
    held = {key.id: key}
    assert holder(right, held) == key
    wrong = [
        right[:-1],
        right + "0",
        right.upper(),
        f"pk_{key.id}_",
        f"pk_{key.id}_{key.sha256}",
        key.sha256,
        "",
        "pk__",
        "_" * 9,
    ]
    assert [holder(one, held) for one in [*wrong, "\ud800", right.replace(key.id, "0" * 12)]] == [None] * 11
    keys.revoke("right")
    assert holder(right, {one.id: one for one in keys.all()}) is None
    with Store(apart).engine.begin() as connection:
        connection.execute(KEYS.delete())


def test_the_comparison_takes_constant_time_by_its_means(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []
    monkeypatch.setattr("serving.stores.keys.hmac.compare_digest", lambda a, b: bool(compared.append(len(a) - len(b))))
    assert holder("pk_000000000000_x", {}) is None
    assert holder("nonsense", {}) is None
    assert compared == [0, 0]


# Every path


def test_every_path_refuses_without_a_key(guarded: Inside) -> None:
    documented = set(guarded.app.openapi()["paths"])
    walked = paths(list(guarded.app.routes))
    assert {path.replace(":path}", "}") for path in walked} >= documented
    assert len(documented) >= 6
    tried = (
        documented
        | walked
        | {"/", "/v1", "/nothing", "/v1/accounts/a/b", "/metrics", "/v1/openapi.json", "//livez", "/livez/"}
    )
    pages = {path for path in tried if path == "/" or path.startswith("/app")}  # tests/serving/test_login.py has these
    for path in sorted(tried - pages):
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"):
            for key in ("", "pk_000000000000_wrong", "x" * 10_000):
                asked = guarded.base_url + path.replace("{", "").replace("}", "")
                answer = guarded.ask(method, asked, key, ELSEWHERE)
                assert answer.status_code == 401, (method, path)
                assert answer.headers["www-authenticate"] == "Bearer"
                assert HEADERS.keys() <= {name.encode() for name in answer.headers}


def test_of_bentomls_own_routes_only_health_is_reached() -> None:
    from _bentoml_impl.server.app import ServiceAppFactory  # noqa: PLC0415 - after serving.service, which quiets its warnings

    Propensity.inject_config()  # type: ignore[attr-defined]
    own = paths(list(ServiceAppFactory(Propensity, is_main=True)().routes))
    assert set(HEALTH) < own
    assert {"/schema.json", "/docs.json", "/"} <= own
    reached: list[str] = []

    async def bentos(scope: Any, receive: Any, send: Any) -> None:
        reached.append("bentoml")

    async def ours(scope: Any, receive: Any, send: Any) -> None:
        reached.append("ours")

    for path in own | {"/anything"}:
        for kind in ("http", "websocket"):
            reached.clear()
            asyncio.run(Front(bentos, ours)({"type": kind, "path": path}, None, None))  # type: ignore[arg-type]
            assert reached == ["bentoml" if path in HEALTH and kind == "http" else "ours"], path
    ((kind, given),) = Propensity.middlewares
    outermost = kind(bentos, **given)
    assert isinstance(outermost, Front)
    assert isinstance(outermost.ours, Guard)
    assert (outermost.app, outermost.ours.app) == (bentos, application())


def test_a_web_socket_is_closed(inside: Inside) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(Guard(inside.app)({"type": "websocket", "path": "/v1/health"}, None, send))  # type: ignore[arg-type]
    assert sent == [{"type": "websocket.close", "code": 1008}]


def test_a_refused_body_is_not_even_read(guarded: Inside) -> None:
    async def never() -> AsyncIterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    assert guarded.ask("POST", "/v1/score", content=never()).status_code == 401


# Scopes and owners


def endpoint(scope: str, owned: bool = False) -> ModuleType:
    made = ModuleType(scope)
    made.SCOPE, made.OWNED, made.router = scope, owned, APIRouter()  # type: ignore[attr-defined]

    @made.router.post(f"/v1/test-{scope}/{{thing}}")  # type: ignore[untyped-decorator]
    async def act(thing: str, fail: bool = False) -> dict[str, str]:
        if fail:
            raise PropensityError("no", "try", status=409)
        return {"thing": thing}

    return made


@pytest.fixture(scope="module")
def writing(inside: Inside) -> FastAPI:
    for scope in SCOPES:
        made = endpoint(scope)
        inside.app.include_router(made.router, dependencies=[Depends(admission(made))])
    return inside.app


def test_each_scope_may_what_those_before_it_may(guarded: Inside, writing: FastAPI, apart: Workspace) -> None:
    for has in SCOPES:
        key = secret(apart, has)
        known(guarded)
        for needs in SCOPES:
            status = guarded.ask("POST", f"/v1/test-{needs}/x", key, json={}).status_code
            assert status == (200 if SCOPES.index(has) >= SCOPES.index(needs) else 403), (has, needs)


def test_every_endpoint_says_which_scope_it_takes() -> None:
    for module in web.ENDPOINTS:
        assert getattr(module, "SCOPE", None) in SCOPES, module.__name__
        methods = {method for route in module.router.routes for method in route.methods}
        assert module.SCOPE != "read" or not methods & {"PUT", "PATCH", "DELETE"}, module.__name__


def test_an_owner_sees_that_owners_accounts_only(guarded: Inside, apart: Workspace) -> None:
    owners = lists.owners(apart)
    whole: Live = guarded.app.state.live
    scored = whole.served["churn"].shown.scores
    mine = next(account for account in scored if owners[account])
    owner = str(owners[mine])
    other = next(account for account in scored if owners[account] not in {None, owner})
    key = secret(apart, "read", owner)
    known(guarded)
    assert guarded.ask("GET", f"/v1/accounts/{mine}/scores", key).status_code == 200
    nobody = guarded.ask("GET", "/v1/accounts/nobody/scores", key).json()
    for path in (f"/v1/accounts/{other}/scores", f"/v1/accounts/{other}/explain?outcome=churn"):
        answer = guarded.ask("GET", path, key)
        assert answer.status_code == 404
        assert answer.json() == json.loads(json.dumps(nobody).replace("nobody", other))  # as if it did not exist
    both = guarded.ask("POST", "/v1/score", key, json={"outcome": "churn", "accounts": [mine, other]}).json()["scores"]
    assert ("probability" in both[0], both[1]["status"]) == (True, 404)
    lines = guarded.ask("GET", "/v1/lists/churn?top=1000", key).json()["lines"]
    assert {line["owner"] for line in lines} == {owner}
    assert guarded.ask("GET", "/v1/lists/churn?owner=somebody", key).status_code == 403


def test_what_does_not_know_owners_is_closed_to_them(guarded: Inside, writing: FastAPI, apart: Workspace) -> None:
    key = secret(apart, "admin", str(next(filter(None, lists.owners(apart).values()))))
    known(guarded)
    answer = guarded.ask("POST", "/v1/test-read/x", key, json={})
    assert (answer.status_code, "one owner" in answer.text) == (403, True)


# Without keys


def test_without_keys_only_this_machine_by_its_own_name_is_answered(inside: Inside) -> None:
    assert inside.ask("GET", "/v1/health").status_code == 200
    for headers in (
        {"Host": "evil.example"},  # DNS rebinding
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "evil.example:3000"},
        {"Host": ""},
        {"X-Forwarded-For": "127.0.0.1"},
        {"Forwarded": "for=127.0.0.1"},
        {"Via": "1.1 proxy"},
    ):
        assert inside.ask("GET", "/v1/health", headers=headers).status_code == 401, headers
        assert inside.ask("GET", "/metrics", headers=headers).status_code == 401, headers
    assert inside.ask("GET", "/v1/health", client=ELSEWHERE).status_code == 401
    assert inside.ask("GET", "/metrics", client=ELSEWHERE).status_code == 401


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:3000", "127.0.0.1:1", "127.1.2.3", "[::1]", "[::1]:3000"])
def test_names_of_this_machine(host: str) -> None:
    assert at_home({b"host": host.encode()}, "127.0.0.1")


def test_a_page_of_another_site_cannot_write(inside: Inside) -> None:
    body = {"outcome": "churn", "accounts": ["a"]}
    for site in ("cross-site", "same-site"):
        assert inside.ask("POST", "/v1/score", json=body, headers={"Sec-Fetch-Site": site}).status_code == 403
    assert inside.ask("POST", "/v1/score", json=body, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 404
    form = {"Content-Type": "text/plain"}
    assert inside.ask("POST", "/v1/score", content=json.dumps(body), headers=form).status_code == 415
    assert (
        "access-control-allow-origin" not in inside.ask("OPTIONS", "/v1/score", headers={"Origin": "http://e"}).headers
    )


def test_a_service_that_others_reach_does_not_start_without_a_key(apart: Workspace) -> None:
    with pytest.raises(PropensityError, match=re.escape("0.0.0.0 can be reached from elsewhere")) as caught:
        open_to_all(apart, "0.0.0.0")  # noqa: S104
    assert "propensity key create" in caught.value.hint
    assert open_to_all(apart, "127.0.0.1")


def test_not_told_that_it_is_on_loopback_it_lets_nobody_in(apart: Workspace) -> None:
    app = web.application()
    web.protect(app, apart, loopback=False)
    assert Inside(app).ask("GET", "/v1/health").status_code == 401


def test_the_door_shuts_with_the_first_key_and_stays_shut_after_the_last(inside: Inside, apart: Workspace) -> None:
    assert inside.app.state.protection.door.open
    key = secret(apart, name="only")
    known(inside)
    assert inside.ask("GET", "/v1/health").status_code == 401
    assert inside.ask("GET", "/v1/health", key).status_code == 200
    assert inside.ask("GET", "/metrics", key, ELSEWHERE).status_code == 200
    Keys(Store(apart)).revoke("only")
    known(inside)
    assert [inside.ask("GET", "/v1/health", one).status_code for one in (key, "")] == [401, 401]
    with Store(apart).engine.begin() as connection:
        connection.execute(KEYS.delete())
    known(inside)


def test_a_store_that_is_away_leaves_the_keys_as_they_were(guarded: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    held = guarded.app.state.protection.door
    before = dict(held._keys)

    def away() -> None:
        raise PropensityError("the store is away", "wait", status=503)

    monkeypatch.setattr(held._source, "all", away)
    held.refresh()
    assert held._keys == before


# Limits


def limited(inside: Inside, apart: Workspace, **settings: Any) -> Protection:
    config = apart.config.model_copy(update={"service": Service(**settings)})
    return web.protect(inside.app, Workspace(apart.root, config), loopback=True)


def test_a_key_that_asks_too_often_is_told_when_to_come_back(guarded: Inside, apart: Workspace) -> None:
    eager, calm = secret(apart, name="eager"), secret(apart, name="calm")
    limited(guarded, apart, requests_per_minute=3)
    answers = [guarded.ask("GET", "/v1/health", eager) for _ in range(5)]
    if answers[-1].status_code == 200:  # a minute began in between
        answers = answers[:3] + [guarded.ask("GET", "/v1/health", eager) for _ in range(4)][2:]
    assert answers[0].status_code == 200
    assert answers[-1].status_code == 429
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert guarded.ask("GET", "/v1/health", calm).status_code == 200


def test_beyond_its_room_the_service_says_no_and_is_well(guarded: Inside, apart: Workspace) -> None:
    """Two at work, one waits, the others hear 503 at once; metrics still answer."""
    protection = limited(guarded, apart, at_work=2, waiting=1, wait_seconds=30)
    key, go = secret(apart, name="many"), threading.Event()
    known(guarded)

    def slow() -> dict[str, str]:
        assert go.wait(60)
        return {}

    guarded.app.add_api_route("/v1/slow", slow)

    async def crowd() -> tuple[list[httpx.Response], httpx.Response, int]:
        transport = httpx.ASGITransport(Guard(guarded.app), client=("127.0.0.1", 1))
        headers = {"Authorization": f"Bearer {key}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers) as client:
            asked = [asyncio.create_task(client.get("/v1/slow")) for _ in range(8)]
            done, _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
            while len(done) < 5:
                done, _ = await asyncio.wait(asked, timeout=0.05)
            metrics = await client.get("/metrics")
            early = len([task for task in asked if task.done()])
            go.set()
            return list(await asyncio.gather(*asked)), metrics, early

    answers, metrics, early = asyncio.run(crowd())
    assert sorted(answer.status_code for answer in answers) == [200] * 3 + [503] * 5
    assert {answer.headers.get("retry-after") for answer in answers if answer.status_code == 503} == {"1"}
    assert early == 5
    assert "propensity_requests_at_work 2.0" in metrics.text
    assert "propensity_requests_waiting 1.0" in metrics.text
    assert (protection.room.at_work, protection.room.waiting) == (0, 0)


def test_who_waits_too_long_hears_no_and_leaves_no_trace(guarded: Inside, apart: Workspace) -> None:
    protection = limited(guarded, apart, at_work=1, waiting=5, wait_seconds=0.05)

    async def wait() -> None:
        await protection.room.enter()
        with pytest.raises(PropensityError, match="busy"):
            await protection.room.enter()
        protection.room.leave()
        await protection.room.enter()
        protection.room.leave()

    asyncio.run(wait())
    assert (protection.room.at_work, protection.room.waiting) == (0, 0)


def test_a_request_keeps_its_id_where_it_is_sane(
    guarded: Inside, apart: Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    key = secret(apart, name="asks")
    known(guarded)
    caplog.set_level("INFO", "propensity")
    kept = guarded.ask("GET", "/v1/health", key, headers={"X-Request-Id": "job-7.1"})
    assert kept.headers["x-request-id"] == "job-7.1"
    for wrong in ("a b", "ä".encode(), "x" * 65, '"}', "-x"):
        assert re.fullmatch(
            "[0-9a-f]{16}",
            guarded.ask("GET", "/v1/health", key, headers={"X-Request-Id": wrong}).headers["x-request-id"],
        )
    told = next(record.told for record in caplog.records if record.told["request"] == "job-7.1")  # type: ignore[attr-defined]
    assert told.items() >= {"key": "asks", "method": "GET", "route": "/v1/health", "status": 200}.items()


# What was written


def test_what_is_written_is_written_down(guarded: Inside, writing: FastAPI, apart: Workspace) -> None:
    key, reader = secret(apart, "write", name="writer"), secret(apart, name="reader")
    known(guarded)
    audit = Audit(Store(apart))
    there = len(audit.entries())
    for path, who in (
        ("/v1/test-write/a0001", key),
        ("/v1/test-write/a0001?fail=true", key),
        ("/v1/test-write/a0001", reader),
    ):
        guarded.ask("POST", path, who, json={}, headers={"X-Request-Id": "r1"})
    guarded.ask("POST", "/v1/test-read/a0001", key, json={})
    found = audit.entries()[there:]
    assert [(one.who, one.status) for one in found] == [
        ("writer", None),
        ("writer", 200),
        ("writer", None),
        ("writer", 409),
        ("reader", 403),
    ]
    assert {(one.method, one.route, one.request) for one in found} == {("POST", "/v1/test-write/{thing}", "r1")}


def test_what_cannot_be_written_down_is_not_done(
    guarded: Inside, writing: FastAPI, apart: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = secret(apart, "write", name="late")
    known(guarded)

    def away(_: object) -> None:
        raise PropensityError("the application store cannot be written", "wait", status=503)

    monkeypatch.setattr(guarded.app.state.protection.audit, "add", away)
    answer = guarded.ask("POST", "/v1/test-write/x", key, json={})
    assert (answer.status_code, "thing" in answer.json()) == (503, False)


# On the real server


def test_a_running_service_shuts_with_a_key_and_forgets_a_revoked_one(apart: Workspace, tmp_path: Path) -> None:
    running: Server = launch(apart, tmp_path / "server.log")
    client = running.client
    try:
        assert client.get("/v1/health").status_code == 200
        headers = {"Authorization": f"Bearer {secret(apart, name='brief')}"}
        assert _until(client, {}, 401)
        assert client.get("/v1/health", headers=headers).status_code == 200
        for path in ("/schema.json", "/docs.json", "/assets/x", "/static_content/x", "/v1/openapi.json"):
            assert client.get(path).status_code == 401, path
        for path in HEALTH:
            assert client.get(path).status_code == 200
        Keys(Store(apart)).revoke("brief")
        assert _until(client, headers, 401)
    finally:
        stop(running)
        with Store(apart).engine.begin() as connection:
            connection.execute(KEYS.delete())


def _until(client: httpx.Client, headers: dict[str, str], status: int) -> bool:
    """Is this the answer within the time in which keys are read again, with some grace for a slow machine?"""
    until = time.monotonic() + 5 * REFRESH_SECONDS
    while time.monotonic() < until:
        if client.get("/v1/health", headers=headers).status_code == status:
            return True
        time.sleep(0.1)
    return False


def test_serve_names_the_cure(propensity: Command, apart: Workspace) -> None:
    assert Registry(apart).champion("churn")
    done = propensity("serve", "--workspace", apart.root, "--host", "0.0.0.0", "--json")  # noqa: S104
    assert (done.status, "anybody would see everything" in done.document["error"]) == (2, True)
    assert (apart.root / FILE).is_file()
