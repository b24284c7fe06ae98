"""Alerts of a small company: each raised once, however often and by however many the rules are run."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import serving.stores.store
from features.errors import PropensityError
from features.workspace import Workspace
from serving.scores.score import Score
from serving.stores.log import Entry, Log
from serving.stores.store import Store
from serving.work.alerts import Alerted, Watch, alerts, close, snooze
from tests import worlds
from tests.commands import Command

JUNE, JULY = date(2026, 6, 30), date(2026, 7, 31)
Rows = list[dict[str, object]]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def nps(account: str, day: str, score: int, recorded: str | None = None) -> dict[str, object]:
    known = at(recorded) if recorded else None
    return {"account": account, "contact": f"p-{account}", "instrument": "NPS", "responded": at(day), "score": score,
            "recorded_at": known}  # fmt: skip


def tables() -> dict[str, Rows]:
    """What was known by the end of June, but for what says in its last column that it came in July."""
    ends = {"a": "2026-08-15"}
    people: Rows = [
        {"contact": f"p-{a}", "account": a, "role": "decision maker" if a == "a" else "user", "champion_contact": a == "b",
         "joined": at("2024-02-01"), "left": at("2026-06-10") if a == "b" else None} for a in "abcd"
    ]  # fmt: skip
    return {
        "accounts": [{"account": a, "owner": "ann" if a < "c" else "bob", "created": at("2024-01-01")} for a in "abcd"],
        "contracts": [
            {"contract": a, "account": a, "starts": at("2024-01-01"), "ends": at(ends.get(a, "2028-01-01")), "arr": arr}
            for a, arr in zip("abcd", (9000, 4000, 3000, 2000), strict=True)
        ],
        "contacts": people,
        "feedback": [
            nps("a", "2026-06-20", 3),
            nps("c", "2026-03-05", 9),
            nps("c", "2026-06-25", 4),
            nps("d", "2026-06-01", 0, "2026-07-02"),
        ],
        "outreach": [{"outreach": "o1", "account": "d", "kind": "call", "done": at("2026-01-05")}],
        "advocacy": [{"act": "k1", "account": "c", "contact": "p-c", "kind": "review", "done": at("2026-03-01")}],
    }


def later() -> dict[str, Rows]:
    """A month on: a was called and is glad, b has another champion contact."""
    rows = tables()
    rows["feedback"] += [nps("a", "2026-07-10", 9)]
    rows["outreach"] += [{"outreach": "o2", "account": "a", "kind": "call", "done": at("2026-07-05")}]
    new = {
        "contact": "p-b2",
        "account": "b",
        "role": "user",
        "champion_contact": True,
        "joined": at("2026-07-15"),
        "left": None,
    }
    rows["contacts"] += [new]
    return rows


OPEN_IN_JUNE = {
    ("dissatisfied influencer", "a"), ("unanswered detractor", "a"), ("renewal at risk", "a"), ("champion contact left", "b"),
    ("advocate turning", "c"),
}  # fmt: skip
OPEN_IN_JULY = {("unanswered detractor", "c"), ("unanswered detractor", "d"), ("advocate turning", "c")}


def world(root: Path, rows: dict[str, Rows], day: date) -> Workspace:
    config: dict[str, Any] = {"as_of": {"since": date(2025, 1, 31), "exported": day}, "signals": {"windows": [90]}}
    workspace = worlds.write(root, rows, **config)
    worlds.take_in(workspace)
    return workspace


@pytest.fixture(scope="module")
def worlds_of(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, Workspace]:
    root = tmp_path_factory.mktemp("alerts")
    return world(root / "june", tables(), JUNE), world(root / "july", later(), JULY)


@pytest.fixture(params=["sqlite", "postgresql"])
def both(
    request: pytest.FixtureRequest,
    worlds_of: tuple[Workspace, Workspace],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[tuple[Workspace, Workspace]]:
    """June and July over one application store, which is empty."""
    url = f"sqlite:///{tmp_path / 'store.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("database")
    june, july = (Workspace(one.root, one.config.model_copy(update={"store": url})) for one in worlds_of)
    monkeypatch.setattr(
        "serving.stores.store._engine", cache(serving.stores.store._engine)
    )  # one for all, closed at the end
    store = Log(june).store
    yield june, july
    with store.engine.begin() as connection:
        for table in ("log", "scores", "batches"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
    store.engine.dispose()


@pytest.fixture
def here(worlds_of: tuple[Workspace, Workspace], tmp_path: Path) -> tuple[Workspace, Workspace]:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    june, july = (Workspace(one.root, one.config.model_copy(update={"store": url})) for one in worlds_of)
    return june, july


def told(alerted: Alerted) -> set[tuple[str, str]]:
    return {(one.rule, one.account) for one in alerted.open}


def raised(workspace: Workspace) -> list[Entry]:
    return [one for one in Log(workspace).entries("alert") if one.event == "raised"]


def test_what_is_raised_is_raised_once_and_closes_when_its_cause_is_gone(both: tuple[Workspace, Workspace]) -> None:
    june, july = both
    first = alerts(june)
    assert (told(first), all(one.new for one in first.open)) == (OPEN_IN_JUNE, True)
    log = Log(june).entries("alert")
    again = alerts(june)
    assert (told(again), any(one.new for one in again.open), again.closed) == (OPEN_IN_JUNE, False, [])
    assert Log(june).entries("alert") == log
    then = alerts(july)
    assert told(then) == OPEN_IN_JULY
    assert {(one.rule, one.account, one.new) for one in then.open} == {
        ("unanswered detractor", "c", True), ("unanswered detractor", "d", True), ("advocate turning", "c", False),
    }  # fmt: skip
    assert {(one.rule, one.account) for one in then.closed} == OPEN_IN_JUNE - OPEN_IN_JULY
    assert {one.why for one in then.closed} == {"its cause is gone"}
    assert len(raised(july)) == 7
    assert alerts(july).closed == []


def test_of_four_who_run_the_rules_at_once_one_raises(both: tuple[Workspace, Workspace]) -> None:
    june, july = both
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: told(alerts(june)), range(4)))
    assert found == [OPEN_IN_JUNE] * 4
    assert len(raised(june)) == len(OPEN_IN_JUNE)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: alerts(july), range(4)))
    closed = [one for one in Log(june).entries("alert") if one.event == "closed"]
    assert len(closed) == len({one.thing for one in closed}) == 4


def test_later_and_late_facts_change_nothing_and_looking_back_writes_nothing(here: tuple[Workspace, Workspace]) -> None:
    june, july = here
    back = alerts(july, JUNE)
    assert told(back) == OPEN_IN_JUNE
    assert not back.written
    assert Log(july).entries() == []
    now = alerts(june)
    assert [(one.alert, one.words, one.deadline) for one in back.open] == [
        (one.alert, one.words, one.deadline) for one in now.open
    ]


def test_what_a_person_closed_stays_closed_and_what_closed_itself_comes_back_as_another(
    here: tuple[Workspace, Workspace],
) -> None:
    june, july = here
    of = {(one.rule, one.account): one.alert for one in alerts(june).open}
    mine = of["champion contact left", "b"]
    entry = close(june, mine, "ann", "met the new one")
    assert (entry.account, entry.by, entry.value) == ("b", "ann", "met the new one")
    assert told(alerts(june)) == OPEN_IN_JUNE - {("champion contact left", "b")}
    with pytest.raises(PropensityError, match="is closed by ann"):
        close(june, mine, "bob", "again")
    with pytest.raises(PropensityError, match="knows nothing of 'a-0'"):
        close(june, "a-0", "bob", "what")
    alerts(july)
    back = alerts(june)
    assert told(back) == OPEN_IN_JUNE - {("champion contact left", "b")}
    (turned,) = [one for one in back.open if one.rule == "renewal at risk"]
    assert (turned.alert, turned.new) == (of["renewal at risk", "a"] + "-2", True)
    assert told(alerts(june)) == told(back)


def test_what_is_snoozed_is_not_shown_before_its_day(here: tuple[Workspace, Workspace]) -> None:
    june, july = here
    (mine,) = [one for one in alerts(june).open if one.rule == "advocate turning"]
    snooze(june, mine.alert, "bob", date(2026, 7, 15))
    found = alerts(june)
    assert (found.snoozed, mine.alert in {one.alert for one in found.open}) == (1, False)
    assert mine.alert in {one.alert for one in alerts(july).open}
    with pytest.raises(PropensityError, match="'snoozed' cannot follow"):
        snooze(june, mine.alert, "bob", date(2026, 9, 15))


def test_a_touch_of_our_own_log_answers_a_detractor_at_once(here: tuple[Workspace, Workspace]) -> None:
    june, _ = here
    alerts(june)
    Log(june).add([Entry("outreach", "t-1", "done", "a", at("2026-07-01"), "ann", kind="call")])
    found = alerts(june)
    assert told(found) == OPEN_IN_JUNE - {("unanswered detractor", "a")}
    (mine,) = [one for one in found.open if one.rule == "dissatisfied influencer"]
    assert mine.words.endswith("call on 2026-07-01 since")
    assert told(alerts(june, JUNE)) == OPEN_IN_JUNE, "on that day nobody knew of it"


def test_what_was_found_before_and_what_the_log_says_since_come_to_what_is_found_anew(
    here: tuple[Workspace, Workspace],
) -> None:
    june, _ = here
    alerts(june)
    watch, before = Watch.of(june), {(one.rule, one.account): one.alert for one in alerts(june).open}
    for entry in (
        Entry("outreach", "t-1", "done", "a", at("2026-07-01"), "ann", kind="call"),
        Entry("ask", "k-9", "asked", "b", at("2026-05-02"), "ann", "p-b", "review"),
        Entry("ask", "k-9", "accepted", "b", at("2026-05-03"), "ann", "p-b"),
        Entry("ask", "k-9", "done", "b", at("2026-05-04"), "ann", "p-b"),
        Entry("alert", before["champion contact left", "b"], "closed", "b", at("2026-07-02"), "ann", value="met"),
    ):
        Log(june).add([entry])
        assert watch.by_now() is not watch
        assert alerts(june, write=False, watch=watch.by_now()) == alerts(june, write=False)
    assert told(alerts(june)) == OPEN_IN_JUNE - {("unanswered detractor", "a"), ("champion contact left", "b")}


def test_scores_raise_what_they_say_and_only_those_of_that_day_or_before(here: tuple[Workspace, Workspace]) -> None:
    june, _ = here
    for day, probability in ((date(2026, 5, 31), 0.1), (JUNE, 0.4), (JULY, 0.9)):
        Store(june).save([score("c", day, probability)])
    words = {one.words for one in alerts(june).open if (one.rule, one.account) == ("advocate turning", "c")}
    assert (
        "acted for us on 2026-03-01; the chance that it leaves is 40%, and has been at 30% or more since 2026-06-30"
        in words
    )


def score(account: str, day: date, probability: float) -> Score:
    return Score(
        score_id=f"{account} {day}", outcome="churn", account=account, as_of=day, probability=probability, low=0.0, high=1.0,
        rank=1, percentile=1.0, model_version=1, row_hash="r", frame_hash="f", reasons=[],
    )  # fmt: skip


def test_a_rule_that_cannot_be_judged_says_so_and_leaves_its_alerts(
    here: tuple[Workspace, Workspace], tmp_path: Path
) -> None:
    june, _ = here
    alerts(june)
    few = {name: rows for name, rows in tables().items() if name not in ("contacts", "outreach")}
    less = world(tmp_path / "less", few, JUNE)
    found = alerts(Workspace(less.root, june.config.model_copy(update={"tables": less.config.tables})))
    assert found.not_judged == {
        "dissatisfied influencer": "not mapped: contacts",
        "champion contact left": "not mapped: contacts",
        "unanswered detractor": "not mapped: outreach or tickets",
    }
    assert found.closed == []


def test_who_is_no_customer_any_more_closes_what_was_open(here: tuple[Workspace, Workspace], tmp_path: Path) -> None:
    june, _ = here
    alerts(june)
    rows = tables()
    rows["contracts"][1] |= {"ends": at("2026-06-15")}
    gone = world(tmp_path / "gone", rows, JUNE)
    found = alerts(Workspace(gone.root, june.config))
    assert [(one.account, one.why) for one in found.closed] == [
        ("b", "the account is no customer any more, or has given notice")
    ]


def test_the_command(worlds_of: tuple[Workspace, Workspace], propensity: Command) -> None:
    where = ("--workspace", worlds_of[0].root)
    looked = " ".join(propensity("alerts", *where, "--as-of", JUNE).out.split())
    assert "5 alerts would be open" in looked
    assert "looking back writes nothing" in looked
    document = propensity("alerts", *where, "--json").document
    assert (document["new"], len(document["open"])) == (5, 5)
    first = document["open"][0]
    assert (first["account"], first["severity"], first["owner"], first["arr"]) == ("a", "high", "ann", 9000)
    assert [one["account"] for one in document["open"]] == ["a", "a", "a", "b", "c"]
    words = " ".join(propensity("alerts", *where, "--top", 2).out.split())
    assert "5 alerts open, 0 of them new" in words
    assert "and 3 more" in words
    mine = propensity("alerts", *where, "--owner", "bob", "--json").document["open"]
    assert [one["account"] for one in mine] == ["c"]
    bare = propensity("alerts", *where, "--close", mine[0]["alert"], "--by", "bob", "--json")
    assert (bare.status, bare.document["error"]) == (2, "--why is missing")
    closed = propensity(
        "alerts", *where, "--close", mine[0]["alert"], "--by", "bob", "--why", "called", "--json"
    ).document
    assert (closed["event"], closed["by"], closed["value"]) == ("closed", "bob", "called")
    slept = propensity(
        "alerts", *where, "--snooze", first["alert"], "--by", "ann", "--until", "2026-08-01", "--json"
    ).document
    assert (slept["event"], slept["value"]) == ("snoozed", "2026-08-01")
    assert "1 snoozed" in " ".join(propensity("alerts", *where).out.split())
    assert propensity("alerts", *where, "--owner", "nemo", "--json").status == 2
    assert propensity("alerts", *where, "--as-of", "2027-01-01", "--json").status == 2
