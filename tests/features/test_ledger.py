"""The ledger: facts in an order that is total, digests that tell which days a change reaches, written whole or not at all."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest

from features import facts, intake, ledger, windows
from features.errors import PropensityError
from features.facts import NO_VALUE, UNIT
from features.ledger import Ledger
from features.tables import ROLES
from features.workspace import Workspace, load
from tests import worlds

World = dict[str, list[dict[str, Any]]]
START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ZONE = "Europe/Berlin"


def micro(instant: datetime) -> int:
    return int((instant - windows.EPOCH) / timedelta(microseconds=1))


def used(account: str, occurred: datetime, **more: object) -> dict[str, Any]:
    row = {"account": account, "contact": None, "occurred_at": occurred, "event": "login", "value": None}
    return {**row, "recorded_at": None, **more}


def write(root: Path, world: World, **options: Any) -> Workspace:
    workspace = worlds.write(root, world, parquet=True, **{"timezone": ZONE, **options})
    report = worlds.take_in(workspace)
    assert not any(table.quarantined for table in report.tables.values())
    return workspace


def opened(root: Path, world: World, **options: Any) -> Ledger:
    return ledger.opened(write(root, world, **options))


def accounts(*names: str) -> list[dict[str, Any]]:
    return [{"account": name, "created": START - DAY} for name in names]


def test_facts_are_stored_as_they_are_told(tmp_path: Path) -> None:
    """Which account, when, how late, how much, of what, by whom."""
    late_at_night = START + 5 * DAY - HOUR / 2  # of the next day in Berlin
    world = {
        "accounts": accounts("b", "a"),
        "contacts": [
            {"contact": "c", "account": "a", "role": "champion", "joined": START},
            {"contact": "d", "account": "a", "role": "user", "joined": START + 3 * DAY},
        ],
        "usage": [
            used("b", late_at_night, value=-0.0000005),
            used("a", START + 2 * DAY, contact="c", value=1.25, event="share", recorded_at=START + 3 * DAY),
            used("a", START + 2 * DAY, contact="d", event="login"),  # before this contact was there
            used("a", START + 4 * DAY, contact="d", event="login"),
            used("a", START + HOUR, contact="stranger"),
        ],
    }
    found = opened(tmp_path, world, tables={"usage": {"delay_hours": 2}}).load("usage", range(2))
    assert found.labels == ("login", "share")
    assert found.roles == ROLES
    assert found.offsets.tolist() == [0, 4, 5]
    happened = [START + HOUR, START + 2 * DAY, START + 2 * DAY, START + 4 * DAY, late_at_night]
    assert found.occurred.tolist() == [micro(instant) for instant in happened]
    delays = [2 * HOUR, 2 * HOUR, DAY + 2 * HOUR, 2 * HOUR, 2 * HOUR]
    assert found.known.tolist() == [micro(at + delay) for at, delay in zip(happened, delays, strict=True)]
    assert found.value.tolist() == [NO_VALUE, NO_VALUE, round(1.25 * UNIT), NO_VALUE, -1]
    assert found.label.tolist() == [0, 0, 1, 0, 0]
    assert [found.roles[role] if role >= 0 else None for role in found.role] == [None, None, "champion", "user", None]
    assert found.day.tolist() == [windows.day_number(date(2026, 1, day)) for day in (1, 3, 3, 5, 6)]
    assert len(set(found.contact[:4])) == 3 and found.contact[4] == -1
    assert found.contact[1] == found.contact[3]


def test_kinds_without_rows_and_without_labels(tmp_path: Path) -> None:
    book = opened(tmp_path, {"accounts": accounts("a"), "usage": [used("a", START)], "tickets": []})
    empty = book.load("ticket.opened", range(1))
    assert (empty.offsets.tolist(), len(empty.occurred), empty.labels) == ([0, 0], 0, ())
    assert [array.dtype for array in empty.arrays] == [array.dtype for array in book.load("usage", range(1)).arrays]
    assert book.load("account.created", range(1)).labels == ()
    assert book.load("account.created", range(1)).label.tolist() == [-1]
    with pytest.raises(PropensityError, match=r"there are no deal\.won facts"):
        book.load("deal.won", range(1))


def test_ties_are_broken_by_everything_a_feature_can_see(tmp_path: Path) -> None:
    """Delay first, then value with nothing last, then contact and label: whatever the order of the rows."""
    rows = [
        used("a", START, value=value, contact=contact, event=event, recorded_at=START + late * HOUR)
        for late in (0, 1)
        for value in (2.0, None, -1.0)
        for contact in ("d", None, "c")
        for event in ("login", "export")
    ]
    found = []
    for seed in range(3):
        Random(seed).shuffle(rows)  # noqa: S311
        book = opened(tmp_path / str(seed), {"accounts": accounts("a"), "usage": rows})
        found.append(book.load("usage", range(1)))
    for other in found[1:]:
        assert all(np.array_equal(one, two) for one, two in zip(found[0].arrays, other.arrays, strict=True))
    only = found[0]
    value = np.where(only.value == NO_VALUE, np.iinfo(np.int64).max, only.value)
    order = np.lexsort((only.label, only.contact, value, only.known))
    assert order.tolist() == list(range(len(rows)))


@pytest.mark.parametrize(
    ("values", "whole"),
    [
        ([2.0**62 / UNIT * 0.5, 2.0**62 / UNIT * 0.4], True),
        ([2.0**62 / UNIT * 0.6, 2.0**62 / UNIT * 0.6], False),
        ([2.0**62 / UNIT * 0.6, -(2.0**62) / UNIT * 0.6], False),  # a window may see one without the other
        ([1e13], False),  # by itself beyond 64 bits
    ],
)
def test_sums_that_would_not_fit_are_refused(values: list[float], whole: bool, tmp_path: Path) -> None:
    """And what was there before stays."""
    world: World = {"accounts": accounts("a", "b"), "usage": [used("a", START), used("b", START, value=2.0**61 / UNIT)]}
    before = opened(tmp_path, world)
    kept = before.load("usage", range(2))
    world["usage"] += [used("a", START + HOUR, value=value) for value in values]
    workspace = write(tmp_path, world)
    if whole:
        assert len(ledger.opened(workspace).load("usage", range(2)).value) == 2 + len(values)
        return
    with pytest.raises(PropensityError, match="the values of usage facts add up to more than"):
        ledger.opened(workspace)
    assert [folder.name for folder in (workspace.state / "facts").iterdir()] == [before.folder.name]
    assert not list(workspace.state.glob("tmp-*"))
    assert np.array_equal(before.load("usage", range(2)).value, kept.value)


def test_every_kind_is_counted_for_every_account(tmp_path: Path) -> None:
    tickets = [{"ticket": "t", "account": "c", "opened": START, "resolved": START + HOUR}]
    book = opened(tmp_path, {"accounts": accounts("c", "a", "b"), "usage": [used("c", START)], "tickets": tickets})
    sizes = np.zeros(3, dtype=np.int64)
    for kind in book.labels:
        sizes += np.diff(book.load(kind, range(3)).offsets)
    assert book.sizes.tolist() == sizes.tolist()
    assert book.sizes[0] == book.sizes[1] < book.sizes[2]


# Ranges of accounts.


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    """Forty accounts, some without usage."""
    random, names = Random(2), [f"{n:02}" for n in range(40)]  # noqa: S311
    silent = {"00", "07", "08", "39"}
    usage = [
        used(random.choice(sorted(set(names) - silent)), START + random.randrange(900) * HOUR, value=float(n))
        for n in range(150)
    ]
    return opened(tmp_path_factory.mktemp("many"), {"accounts": accounts(*names), "usage": usage})


def test_a_range_is_that_part_of_all(many: Ledger) -> None:
    """Wherever it begins and ends, and where nothing is."""
    whole = many.load("usage", range(40))
    assert np.diff(whole.offsets)[[0, 7, 8, 39]].tolist() == [0, 0, 0, 0]
    for begin in range(40):
        for end in {begin, begin + 1, begin + 2, begin + 11, 40}:
            part = many.load("usage", range(begin, min(end, 40)))
            low, high = whole.offsets[begin], whole.offsets[min(end, 40)]
            assert part.offsets.tolist() == (whole.offsets[begin : min(end, 40) + 1] - low).tolist()
            for one, all_of_it in zip(part.arrays[1:], whole.arrays[1:], strict=True):
                assert np.array_equal(one, all_of_it[low:high])


# Digests.

SEEN = [date(2025, 12, 30) + n * DAY for n in range(20)]


def digests(root: Path, world: World, **options: Any) -> list[str]:
    book = opened(root, world, **options)
    return [book.digest(windows.day_number(day), ["account"]) for day in SEEN]


def base() -> World:
    return {
        "accounts": accounts("a", "b"),
        "contacts": [{"contact": name, "account": "b", "role": "user", "joined": START} for name in "cd"],
        "usage": [
            used("a", START + DAY, value=1.0),
            used("b", START + 5 * DAY, contact="c"),
            used("b", START + 6 * DAY, event="share", recorded_at=START + 9 * DAY),
        ],
    }


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return digests(tmp_path_factory.mktemp("base"), base())


def _add(row: dict[str, Any]) -> Callable[[World], None]:
    return lambda world: world["usage"].append(row)


def _set(table: str, number: int, **columns: object) -> Callable[[World], None]:
    return lambda world: world[table][number].update(columns)


CHANGES: dict[str, tuple[Callable[[World], None], date | None]] = {
    "a fact": (_add(used("a", START + 3 * DAY)), date(2026, 1, 4)),
    "the last instant of a local day": (_add(used("a", START + 3 * DAY - HOUR - HOUR / 3600)), date(2026, 1, 3)),
    "the first instant of a local day": (_add(used("a", START + 3 * DAY - HOUR)), date(2026, 1, 4)),
    "a late fact": (_add(used("a", START + 3 * DAY, recorded_at=START + 8 * DAY)), date(2026, 1, 9)),
    "late to the first instant of a day": (
        _add(used("a", START + 3 * DAY, recorded_at=START + 8 * DAY - HOUR)),
        date(2026, 1, 9),
    ),
    "the same fact once more": (_add(used("a", START + DAY, value=1.0)), date(2026, 1, 2)),
    "a value": (_set("usage", 0, value=2.0), date(2026, 1, 2)),
    "a value of nothing": (_set("usage", 0, value=None), date(2026, 1, 2)),
    "an instant": (_set("usage", 0, occurred_at=START + DAY + HOUR), date(2026, 1, 2)),
    "an instant forward": (_set("usage", 0, occurred_at=START + 4 * DAY), date(2026, 1, 2)),
    "the account": (_set("usage", 0, account="b"), date(2026, 1, 2)),
    "the contact": (_set("usage", 1, contact="d"), date(2026, 1, 6)),
    "no contact": (_set("usage", 1, contact=None), date(2026, 1, 6)),
    "the event": (_set("usage", 1, event="share"), date(2026, 1, 6)),
    "the arrival": (_set("usage", 2, recorded_at=START + 11 * DAY), date(2026, 1, 10)),
    "a role": (_set("contacts", 0, role="champion"), date(2026, 1, 1)),
    "a new event's name that sorts first": (_add(used("a", START + 9 * DAY, event="a")), date(2026, 1, 10)),
    "a new account that sorts first": (
        lambda world: world["accounts"].insert(0, {"account": "0", "created": START + 7 * DAY}),
        date(2026, 1, 8),
    ),
    "a new contact that sorts first": (_add(used("b", START + 8 * DAY, contact="0")), date(2026, 1, 9)),
    "the order of the rows": (lambda world: [rows.reverse() for rows in world.values()] and None, None),
    "an attribute": (lambda world: [row.update(segment="s") for row in world["accounts"]] and None, None),
}
"""What changes, and the first local day whose end can see it."""


@pytest.mark.parametrize("change", CHANGES)
def test_digests_change_from_the_day_a_change_is_seen(change: str, unchanged: list[str], tmp_path: Path) -> None:
    world, (apply, since) = base(), CHANGES[change]
    apply(world)
    found = digests(tmp_path, world)
    changed = [day for day, one, other in zip(SEEN, unchanged, found, strict=True) if one != other]
    assert changed == [day for day in SEEN if since and day >= since]


def test_a_fact_of_which_only_the_day_is_known_belongs_to_that_day(unchanged: list[str], tmp_path: Path) -> None:
    world = base()
    for row in world["usage"]:
        row["recorded_at"] = None
        row["occurred_at"] = row["occurred_at"].date()
    found = {}
    for name in ("one", "more"):
        workspace = worlds.write(tmp_path / name, world, timezone=ZONE)
        assert worlds.take_in(workspace).tables["usage"].date_only == ["occurred_at"]
        book = ledger.opened(workspace)
        found[name] = [book.digest(windows.day_number(day), ["account"]) for day in SEEN]
        world["usage"].append(used("a", START.date() + 3 * DAY))
    assert [day for day, one, two in zip(SEEN, *found.values(), strict=True) if one != two] == [
        day for day in SEEN if day >= date(2026, 1, 4)
    ]


# Whole or not at all.


def places(workspace: Workspace) -> list[Path]:
    return sorted((workspace.state / "facts").glob("*"))


def test_an_interrupted_ledger_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = write(tmp_path, base())
    for step in ("_sort", "_digests", "settled"):
        with monkeypatch.context() as broken:
            broken.setattr(ledger, step, _interrupted)
            with pytest.raises(KeyboardInterrupt):
                ledger.opened(workspace)
        assert not places(workspace)
        assert not list(workspace.state.glob("tmp-*"))
    assert len(ledger.opened(workspace).load("usage", range(2)).value) == 3


def _interrupted(*given: Any) -> None:
    raise KeyboardInterrupt


def test_the_ledger_is_written_once_and_the_last_one_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = write(tmp_path, base())
    first = ledger.opened(workspace)
    with monkeypatch.context() as broken:
        broken.setattr(ledger, "_write", _interrupted)
        assert ledger.opened(workspace).folder == first.folder
    world = base()
    world["usage"].append(used("a", START))
    second = ledger.opened(write(tmp_path, world))
    assert places(workspace) == [second.folder] != [first.folder]
    delayed = opened(tmp_path, world, tables={"usage": {"delay_hours": 1}})
    assert delayed.folder != second.folder
    other_zone = opened(tmp_path, world, timezone="UTC")
    assert other_zone.folder not in (delayed.folder, second.folder)


def _open(root: Path, together: Any) -> None:
    workspace = load(root)
    together.wait(60)
    ledger.opened(workspace)


def test_two_at_once_end_with_one_good_ledger(tmp_path: Path) -> None:
    workspace = write(tmp_path / "both", base())
    several = multiprocessing.get_context("spawn")
    together = several.Barrier(2)
    both = [several.Process(target=_open, args=(workspace.root, together)) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join(120)
    assert [process.exitcode for process in both] == [0, 0]
    alone = opened(tmp_path / "alone", base())
    assert [folder.name for folder in places(workspace)] == [alone.folder.name]
    assert not list(workspace.state.glob("tmp-*"))
    book = ledger.opened(workspace)
    assert (book.labels, book.digests) == (alone.labels, alone.digests)
    for kind in alone.labels:
        found, expected = (one.load(kind, range(2)) for one in (book, alone))
        assert all(np.array_equal(one, two) for one, two in zip(found.arrays, expected.arrays, strict=True))


# Relatives.

FAMILY = (
    ("parent", None),
    ("one", "parent"),
    ("two", "parent"),
    ("grandchild", "two"),
    ("itself", "itself"),
    ("orphan", "nobody here"),
    ("alone", None),
)


def family(pairs: tuple[tuple[str, str | None], ...]) -> World:
    """Each account has used it as often as its place in the list."""
    rows = [{"account": name, "parent": parent, "created": START - DAY} for name, parent in pairs]
    usage = [
        used(name, START + hour * HOUR, contact=f"c {name}", value=float(number))
        for number, (name, _) in enumerate(pairs)
        for hour in range(number + 1)
    ]
    return {"accounts": rows, "usage": usage}


@pytest.fixture
def about(monkeypatch: pytest.MonkeyPatch) -> None:
    """Usage of the parent and of siblings as facts of an account."""
    told = tuple(
        facts.Fact(f"{whom}.usage", "usage", "occurred_at", "value", "event", about=whom)  # type: ignore[arg-type]
        for whom in ("parent", "siblings")
    )
    monkeypatch.setattr(facts, "FACTS", (*facts.FACTS, *told))
    monkeypatch.setattr(facts, "KINDS", (*facts.KINDS, *(fact.kind for fact in told)))


def heard(workspace: Workspace, kind: str) -> dict[str, list[str]]:
    """Of whom each account hears, each name as often as there are facts."""
    table = pq.read_table(intake.current(workspace)[0] / "accounts.parquet")
    names = table["account"].to_pylist()
    found = ledger.opened(workspace).load(kind, range(len(names)))
    places_of = {name: number for number, (name, _) in enumerate(FAMILY)}
    of = {number * UNIT: name for name, number in places_of.items()}
    ends = zip(names, found.offsets[:-1], found.offsets[1:], strict=True)
    assert (found.contact == -1).all() and (found.role == -1).all()
    return {name: sorted(of[value] for value in found.value[low:high]) for name, low, high in ends if high > low}


@pytest.mark.usefixtures("about")
def test_facts_of_relatives_reach_the_right_accounts(tmp_path: Path) -> None:
    """One step up and no further; nobody is a relative of itself; a parent that is no account has no facts."""
    workspace = write(tmp_path, family(FAMILY))
    assert heard(workspace, "parent.usage") == {
        "one": ["parent"],
        "two": ["parent"],
        "grandchild": ["two"] * 3,
    }
    assert heard(workspace, "siblings.usage") == {"one": ["two"] * 3, "two": ["one"] * 2}
    own = ledger.opened(workspace).load("usage", range(len(FAMILY)))
    assert len(own.value) == sum(range(len(FAMILY) + 1))


@pytest.mark.usefixtures("about")
def test_what_is_known_of_relatives_is_known_when_it_was_told(tmp_path: Path) -> None:
    world = family(FAMILY[:3])
    world["usage"] = [used("parent", START, recorded_at=START + 9 * DAY), used("two", START, recorded_at=START + HOUR)]
    book = ledger.opened(write(tmp_path, world, tables={"usage": {"delay_hours": 1}}))
    for kind, known in (("parent.usage", START + 9 * DAY + HOUR), ("siblings.usage", START + 2 * HOUR)):
        found = book.load(kind, range(3))
        assert found.occurred.tolist()[:1] == [micro(START)]
        assert found.known.tolist()[:1] == [micro(known)]


@pytest.mark.usefixtures("about")
def test_a_family_may_be_too_large_for_siblings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which is a matter of the accounts of one parent: the others keep theirs, and parents are heard all the same."""
    names = [("p", None), ("q", None), *((f"p{n}", "p") for n in range(4)), *((f"q{n}", "q") for n in range(3))]
    query = intake._RELATIVES.replace(f"<= {intake.LARGEST_FAMILY}", "<= 3")
    assert query != intake._RELATIVES
    monkeypatch.setattr(intake, "_RELATIVES", query)
    workspace = write(tmp_path, family(tuple(names)))
    relatives = duckdb.sql(
        f"SELECT relation, count(*) FROM '{intake.current(workspace)[0]}/relatives.parquet' GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    assert relatives == [("parent", 7), ("siblings", 6)]
    book = ledger.opened(workspace)
    assert (np.diff(book.load("siblings.usage", range(9)).offsets) > 0).tolist() == [False] * 6 + [True] * 3
    assert (np.diff(book.load("parent.usage", range(9)).offsets) > 0).tolist() == [False] + [True] * 4 + [False] + [
        True
    ] * 3


@pytest.mark.usefixtures("about")
def test_without_the_column_there_are_no_relatives(tmp_path: Path) -> None:
    workspace = write(tmp_path, base())
    _, report = intake.current(workspace)
    assert {"parent.usage", "siblings.usage"}.isdisjoint(facts.available(report))
    assert "parent.usage" not in ledger.opened(workspace).labels


@pytest.mark.parametrize(
    ("zone", "day"),
    [("Atlantic/Azores", "2025-10-25"), ("America/Havana", "2025-11-01"), ("Europe/Lisbon", "2025-10-25")],
)
def test_a_day_is_known_by_the_first_of_two_midnights(zone: str, day: str, tmp_path: Path) -> None:
    """Where clocks are put back over midnight, a date ends twice; an as_of means the first time."""
    world = {"accounts": [{"account": "a", "created": "2025-01-01"}]}
    world["usage"] = [{"account": "a", "occurred_at": at, "event": "login"} for at in ("2025-10-01", day)]
    workspace = worlds.write(tmp_path, world, timezone=zone)
    worlds.take_in(workspace)
    found = ledger.opened(workspace).load("usage", range(1))
    end = windows.as_of_instant(date.fromisoformat(day), zone)
    assert found.known.tolist()[1] == end - 1
    assert (found.occurred < end).all()
