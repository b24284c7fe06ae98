"""Frames: later data leaves them as they are, however they are built they are the same, and every row has its own hash."""

from __future__ import annotations

import dataclasses
import hashlib
import math
import os
import resource
import shutil
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features import computing, frame, intake, ledger, partitions, windows
from features.alone import Alone
from features.computing import Partition, filled
from features.definitions import FEATURES
from features.errors import PropensityError
from features.expressions import Rank
from features.feature import Attribute, Column, Feature, columns
from features.fingerprint import fingerprints
from features.peers import FEWEST, Peers, gathered, ranked, ranks
from features.personas import Crowd
from features.plan import Plan, plan
from features.threads import THREADS, each
from features.workspace import Workspace, load
from tests import worlds

DAYS = windows.grid(date(2025, 5, 1), date(2026, 4, 30), "month")
STORED, NEXT = DAYS[:11], DAYS[11]
CREATED = datetime(2025, 1, 1, tzinfo=UTC)
ACCOUNTS, YOUNGEST = 24, datetime(2025, 10, 15, 12, tzinfo=UTC)
CONFIG: dict[str, Any] = {
    "timezone": "Europe/Berlin",
    "signals": {"events": ["login"], "windows": [30, 90]},
    "cohort": {"kind": "activity", "days": 365},
    "outcomes": {"churn": {"kind": "inactivity", "given_days": 30}},
}
World = dict[str, list[dict[str, Any]]]


def at(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(hour=12, tzinfo=UTC)


def used(account: str, occurred: datetime, **more: object) -> dict[str, Any]:
    return {"account": account, "occurred_at": occurred, "event": "login", "value": 1.5, "recorded_at": None, **more}


def made() -> World:
    """Two dozen accounts of three segments, one of them for few and null for others, the last one younger than the rest."""
    random, segments = Random(5), ["small", "large"]  # noqa: S311
    accounts = [
        {"account": f"a{n:02}", "segment": segments[n % 2], "size": n, "created": CREATED} for n in range(ACCOUNTS)
    ]
    accounts[3]["segment"], accounts[-1]["created"] = None, YOUNGEST
    world: World = {"accounts": accounts, "usage": [], "tickets": []}
    for number in range(500):
        happened = datetime(2025, 3, 1, tzinfo=UTC) + timedelta(days=random.uniform(0, 420))
        account = f"a{int(ACCOUNTS * random.random() ** 1.5):02}"
        if happened < next(row["created"] for row in accounts if row["account"] == account):
            continue
        known = random.choice([None, None, happened + timedelta(days=20)])
        world["usage"].append(used(account, happened, event=random.choice(["login", "share"]), recorded_at=known))
        if number % 4 == 0:
            resolved = random.choice([None, happened + timedelta(days=40)])
            ticket = {"ticket": str(number), "account": account, "opened": happened, "resolved": resolved}
            world["tickets"].append(ticket)
    return {**world, "usage": [row for row in world["usage"] if row["occurred_at"] < at("2026-04-01")]}


def write(root: Path, world: World, **options: Any) -> Workspace:
    """Written and taken in."""
    workspace = worlds.write(root, world, parquet=True, **{**CONFIG, **options})
    report = worlds.take_in(workspace)
    assert not any(table.quarantined for table in report.tables.values())
    return workspace


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, dict[date, str]]:
    """A workspace in which eleven dates are stored; copied, never changed."""
    workspace = write(tmp_path_factory.mktemp("stored"), made())
    return workspace, frame.build(workspace, STORED)


@pytest.fixture
def mine(stored: tuple[Workspace, dict[date, str]], tmp_path: Path) -> Workspace:
    return load(Path(shutil.copytree(stored[0].root, tmp_path / "mine")))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[range, list[date]]]:
    """The partitions that were computed: their accounts and dates."""
    calls: list[tuple[range, list[date]]] = []

    def counted(partition: Partition, made: Plan, days: list[date]) -> Any:
        calls.append((partition.accounts, days))
        return filled(partition, made, days)

    monkeypatch.setattr(frame, "filled", counted)
    return calls


Asked = list[tuple[range, list[date]]]


def files(workspace: Workspace, days: list[date]) -> dict[str, tuple[int, bytes]]:
    folders = [workspace.frames / str(day) for day in days]
    return {
        str(file.relative_to(workspace.root)): (file.stat().st_mtime_ns, file.read_bytes())
        for folder in folders
        for file in folder.iterdir()
    }


def hashes(workspace: Workspace, refs: dict[date, str]) -> dict[date, dict[str, str]]:
    frames = {day: frame.read(workspace, day, content) for day, content in refs.items()}
    return {day: dict(zip(found["account"], found["row_hash"], strict=True)) for day, found in frames.items()}


# Later data.


def test_later_data_builds_the_new_date_only(
    stored: tuple[Workspace, dict[date, str]], mine: Workspace, asked: Asked
) -> None:
    before = files(mine, STORED)
    world = made()
    world["accounts"].insert(0, {"account": "0", "segment": "small", "size": 1, "created": at("2026-04-02")})
    world["usage"] += [used("0", at("2026-04-03")), used("a01", at("2026-04-01"))]
    world["usage"].append(used("a02", at("2025-06-05"), recorded_at=at("2026-04-04")))  # late, and long ago
    world["tickets"].append({"ticket": "t", "account": "a05", "opened": at("2026-04-20"), "resolved": None})
    world["tickets"][0]["resolved"] = world["tickets"][0]["resolved"] or at("2026-04-21")
    write(mine.root, world)
    refs = frame.build(mine, DAYS)
    assert [days for _, days in asked] == [[NEXT]]
    assert {day: refs[day] for day in STORED} == stored[1]
    assert files(mine, STORED) == before
    assert "0" in hashes(mine, {NEXT: refs[NEXT]})[NEXT]


def late(world: World) -> None:
    world["usage"].append(used("a02", at("2025-06-05"), recorded_at=at("2025-09-15")))


def late_by_a_breath(world: World) -> None:
    """Known in the first instant after the as_of of the end of August."""
    midnight = windows.to_datetime(windows.as_of_instant(date(2025, 8, 31), CONFIG["timezone"]))
    world["usage"].append(used("a02", at("2025-06-05"), recorded_at=midnight))


def just_in_time(world: World) -> None:
    midnight = windows.to_datetime(windows.as_of_instant(date(2025, 8, 31), CONFIG["timezone"]))
    world["usage"].append(used("a02", at("2025-06-05"), recorded_at=midnight - timedelta(microseconds=1)))


def another_value(world: World) -> None:
    first = min(world["usage"], key=lambda row: (row["occurred_at"] < at("2025-12-01"), row["occurred_at"]))
    first["value"], first["recorded_at"] = 2.5, at("2025-12-20")


def gone(world: World) -> None:
    world["tickets"].remove(min(world["tickets"], key=lambda row: row["opened"]))


def resolved_otherwise(world: World) -> None:
    """What began long ago ends sooner."""
    ends = (at("2026-02-04"), at("2026-02-28"))
    ticket = next(row for row in world["tickets"] if row["resolved"] and ends[0] < row["resolved"] < ends[1])
    ticket["resolved"] = at("2026-02-03")


def another_segment(world: World) -> None:
    world["accounts"][0]["segment"] = "large"


def segment_of_the_youngest(world: World) -> None:
    world["accounts"][-1]["segment"] = None


def nothing(world: World) -> None:
    """Rows in another order are the same rows."""
    for rows in world.values():
        rows.reverse()


SEEN_FROM: dict[Callable[[World], None], date] = {
    late: date(2025, 9, 30),
    late_by_a_breath: date(2025, 9, 30),
    just_in_time: date(2025, 8, 31),
    another_value: date(2025, 12, 31),
    gone: STORED[0],
    resolved_otherwise: date(2026, 2, 28),
    another_segment: STORED[0],
    segment_of_the_youngest: date(2025, 10, 31),
    nothing: date.max,
}
"""What changes, and the first date that can see it."""


@pytest.mark.parametrize("change", SEEN_FROM, ids=lambda change: change.__name__)
def test_just_the_dates_that_can_see_a_change_are_built_anew(
    change: Callable[[World], None],
    stored: tuple[Workspace, dict[date, str]],
    mine: Workspace,
    asked: Asked,
    tmp_path: Path,
) -> None:
    world, until = made(), [day for day in STORED if day < SEEN_FROM[change]]
    change(world)
    before = files(mine, until)
    write(mine.root, world)
    refs = frame.build(mine, STORED)
    again = [day for day in STORED if day >= SEEN_FROM[change]]
    assert [days for _, days in asked] == ([again] if again else [])
    assert files(mine, until) == before
    assert {day: refs[day] for day in until} == {day: stored[1][day] for day in until}
    assert all(refs[day] != stored[1][day] for day in again[:1])
    assert refs == frame.build(write(tmp_path / "fresh", world), STORED)


def _without_the_first(declared: tuple[Any, ...]) -> tuple[Any, ...]:
    return declared[1:]


def _wider(declared: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(dataclasses.replace(d, over=(45,)) if d.name == "usage_events" else d for d in declared)


def _in_other_words(declared: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(dataclasses.replace(d, doc="other words", reason="{value}") for d in declared)


@pytest.mark.parametrize(("other", "anew"), [(_without_the_first, True), (_wider, True), (_in_other_words, False)])
def test_other_definitions_are_built_anew_and_other_words_are_not(
    other: Callable[[tuple[Any, ...]], tuple[Any, ...]],
    anew: bool,
    stored: tuple[Workspace, dict[date, str]],
    mine: Workspace,
    asked: Asked,
) -> None:
    before = files(mine, STORED)
    refs = frame.build(mine, STORED, declared=other(FEATURES))
    assert ([days for _, days in asked] == [STORED]) == anew
    assert (refs != stored[1]) == anew
    assert files(mine, STORED).items() >= before.items()
    assert frame.stored(mine, STORED) == stored[1]  # the old ones are there for who asks for them


@pytest.mark.parametrize(
    ("options", "anew"),
    [
        ({"timezone": "America/New_York"}, True),
        ({"cohort": {"kind": "activity", "days": 60}}, True),
        ({"outcomes": {"churn": {"kind": "inactivity", "given_days": 31}}}, True),
        ({"tables": {"usage": {"delay_hours": 1}}}, True),
        ({"outcomes": {"churn": {"kind": "inactivity", "given_days": 30, "horizon": 45}}}, False),
        ({"memory": "2GB"}, False),
    ],
    ids=str,
)
def test_what_the_configuration_decides_is_built_anew(
    options: dict[str, Any], anew: bool, mine: Workspace, asked: Asked
) -> None:
    other = write(mine.root, made(), **options)
    assert (frame.stored(other, STORED) == {}) == anew
    frame.build(other, STORED[-1:])
    assert len(asked) == anew


def test_another_zone_is_built_anew_also_where_no_fact_changes_its_day(mine: Workspace, asked: Asked) -> None:
    """Days end sooner all the same."""
    world = made()
    for row in world["usage"] + world["tickets"]:
        row.update({name: at(str(instant.date())) for name, instant in row.items() if isinstance(instant, datetime)})
    for account in world["accounts"]:
        account["created"] = at(str(account["created"].date()))
    found = {zone: frame.build(write(mine.root, world, timezone=zone), STORED) for zone in ("UTC", "Europe/Berlin")}
    assert len(asked) == 2
    assert not set(found["UTC"].values()) & set(found["Europe/Berlin"].values())


def test_row_hashes_of_accounts_nothing_happened_to_stay(
    stored: tuple[Workspace, dict[date, str]], mine: Workspace
) -> None:
    """Without ranks, which are about all."""
    declared = [d for d in FEATURES if not isinstance(d, Rank)]
    before = hashes(mine, frame.build(mine, STORED, declared=declared))
    world = made()
    late(world)
    write(mine.root, world)
    after = hashes(mine, frame.build(mine, STORED, declared=declared))
    moved = {(day, account) for day in STORED for account in before[day] if before[day][account] != after[day][account]}
    assert {account for _, account in moved} == {"a02"}
    assert min(day for day, _ in moved) == date(2025, 9, 30)


# Partitions.


def cut_small(monkeypatch: pytest.MonkeyPatch, accounts: int) -> None:
    """So little memory that a partition holds only so many accounts."""
    monkeypatch.setattr(partitions, "cut", lambda costs, memory, dates=4: cut(accounts, len(costs)))


PARTITIONS = partitions.cut


def cut(size: int, accounts: int = ACCOUNTS) -> list[range]:
    return [range(n, min(n + size, accounts)) for n in range(0, accounts, size)]


@pytest.mark.parametrize(("size", "expected"), [(1, 24), (5, 5), (23, 2), (24, 1)])
def test_frames_are_the_same_however_they_are_cut(
    size: int,
    expected: int,
    stored: tuple[Workspace, dict[date, str]],
    mine: Workspace,
    asked: Asked,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cut_small(monkeypatch, size)
    shutil.rmtree(mine.frames)
    steps: list[tuple[int, int]] = []
    refs = frame.build(mine, STORED, lambda done, of: steps.append((done, of)))
    assert sorted((accounts for accounts, _ in asked), key=lambda accounts: accounts.start) == cut(size)
    assert len(asked) == expected
    of = expected + len(STORED)
    assert steps == [(done, of) for done in range(of + 1)]
    assert refs == stored[1]
    for day in STORED:
        found, whole = (frame.read(workspace, day, refs[day]) for workspace in (mine, stored[0]))
        pd.testing.assert_frame_equal(found, whole, check_exact=True)
        both = [pq.read_table(peer_file(workspace, day, refs[day])) for workspace in (mine, stored[0])]
        assert Peers.of(both[0]).values.keys() == Peers.of(both[1]).values.keys()
        assert repr(sorted(map(str, both[0].to_pylist()))) == repr(sorted(map(str, both[1].to_pylist())))


@pytest.mark.parametrize("pieces", [1, 4])
def test_a_memory_limit_is_kept(pieces: int) -> None:
    """Each thread's range costs no more than there is room for, unless it is one account; together they are all."""
    costs = np.random.default_rng(3).integers(0, 3 * 10**6, 1000)
    for memory in (1, 4 * int(costs.max()), 10**8, 10**9, 10**10):
        ranges = PARTITIONS(costs, memory, pieces)
        room = max(memory - partitions.FIXED, memory // 4) // THREADS
        assert [account for accounts in ranges for account in accounts] == list(range(len(costs)))
        assert all(len(accounts) == 1 or costs[accounts].sum() <= room for accounts in ranges)
        small = min(room, costs.sum() // (pieces * THREADS))
        assert all(costs[one].sum() + costs[other.start] > small for one, other in pairwise(ranges))


def test_there_is_work_for_every_thread_and_little_work_is_not_cut_up() -> None:
    assert len(PARTITIONS(np.full(1000, 10**6), 10**11, 4)) == 4 * THREADS
    assert len(PARTITIONS(np.full(1000, 10**6), 10**11, 1)) == THREADS
    assert len(PARTITIONS(np.full(1000, 10**3), 10**11, 4)) == 1


def test_personas_take_more_memory(mine: Workspace) -> None:
    """They take a copy of the facts, by contact."""
    book, made = ledger.opened(mine), frame.current_plan(mine)
    four = np.full(ACCOUNTS, 4)
    crowd = Column("personas", Crowd("personas", "different", "stakeholders", "", ""))
    with_crowd = replace(made, columns=(*made.columns[1:], crowd))
    more = partitions.costs(book, with_crowd, four) - partitions.costs(book, made, four)
    assert (more == book.sizes * (partitions.BYTES_PER_OWN_FACT - partitions.BYTES_PER_FACT)).all()
    assert more.max() > 0


@pytest.mark.parametrize("damage", ["cut off", "gone", "not told", "peers cut off"])
def test_what_a_power_failure_took_is_built_again(
    damage: str, stored: tuple[Workspace, dict[date, str]], mine: Workspace, asked: Asked
) -> None:
    """Frames are not forced onto the disk, since they can be made again; so what is not whole is not there."""
    day, content = STORED[1], stored[1][STORED[1]]
    file = frame.path(mine, day, content)
    whole = file.read_bytes()
    if damage == "gone":
        file.unlink()
    elif damage == "cut off":
        file.write_bytes(whole[: len(whole) // 2])
    elif damage == "peers cut off":
        peer_file(mine, day, content).write_bytes(b"PAR1")
    else:
        (key,) = file.parent.glob("*.json")
        key.write_bytes(b"")
    assert frame.stored(mine, STORED) == {d: c for d, c in stored[1].items() if d != day}
    assert frame.build(mine, STORED) == stored[1]
    assert file.read_bytes() == whole
    assert [days for _, days in asked] == [[day]]


def test_a_date_at_which_nobody_was_there(mine: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    before = date(2024, 6, 30)
    cut_small(monkeypatch, 5)
    found = frame.feature_frame(mine, [before, STORED[0]])
    assert set(found["as_of"]) == {STORED[0]}
    assert len(frame.read(mine, before, frame.build(mine, [before])[before])) == 0


# Killed, and taken up again.


def peer_file(workspace: Workspace, day: date, content: str) -> Path:
    return frame.path(workspace, day, content).with_suffix(".peers.parquet")


def parts(workspace: Workspace) -> list[str]:
    return sorted(file.name for file in (workspace.state / "parts").rglob("*.arrow"))


def interrupted(monkeypatch: pytest.MonkeyPatch, workspace: Workspace, days: list[date], before: int) -> None:
    """A build that ends in the middle, the partitions before this account done."""

    def failing(partition: Partition, made: Plan, days: list[date]) -> Any:
        if partition.accounts.start >= before:
            raise KeyboardInterrupt
        return filled(partition, made, days)

    with monkeypatch.context() as broken:
        broken.setattr(frame, "filled", failing)
        with pytest.raises(KeyboardInterrupt):
            frame.build(workspace, days)


def test_a_build_goes_on_where_it_was_interrupted(
    stored: tuple[Workspace, dict[date, str]], mine: Workspace, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_small(monkeypatch, 5)
    shutil.rmtree(mine.frames)
    interrupted(monkeypatch, mine, STORED, before=10)
    assert parts(mine) == ["0-5.arrow", "5-10.arrow"]
    assert not list(mine.state.rglob("*.part"))
    assert frame.stored(mine, STORED) == {}
    assert frame.build(mine, STORED) == stored[1]
    assert sorted(accounts.start for accounts, _ in asked) == [10, 15, 20]
    assert not list((mine.state / "parts").iterdir())


def test_what_is_left_of_another_build_is_cleared(
    stored: tuple[Workspace, dict[date, str]], mine: Workspace, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_small(monkeypatch, 5)
    shutil.rmtree(mine.frames)
    interrupted(monkeypatch, mine, STORED[:3], before=10)
    assert frame.build(mine, STORED[3:4]) == {STORED[3]: stored[1][STORED[3]]}
    assert len(asked) == 5
    assert not list((mine.state / "parts").iterdir())


def test_parts_of_other_tables_are_not_taken_up(
    stored: tuple[Workspace, dict[date, str]], mine: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new account that sorts first gives every account another number, and leaves the frames as they are."""
    cut_small(monkeypatch, 5)
    shutil.rmtree(mine.frames)
    interrupted(monkeypatch, mine, STORED, before=10)
    world = made()
    world["accounts"].insert(0, {"account": "0", "segment": "small", "size": 1, "created": at("2026-04-02")})
    write(mine.root, world)
    assert frame.build(mine, STORED) == stored[1]


KILLED = """
import sys, time
from datetime import date
from pathlib import Path
from features import frame
from features.workspace import load
fill = frame.filled
frame.partitions.cut = lambda costs, memory, dates: [range(n, n + 4) for n in range(0, 24, 4)]
def slowly(*given):
    if given[0].accounts.start >= 8:
        time.sleep(600)
    return fill(*given)
frame.filled = slowly
frame.build(load(Path(sys.argv[1])), [date.fromisoformat(day) for day in sys.argv[2:]])
"""


def test_a_build_goes_on_where_it_was_killed(
    stored: tuple[Workspace, dict[date, str]], mine: Workspace, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(mine.frames)
    command = [sys.executable, "-c", KILLED, str(mine.root), *map(str, STORED)]
    with subprocess.Popen(command, cwd=Path(frame.__file__).parents[1]) as process:
        try:
            until = time.monotonic() + 120
            while parts(mine) != ["0-4.arrow", "4-8.arrow"]:
                assert process.poll() is None and time.monotonic() < until
                time.sleep(0.02)
        finally:
            os.kill(process.pid, signal.SIGKILL)
    cut_small(monkeypatch, 4)
    assert frame.build(mine, STORED) == stored[1]
    assert sorted(accounts.start for accounts, _ in asked) == [8, 12, 16, 20]


def test_parts_of_before_the_last_start_of_the_machine_are_not_taken_over(
    stored: tuple[Workspace, dict[date, str]], mine: Workspace, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They were not forced to disk, so they may be damaged."""
    cut_small(monkeypatch, 5)
    shutil.rmtree(mine.frames)
    interrupted(monkeypatch, mine, STORED, before=10)
    monkeypatch.setattr(partitions, "boot", lambda: "another")
    assert frame.build(mine, STORED) == stored[1]
    assert sorted(accounts.start for accounts, _ in asked) == [0, 5, 10, 15, 20]


def test_builds_of_one_process_wait_for_each_other(
    stored: tuple[Workspace, dict[date, str]], mine: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_small(monkeypatch, 5)
    shutil.rmtree(mine.frames)
    assert list(each(lambda _: frame.build(mine, STORED), range(3))) == [stored[1]] * 3


def test_a_build_needs_few_files_open_at_once(
    stored: tuple[Workspace, dict[date, str]], mine: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many kinds of facts are in use."""
    cut_small(monkeypatch, 5)
    shutil.rmtree(mine.frames)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    open_now = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").is_dir() else 64  # noqa: PTH208
    resource.setrlimit(resource.RLIMIT_NOFILE, (open_now + 8 * THREADS, limits[1]))
    try:
        assert frame.build(mine, STORED) == stored[1]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_frames_of_other_outcomes_have_other_names(mine: Workspace) -> None:
    """Else one would take the other's place."""
    found = set()
    for outcomes in (
        {"churn": {"kind": "inactivity"}},
        {"advocacy": {"kind": "feedback"}},
    ):
        other = write(mine.root, made(), outcomes=outcomes)
        refs = frame.build(other, STORED[:1])
        found.add(refs[STORED[0]])
        (name,) = outcomes
        assert f"for_{name}" in frame.read(other, STORED[0], refs[STORED[0]])
    assert len(found) == 2


# Accounts at dates of their own.


def test_accounts_at_dates_of_their_own_are_as_among_all(
    stored: tuple[Workspace, dict[date, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In any order, some asked for twice; everything but ranks, to the bit."""
    workspace, refs = stored
    whole = pd.concat([frame.read(workspace, day, refs[day]) for day in STORED])
    wanted = whole.sample(frac=0.4, random_state=7)
    wanted = pd.concat([wanted, wanted[:5]])
    cut_small(monkeypatch, 5)
    found = frame.feature_rows(workspace, wanted["account"].tolist(), wanted["as_of"].tolist())
    ranked_columns = [column.name for column, _ in ranks(frame.current_plan(workspace))]
    expected = wanted.drop(columns=["row_hash", *ranked_columns]).reset_index(drop=True)
    pd.testing.assert_frame_equal(found, expected, check_exact=True)


def test_who_may_not_be_scored_has_features_and_no_outcome(stored: tuple[Workspace, dict[date, str]]) -> None:
    workspace, _ = stored
    found = frame.feature_rows(workspace, ["a23", "a00"], [STORED[0], STORED[-1]])
    assert found["account"].tolist() == ["a23", "a00"]
    assert found["as_of"].tolist() == [STORED[0], STORED[-1]]
    assert found["for_churn"].tolist()[0] is False
    assert math.isnan(found["usage_recency"][0])


def test_unknown_accounts_are_named(stored: tuple[Workspace, dict[date, str]]) -> None:
    with pytest.raises(PropensityError, match=r"1 accounts are unknown: .*nobody"):
        frame.feature_rows(stored[0], ["a01", "nobody"], [STORED[0], STORED[0]])


def test_a_date_for_each_account(stored: tuple[Workspace, dict[date, str]]) -> None:
    with pytest.raises(PropensityError, match="2 accounts and 1 dates"):
        frame.feature_rows(stored[0], ["a01", "a02"], [STORED[0]])


def test_only_what_is_asked_for_is_looked_at(
    stored: tuple[Workspace, dict[date, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_small(monkeypatch, 5)
    looked: list[range] = []

    def counted(partition: Partition, *given: Any) -> Any:
        looked.append(partition.accounts)
        return computing.asked(partition, *given)

    monkeypatch.setattr(frame, "asked", counted)
    assert len(frame.feature_rows(stored[0], ["a11"], [STORED[-1]])) == 1
    assert looked == [range(10, 15)]


def test_no_rows_asked_for(stored: tuple[Workspace, dict[date, str]]) -> None:
    assert len(frame.feature_rows(stored[0], [], [])) == 0


# One account by itself.


@pytest.mark.parametrize("account", [0, 3, ACCOUNTS - 1])
def test_an_account_alone_is_as_it_is_among_all(account: int, stored: tuple[Workspace, dict[date, str]]) -> None:
    workspace, refs = stored
    tables, report = intake.current(workspace)
    made = plan(workspace.config, report)
    book = ledger.opened(workspace)
    rows, values = filled(Partition(workspace, book, tables, report, range(account, account + 1)), made, STORED)
    alone = pa.table({name: pa.array(column) for name, column in values.items()})
    for number, day in enumerate(STORED):
        batch = alone.take(np.flatnonzero(rows.at == number)).combine_chunks().to_batches()
        whole = frame.read(workspace, day, refs[day])
        mine = whole[whole["account"] == f"a{account:02}"]
        assert len(mine) == sum(len(part) for part in batch)
        if batch:
            peers = Peers.of(pq.read_table(peer_file(workspace, day, refs[day])))
            found = frame._finished(made, day, batch[0], ranked(made, batch[0], peers)).to_pandas()
            expected = mine.drop(columns="as_of").reset_index(drop=True)
            pd.testing.assert_frame_equal(found, expected, check_exact=True)


def same(found: dict[str, Any], expected: dict[str, Any]) -> bool:
    """Bit for bit; what is null in either way is null."""
    return found.keys() == expected.keys() and all(
        struct.pack("d", one) == struct.pack("d", other)
        if isinstance(one, float) and isinstance(other, float) and not math.isnan(one)
        else one == other or (pd.isna(one) and pd.isna(other))
        for one, other in ((found[name], expected[name]) for name in found)
    )


@pytest.mark.parametrize("day", [STORED[0], STORED[4], STORED[-1]])
def test_a_row_from_the_facts_is_the_row_of_the_frame(day: date, stored: tuple[Workspace, dict[date, str]]) -> None:
    """Of every account, null for null and bit for bit, with the hash of it; nothing of who is not in the frame."""
    workspace, refs = stored
    peers = frame.peers_of(workspace, day, refs[day])
    assert peers is not None
    whole = frame.read(workspace, day, refs[day])
    expected = {row["account"]: row for row in whole.to_dict("records")}
    accounts = Alone.of(workspace, day)
    assert len(accounts.codes) == ACCOUNTS
    for account in accounts.codes:
        row = accounts.row(account, peers)
        if row is None:
            assert account not in expected
            continue
        stored_row = expected.pop(account)
        assert same(row.values, {name: stored_row[name] for name in frame.current_plan(workspace).names})
        assert row.row_hash == stored_row["row_hash"]
        assert row.applies == {name for name, _ in workspace.config.outcomes if stored_row[f"for_{name}"]}
    assert not expected


def test_a_row_from_the_facts_is_as_of_the_last_day_of_the_data(stored: tuple[Workspace, dict[date, str]]) -> None:
    assert Alone.of(stored[0]).day == frame.observed_until(stored[0])


def test_other_peers_change_ranks_alone(stored: tuple[Workspace, dict[date, str]]) -> None:
    workspace, refs = stored
    now, before = (frame.peers_of(workspace, day, refs[day]) for day in (STORED[-1], STORED[0]))
    assert now is not None and before is not None
    accounts = Alone.of(workspace, STORED[-1])
    rows = [(accounts.row(account, now), accounts.row(account, before)) for account in accounts.codes]
    changed = {
        name
        for one, other in rows
        if one is not None and other is not None
        for name in one.values
        if not same({name: one.values[name]}, {name: other.values[name]})
    }
    assert changed
    assert changed <= {column.name for column, _ in ranks(accounts.plan)}


def test_ranks_are_those_of_the_stored_peers(stored: tuple[Workspace, dict[date, str]]) -> None:
    """And are what they say: the share of the segment below, ties half."""
    workspace, refs = stored
    made, whole = frame.current_plan(workspace), frame.read(workspace, STORED[-1], refs[STORED[-1]])
    peers = Peers.of(pq.read_table(peer_file(workspace, STORED[-1], refs[STORED[-1]])))
    found_ranks = ranks(made)
    assert found_ranks
    for column, rank in found_ranks:
        (of,) = made.inputs(column)
        groups = [None if pd.isna(group) else str(group) for group in whole[rank.among]]
        values = whole[of].to_numpy()
        np.testing.assert_array_equal(peers.rank(column.name, groups, values), whole[column.name])
        for group, value, found in zip(groups, values, whole[column.name], strict=True):
            among = [v for v, g in zip(values, groups, strict=True) if g == group and not np.isnan(v)]
            expected = (sum(v < value for v in among) + sum(v <= value for v in among)) / 2 / max(len(among), 1)
            known = len(among) >= FEWEST and not np.isnan(value)
            assert found == pytest.approx(expected) if known else np.isnan(found)
    assert whole[[column.name for column, _ in found_ranks]].notna().any().any()


# Fingerprints.


def test_the_stored_hashes_are_those_of_the_values(stored: tuple[Workspace, dict[date, str]]) -> None:
    workspace, refs = stored
    made = frame.current_plan(workspace)
    seen: set[str] = set()
    for day in STORED:
        found = frame.read(workspace, day, refs[day])
        assert frame.hashes_of(found, day, made) == found["row_hash"].tolist()
        assert seen.isdisjoint(found["row_hash"])
        seen |= set(found["row_hash"])
        assert all(len(one) == 32 and set(one) <= set("0123456789abcdef") for one in found["row_hash"])


def test_any_other_value_is_another_hash(stored: tuple[Workspace, dict[date, str]]) -> None:
    """Every column in turn, of one row: the hash of this row is another, and of no other."""
    workspace, refs = stored
    made, day = frame.current_plan(workspace), STORED[-1]
    whole = frame.read(workspace, day, refs[day])
    seen = {tuple(whole["row_hash"])}
    for name in ["account", *made.names]:
        other = whole.copy()
        was = other.loc[2, name]
        if isinstance(was, str) or other[name].dtype.kind not in "fi":
            other.loc[2, name] = f"{was}."
        else:
            other.loc[2, name] = 1.0 if pd.isna(was) else np.nextafter(was, math.inf)
        found = frame.hashes_of(other, day, made)
        assert [n for n, one in enumerate(found) if one != whole["row_hash"][n]] == [2], name
        seen.add(tuple(found))
    assert len(seen) == len(made.names) + 2
    assert not set(frame.hashes_of(whole, DAYS[0], made)) & set(whole["row_hash"])
    poorer = dataclasses.replace(made, columns=(dataclasses.replace(made.columns[0], window=1), *made.columns[1:]))
    assert poorer.digest != made.digest
    assert not set(frame.hashes_of(whole, day, poorer)) & set(whole["row_hash"])


def test_values_that_change_places_are_another_hash() -> None:
    one, two = pa.array([1.0]), pa.array([2.0])
    assert fingerprints("", 1, [one, two])[0] != fingerprints("", 1, [two, one])[0]
    assert fingerprints("", 1, [one])[0] != fingerprints("", 1, [one, one])[0]
    assert fingerprints("a", 1, [one])[0] != fingerprints("b", 1, [one])[0]


def hashed(*values: float | str | None) -> list[bytes]:
    """The hash of each value as the only one of its row."""
    kind = pa.string() if any(isinstance(value, str) for value in values) else pa.float64()
    return list(fingerprints("start", len(values), [pa.array(values, kind)]))


def test_bits_of_a_number_tell() -> None:
    zero, minus, next_one = hashed(0.0, -0.0, 5e-324)
    assert len({zero, minus, next_one}) == 3
    assert len(set(hashed(1.0, np.nextafter(1.0, 2), -1.0, math.inf, -math.inf, math.nan))) == 6


def test_every_null_is_the_same() -> None:
    payload = struct.unpack("<d", struct.pack("<Q", 0x7FF8_0000_0000_1234))[0]
    negative = struct.unpack("<d", struct.pack("<Q", 0xFFF8_0000_0000_0000))[0]
    numbers = pa.array(np.array([math.nan, payload, negative]), pa.float64())
    assert len({*fingerprints("start", 3, [numbers]), *hashed(None, math.nan)}) == 1


def test_texts_tell() -> None:
    assert len(set(hashed("", None, "null", " ", "a", "A", "ä", "a\u0308"))) == 8
    assert hashed("a", "b")[1] == hashed("b", "a")[0]


def test_a_row_does_not_depend_on_the_others() -> None:
    random = np.random.default_rng(3)
    columns = [pa.array(random.normal(size=500)) for _ in range(4)] + [pa.array([str(n % 7) for n in range(500)])]
    whole = fingerprints("start", 500, columns)
    assert len(set(whole)) == 500
    for cut in (slice(0, 1), slice(7, 300), slice(499, 500)):
        some = [column[cut.start : cut.stop] for column in columns]
        np.testing.assert_array_equal(fingerprints("start", cut.stop - cut.start, some), whole[cut])


def test_hashes_stay_what_they_are() -> None:
    """Scores name them: rows of earlier versions must be found again."""
    texts = [*"abcdefghijklmnopqrstuvwxyz", None]
    numbers = [number / 8 for number in range(26)] + [None]
    found = fingerprints("start", 27, [pa.array(texts), pa.array(numbers)])
    assert hashlib.sha256(b"".join(found)).hexdigest()[:16] == "1f38c779360e28ba"


# Peers.


def peers_of(values: list[float | None], groups: list[str | None]) -> Iterator[float]:
    """The ranks of these values among these groups."""
    of = Feature("of", "usage", None, "context", "", "")  # type: ignore[arg-type]
    among = Attribute("among", "context", "", "")
    rank = Rank("rank", "of", "among", "context", "", "{value}")
    over = {"of": (), "among": (), "rank": ()}
    these = tuple(column for d in (of, among, rank) for column in columns(d, over))
    made = Plan(these, {"of": of, "among": among, "rank": rank}, {}, over)
    rows = pa.record_batch({"of": pa.array(values, pa.float64()), "among": pa.array(groups, pa.string())})
    batches = [rows.slice(0, 3), rows.slice(3)]
    peers = gathered(made, batches)
    again = Peers.of(peers.table())
    for batch in batches:
        found = ranked(made, batch, peers)["rank"]
        np.testing.assert_array_equal(ranked(made, batch, again)["rank"], found)
        yield from found.tolist()


def test_ranks_at_the_ends_and_of_ties() -> None:
    assert list(peers_of([float(n) for n in range(10)], ["a"] * 10)) == [(2 * n + 1) / 20 for n in range(10)]
    assert list(peers_of([7.0] * 12, ["a"] * 12)) == [0.5] * 12
    assert list(peers_of([1.0] * 4 + [2.0] * 6, ["a"] * 10)) == [0.2] * 4 + [0.7] * 6
    assert list(peers_of([-math.inf, math.inf, *[0.0] * 8], ["a"] * 10)) == [0.05, 0.95, *[0.5] * 8]
    assert list(peers_of([0.0, -0.0] * 5, ["a"] * 10)) == [0.5] * 10


def test_too_few_peers_have_no_rank() -> None:
    nine = list(peers_of([float(n) for n in range(FEWEST - 1)], ["a"] * (FEWEST - 1)))
    assert np.isnan(nine).all()
    known: list[float | None] = [float(n) for n in range(FEWEST - 1)]
    assert np.isnan(list(peers_of([*known, None, math.nan], ["a"] * (FEWEST + 1)))).all()
    ten = list(peers_of([*known, 99.0, None], ["a"] * (FEWEST + 1)))
    assert not np.isnan(ten[:FEWEST]).any() and math.isnan(ten[FEWEST])


def test_null_is_a_group_of_its_own() -> None:
    values: list[float | None] = [float(n) for n in range(20)]
    groups: list[str | None] = [None, "a"] * 10
    found = list(peers_of(values, groups))
    assert found[::2] == found[1::2] == [(2 * n + 1) / 20 for n in range(10)]
    mixed = list(peers_of(values, [None] * 11 + ["a"] * 9))
    assert not np.isnan(mixed[:11]).any() and np.isnan(mixed[11:]).all()
    assert list(peers_of(values, [""] * 10 + [None] * 10))[10] == 0.05


def test_a_group_that_nobody_is_in_has_no_rank() -> None:
    peers = Peers({"rank": {"a": np.arange(10.0)}})
    found = peers.rank("rank", ["b", None, "a"], np.array([5.0, 5.0, 5.0]))
    np.testing.assert_array_equal(found, [math.nan, math.nan, 0.55])
    assert np.isnan(peers.rank("other", ["a"], np.array([5.0]))).all()
    np.testing.assert_array_equal(peers.rank("rank", ["a"] * 3, np.array([-1.0, 99.0, math.nan])), [0, 1, math.nan])
