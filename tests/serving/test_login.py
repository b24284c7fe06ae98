"""Logging in to the pages with a key and out again, and what others try."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from features.errors import PropensityError
from features.settings.login import Login
from features.settings.service import Service
from features.workspace import Workspace
from serving.stores.audit import Audit
from serving.stores.keys import KEYS, Keys
from serving.stores.sessions import SESSIONS
from serving.stores.store import Store
from serving.web import reception
from serving.web.reception import APP, is_open, local
from tests.serving.conftest import Inside
from tests.serving.test_safety import ELSEWHERE, paths
from tests.serving.visitors import HOME, PUBLIC, House, house, small

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def here(tmp_path: Path) -> House:
    return house(small(tmp_path))


@pytest.fixture
def open_house(tmp_path: Path) -> House:
    return house(small(tmp_path), loopback=True)


def token(browser: httpx.Client) -> str:
    found: str = browser.get("/app/test").json()["token"]
    return found


# In and out


def test_in_with_a_key_and_out_again(here: House) -> None:
    key, browser = here.key("ann", "write", "ann's"), here.browser()
    asked = browser.get("/app/test?q=1")
    assert (asked.status_code, asked.headers["location"]) == (303, "/app/login?to=/app/test%3Fq%3D1")
    shown = browser.get(asked.headers["location"])
    assert (shown.status_code, 'name="to" value="/app/test?q=1"' in shown.text) == (200, True)
    done = browser.post("/app/login", data={"key": f" {key} ", "to": "/app/test?q=1"})
    assert (done.status_code, done.headers["location"]) == (303, "/app/test?q=1")
    told = browser.get("/app/test?").json()
    assert (told["name"], told["scope"], told["owner"]) == ("ann", "write", "ann's")
    assert browser.get("/app/login?to=/app/test").headers["location"] == "/app/test"
    cookies = dict(browser.cookies)
    assert browser.post("/app/logout", data={"token": told["token"]}).headers["location"] == "/app/login"
    assert dict(browser.cookies) == {}
    assert here.browser().get("/app/test", headers={"Cookie": f"propensity={cookies['propensity']}"}).status_code == 303
    assert here.sessions.all() == []


def test_logging_in_and_out_is_written_down_and_no_secret_is(here: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "propensity")
    key = here.key("ann")
    browser = here.logged_in(key)
    secret = browser.cookies["propensity"]
    browser.post("/app/logout", data={"token": token(browser)})
    found = here.protection.audit.entries()
    assert [(one.who, one.method, one.route) for one in found] == [
        ("ann", "POST", "/app/login"),
        ("ann", "POST", "/app/logout"),
    ]
    kept = [
        file.read_bytes() for file in Path(str(here.sessions.store.engine.url.database)).parent.glob("propensity.db*")
    ]
    for hidden in (key, secret, secret.partition("_")[2]):
        assert not any(hidden.encode() in file for file in kept)
        assert not any(hidden in str(vars(record)) for record in caplog.records)


def test_who_is_not_written_down_is_not_let_in(here: House, monkeypatch: pytest.MonkeyPatch) -> None:
    key = here.key("ann")

    def away(*_: object) -> None:
        raise PropensityError("the store is away", "wait", status=503)

    monkeypatch.setattr(Audit, "add", away)
    answer = here.browser().post("/app/login", data={"key": key})
    assert (answer.status_code, "set-cookie" in answer.headers) == (503, False)


@pytest.mark.parametrize("key", ["", "pk_000000000000_wrong", "x" * 500, "ä", "Bearer"])
def test_a_wrong_key_gets_the_form_again_and_no_cookie(here: House, key: str) -> None:
    here.key("ann")
    answer = here.browser().post("/app/login", data={"key": key, "to": "/app/test"})
    assert (answer.status_code, "this is no key that works" in answer.text) == (401, True)
    assert 'value="/app/test"' in answer.text
    assert "set-cookie" not in answer.headers


def test_a_revoked_key_logs_nobody_in(here: House) -> None:
    key = here.key("ann")
    here.keys.revoke("ann")
    here.protection.refresh()
    assert here.browser().post("/app/login", data={"key": key}).status_code == 401


# Who gets in where


def test_every_page_leads_to_the_login_and_every_form_refuses(here: House) -> None:
    here.key("ann")
    pages = {path for path in paths(list(here.app.routes)) if path == APP or path.startswith(f"{APP}/")}
    assert {f"{APP}/today", f"{APP}/login", f"{APP}/logout"} < pages
    for path in sorted(pages | {f"{APP}/", f"{APP}/nothing", f"{APP}/loginx", f"{APP}/staticx"}):
        if is_open(path):
            continue
        asked = path.replace("{", "").replace("}", "")
        for headers in ({}, {"Cookie": "propensity=000000000000_x"}, {"Cookie": "propensity=x; propensity=y"}):
            answer = here.browser().get(asked, headers=headers)
            assert (answer.status_code, answer.headers["location"][:13]) == (303, "/app/login?to"), path
            for method in ("POST", "PUT", "PATCH", "DELETE", "TRACE"):
                assert here.browser().request(method, asked, headers=headers | FORM).status_code == 401, (method, path)
    assert here.browser().get("/").headers["location"] == APP


def test_a_key_in_a_header_is_for_programs_and_a_cookie_for_pages(here: House) -> None:
    key = here.key("ann")
    browser = here.logged_in(key)
    cookie = {"Cookie": f"propensity={browser.cookies['propensity']}"}
    for headers in (cookie, cookie | {"Authorization": f"Bearer {browser.cookies['propensity']}"}):
        for path in ("/v1/test", "/v1/health", "/metrics", "/v1/openapi.json", "//app/test", "/App/test"):
            assert here.browser(PUBLIC).get(path, headers=headers).status_code == 401, path
    for path in ("/app/../v1/test", "/app/%2e%2e/v1/test", "/app//v1/test", "/app/login/../../v1/test"):
        answer = here.browser().get(httpx.URL(HOME, raw_path=path.encode()), headers=cookie)
        assert answer.status_code in {303, 401, 404}, path
        assert "ann" not in answer.text
    assert here.browser().get("/app/test", headers={"Authorization": f"Bearer {key}"}).status_code == 303
    assert here.browser().get("/v1/test", headers={"Authorization": f"Bearer {key}"}).status_code == 200


def test_a_scope_and_an_owner_count_on_pages_as_they_do_for_keys(here: House) -> None:
    browser = here.logged_in(here.key("reader", "read"))
    answer = browser.post("/app/test", data={"token": token(browser)})
    assert (answer.status_code, "takes a key of scope write" in answer.text) == (403, True)


def test_where_no_key_was_ever_made_pages_are_open_to_this_machine(open_house: House) -> None:
    browser = open_house.browser()
    told = browser.get("/app/test").json()
    assert (told["name"], told["scope"], len(told["token"])) == ("open", "admin", 64)
    assert browser.get("/app/login?to=/app/test").headers["location"] == "/app/test"
    assert browser.post("/app/test", data={"token": told["token"], "said": "a"}).json()["said"] == "a"
    assert browser.post("/app/test", data={"said": "a"}).status_code == 403
    for headers in ({"Host": "evil.example"}, {"X-Forwarded-For": "127.0.0.1"}):
        for path in ("/app/test", "/app/login"):
            assert browser.get(path, headers=headers).status_code == 401
    open_house.key("first")
    assert browser.get("/app/test").status_code == 303


# Cookies


def cookie_of(answer: httpx.Response) -> tuple[str, set[str]]:
    name, *attributes = (part.strip() for part in answer.headers["set-cookie"].split(";"))
    return name.partition("=")[0], {attribute.lower() for attribute in attributes}


def test_the_cookie_is_out_of_reach_of_scripts_other_sites_and_other_paths(here: House) -> None:
    key = here.key("ann")
    plain = here.browser().post("/app/login", data={"key": key})
    assert cookie_of(plain) == ("propensity", {"httponly", "path=/app", "samesite=lax"})
    safe = here.browser(PUBLIC).post("/app/login", data={"key": key})
    assert cookie_of(safe) == ("__Secure-propensity", {"httponly", "path=/app", "samesite=lax", "secure"})


def test_behind_a_proxy_that_speaks_https_the_cookie_is_secure_too(tmp_path: Path) -> None:
    here = house(small(tmp_path), Login(public_url=PUBLIC))
    answer = here.browser("http://propensity.example").post("/app/login", data={"key": here.key("ann")})
    assert cookie_of(answer) == ("__Secure-propensity", {"httponly", "path=/app", "samesite=lax", "secure"})


def test_over_https_a_cookie_that_was_set_over_http_is_nobodys(here: House) -> None:
    browser = here.logged_in(here.key("ann"))
    headers = {"Cookie": f"propensity={browser.cookies['propensity']}"}
    assert here.browser(PUBLIC).get("/app/test", headers=headers).status_code == 303


# Fixation


def test_a_session_is_new_at_every_login_and_the_one_before_is_over(here: House) -> None:
    mine, yours = here.key("mallory"), here.key("ann")
    browser = here.logged_in(mine)
    planted = browser.cookies["propensity"]
    browser.post("/app/login", data={"key": yours})
    assert browser.cookies["propensity"] != planted
    assert browser.get("/app/test").json()["name"] == "ann"
    assert here.browser().get("/app/test", headers={"Cookie": f"propensity={planted}"}).status_code == 303
    invented = {"Cookie": f"propensity=0123456789ab_{'0' * 64}"}
    answer = here.browser().post("/app/login", data={"key": yours}, headers=invented)
    assert "0123456789ab" not in answer.headers["set-cookie"]


def test_a_second_cookie_of_the_same_name_makes_neither_count(here: House) -> None:
    ann, mallory = here.logged_in(here.key("ann")), here.logged_in(here.key("mallory"))
    both = f"propensity={ann.cookies['propensity']}; propensity={mallory.cookies['propensity']}"
    assert here.browser().get("/app/test", headers={"Cookie": both}).status_code == 303


# Open redirects


@pytest.mark.parametrize(
    "to",
    [
        "https://evil.example/app/",
        "//evil.example/app/",
        "/\\evil.example",
        "\\\\evil.example",
        "/app/\\evil.example",
        "/app//evil.example",
        "/app/../..//evil.example",
        "/app/../v1/health",
        "/v1/health",
        "/appx",
        "app/today",
        "javascript:alert(1)",
        "/app/\r\nSet-Cookie: a=b",
        "/app/\tx",
        " /app/today",
        "/app@evil.example",
        "http:/app/today",
        "/app/login",
        "/app/static/x/style.css",
        "https://[evil/app/",
        "/app/ä",
        "",
    ],
)
def test_after_the_login_nobody_is_led_elsewhere(here: House, to: str) -> None:
    assert local(to) == APP
    key = here.key("ann")
    assert here.browser().post("/app/login", data={"key": key, "to": to}).headers["location"] == APP
    assert here.logged_in(key).get("/app/login", params={"to": to}).headers["location"] == APP


def test_a_page_of_ours_is_where_they_wanted_to_go() -> None:
    for to in (
        "/app",
        "/app/today",
        "/app/accounts/a%2Fb?outcome=churn#why",
        "/app/search?q=a%20b",
        "/app/search?q=//e..x",
    ):
        assert local(to) == to


# Forms


def test_a_form_without_the_sessions_own_token_is_refused(here: House) -> None:
    ann, bob = here.logged_in(here.key("ann")), here.logged_in(here.key("bob"))
    right = token(ann)
    wrong: list[dict[str, Any]] = [
        {},
        {"token": ""},
        {"token": right[:-1]},
        {"token": right.upper()},
        {"token": token(bob)},
    ]
    wrong += [{"token": ann.cookies["propensity"]}, {"token": "ä"}]
    for data in wrong:
        answer = ann.post("/app/test", data={"said": "x"} | data)
        assert (answer.status_code, "not from a page of yours" in answer.text) == (403, True), data
    assert ann.post(f"/app/test?token={right}", data={"said": "x"}).status_code == 403
    assert ann.post("/app/test", data={"said": "x"}, headers={"X-Token": right}).status_code == 403
    assert ann.post("/app/test", data={"token": [right, right]}).status_code == 415
    assert ann.post("/app/test", data={"token": right, "said": "ä & b"}).json()["said"] == "ä & b"
    assert ann.post("/app/logout", data={"token": ""}).status_code == 403
    assert ann.get("/app/test").status_code == 200


def test_a_token_is_compared_in_constant_time_by_its_means(here: House, monkeypatch: pytest.MonkeyPatch) -> None:
    browser, compared = here.logged_in(here.key("ann")), []

    def same(one: bytes, other: bytes) -> bool:
        compared.append(one)
        return one == other

    right = token(browser)
    monkeypatch.setattr(reception.hmac, "compare_digest", same)
    browser.post("/app/test", data={"token": "guess"})
    assert b"guess" in compared
    assert browser.post("/app/test", data={"token": right}).status_code == 200


def test_a_token_of_the_session_before_is_of_no_use(here: House) -> None:
    key = here.key("ann")
    browser = here.logged_in(key)
    before = token(browser)
    browser.post("/app/login", data={"key": key})
    assert browser.post("/app/test", data={"token": before}).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": HOME},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:8080"},
        {"Origin": "http://127.0.0.1.evil.example"},
        {"Origin": "http://[evil"},
        {"Origin": "127.0.0.1"},
    ],
)
def test_a_form_of_another_site_is_refused_the_login_too(here: House, headers: dict[str, str]) -> None:
    key = here.key("ann")
    browser = here.logged_in(key)
    right = token(browser)
    assert browser.post("/app/test", data={"token": right}, headers=headers).status_code == 403
    answer = here.browser().post("/app/login", data={"key": key}, headers=headers)
    assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-origin", "Origin": "null"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": HOME},
        {"Origin": PUBLIC},
    ],
)
def test_a_form_of_our_own_is_taken(tmp_path: Path, headers: dict[str, str]) -> None:
    here = house(small(tmp_path), Login(public_url="https://propensity.example/"))
    key = here.key("ann")
    assert here.browser().post("/app/login", data={"key": key}, headers=headers).status_code == 303


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b'{"token": "x"}', {"Content-Type": "application/json"}, 415),
        (b"token=x", {"Content-Type": "text/plain"}, 415),
        (b"token=x", {"Content-Type": "multipart/form-data; boundary=x"}, 415),
        (b"token=x", {"Content-Type": "application/x-www-form-urlencoded; charset=utf-16"}, 415),
        (b"token=x", FORM | {"Content-Encoding": "gzip"}, 415),
        (b"token=x", {}, 415),
        (b"said=%ff", FORM, 415),
        (b"said=%00", FORM, 415),
        (b"said=\xc3\xa4", FORM, 415),
        (b"&".join(b"a%d=1" % number for number in range(500)), FORM, 415),
        (b"said=" + b"x" * 2_000_001, FORM, 413),
    ],
)
def test_what_is_no_form_is_refused(here: House, body: bytes, headers: dict[str, str], status: int) -> None:
    browser = here.logged_in(here.key("ann"))
    assert browser.post("/app/test", content=body, headers=headers).status_code == status


def test_a_long_form_is_read_whole(here: House) -> None:
    browser = here.logged_in(here.key("ann"))
    answer = browser.post("/app/test", data={"said": "x" * 900_000, "token": token(browser)})
    assert len(answer.json()["said"]) == 900_000


def test_forms_are_for_pages_alone_and_pages_take_nothing_but_forms(here: House) -> None:
    key = here.key("ann")
    programs = {"Authorization": f"Bearer {key}"}
    assert here.browser().post("/v1/score", data={"a": "b"}, headers=programs).status_code == 415
    browser = here.logged_in(key)
    for method in ("PUT", "PATCH", "DELETE"):
        assert browser.request(method, "/app/test", data={"token": token(browser)}).status_code == 405


# Limits


def test_who_guesses_keys_is_told_to_wait_and_pages_go_on(tmp_path: Path) -> None:
    here = house(small(tmp_path), Login(attempts_per_minute=3))
    browser = here.logged_in(here.key("ann"))
    answers = [here.browser().post("/app/login", data={"key": "x"}) for _ in range(8)]
    assert answers[0].status_code == 401
    assert (answers[-1].status_code, "retry-after" in answers[-1].headers) == (429, True)
    assert here.browser().get("/app/login").status_code == 200
    assert browser.get("/app/test").status_code == 200


def test_strangers_ask_for_the_login_page_as_often_as_a_key_may_ask(tmp_path: Path) -> None:
    workspace = small(tmp_path)
    config = workspace.config.model_copy(update={"service": Service(requests_per_minute=3)})
    here = house(Workspace(workspace.root, config))
    assert here.browser().get("/app/login").status_code == 200
    assert [here.browser().get("/app/login").status_code for _ in range(8)][-1] == 429


def test_sessions_of_one_key_share_what_the_key_may_ask(tmp_path: Path) -> None:
    workspace = small(tmp_path)
    config = workspace.config.model_copy(update={"service": Service(requests_per_minute=5)})
    here = house(Workspace(workspace.root, config), Login(attempts_per_minute=0))
    key = here.key("ann")
    browsers = [here.logged_in(key) for _ in range(2)]
    statuses = [browser.get("/app/test").status_code for _ in range(8) for browser in browsers]
    assert statuses.count(429) >= 6
    assert here.browser().get("/v1/test", headers={"Authorization": f"Bearer {key}"}).status_code == 429


# On a workspace with models


def test_from_the_login_to_the_list_of_the_day_and_out(inside: Inside, apart: Workspace) -> None:
    key = Keys(Store(apart)).create("ann", "write")[1]
    inside.app.state.protection.refresh()
    try:
        done = inside.ask("POST", "/app/login", data={"key": key, "to": "/app/today"}, client=ELSEWHERE)
        assert (done.status_code, done.headers["location"]) == (303, "/app/today")
        cookie = {"Cookie": done.headers["set-cookie"].partition(";")[0]}
        page = inside.ask("GET", "/app/today", headers=cookie, client=ELSEWHERE)
        assert (page.status_code, "ann" in page.text) == (200, True)
        sent = re.search('name="token" value="([0-9a-f]{64})"', page.text)
        assert sent is not None
        promotion = {"token": sent[1], "outcome": "churn", "version": "1", "why": "mine", "force": "true"}
        refused = inside.ask("POST", "/app/models/promote", headers=cookie, data=promotion, client=ELSEWHERE)
        assert (refused.status_code, "takes a key of scope admin" in refused.text) == (403, True)
        out = inside.ask("POST", "/app/logout", headers=cookie, data={"token": sent[1]}, client=ELSEWHERE)
        assert (out.status_code, out.headers["location"]) == (303, "/app/login")
        assert inside.ask("GET", "/app/today", headers=cookie, client=ELSEWHERE).status_code == 303
    finally:
        store = Store(apart)
        with store.engine.begin() as connection:
            connection.execute(SESSIONS.delete())
            connection.execute(KEYS.delete())
        inside.app.state.protection.refresh()
