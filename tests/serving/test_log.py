"""The log of what people did: append-only, idempotent, one truth for all who write at once; on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from features.errors import PropensityError
from features.workspace import Workspace
from serving.decisions.touches import touches
from serving.stores.log import AT_ONCE, LOG, Entry, Log
from tests import company

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PLANNED = Entry("outreach", "t-1", "planned", "a0001", NOON, "ann", "c7", "call")
DONE = Entry("outreach", "t-1", "done", "a0001", NOON + timedelta(days=1), "bob")
OUTCOME = Entry("outreach", "t-1", "outcome", "a0001", NOON + timedelta(days=2), "bob", value="stays")
HELD_OUT = Entry("outreach", "t-2", "held out", "a0002", NOON, "ann", None, "call")


@pytest.fixture(params=["sqlite", "postgresql"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Log]:
    workspace = company.found(tmp_path, accounts=3)
    if request.param == "postgresql":
        url = request.getfixturevalue("database")
        workspace = Workspace(workspace.root, workspace.config.model_copy(update={"store": url}))
    found = Log(workspace)
    yield found
    with found.store.engine.begin() as connection:
        connection.execute(LOG.delete())
    found.store.engine.dispose()


def test_what_is_planned_for_later_may_be_done_within_the_second_in_which_it_was_planned(log: Log) -> None:
    now = NOON.replace(microsecond=700_000)
    later = replace(PLANNED, at=NOON + timedelta(days=900))
    log.add([later], now=now)
    assert log.add([replace(DONE, at=NOON)], now=now + timedelta(milliseconds=200)) == 1


def test_what_is_written_is_there_in_its_order_with_when_it_was_written(log: Log) -> None:
    before = datetime.now(UTC)
    assert log.add([PLANNED, HELD_OUT]) == 2
    assert log.add([DONE, OUTCOME]) == 2
    found = log.entries()
    assert [replace(entry, recorded_at=None) for entry in found] == [PLANNED, HELD_OUT, DONE, OUTCOME]
    assert all(entry.recorded_at and before <= entry.recorded_at <= datetime.now(UTC) for entry in found)
    assert [entry.event for entry in log.entries("outreach", ["a0002"])] == ["held out"]
    assert log.entries("ask") == []


def test_the_same_again_changes_nothing(log: Log) -> None:
    log.add([PLANNED, DONE])
    there = log.entries()
    assert log.add([PLANNED, DONE]) == 0
    assert log.add([PLANNED, DONE, OUTCOME]) == 1
    assert log.entries()[:2] == there
    elsewhere = replace(OUTCOME, at=OUTCOME.at.astimezone(datetime.now().astimezone().tzinfo))
    assert log.add([elsewhere]) == 0, "an instant is the same in any zone"


REFUSED = {
    "an outcome of nothing": ([], OUTCOME, "'outcome' of what never began"),
    "an outcome of what is only planned": ([PLANNED], OUTCOME, "'outcome' cannot follow"),
    "done twice": ([PLANNED, DONE], replace(DONE, by="cem"), "is done by bob"),
    "done although held out": ([HELD_OUT], replace(DONE, thing="t-2", account="a0002"), "is held out by ann"),
    "done before it was planned": ([PLANNED], replace(DONE, at=NOON - timedelta(seconds=1)), "is before planned"),
    "of another account": ([PLANNED], replace(DONE, account="a0002"), "is outreach of account a0001"),
    "of another kind": ([PLANNED], replace(DONE, about="ask", event="accepted"), "is outreach of account a0001"),
    "accepted after it was declined": (
        [replace(PLANNED, about="ask", event="asked"), replace(DONE, about="ask", event="declined")],
        replace(OUTCOME, about="ask", event="accepted"),
        "'accepted' cannot follow",
    ),
}


@pytest.mark.parametrize(("there", "entry", "words"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_follow_is_refused_and_nothing_is_written(
    there: list[Entry], entry: Entry, words: str, log: Log
) -> None:
    log.add(there)
    before = log.entries()
    other = Entry("outreach", "t-9", "done", "a0000", NOON, "ann")
    with pytest.raises(PropensityError) as refused:
        log.add([other, entry])
    assert words in refused.value.message
    assert refused.value.hint
    assert log.entries() == before


def test_of_ten_who_say_it_was_done_one_is_believed(log: Log) -> None:
    log.add([PLANNED])

    def said(number: int) -> bool:
        try:
            return log.add([replace(DONE, by=f"runner {number}")]) == 1
        except PropensityError as error:
            assert "is done by runner" in error.message
            return False

    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(said, range(10))) == 1
    assert [entry.event for entry in log.entries()] == ["planned", "done"]


def test_an_id_that_is_not_there_is_named(log: Log) -> None:
    with pytest.raises(PropensityError, match="the log knows nothing of 't-404'"):
        log.of("t-404")


def test_the_database_itself_takes_no_event_twice(log: Log) -> None:
    log.add([PLANNED])
    copy = sa.insert(LOG).values(
        key="another",
        about="outreach",
        thing="t-1",
        event="planned",
        account="a0001",
        at=NOON,
        by="x",
        recorded_at=NOON,
    )
    with pytest.raises(sa.exc.IntegrityError), log.store.engine.begin() as connection:
        connection.execute(copy)


def test_touches_are_what_their_entries_say() -> None:
    first, second = touches([PLANNED, HELD_OUT, DONE, OUTCOME])
    assert (first.touch, first.account, first.contact, first.kind, first.owner) == ("t-1", "a0001", "c7", "call", "bob")
    assert (first.planned, first.done, first.outcome, first.held_out) == (NOON, DONE.at, "stays", False)
    assert (second.held_out, second.done, second.last) == (True, None, NOON)
    (planned,) = touches([PLANNED])
    assert (planned.held_out, planned.done, planned.owner) == (False, None, "ann")


def test_any_number_of_touches_is_written_at_once(log: Log) -> None:
    many = [replace(PLANNED, thing=f"t-{number}") for number in range(3 * AT_ONCE + 1)]
    assert log.add(many) == len(many)
    assert log.add(many) == 0
    assert [entry.thing for entry in log.entries()] == [entry.thing for entry in many]
