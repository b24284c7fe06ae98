"""Sessions as they are kept, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from features.errors import PropensityError
from features.settings.login import Login
from features.workspace import Workspace
from serving.stores import sessions
from serving.stores.erasing import OURS
from serving.stores.keys import Keys
from serving.stores.sessions import AWAY, LOGINS, SESSIONS, Person, Sessions, held_by
from serving.stores.store import Store
from tests import postgres
from tests.commands import Command
from tests.serving.visitors import Clock, House, house, small

ANN = Person("ann@acme.example", "write", "ann", issuer="https://id.example", subject="7")
TO = "/app/today"


@pytest.fixture(params=["sqlite", "postgresql"])
def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Workspace]:
    url = None
    if request.param == "postgresql":
        url = str(request.getfixturevalue("database"))
        postgres.emptied(url)
    found = small(tmp_path)
    made = Workspace(found.root, found.config.model_copy(update={"store": url}))
    yield made
    Store(made).engine.dispose()


@pytest.fixture
def kept(workspace: Workspace) -> Sessions:
    return Sessions(Store(workspace))


def test_a_session_is_kept_as_it_was_begun_and_its_secret_as_a_hash(kept: Sessions) -> None:
    clock = Clock()
    session, secret = kept.begin(ANN, clock())
    assert kept.all() == [session]
    assert held_by(secret, {session.id: session}) == session
    assert (session.as_key().name, session.as_key().scope, session.as_key().owner) == (
        "ann@acme.example",
        "write",
        "ann",
    )
    with kept.store.engine.connect() as connection:
        row = connection.execute(sa.select(SESSIONS)).one()
    assert not any(secret.partition("_")[2] in str(cell) for cell in row)
    kept.end([session.id])
    assert kept.all() == []


def test_only_the_whole_secret_is_a_session(kept: Sessions) -> None:
    session, secret = kept.begin(ANN, Clock()())
    other, _ = kept.begin(ANN, Clock()())
    held = {session.id: session, other.id: other}
    number = secret.partition("_")[0]
    wrong = [secret[:-1], secret + "0", secret.upper(), session.sha256, f"{number}_{session.sha256}", f"{number}_", number, "", "_", "\ud800", secret.replace(number, other.id)]  # fmt: skip
    assert [held_by(one, held) for one in wrong] == [None] * len(wrong)


def test_a_cookie_is_compared_in_constant_time_by_its_means(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []
    monkeypatch.setattr(
        "serving.stores.sessions.hmac.compare_digest", lambda a, b: bool(compared.append(len(a) - len(b)))
    )
    assert held_by("000000000000_x", {}) is None
    assert held_by("nonsense", {}) is None
    assert compared == [0, 0]


def test_sessions_of_one_person_count_as_one_for_the_limits(kept: Sessions) -> None:
    first, second = (kept.begin(ANN, Clock()())[0] for _ in range(2))
    other = kept.begin(Person("ann@acme.example", "write", issuer="https://id.example", subject="8"), Clock()())[0]
    assert first.as_key().id == second.as_key().id != other.as_key().id


def test_the_latest_use_counts_whoever_saw_it(kept: Sessions) -> None:
    clock = Clock()
    session, _ = kept.begin(ANN, clock())
    kept.seen({session.id: clock() + timedelta(hours=2)})
    kept.seen({session.id: clock() + timedelta(hours=1)})
    assert kept.all()[0].seen_at == clock() + timedelta(hours=2)


def test_a_login_comes_back_once_to_the_browser_that_set_out(kept: Sessions) -> None:
    clock = Clock()
    kept.set_out("state", "browser", TO, clock())
    assert kept.come_back("state", "another", clock()) is None
    assert kept.come_back("another", "browser", clock()) is None
    assert kept.come_back("state", "browser", clock()) == TO
    assert kept.come_back("state", "browser", clock()) is None
    with kept.store.engine.connect() as connection:
        assert connection.execute(sa.select(LOGINS)).all() == []


def test_a_login_that_took_too_long_is_over_and_struck_out(kept: Sessions) -> None:
    clock = Clock()
    kept.set_out("slow", "browser", TO, clock())
    clock.go(seconds=AWAY.total_seconds())
    assert kept.come_back("slow", "browser", clock()) is None
    kept.set_out("next", "browser", TO, clock())
    with kept.store.engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(LOGINS)).scalar_one() == 1


def test_strangers_who_set_out_do_not_fill_the_store(kept: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "MOST_AWAY", 3)
    for number in range(3):
        kept.set_out(f"s{number}", "browser", TO, Clock()())
    with pytest.raises(PropensityError, match="too many people") as caught:
        kept.set_out("s3", "browser", TO, Clock()())
    assert caught.value.status == 503


def test_who_is_logged_in_is_no_account_to_be_erased() -> None:
    assert {SESSIONS.name, LOGINS.name} <= OURS


# How long they last


@pytest.fixture
def here(workspace: Workspace) -> House:
    return house(workspace, Login(idle_hours=1, hours=3, attempts_per_minute=0))


def test_a_session_that_is_not_used_is_over(here: House) -> None:
    browser = here.logged_in(here.key("ann"))
    here.clock.go(minutes=59)
    assert browser.get("/app/test").status_code == 200
    here.clock.go(minutes=59)
    assert browser.get("/app/test").status_code == 200
    here.clock.go(minutes=60)
    assert browser.get("/app/test").status_code == 303
    here.protection.refresh()
    assert here.sessions.all() == []


def test_a_session_is_over_in_time_however_much_it_is_used(here: House) -> None:
    browser = here.logged_in(here.key("ann"))
    statuses = []
    for _ in range(7):
        here.clock.go(minutes=30)
        statuses.append(browser.get("/app/test").status_code)
        here.protection.refresh()
    assert statuses == [200] * 5 + [303] * 2
    assert here.sessions.all() == []


def test_use_is_written_down_now_and_then_so_that_a_restart_forgets_little(here: House) -> None:
    browser, begun = here.logged_in(here.key("ann")), here.clock()
    here.clock.go(seconds=59)
    browser.get("/app/test")
    here.protection.refresh()
    assert here.sessions.all()[0].seen_at == begun
    here.clock.go(seconds=1)
    browser.get("/app/test")
    here.protection.refresh()
    assert here.sessions.all()[0].seen_at == here.clock()


def test_a_revoked_key_takes_its_sessions_along(here: House) -> None:
    ann, bob = here.logged_in(here.key("ann")), here.logged_in(here.key("bob"))
    here.keys.revoke("ann")
    here.protection.door.refresh()
    assert (ann.get("/app/test").status_code, bob.get("/app/test").status_code) == (303, 200)
    here.protection.refresh()
    assert [session.name for session in here.sessions.all()] == ["bob"]


def test_another_process_knows_of_a_session_and_of_its_end(here: House, workspace: Workspace) -> None:
    browser, other = here.logged_in(here.key("ann")), house(workspace)
    there = other.browser()
    there.cookies = browser.cookies
    assert there.get("/app/test").json()["name"] == "ann"
    browser.post("/app/logout", data={"token": browser.get("/app/test").json()["token"]})
    other.protection.refresh()
    assert there.get("/app/test").status_code == 303


def test_whoever_runs_the_service_logs_somebody_out_everywhere(
    here: House, workspace: Workspace, propensity: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("features.workspace.Workspace.store_url", workspace.store_url)
    ann, key = here.logged_in(here.key("ann")), here.key("bob", "read", "bob's")
    bobs = [here.logged_in(key) for _ in range(2)]
    here.clock.at = datetime.now(UTC)
    here.logged_in(key)
    listed = propensity("session", "list", "--workspace", workspace.root, "--json")
    assert [(one["name"], one["scope"], one["owner"]) for one in listed.document["sessions"]] == [
        ("bob", "read", "bob's")
    ]
    assert "sha256" not in listed.out
    assert "bob: read, accounts of bob's" in propensity("session", "list", "--workspace", workspace.root).out
    here.clock.at = ann_was_here = Clock()()
    assert propensity("session", "end", "--name", "bob", "--workspace", workspace.root, "--json").document == {
        "ended": 3
    }
    here.protection.refresh()
    assert [browser.get("/app/test").status_code for browser in (ann, *bobs)] == [200, 303, 303]
    wrong = propensity("session", "end", "--name", "bob", "--workspace", workspace.root, "--json")
    assert (wrong.status, wrong.document["hint"]) == (2, "Logged in are ann.")
    assert here.sessions.all()[0].created_at == ann_was_here
    assert "nobody is logged in" in propensity("session", "list", "--workspace", workspace.root).out


def test_a_store_that_is_away_leaves_the_sessions_and_hears_of_their_end_later(
    here: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, bob = here.logged_in(here.key("ann")), here.logged_in(here.key("bob"))
    carl, sent = here.key("carl"), {"token": ann.get("/app/test").json()["token"]}

    def away(*_: object) -> None:
        raise PropensityError("the store is away", "wait", status=503)

    with monkeypatch.context() as patch:
        for name in ("all", "end", "seen", "begin"):
            patch.setattr(here.sessions, name, away)
        here.protection.refresh()
        assert (ann.get("/app/test").status_code, bob.get("/app/test").status_code) == (200, 200)
        assert here.browser().post("/app/login", data={"key": carl}).status_code == 503
        cookies = dict(ann.cookies)
        assert ann.post("/app/logout", data=sent).status_code == 303
        assert here.browser().get("/app/test", headers=_as(cookies)).status_code == 303
    assert len(here.sessions.all()) == 2
    here.protection.refresh()
    assert [session.name for session in here.sessions.all()] == ["bob"]
    assert here.browser().get("/app/test", headers=_as(cookies)).status_code == 303


def _as(cookies: dict[str, str]) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}


def test_keys_and_sessions_are_of_one_store(kept: Sessions) -> None:
    assert Keys(kept.store).all() == []
    assert SESSIONS.name in sa.inspect(kept.store.engine).get_table_names()
