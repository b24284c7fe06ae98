"""What exports do wrong, and what becomes of it: an error that names the cure, or rows set aside and counted."""

from __future__ import annotations

import csv
import gzip
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pandas as pd
import pytest

from features import frame as frames
from features import intake
from features.errors import PropensityError
from features.quality import Report
from features.tables import TABLES
from features.workspace import FILE, Config, Workspace, load
from tests import worlds

DAY = date(2026, 3, 31)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ONE_DAY = timedelta(days=1)
Row = dict[str, Any]
World = dict[str, list[Row]]


def small(*tables: str) -> World:
    """Two accounts with a contract each, contacts, usage, a ticket and an invoice; only some of these tables, if named."""
    begin = datetime(2025, 1, 1, tzinfo=UTC)
    world: World = {name: [] for name in ("accounts", "contacts", "contracts", "usage", "tickets", "invoices")}
    for account in ("a", "b"):
        world["accounts"].append(
            {"account": account, "name": f"Name of {account}", "segment": "small", "size": 10, "created": begin}
        )
        world["contacts"].append({"contact": f"{account}1", "account": account, "joined": begin, "role": "user"})
        world["contracts"].append(
            {
                "contract": f"{account}c",
                "account": account,
                "starts": begin,
                "ends": NOON + 90 * ONE_DAY,
                "arr": 1200.5,
                "currency": "EUR",
            }
        )
        world["usage"] += [
            {
                "event_id": f"{account}{n}",
                "account": account,
                "contact": f"{account}1",
                "occurred_at": NOON - n * ONE_DAY,
                "event": "login",
                "value": n,
            }
            for n in range(5)
        ]
        world["tickets"].append(
            {
                "ticket": f"{account}t",
                "account": account,
                "opened": NOON,
                "resolved": NOON + ONE_DAY,
                "severity": "high",
            }
        )
        world["invoices"].append(
            {"invoice": f"{account}i", "account": account, "issued": NOON, "amount": 100.25, "currency": "EUR"}
        )
    return {name: rows for name, rows in world.items() if not tables or name in ("accounts", *tables)}


def digest(workspace: Workspace) -> str:
    """What the tables in use are called, after their content."""
    return intake.current(workspace)[0].name


def taken_in(folder: Path, world: World, **options: Any) -> str:
    """The digest of the tables that a world comes to."""
    workspace = worlds.write(folder, world, **options)
    worlds.take_in(workspace)
    return digest(workspace)


def framed(folder: Path, world: World, **options: Any) -> pd.DataFrame:
    return worlds.frame(worlds.write(folder, world, **options), DAY)


def problems(workspace: Workspace, table: str) -> dict[str, int]:
    return {problem.problem: problem.count for problem in worlds.take_in(workspace).tables[table].problems}


def written(workspace: Workspace) -> list[str]:
    """What is stored of any intake, beside empty folders."""
    found = [file for folder in (workspace.state, workspace.out) for file in folder.rglob("*") if file.is_file()]
    return sorted(str(file.relative_to(workspace.root)) for file in found)


@pytest.mark.parametrize(
    ("table", "column"),
    [(name, column.name) for name in small() for column in TABLES[name].columns if column.required],
)
def test_a_missing_column_is_named_and_nothing_is_written(table: str, column: str, tmp_path: Path) -> None:
    world = small(table, "usage")
    for row in world[table]:
        del row[column]
    workspace = worlds.write(tmp_path, world)
    with pytest.raises(PropensityError) as caught:
        worlds.take_in(workspace)
    assert f"tables.{table} lacks {column}" in caught.value.message
    assert column in caught.value.hint
    assert written(workspace) == []


BAD: tuple[tuple[str, str, object, str], ...] = (
    ("usage", "occurred_at", "yesterday", "occurred_at is not a time from 1900 to 2200"),
    ("usage", "occurred_at", "0001-01-01", "occurred_at is not a time from 1900 to 2200"),
    ("usage", "occurred_at", "2026-02-30", "occurred_at is not a time from 1900 to 2200"),
    ("usage", "occurred_at", None, "occurred_at is missing"),
    ("usage", "event", "", "event is missing"),
    ("usage", "value", "many", "value is not a finite number"),
    ("usage", "value", "NaN", "value is not a finite number"),
    ("usage", "value", "inf", "value is not a finite number"),
    ("usage", "value", "-Infinity", "value is not a finite number"),
    ("usage", "value", "1e308", "value is not a finite number"),
    ("usage", "value", "1e999", "value is not a finite number"),
    ("usage", "value", "1,5", "value is not a finite number"),
    ("invoices", "amount", "12 EUR", "amount is not a finite amount"),
    ("contracts", "arr", -1, "arr is negative"),
    ("contracts", "ends", datetime(2024, 12, 1, tzinfo=UTC), "ends is not after starts"),
    ("accounts", "size", 2.5, "size is not a whole number"),
    ("tickets", "severity", "dire", "severity is none of high, low, normal, urgent"),
    ("tickets", "resolved", NOON - ONE_DAY, "resolved is before opened"),
    ("tickets", "sentiment", -1.5, "sentiment is outside -1 to 1"),
    ("tickets", "sentiment", "glad", "sentiment is not a finite number"),
    ("tickets", "text", "x\0y", "text is not text without NUL bytes"),
    ("usage", "occurred_at", datetime(2024, 1, 1, tzinfo=UTC), "occurred_at is before the account was created"),
    ("usage", "account", "phantom", "account is not in accounts"),
    ("contacts", "account", "phantom", "account is not in accounts"),
    ("contacts", "contact", "x\0y", "contact is not text without NUL bytes"),
)
"""Table, column, a value that it cannot have, and what is said of the row."""


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, Report]:
    """The small world with a bad row for each case: otherwise as the first row of its table, with a key of its own."""
    world = small()
    for number, (table, column, value, _) in enumerate(BAD):
        world[table].append({**world[table][0], TABLES[table].key: f"bad{number}", column: value})
    workspace = worlds.write(tmp_path_factory.mktemp("bad"), world)
    return workspace, worlds.take_in(workspace)


@pytest.mark.parametrize(
    "number", range(len(BAD)), ids=[f"{table}-{column}-{value!r}" for table, column, value, _ in BAD]
)
def test_a_bad_value_is_set_aside_with_its_reason(number: int, judged: tuple[Workspace, Report]) -> None:
    table, _, _, problem = BAD[number]
    workspace, report = judged
    same_table = [case for case in range(len(BAD)) if BAD[case][0] == table]
    with (workspace.quarantine / f"{table}.csv").open(encoding="utf-8", newline="") as stream:
        assert list(csv.DictReader(stream))[same_table.index(number)]["reason"] == problem
    alike = [case for case in same_table if BAD[case][3] == problem]
    assert {found.problem: found.count for found in report.tables[table].problems}[problem] == len(alike)


def test_bad_rows_are_counted_and_touch_no_other_row(judged: tuple[Workspace, Report], tmp_path: Path) -> None:
    workspace, report = judged
    good = small()
    for name, table in report.tables.items():
        bad = sum(case[0] == name for case in BAD)
        assert (table.read, table.rows, table.quarantined) == (len(good[name]) + bad, len(good[name]), bad)
    assert digest(workspace) == taken_in(tmp_path, good)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), 1e308])
def test_numbers_that_are_none_in_parquet(value: float, tmp_path: Path) -> None:
    world = small()
    world["usage"][0]["value"] = value
    workspace = worlds.write(tmp_path, world, parquet=True)
    assert problems(workspace, "usage") == {"value is not a finite number": 1}
    numbers = frames.feature_frame(workspace, [DAY]).select_dtypes("number").to_numpy()
    assert not ((numbers == float("inf")) | (numbers == float("-inf"))).any()


def test_values_beyond_exact_sums_are_refused(tmp_path: Path) -> None:
    for folder, value in {"sum": 3e12, "single": 8e15}.items():
        world = small("usage", "contracts")
        for row in world["usage"]:
            row["value"] = value
        with pytest.raises(PropensityError, match="the values of usage facts add up to more than"):
            worlds.frame(worlds.write(tmp_path / folder, world), DAY)


def test_minus_zero_is_zero(tmp_path: Path) -> None:
    world = small()
    world["usage"] = [row | {"value": 0.0} for row in world["usage"]]
    plain = framed(tmp_path / "plain", world, parquet=True)
    world["usage"] = [row | {"value": -0.0} for row in world["usage"]]
    assert list(framed(tmp_path / "minus", world, parquet=True)["row_hash"]) == list(plain["row_hash"])


def test_an_extra_column_is_noted_and_changes_nothing(tmp_path: Path) -> None:
    world = small("usage")
    plain = taken_in(tmp_path / "plain", world)
    world["usage"] = [{"colour": "red", **row} for row in world["usage"]]
    workspace = worlds.write(tmp_path / "extra", world)
    report = worlds.take_in(workspace)
    assert "columns that are not in the contract ignored: colour" in report.tables["usage"].handled
    assert digest(workspace) == plain


@pytest.mark.parametrize("parquet", [False, True])
def test_a_file_that_arrives_twice_adds_nothing(parquet: bool, tmp_path: Path) -> None:
    world = small()
    plain = taken_in(tmp_path / "once", world, parquet=parquet)
    doubled: World = {name: rows + rows for name, rows in world.items()}
    workspace = worlds.write(tmp_path / "twice", doubled, parquet=parquet)
    report = worlds.take_in(workspace)
    assert {name: (table.repeated, table.quarantined) for name, table in report.tables.items()} == {
        name: (len(rows), 0) for name, rows in world.items()
    }
    assert digest(workspace) == plain


def test_overlapping_files_without_keys_are_counted_once(tmp_path: Path) -> None:
    """Rows that have no identifier are told apart by content and how often they come in one file."""
    rows = [{"account": "a", "occurred_at": NOON, "event": "login", "value": 1}] * 2
    later = [{"account": "a", "occurred_at": NOON + ONE_DAY, "event": "login", "value": 1}]
    world = small() | {"usage": rows}
    workspace = worlds.write(tmp_path, world, sources={"usage": {"path": "data/usage*.csv"}})
    worlds.write_csv(tmp_path / "data" / "usage2.csv", rows + later, list(rows[0]))
    report = worlds.take_in(workspace)
    assert report.tables["usage"].rows == 3
    assert "usage: 2 files read as one, rows that they share counted once" in report.tables["usage"].handled


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [("accounts", "segment", "large"), ("usage", "value", 99), ("tickets", "severity", "low")],
)
def test_one_of_two_rows_with_one_key_is_set_aside(table: str, column: str, value: object, tmp_path: Path) -> None:
    world, swapped = small(table, "usage"), small(table, "usage")
    other = {**world[table][0], column: value}
    world[table].append(other)
    swapped[table].insert(0, other)
    workspace = worlds.write(tmp_path / "after", world)
    assert problems(workspace, table) == {f"{TABLES[table].key} seen before with other content": 1}
    assert digest(workspace) == taken_in(tmp_path / "before", swapped)


@pytest.mark.parametrize("table", small())
def test_a_key_used_again_later_does_not_displace_the_first(table: str, tmp_path: Path) -> None:
    world = small(table, "usage")
    plain = taken_in(tmp_path / "plain", world)
    times = TABLES[table].of_type("time")
    again = {column: value + 40 * ONE_DAY if column in times else value for column, value in world[table][-1].items()}
    # What sorts before the first row in all but time.
    world[table].insert(0, again | ({"name": "A", "segment": "A"} if table == "accounts" else {"account": "a"}))
    if "contact" in again and table == "usage":
        world[table][0]["contact"] = "a1"
    assert taken_in(tmp_path / "again", world) == plain


def test_rows_of_the_future_are_told_and_count_for_no_earlier_as_of(tmp_path: Path) -> None:
    world = small()
    plain = framed(tmp_path / "plain", world, as_of={**worlds.AS_OF, "exported": DAY})
    beyond = [
        datetime(2026, 4, 1, tzinfo=UTC),
        datetime(2026, 4, 1, tzinfo=UTC) + ONE_DAY,
        datetime(2199, 1, 1, tzinfo=UTC),
    ]
    last_known = datetime(2026, 3, 31, 23, 59, 59, 999999, tzinfo=UTC)
    for number, instant in enumerate(beyond):
        world["usage"].append({**world["usage"][0], "event_id": f"f{number}", "occurred_at": instant})
    workspace = worlds.write(tmp_path / "future", world, as_of={**worlds.AS_OF, "exported": DAY})
    assert problems(workspace, "usage") == {"happens after the exports were taken": 3}
    pd.testing.assert_frame_equal(frames.feature_frame(workspace, [DAY]), plain, check_exact=True)
    world["usage"][-1]["occurred_at"] = last_known
    moved = framed(tmp_path / "moved", world, as_of={**worlds.AS_OF, "exported": DAY})
    assert moved["usage_events_30d"].tolist() == [plain["usage_events_30d"][0] + 1, plain["usage_events_30d"][1]]


LOCAL_TIMES = {
    "UTC": {"2026-03-29 02:30": "2026-03-29T02:30"},
    "Europe/Berlin": {
        "2026-03-29 01:59:59.999999": "2026-03-29T00:59:59.999999",
        "2026-03-29 02:30": "2026-03-29T01:30",  # skipped by the clocks: as if they had not moved
        "2026-03-29 03:00": "2026-03-29T01:00",
        "2025-10-26 02:30": "2025-10-26T01:30",  # comes twice: the second time
        "2026-03-29T02:30:00Z": "2026-03-29T02:30",  # an offset needs no zone
        "2026-03-29T02:30:00-05:00": "2026-03-29T07:30",
    },
    "America/New_York": {"2026-03-08 02:30": "2026-03-08T07:30"},
}
"""By the zone of the table: a time as the source has it, and the instant in UTC."""


@pytest.mark.parametrize("zone", LOCAL_TIMES)
@pytest.mark.parametrize("machine", ["UTC", "Pacific/Auckland"])
def test_local_times_become_instants(zone: str, machine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the zone of the table, whatever the zone of the machine."""
    cases = LOCAL_TIMES[zone]
    usage = [{"account": "a", "event": local, "occurred_at": local} for local in cases]
    workspace = worlds.write(
        tmp_path, {"accounts": [{"account": "a"}], "usage": usage}, tables={"usage": {"timezone": zone}}
    )
    with machine_zone(machine, monkeypatch):
        worlds.take_in(workspace)
        found = stored(
            workspace, "usage", "event || ' is ' || strftime(timezone('UTC', occurred_at), '%Y-%m-%dT%H:%M:%S.%f')"
        )
    expected = [
        f"{local} is {datetime.fromisoformat(instant).isoformat(timespec='microseconds')}"
        for local, instant in cases.items()
    ]
    assert sorted(found) == sorted(expected)


@contextmanager
def machine_zone(zone: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", zone)
        time.tzset()
        yield
    time.tzset()


def stored(workspace: Workspace, table: str, sql: str) -> list[Any]:
    """An expression over the stored rows of a canonical table, in their order."""
    folder, _ = intake.current(workspace)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return [row[0] for row in connection.execute(f"SELECT {sql} FROM '{folder / table}.parquet'").fetchall()]


ODD_TEXTS = (
    "zażółć",
    "cafe\u0301",
    "café",
    "\u202eright to left",
    "👩\u200d💻 team",
    "tab\tand\nline",
    'quo"te, comma',
    "'; DROP TABLE usage; --",
    "x" * 10_000,
)


@pytest.mark.parametrize("parquet", [False, True])
def test_any_text_is_kept_as_it_is(parquet: bool, tmp_path: Path) -> None:
    """As identifier, as category, as a name; letters composed in two ways are two identifiers."""
    begin = NOON - 300 * ONE_DAY
    world: World = {
        "accounts": [{"account": text, "name": text, "segment": text, "created": begin} for text in ODD_TEXTS],
        "usage": [
            {"account": text, "event": text, "occurred_at": NOON, "value": 1, "contact": None} for text in ODD_TEXTS
        ],
    }
    workspace = worlds.write(tmp_path, world, parquet=parquet, cohort={"kind": "activity"})
    with intake.read(workspace) as found:
        assert found.names() == sorted((text, text) for text in ODD_TEXTS)
    frame = worlds.frame(workspace, DAY)
    assert frame["account"].tolist() == sorted(ODD_TEXTS, key=lambda text: text.encode())
    assert frame["segment"].tolist() == frame["account"].tolist()
    assert frame["usage_events_90d"].tolist() == [1.0] * len(ODD_TEXTS)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_formulas_are_exact_in_the_tables_and_defused_in_the_quarantine(start: str, tmp_path: Path) -> None:
    formula = f"{start}cmd|' /C calc'!A0"
    world = small("usage")
    world["accounts"][0]["segment"] = formula
    world["accounts"].append({"account": "c", "name": formula, "segment": "plain-text", "size": -1})
    workspace = worlds.write(tmp_path, world, parquet=True)
    worlds.take_in(workspace)
    with (workspace.quarantine / "accounts.csv").open(encoding="utf-8", newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert (row["name"], row["segment"], row["size"]) == ("'" + formula, "plain-text", "'-1")
    assert formula in stored(workspace, "accounts", "segment")


EMPTY = {
    "contacts": "contacts_present",
    "contracts": "contracts_live",
    "usage": "usage_events_365d",
    "tickets": "tickets_opened_365d",
    "invoices": "invoiced_365d",
}
"""A column of each table that is 0 where the table says nothing."""


@pytest.mark.parametrize("active", ["usage", "ticket.opened"])
@pytest.mark.parametrize("parquet", [False, True])
def test_empty_tables_leave_their_features_empty(active: str, parquet: bool, tmp_path: Path) -> None:
    """All tables but one are empty, and every account is still there."""
    world = small()
    for name in EMPTY:
        world[name] = [row | {"contact": None} for row in world[name] if name.startswith(active[:5])]
    cohort = {"kind": "activity", "days": 200, "activity": [active]}
    frame = framed(tmp_path, world, parquet=parquet, cohort=cohort)
    assert {name: (frame[column] > 0).tolist() for name, column in EMPTY.items()} == {
        name: [bool(world[name])] * 2 for name in EMPTY
    }


def test_without_accounts_the_tables_in_use_stay(tmp_path: Path) -> None:
    workspace = worlds.write(tmp_path, small())
    worlds.take_in(workspace)
    before = written(workspace)
    worlds.write_csv(tmp_path / "data" / "accounts.csv", [], ["account", "created"])
    with pytest.raises(PropensityError, match="accounts has no usable row: 0 read"):
        worlds.take_in(workspace)
    assert [file for file in written(workspace) if not file.startswith("out")] == before


def test_contracts_in_any_order_overlapping_gapped_reversed_or_doubled(tmp_path: Path) -> None:
    day = datetime(2025, 1, 1, tzinfo=UTC)
    spans = [(0, 300), (100, 500), (100, 500), (460, 700), (800, 900), (600, 200), (50, 50)]
    world = small("contracts", "usage")
    world["contracts"] = [
        {
            "contract": f"c{n}",
            "account": "a",
            "starts": day + begin * ONE_DAY,
            "ends": day + end * ONE_DAY,
            "arr": 0.1 * n,
            "currency": "EUR",
        }
        for n, (begin, end) in enumerate(spans)
    ]
    as_of = {"since": date(2025, 1, 1), "exported": date(2027, 12, 31)}  # whatever today is
    workspace = worlds.write(tmp_path / "as given", world, as_of=as_of)
    assert problems(workspace, "contracts") == {"ends is not after starts": 2}
    days = [(day + n * ONE_DAY).date() for n in (99, 300, 460, 500, 750)]
    frame = frames.feature_frame(workspace, days)
    assert frame.loc[frame["account"] == "a", "contracts_live"].tolist() == [1.0, 2.0, 3.0, 1.0]  # and none in the gap
    for seed in range(2):
        Random(seed).shuffle(world["contracts"])  # noqa: S311
        shuffled = worlds.frame(worlds.write(tmp_path / f"shuffled {seed}", world, as_of=as_of), *days)
        pd.testing.assert_frame_equal(shuffled, frame, check_exact=True)


@pytest.mark.parametrize("parquet", [False, True])
def test_the_order_of_rows_changes_nothing(parquet: bool, tmp_path: Path) -> None:
    """Not in the tables, to the byte: ties and repeated keys included."""
    world = small()
    world["usage"] += [{**world["usage"][0], "event_id": f"tie{n}", "value": n % 3} for n in range(9)]
    world["usage"] += [{**world["usage"][0], "value": n} for n in range(3)]
    plain = taken_in(tmp_path / "plain", world, parquet=parquet)
    for rows in world.values():
        Random(5).shuffle(rows)  # noqa: S311
    assert taken_in(tmp_path / "shuffled", world, parquet=parquet) == plain


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("usage.parquet", cut),
        ("usage.parquet", lambda file: file.write_bytes(b"")),
        ("usage.parquet", lambda file: file.write_bytes(b"PAR1 this is no Parquet PAR1")),
        ("usage.csv.gz", cut),
        ("usage.csv", lambda file: file.write_bytes(b"\xff\xfe\x00binary\x00" * 40)),
        ("usage.csv", lambda file: file.write_bytes(b"")),
        ("usage.csv", lambda file: file.write_text("event_id,account,occurred_at,event\n1,a,2026-01-01,x\n2,a,2026-0")),
        ("usage.csv", lambda file: file.unlink()),
    ],
)
def test_a_half_written_file_leaves_the_tables_in_use(
    name: str, spoil: Callable[[Path], object], tmp_path: Path
) -> None:
    world, file = small("usage"), tmp_path / "data" / name
    workspace = worlds.write(tmp_path, world, sources={"usage": {"path": f"data/{name}"}})
    plain = file.with_name("usage.csv")
    if name.endswith(".gz"):
        file.write_bytes(gzip.compress(plain.read_bytes()))
    elif name.endswith(".parquet"):
        worlds.write_parquet(file, world["usage"], list(world["usage"][0]))
    worlds.take_in(workspace)
    before = {path: (tmp_path / path).read_bytes() for path in written(workspace)}
    spoil(file)
    with pytest.raises(PropensityError) as caught:
        worlds.take_in(workspace)
    assert "usage" in caught.value.message
    assert caught.value.hint
    assert {path: (tmp_path / path).read_bytes() for path in written(workspace)} == before


def test_a_kill_while_writing_leaves_the_tables_in_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = worlds.write(tmp_path, small())
    frame = worlds.frame(workspace, DAY)
    world = small()
    world["usage"].pop()
    worlds.write(tmp_path, world)

    def killed(_: Path) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(intake, "_digest", killed)
        worlds.take_in(workspace)
    pd.testing.assert_frame_equal(frames.feature_frame(workspace, [DAY]), frame, check_exact=True)
    worlds.take_in(workspace)
    assert frames.feature_frame(workspace, [DAY])["usage_events_90d"].sum() == frame["usage_events_90d"].sum() - 1


ENCODED: dict[str, tuple[Callable[[str], bytes], dict[str, object]]] = {
    "semicolons": (lambda text: text.replace(",", ";").encode(), {"delimiter": ";"}),
    "semicolons unsaid": (lambda text: text.replace(",", ";").encode(), {}),
    "latin-1": (lambda text: text.encode("latin-1"), {"encoding": "latin-1"}),
    "windows-1252": (lambda text: text.encode("cp1252"), {"encoding": "windows-1252"}),
    "utf-16": (lambda text: text.encode("utf-16"), {"encoding": "utf-16"}),
    "byte-order mark": (lambda text: b"\xef\xbb\xbf" + text.encode(), {}),
    "gz": (lambda text: gzip.compress(text.encode()), {"path": "data/accounts.csv.gz"}),
    "gz in latin-1": (
        lambda text: gzip.compress(text.encode("latin-1")),
        {"path": "data/accounts.csv.gz", "encoding": "latin-1"},
    ),
    "carriage returns": (lambda text: text.replace("\n", "\r\n").encode(), {}),
}


@pytest.fixture(scope="module")
def umlauts(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, str, str]:
    """A world with text beyond ASCII, its accounts as CSV, and the digest of its tables."""
    folder, world = tmp_path_factory.mktemp("umlauts"), small("usage")
    for row in world["accounts"]:
        row["segment"] = f"Müller & Söhne {row['account']}"
    found = taken_in(folder, world)
    return world, (folder / "data" / "accounts.csv").read_text(encoding="utf-8"), found


@pytest.mark.parametrize("way", ENCODED)
def test_csv_in_every_encoding_and_with_every_delimiter(
    way: str, umlauts: tuple[World, str, str], tmp_path: Path
) -> None:
    encode, options = ENCODED[way]
    world, text, plain = umlauts
    workspace = worlds.write(tmp_path, world, sources={"accounts": {"path": "data/accounts.csv", **options}})
    (tmp_path / workspace.config.sources["accounts"].path).write_bytes(encode(text))
    worlds.take_in(workspace)
    assert digest(workspace) == plain


def test_the_wrong_encoding_is_named(tmp_path: Path) -> None:
    workspace = worlds.write(tmp_path, small("usage"))
    (tmp_path / "data" / "accounts.csv").write_bytes("account,segment\na,Söhne\nb,x\n".encode("latin-1"))
    with pytest.raises(PropensityError) as caught:
        worlds.take_in(workspace)
    assert "accounts" in caught.value.message
    assert "encoding" in caught.value.hint


def dated(folder: Path, texts: list[str], **mapping: Any) -> Workspace:
    usage = [{"account": "a", "event": "login", "occurred_at": text} for text in texts]
    return worlds.write(folder, {"accounts": [{"account": "a"}], "usage": usage}, tables={"usage": mapping})


@pytest.mark.parametrize(
    ("texts", "mapping", "days"),
    [
        (["13-02-2026", "05-02-2026"], {}, ["2026-02-05", "2026-02-13"]),
        (["02/13/2026", "02/05/2026"], {}, ["2026-02-05", "2026-02-13"]),
        (["03-02-2026", "05-02-2026"], {"dates": "%d-%m-%Y"}, ["2026-02-03", "2026-02-05"]),
        (["03-02-2026", "05-02-2026"], {"dates": "%m-%d-%Y"}, ["2026-03-02", "2026-05-02"]),
        (["03-03-2026", "05-05-2026"], {}, ["2026-03-03", "2026-05-05"]),  # either way the same
        (["13.02.2026", "20.02.2026 "], {}, ["2026-02-13", "2026-02-20"]),
        (["20260213"], {}, ["2026-02-13"]),
        (["13 Feb 2026", "Feb 13, 2026"][:1], {}, ["2026-02-13"]),
        (["2026-02-13", ""], {}, ["2026-02-13"]),
    ],
)
def test_dates_in_the_form_that_fits_all_or_is_stated(
    texts: list[str], mapping: Row, days: list[str], tmp_path: Path
) -> None:
    workspace = dated(tmp_path, texts, **mapping)
    report = worlds.take_in(workspace)
    assert sorted(stored(workspace, "usage", "CAST(CAST(occurred_at AS DATE) AS VARCHAR)")) == days
    assert report.tables["usage"].date_only == ["occurred_at"]


@pytest.mark.parametrize(
    ("texts", "forms"),
    [(["03-02-2026", "05-02-2026"], ("%d-%m-%Y", "%m-%d-%Y")), (["03/02/2026 10:00"], ("%d/%m/%Y", "%m/%d/%Y"))],
)
def test_ambiguous_dates_name_both_forms(texts: list[str], forms: tuple[str, str], tmp_path: Path) -> None:
    workspace = dated(tmp_path, texts)
    with pytest.raises(PropensityError) as caught:
        worlds.take_in(workspace)
    assert all(form in caught.value.message for form in (*forms, "tables.usage", "occurred_at", texts[0]))
    assert f'dates = "{forms[0]}"' in caught.value.hint
    assert written(workspace) == []


def test_dates_in_no_known_form_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(PropensityError, match="no value of occurred_at is a time") as caught:
        worlds.take_in(dated(tmp_path, ["the 3rd", "the 4th"]))
    assert "dates = " in caught.value.hint


RATES = [
    {"currency": "USD", "valid_from": "2025-01-01T00:00:00Z", "rate": 0.9},
    {"currency": "USD", "valid_from": "2026-03-01T12:00:00Z", "rate": 0.8},
]


def priced(folder: Path, invoices: Sequence[tuple[str, datetime, float]], rates: list[Row] | None) -> Workspace:
    world = small("invoices")
    world["invoices"] = [
        {"invoice": str(n), "account": "a", "issued": issued, "amount": amount, "currency": currency}
        for n, (currency, issued, amount) in enumerate(invoices)
    ]
    return worlds.write(folder, world | ({} if rates is None else {"rates": rates}))


def test_amounts_in_two_currencies_need_rates(tmp_path: Path) -> None:
    workspace = priced(tmp_path, [("EUR", NOON, 1), ("USD", NOON, 1), ("chf", NOON, 1)], None)
    with pytest.raises(PropensityError, match=r"tables\.invoices has amounts in CHF, USD beside EUR") as caught:
        worlds.take_in(workspace)
    assert "rates" in caught.value.hint
    assert written(workspace) == []


def test_amounts_are_converted_at_the_rate_of_their_day(tmp_path: Path) -> None:
    """A rate holds from its instant on; what has none is set aside."""
    tick = timedelta(microseconds=1)
    sold = [
        ("EUR", NOON, 100),
        ("USD", NOON, 100),
        ("usd", NOON - tick, 100),
        ("", NOON, 7),
        ("CHF", NOON, 1),
        ("USD", datetime(2024, 12, 31, tzinfo=UTC), 1),
    ]
    workspace = priced(tmp_path, sold, RATES)
    assert problems(workspace, "invoices") == {"no exchange rate on its date": 2}
    assert sorted(stored(workspace, "invoices", "amount")) == [7.0, 80.0, 90.0, 100.0]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('{outside}')",
        "SELECT * FROM '{outside}'",
        "SELECT * FROM read_text('{outside}')",
        "SELECT * FROM read_blob('/etc/passwd')",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM usage; COPY usage TO '{outside}.copy'",
        "SELECT * FROM usage; ATTACH '{outside}.db'",
        "SELECT * FROM usage; SET enable_external_access = true",
        "SELECT * FROM usage; INSTALL httpfs",
        "SELECT * FROM read_csv('http://127.0.0.1:9/x.csv')",
    ],
)
def test_sql_reads_and_writes_nothing_outside(sql: str, tmp_path: Path) -> None:
    outside = tmp_path / "outside" / "secret.csv"
    worlds.write_csv(
        outside, [{"account": "secret", "occurred_at": "2026-01-01", "event": "x"}], ["account", "occurred_at", "event"]
    )
    workspace = worlds.write(
        tmp_path / "inside", small("usage"), tables={"usage": {"sql": sql.format(outside=outside)}}
    )
    with pytest.raises(PropensityError) as caught:
        worlds.take_in(workspace)
    assert "usage" in caught.value.message
    assert "secret" not in caught.value.message.replace(str(outside), "")
    assert [file.name for file in outside.parent.iterdir()] == ["secret.csv"]
    assert written(workspace) == []


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("[tables.usages]\nsource = 'usage'", ("tables", "'usages'", "accounts", "usage")),
        ("[tables.usage]\nsource = 'usage'\ncolour = 1", ("tables.usage.colour", "delay_hours", "timezone")),
        ("[tables.usage]\nsource = 'other'", ("tables.usage.source", "'other'", "accounts, usage")),
        ("[tables.usage]", ("tables.usage", "sql", "source")),
        ("colour = 1", ("colour", "cohort", "currency")),
        ("timezone = 'Mars/Olympus'", ("timezone", "Mars/Olympus", "Europe/Berlin")),
        ("currency = 'euro'", ("currency", "euro")),
        ("memory = 'lots'", ("memory", "lots")),
        ("memory = '999MB'", ("memory", "999MB", "1GB")),
        ("[as_of]\nsince = 2025-01-01\nevery = 'week'", ("as_of.every", "week", "month")),
        ("[cohort]\nkind = 'everyone'", ("cohort.kind", "everyone", "contract", "activity")),
        ("[signals]\nwindows = [30, 7]", ("signals.windows", "shortest first")),
        ("[outcomes.joy]\nhorizon = 3", ("outcomes.joy", "advocacy", "churn")),
    ],
)
def test_a_mistake_in_the_configuration_is_named_with_what_exists(
    line: str, says: tuple[str, ...], tmp_path: Path
) -> None:
    parts = {
        "name": 'name = "tiny"',
        "[sources": '[sources]\naccounts = { path = "accounts.csv" }\nusage = { path = "usage.csv" }',
        "[tables.accounts]": '[tables.accounts]\nsource = "accounts"',
        "[tables.usage]": '[tables.usage]\nsource = "usage"',
        "[as_of]": "[as_of]\nsince = 2025-01-01",
    }
    head = line.split("\n", 1)[0]
    top = [] if head.startswith("[") else [line]
    rest = [line] if head.startswith("[") else []
    kept = [text for key, text in parts.items() if key != head]
    (tmp_path / FILE).write_text("\n".join([*kept[:1], *top, *kept[1:], *rest]), encoding="utf-8")
    with pytest.raises(PropensityError) as caught:
        load(tmp_path)
    assert not [said for said in (*says, FILE) if said not in caught.value.message]


MANY = """
    SELECT 'e' || i AS event_id, CASE i % 2 WHEN 0 THEN 'a' ELSE 'b' END AS account, 'login' AS event, i AS value,
           TIMESTAMPTZ '2026-01-01 00:00:00+00' + to_microseconds(i * 7919 % 6000000000000) AS occurred_at
    FROM range(400000) numbers(i)
"""


def limited(monkeypatch: pytest.MonkeyPatch, megabytes: int) -> None:
    """What DuckDB may take."""
    monkeypatch.setattr(Config, "database_bytes", megabytes * 10**6)


def test_more_rows_than_memory_spill_to_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Comparing and sorting more than fits in memory; the scratch folder is gone afterwards."""
    limited(monkeypatch, 120)
    workspace = worlds.write(tmp_path, small("usage"), tables={"usage": {"sql": MANY}})
    with intake.read(workspace) as found:
        many = "SELECT u.* FROM judged_usage u, range(10) ORDER BY value DESC"
        batches = found.connection.sql(many).to_arrow_reader(1000)
        assert batches.read_next_batch().num_rows == 1000
        spilled = sum(file.stat().st_size for file in workspace.state.rglob("duckdb_temp*") if file.is_file())
        batches.close()
        found.write_tables()
    assert spilled > 0
    assert found.report.tables["usage"].rows == 400_000
    assert not list(workspace.state.glob("tmp-*"))


def test_memory_that_does_not_do_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limited(monkeypatch, 10)
    workspace = worlds.write(tmp_path, small("usage"), tables={"usage": {"sql": MANY}}, memory="2GiB")
    with pytest.raises(PropensityError) as caught:
        worlds.take_in(workspace)
    assert "memory of 2GiB is too little" in caught.value.message
    assert "propensity.toml" in caught.value.hint
    assert not list(workspace.state.glob("tmp-*"))


def test_a_disk_without_room_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file may grow beyond a MB, as on a disk that is full."""
    limited(monkeypatch, 120)
    workspace = worlds.write(tmp_path, small("usage"), tables={"usage": {"sql": MANY}})
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10**6, before[1]))
    try:
        with pytest.raises(PropensityError, match="no room left") as caught:
            worlds.take_in(workspace)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "Free space" in caught.value.hint
    assert not list(workspace.state.glob("tmp-*"))
