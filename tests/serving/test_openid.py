"""Logging in through the company's own login: a provider that is really there, and one that misbehaves."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import ValidationError

from features.errors import PropensityError
from features.settings.login import Login, OpenID
from features.workspace import Workspace, load
from serving.stores.sessions import Sessions
from serving.web import application as web
from serving.web import openid
from serving.web.openid import secret_of
from serving.web.roles import person
from tests import company
from tests.serving.inside import client
from tests.serving.provider import CLIENT, SECRET, Provider, running
from tests.serving.visitors import PUBLIC, Clock, House, house, small

GRANTS = {"cs": "customer success", "adv": "advocacy", "ds": "data scientist", "ops": "admin"}
FLOW = "/app/login/openid?to=/app/test"


@pytest.fixture(scope="module")
def started() -> Iterator[tuple[Provider, Clock]]:
    clock = Clock()
    with running(clock) as found:
        yield found, clock


@pytest.fixture
def provider(started: tuple[Provider, Clock], monkeypatch: pytest.MonkeyPatch) -> Provider:
    """As it was when it began."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("OPENID_SECRET", SECRET)
    found, clock = started
    keys, issuer = found.keys, found.issuer
    found.__init__(clock)  # type: ignore[misc]
    found.keys, found.issuer = keys, issuer
    return found


def login(provider: Provider, **more: Any) -> Login:
    settings = {"issuer": provider.issuer, "client_id": CLIENT, "secret": "OPENID_SECRET", "grants": GRANTS} | more
    return Login(public_url=PUBLIC, attempts_per_minute=0, openid=OpenID.model_validate(settings))


@pytest.fixture
def here(provider: Provider, tmp_path: Path) -> House:
    made = house(small(tmp_path), login(provider))
    provider.now = made.clock
    return made


def away(browser: httpx.Client) -> str:
    """Sets out; returns where the provider sends people back to."""
    there = browser.get(FLOW).headers["location"]
    with httpx.Client(trust_env=False) as client:
        back: str = client.get(there).headers["location"]
    assert back.startswith(f"{PUBLIC}/app/login/openid/back?")
    return back


def through(here: House) -> tuple[httpx.Client, httpx.Response]:
    """A browser that goes all the way, and what it gets in the end."""
    browser = here.browser(PUBLIC)
    return browser, browser.get(away(browser))


# All the way


def test_from_a_page_through_the_companys_login_to_the_page_and_out(here: House) -> None:
    browser = here.browser(PUBLIC)
    form = browser.get(browser.get("/app/test").headers["location"])
    assert "Sign in with your company&#39;s login" in form.text
    assert 'href="/app/login/openid?to=/app/test"' in form.text
    done = browser.get(away(browser))
    assert (done.status_code, done.headers["location"]) == (303, "/app/test")
    told = browser.get("/app/test").json()
    assert (told["name"], told["scope"], told["owner"]) == ("ann@acme.example", "write", None)
    assert browser.post("/app/test", data={"token": told["token"], "said": "hello"}).json()["said"] == "hello"
    browser.post("/app/logout", data={"token": told["token"]})
    assert browser.get("/app/test").status_code == 303
    assert here.sessions.all() == []
    routes = [(one.who, one.route) for one in here.protection.audit.entries() if "log" in one.route]
    assert routes == [("ann@acme.example", "/app/login/openid/back"), ("ann@acme.example", "/app/logout")]


def test_what_is_asked_of_the_provider_gives_nothing_away(here: House, provider: Provider) -> None:
    browser = here.browser(PUBLIC)
    answer = browser.get(FLOW)
    there = urlsplit(answer.headers["location"])
    asked = {name: values[0] for name, values in parse_qs(there.query).items()}
    assert f"{there.scheme}://{there.netloc}{there.path}" == f"{provider.issuer}/authorize"
    assert asked["redirect_uri"] == f"{PUBLIC}/app/login/openid/back"
    assert {len(asked[name]) for name in ("state", "nonce", "code_challenge")} == {43, 64}
    secret = browser.cookies["__Secure-propensity_login"]
    assert secret not in answer.headers["location"]
    attributes = {part.strip().lower() for part in answer.headers["set-cookie"].split(";")[1:]}
    assert attributes == {"httponly", "max-age=600", "path=/app/login", "samesite=lax", "secure"}
    again = parse_qs(urlsplit(browser.get(FLOW).headers["location"]).query)
    assert not {again[name][0] for name in ("state", "nonce", "code_challenge")} & set(asked.values())


@pytest.mark.parametrize("methods", [["client_secret_basic"], ["client_secret_post"], None])
def test_the_client_says_who_it_is_as_the_provider_wants(
    here: House, provider: Provider, methods: list[str] | None
) -> None:
    provider.said = {} if methods is None else {"token_endpoint_auth_methods_supported": methods}
    assert through(here)[1].status_code == 303


def test_with_a_companys_login_pages_are_not_open_to_this_machine(provider: Provider, tmp_path: Path) -> None:
    here = house(small(tmp_path), login(provider), loopback=True)
    assert here.browser().get("/app/test").status_code == 303


def test_with_a_public_address_nothing_is_open_to_this_machine(tmp_path: Path) -> None:
    """A proxy on the same machine may make its requests look like those of somebody here."""
    workspace = small(tmp_path)
    public = workspace.config.model_copy(update={"login": Login(public_url=PUBLIC)})
    for config, open_ in ((workspace.config, True), (public, False)):
        app = web.application()
        assert web.protect(app, Workspace(workspace.root, config), loopback=True).door.open is open_
        with client(app) as asking:
            assert asking.get("/v1/health").status_code == (503 if open_ else 401)
            assert asking.get("/app/today").status_code == (503 if open_ else 303)


def test_a_key_logs_in_beside_it(here: House) -> None:
    assert here.logged_in(here.key("ann"), PUBLIC).get("/app/test").json()["name"] == "ann"


def test_without_one_there_is_none(tmp_path: Path) -> None:
    here = house(small(tmp_path))
    for path in (FLOW, "/app/login/openid/back?state=x&code=y"):
        assert here.browser().get(path).status_code == 404
    assert "Sign in with" not in here.browser().get("/app/login").text


# What others try with the way back


def test_an_answer_serves_once(here: House) -> None:
    browser = here.browser(PUBLIC)
    back = away(browser)
    cookies = {"Cookie": f"__Secure-propensity_login={browser.cookies['__Secure-propensity_login']}"}
    assert browser.get(back).status_code == 303
    assert "__Secure-propensity_login" not in browser.cookies
    again = here.browser(PUBLIC).get(back, headers=cookies)
    assert (again.status_code, "not begun in this browser" in again.text, "set-cookie" in again.headers) == (
        401,
        True,
        False,
    )


def test_an_answer_for_another_browser_logs_nobody_in(here: House) -> None:
    mallory, ann = here.browser(PUBLIC), here.browser(PUBLIC)
    planted = away(mallory)
    assert here.browser(PUBLIC).get(planted).status_code == 401
    ann.get(FLOW)
    answer = ann.get(planted)
    assert (answer.status_code, "set-cookie" in answer.headers) == (401, False)


@pytest.mark.parametrize("change", ["state=x", "state=", "nothing"])
def test_an_answer_without_the_state_is_none(here: House, change: str) -> None:
    browser = here.browser(PUBLIC)
    code = parse_qs(urlsplit(away(browser)).query)["code"][0]
    assert browser.get(f"/app/login/openid/back?code={code}&{change}").status_code == 401


def test_an_answer_that_took_too_long_is_none(here: House) -> None:
    browser = here.browser(PUBLIC)
    back = away(browser)
    here.clock.go(minutes=10)
    assert browser.get(back).status_code == 401


def test_a_code_that_somebody_else_got_is_of_no_use(here: House, provider: Provider) -> None:
    """The verifier is the browser's that set out: the provider refuses the code with another."""
    mallory, ann = here.browser(PUBLIC), here.browser(PUBLIC)
    stolen = parse_qs(urlsplit(away(ann)).query)["code"][0]
    own = parse_qs(urlsplit(away(mallory)).query)["state"][0]
    assert mallory.get("/app/login/openid/back", params={"state": own, "code": stolen}).status_code == 401
    assert here.sessions.all() == []


def test_an_answer_of_another_issuer_is_refused(here: House, provider: Provider) -> None:
    browser = here.browser(PUBLIC)
    back = away(browser)
    assert browser.get(httpx.URL(back).copy_set_param("iss", "https://evil.example")).status_code == 401
    provider.said = {"authorization_response_iss_parameter_supported": True}
    here.clock.go(hours=2)
    back = away(browser)
    assert browser.get(httpx.URL(back).copy_remove_param("iss")).status_code == 401
    assert here.sessions.all() == []


def test_who_turns_back_at_the_provider_is_not_logged_in(here: House, caplog: pytest.LogCaptureFixture) -> None:
    browser = here.browser(PUBLIC)
    state = parse_qs(urlsplit(away(browser)).query)["state"][0]
    answer = browser.get("/app/login/openid/back", params={"state": state, "error": "access_denied"})
    assert (answer.status_code, "access_denied" in answer.text, "access_denied" in caplog.text) == (401, False, True)


def test_a_login_that_was_there_before_ends(here: House) -> None:
    browser = here.logged_in(here.key("mallory"), PUBLIC)
    planted = {"Cookie": f"__Secure-propensity={browser.cookies['__Secure-propensity']}"}
    assert browser.get(away(browser)).status_code == 303
    assert browser.get("/app/test").json()["name"] == "ann@acme.example"
    assert here.browser(PUBLIC).get("/app/test", headers=planted).status_code == 303


# ID tokens


def refused(here: House, caplog: pytest.LogCaptureFixture, said: str) -> None:
    caplog.set_level(logging.WARNING)
    browser, answer = through(here)
    assert (answer.status_code, "could not be logged in" in answer.text) == (401, True)
    assert said in caplog.text
    assert said not in answer.text
    assert browser.get("/app/test").status_code == 303
    assert here.sessions.all() == []


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"nonce": "another"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"aud": "another"}, "aud"),
        ({"aud": []}, "aud"),
        ({"aud": None}, "aud"),
        ({"aud": [CLIENT, "another"]}, "another client"),
        ({"aud": [CLIENT, "another"], "azp": "another"}, "another client"),
        ({"azp": "another"}, "another client"),
        ({"iss": "https://evil.example"}, "iss"),
        ({"iss": None}, "iss"),
        ({"exp": 1}, "expired"),
        ({"exp": None}, "exp"),
        ({"exp": "never"}, "exp"),
        ({"iat": 32503680000}, "issued in the future"),
        ({"iat": None}, "iat"),
        ({"iat": 1}, "another time"),
        ({"nbf": 32503680000}, "not yet valid"),
        ({"sub": None}, "sub"),
        ({"sub": ""}, "sub"),
        ({"sub": 7}, "sub"),
    ],
)
def test_a_claim_that_is_not_right_is_refused(
    here: House, provider: Provider, caplog: pytest.LogCaptureFixture, claims: dict[str, Any], said: str
) -> None:
    provider.claims |= claims
    refused(here, caplog, said)


def test_a_token_for_several_that_was_given_to_us_is_ours(here: House, provider: Provider) -> None:
    provider.claims |= {"aud": [CLIENT, "another"], "azp": CLIENT}
    assert through(here)[1].status_code == 303


Lie = Callable[[Provider, dict[str, Any]], str]


@pytest.mark.parametrize(
    ("lie", "said"),
    [
        (Provider.unsigned, "Algorithm of 'none' is not allowed"),
        (Provider.signed_with_the_public_key, "Algorithm of 'HS256' is not allowed"),
        (Provider.signed_by_another, "BadSignatureError"),
        (Provider.signed_with_its_own_key_inside, "No key for kid"),
        (Provider.changed, "BadSignatureError"),
        (lambda provider, claims: provider.signed(claims, kid="unknown"), "No key for kid"),
        (Provider.signed_with_a_demand_that_nobody_knows, "UnsupportedHeaderError"),
        (lambda *_: "no.token", "DecodeError"),
        (lambda *_: "", "ID token"),
        (lambda *_: "x" * 200_000, "ExceededSizeError"),
    ],
)
def test_a_token_that_the_provider_has_not_signed_is_refused(
    here: House, provider: Provider, caplog: pytest.LogCaptureFixture, lie: Lie, said: str
) -> None:
    provider.lie = lambda claims: lie(provider, claims)
    refused(here, caplog, said)


def test_keys_are_asked_for_again_where_one_is_new_and_not_without_end(here: House, provider: Provider) -> None:
    assert through(here)[1].status_code == 303
    provider.rotate()
    here.clock.go(minutes=2)
    assert through(here)[1].status_code == 303
    assert provider.asked.count("/keys") == 2
    provider.lie = lambda claims: provider.signed(claims, kid="unknown")
    assert [through(here)[1].status_code for _ in range(4)] == [401] * 4
    assert provider.asked.count("/keys") == 2
    here.clock.go(minutes=2)
    assert [through(here)[1].status_code for _ in range(4)] == [401] * 4
    assert provider.asked.count("/keys") == 3


def test_a_key_that_the_provider_has_taken_back_is_of_no_use_for_long(here: House, provider: Provider) -> None:
    old = provider.keys[0]
    assert through(here)[1].status_code == 303
    provider.rotate()
    provider.lie = lambda claims: openid.jwt.encode(
        {"alg": "ES256" if old.kid != "first" else "RS256", "kid": old.kid}, claims, old
    )
    here.clock.go(hours=1)
    assert through(here)[1].status_code == 401


# The provider itself


@pytest.mark.parametrize(
    ("said", "logged"),
    [
        ({"issuer": "https://evil.example"}, "evil.example"),
        ({"code_challenge_methods_supported": ["plain"]}, "PKCE"),
        ({"token_endpoint": "http://evil.example/token"}, "where to log in"),
        ({"jwks_uri": None}, "where to log in"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "where to log in"),
    ],
)
def test_a_provider_that_says_odd_things_of_itself_is_not_gone_to(
    here: House, provider: Provider, caplog: pytest.LogCaptureFixture, said: dict[str, Any], logged: str
) -> None:
    provider.said = said
    assert here.browser(PUBLIC).get(FLOW).status_code == 401
    assert logged in caplog.text


@pytest.mark.parametrize(
    ("answer", "status"),
    [((500, b"{}"), 503), ((404, b"{}"), 401), ((302, b""), 401), ((200, b"<html>"), 401), ((200, b"[]"), 401), ((200, b" " * 1_100_000), 401)],
)  # fmt: skip
def test_a_provider_that_answers_nonsense_lets_nobody_in(
    here: House, provider: Provider, answer: tuple[int, bytes], status: int
) -> None:
    browser = here.browser(PUBLIC)
    back = away(browser)
    provider.answer = answer
    assert browser.get(back).status_code == status
    assert here.sessions.all() == []


def test_a_provider_that_is_away_says_so_and_keys_still_log_in(provider: Provider, tmp_path: Path) -> None:
    here = house(small(tmp_path), login(provider, issuer="http://127.0.0.1:9"))
    answer = here.browser(PUBLIC).get(FLOW)
    assert (answer.status_code, "log in with a key" in answer.text) == (503, True)
    assert here.logged_in(here.key("ann"), PUBLIC).get("/app/test").status_code == 200


def test_who_waits_for_the_provider_does_not_take_all_the_room(here: House, monkeypatch: pytest.MonkeyPatch) -> None:
    found = here.protection.reception.provider
    assert found is not None
    for _ in range(openid.AT_ONCE):
        assert found._room.acquire(blocking=False)
    assert here.browser(PUBLIC).get(FLOW).status_code == 503
    found._room.release()
    assert here.browser(PUBLIC).get(FLOW).status_code == 303


# Roles


def of(claims: dict[str, Any], **settings: Any) -> tuple[str, str, str | None]:
    made = OpenID.model_validate({"issuer": "https://id.example", "client_id": "c", "grants": GRANTS} | settings)
    found = person(made, {"sub": "7", "email": "ann@acme.example"} | claims)
    return found.name, found.scope, found.owner


@pytest.mark.parametrize(
    ("roles", "scope"),
    [("cs", "write"), (["adv"], "write"), (["ds"], "admin"), (["ops"], "admin"), (["x", "cs", 7], "write"), (["cs", "ds"], "admin")],
)  # fmt: skip
def test_the_most_that_a_role_may_counts(roles: Any, scope: str) -> None:
    assert of({"roles": roles}) == ("ann@acme.example", scope, None)


@pytest.mark.parametrize("roles", [None, [], ["x"], "", "c", ["CS"], {"cs": True}, 7, ["customer success"]])
def test_who_has_no_role_here_does_not_get_in(roles: Any) -> None:
    with pytest.raises(PropensityError, match="no role here") as caught:
        of({"roles": roles})
    assert caught.value.status == 403


def test_customer_success_sees_its_own_accounts_where_that_is_known() -> None:
    assert of({"roles": ["cs"]}, owner="email")[2] == "ann@acme.example"
    assert of({"roles": ["cs"], "crm": "Ann A."}, owner="crm")[2] == "Ann A."
    assert of({"roles": ["cs", "adv"]}, owner="email")[2] is None
    assert of({"roles": ["adv"]}, owner="email")[2] is None
    for claims in ({}, {"crm": ""}, {"crm": " "}, {"crm": ["ann"]}, {"crm": "a\nb"}):
        with pytest.raises(PropensityError, match="does not say your crm"):
            of({"roles": ["cs"]} | claims, owner="crm")


def test_an_address_that_nobody_has_verified_is_not_theirs() -> None:
    for verified in (False, "false", None):
        with pytest.raises(PropensityError, match="has not verified"):
            of({"roles": ["cs"], "email_verified": verified})
    assert of({"roles": ["cs"], "email_verified": True})[0] == "ann@acme.example"


def test_roles_may_lie_within_a_claim() -> None:
    assert of({"realm_access": {"roles": ["ds"]}}, roles="realm_access.roles")[1] == "admin"
    assert of({"https://acme.example/roles": ["ds"]}, roles="https://acme.example/roles")[1] == "admin"


def test_who_has_no_role_is_told_so_and_not_logged_in(here: House, provider: Provider) -> None:
    provider.claims["roles"] = ["guest"]
    browser, answer = through(here)
    assert (answer.status_code, "no role here" in answer.text) == (403, True)
    assert browser.get("/app/test").status_code == 303


# Configuration


def test_it_is_configured_in_the_workspace_and_the_secret_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"issuer": "https://id.example", "client_id": "c", "secret": "OUR_SECRET", "grants": GRANTS}
    company.found(tmp_path, accounts=3, login={"public_url": PUBLIC, "openid": settings})
    found = load(tmp_path).config.login.openid
    assert found is not None
    assert found.grants["ds"] == "data scientist"
    with pytest.raises(PropensityError, match="environment variable OUR_SECRET, and it is not set"):
        secret_of(found)
    monkeypatch.setenv("OUR_SECRET", "x")
    assert secret_of(found) == "x"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"issuer": "http://id.example"}, "is not https"),
        ({"issuer": "id.example"}, "is no address"),
        ({"issuer": "https://a:b@id.example"}, "is no address"),
        ({"secret": "hunter2"}, "should match pattern"),
        ({"grants": {}}, "at least 1"),
        ({"grants": {"cs": "boss"}}, "customer success"),
        ({"scopes": ["email"]}, "must have openid"),
        ({"client_id": ""}, "at least 1"),
    ],
)
def test_what_is_configured_wrong_is_named(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        OpenID.model_validate({"issuer": "https://id.example", "client_id": "c", "grants": GRANTS} | change)


def test_the_way_back_is_configured_and_never_what_a_request_says(here: House) -> None:
    with pytest.raises(ValidationError, match="public_url is required"):
        Login(openid=OpenID(issuer="https://id.example", client_id="c", grants={"cs": "admin"}))
    for address in ("http://acme.example", "https://acme.example/tools", "acme"):
        with pytest.raises(ValidationError):
            Login(public_url=address)
    answer = here.browser(PUBLIC).get(FLOW, headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"})
    assert "evil" not in answer.headers["location"]


def test_sessions_of_a_login_say_by_whom_they_were_begun(here: House, provider: Provider) -> None:
    through(here)
    found: Sessions = here.sessions
    assert [(one.issuer, one.subject, one.key) for one in found.all()] == [(provider.issuer, "7", None)]
