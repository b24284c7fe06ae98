"""Nothing that happened, or became known, at or after an as_of may move the frame of that as_of by a bit."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date, datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pandas as pd
import pytest

from features import frame as frames
from features import windows
from features.frame import feature_frame
from features.tables import ADVOCACY_KINDS, INSTRUMENTS, ROLES, SEVERITIES, TABLES, TOUCHPOINTS
from tests import worlds

ZONE = "Europe/Berlin"
DAY = date(2026, 3, 31)  # two days after the clocks went forward, so that windows are not multiples of 24 hours
T = windows.to_datetime(windows.as_of_instant(DAY, ZONE))
TICK, ONE_DAY = timedelta(microseconds=1), timedelta(days=1)
BEGINNING = T - 500 * ONE_DAY
WINDOWS = (7, 30, 90, 365)
SEED, ACCOUNTS = 1, 6
CONFIG: dict[str, Any] = {
    "timezone": ZONE,
    "signals": {"events": ["login"], "windows": list(WINDOWS)},
    "cohort": {"kind": "activity", "days": 365},
}

WHOLE: dict[str, Any] = {
    "personas": {"until": date(2025, 12, 31), "count": 3},
    "outcomes": {"contraction": {}, "expansion": {"given_days": 60}, "promoter": {}},
}
"""What takes all of the tables: personas, and outcomes whose eligibility is decided by facts."""

Row = dict[str, Any]
World = dict[str, list[Row]]

FIRST = {
    "accounts": "created",
    "contacts": "joined",
    "contracts": "signed",
    "usage": "occurred_at",
    "tickets": "opened",
    "feedback": "asked",
    "invoices": "issued",
    "advocacy": "asked",
    "outreach": "planned",
    "deals": "opened",
    "costs": "occurred_at",
    "rates": "valid_from",
}
"""The instant at which a row begins to exist; where it is null, the row begins with its first later instant."""

LATER: dict[str, dict[str, tuple[str, ...]]] = {
    "accounts": {"partner_since": ("partner",)},
    "contacts": {"left": (), "consent_at": ("consent",)},
    "contracts": {"cancelled": ()},
    "tickets": {"first_response": (), "resolved": ("contacts_needed", "handoffs"), "escalated": (), "reopened": ()},
    "feedback": {"responded": ("score", "verbatim", "sentiment", "topic")},
    "invoices": {"paid": ()},
    "advocacy": {"accepted": (), "declined": (), "done": ("revenue_touched",)},
    "outreach": {"done": ("outcome",)},
    "deals": {"won": (), "lost": ()},
}
"""Columns filled in later, each with the values that come with it."""

UNASKED = {"feedback": "responded", "advocacy": "done", "outreach": "done"}
"""Rows that need not begin with their first instant: the later one will do."""

RECORDED = [name for name, table in TABLES.items() if "recorded_at" in table.by_name]


class Maker:
    """Makes rows at random, many of them on the instants that decide."""

    accounts, rows = ACCOUNTS, 100

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311
        self.numbers = count()

    def world(self) -> World:
        world: World = {name: [] for name in TABLES}
        world["accounts"] = [self.account(f"m{i}", BEGINNING) for i in range(self.accounts)]
        for account in list(world["accounts"]):
            world["contacts"] += [self.contact(account["account"], i) for i in range(3)]
            world["contracts"].append(self.contract(account["account"]))
        for name in TABLES:
            firsts = (T, T + ONE_DAY) if name == "accounts" else [self.instant() for _ in range(self.rows)]
            world[name] += [self.row(name, first) for first in firsts]
        world["rates"].append({"currency": "USD", "valid_from": BEGINNING - 100 * ONE_DAY, "rate": 0.5})
        return world

    def account(self, name: str, created: datetime) -> Row:
        since = self.later(created)
        return (
            {
                "account": name,
                "partner": "p" if since else None,
                "partner_since": since,
                "segment": self.random.choice(["small", "large"]),
                "size": self.random.randrange(1000),
                "created": created,
            }
            | {
                column: "x"
                for column in TABLES["accounts"].by_name
                if column.endswith("country") or column == "industry"
            }
            | {"line_of_business": None}
        )

    def contact(self, account: str, number: int) -> Row:
        """One of the contacts whom events name: there from the beginning."""
        return {
            **self.row("contacts", BEGINNING),
            "contact": f"{account}.{number}",
            "account": account,
            "recorded_at": None,
        }

    def contract(self, account: str) -> Row:
        """The contract that keeps an account in the cohort and that usage names."""
        ends = T + self.random.choice([TICK, 40 * ONE_DAY])
        live = {"starts": BEGINNING, "ends": ends, "signed": BEGINNING, "cancelled": None, "recorded_at": None}
        return {**self.row("contracts", BEGINNING), **live, "contract": f"{account}.steady", "account": account}

    def row(self, table: str, first: datetime) -> Row:
        """A row that begins to exist at ``first``."""
        pick, number = self.random.choice, f"n{next(self.numbers):05}"
        if table == "accounts":
            return self.account(number, first)
        if table == "rates":
            return {
                "currency": pick(["USD", "GBP"]),
                "valid_from": first + int(number[1:]) * TICK,
                "rate": self.random.uniform(0.5, 2),
            }
        account = self.somebody()
        row: Row = {
            "account": account,
            TABLES[table].key: number,
            "contact": f"{account}.{self.random.randrange(3)}",
            FIRST[table]: first,
            "currency": pick([None, "USD"]),
            "recorded_at": pick([None, None, None, self.later(first)]),
            **{column: self.later(first) for column in LATER.get(table, ())},
            **getattr(self, f"_{table}")(first),
        }
        row = {column: row.get(column) for column in TABLES[table].by_name}
        if table in UNASKED and self.random.random() < 0.2:
            row |= {FIRST[table]: None, UNASKED[table]: first}
        for column, beside in LATER.get(table, {}).items():
            if row[column] is None:
                row |= dict.fromkeys(beside)
        return row

    def somebody(self) -> str:
        return f"m{self.random.randrange(self.accounts)}"

    def instant(self) -> datetime:
        starts = [windows.to_datetime(i) for i in windows.lookback_starts([DAY], WINDOWS, ZONE)[0]]
        edges = [edge + step for edge in (T, *starts) for step in (-TICK, timedelta(), TICK)]
        anywhere = [T + self.random.uniform(-400, 60) * ONE_DAY for _ in range(2 * len(edges))]
        return self.random.choice([*edges, *anywhere])

    def later(self, first: datetime) -> datetime | None:
        """Never, on the boundary, or within half a year."""
        soon = first + self.random.uniform(0, 180) * ONE_DAY
        return self.random.choice([None, max(first, T - TICK), max(first, T), max(first, T) + 9 * ONE_DAY, soon, soon])

    def amount(self) -> float:
        return round(self.random.uniform(1, 9000), 2)

    def either(self, first: datetime, *columns: str) -> Row:
        """At most one of two columns is filled in."""
        chosen = self.random.choice(columns)
        return {column: self.later(first) if column == chosen else None for column in columns}

    def told(self) -> Row:
        """What text comes to, as a source may tell it."""
        return {
            "sentiment": round(self.random.uniform(-1, 1), 2),
            "topic": self.random.choice(["price", "speed", None]),
        }

    def _contacts(self, first: datetime) -> Row:
        pick = self.random.choice
        return {
            "contact": f"c{next(self.numbers):05}",
            "role": pick(ROLES),
            "champion_contact": pick([True, False]),
            "consent": "review",
        }

    def _contracts(self, first: datetime) -> Row:
        starts = first + self.random.choice([0, 0, 40]) * ONE_DAY
        ends = self.random.choice([None, starts + 365 * ONE_DAY, max(T, starts + TICK)])
        terms = {
            "arr": self.amount(),
            "seats": self.random.randrange(1, 50),
            "discount": 0.1,
            "auto_renew": self.random.choice([True, False]),
        }
        return {"starts": starts, "ends": ends, "cancelled": self.later(starts), **terms}

    def _usage(self, first: datetime) -> Row:
        return {
            "event": self.random.choice(["login", "export", "share"]),
            "value": self.random.choice([None, self.amount()]),
        }

    def _tickets(self, first: datetime) -> Row:
        return {
            "severity": self.random.choice(SEVERITIES),
            "contacts_needed": self.random.randrange(5),
            "handoffs": self.random.randrange(5),
            "channel": self.random.choice(["e-mail", "chat", None]),
            "text": "words",
            **self.told(),
        }

    def _feedback(self, first: datetime) -> Row:
        pick = self.random.choice
        return {
            "instrument": pick(INSTRUMENTS),
            "score": float(self.random.randrange(6)),
            "touchpoint": pick(TOUCHPOINTS),
            "verbatim": "words",
            **self.told(),
        }

    def _invoices(self, first: datetime) -> Row:
        return {"due": first + self.random.choice([0, 14, 30]) * ONE_DAY, "amount": self.amount()}

    def _advocacy(self, first: datetime) -> Row:
        return {
            "kind": self.random.choice(ADVOCACY_KINDS),
            "revenue_touched": self.amount(),
            **self.either(first, "accepted", "declined"),
        }

    def _outreach(self, first: datetime) -> Row:
        pick = self.random.choice
        return {
            "kind": pick(["call", "review meeting"]),
            "outcome": "fine",
            "proactive": pick([True, False]),
            "held_out": False,
        }

    def _deals(self, first: datetime) -> Row:
        return {"value": self.amount(), **self.either(first, "won", "lost")}

    def _costs(self, first: datetime) -> Row:
        return {"amount": self.amount()}


def build(folder: Path, world: World, day: date = DAY, **options: Any) -> tuple[str, pd.DataFrame]:
    """The content hash of the frame, and the frame; nothing in these worlds may be set aside."""
    workspace = worlds.write(folder, world, **{"parquet": True, **CONFIG, **options})
    report = worlds.take_in(workspace)
    assert not {name: table.problems for name, table in report.tables.items() if table.quarantined}
    content = frames.build(workspace, [day])[day]
    return content, frames.read(workspace, day, content)


def began(table: str, row: Row) -> datetime:
    instant: datetime = row[FIRST[table]] or row[UNASKED[table]]
    return instant


def added(world: World, maker: Maker) -> World:
    """More rows at and after T in every table, among them everything about a new account."""
    world["accounts"].append(maker.account("a newcomer", T))
    for name, rows in world.items():
        rows += [maker.row(name, T + i * i * TICK) for i in range(9)]
        rows += [
            {**maker.row(name, T + i * ONE_DAY), "account": "a newcomer", "contact": None}
            for i in range(3)
            if name not in ("accounts", "contacts", "rates")
        ]
    return world


def changed(world: World, maker: Maker) -> World:
    """Everything but the key of the rows that began at or after T."""
    for name, rows in world.items():
        for row in rows:
            if began(name, row) >= T:
                key = TABLES[name].key or "currency"
                row |= {**maker.row(name, T + maker.random.choice([0, 0.5, 30]) * ONE_DAY), key: row[key]}
    return world


def deleted(world: World, maker: Maker) -> World:
    return {name: [row for row in rows if began(name, row) < T] for name, rows in world.items()}


def arrived_late(world: World, maker: Maker) -> World:
    """Rows that happened before T but were recorded at or after it."""
    for name in RECORDED:
        for recorded in (T, T + TICK, T + 30 * ONE_DAY):
            rows = [maker.row(name, T - days * ONE_DAY) for days in (1, 20, 80, 300)]
            world[name] += [{**row, "recorded_at": recorded} for row in rows]
    return world


def filled_in_later(world: World, maker: Maker) -> World:
    """Later columns of earlier rows, where what they say lies at or after T: another instant, or none."""
    for name, columns in LATER.items():
        for row in (row for row in world[name] if began(name, row) < T):
            for column, beside in columns.items():
                if row[column] is not None and row[column] < T:
                    continue
                forget(row, column, beside)
                if row.get(EXCLUDED_BY.get(column, "")) is None and maker.random.random() < 0.7:
                    row[column] = max(T, row.get("starts") or T) + maker.random.choice([0, 1, 10**12]) * TICK
                    row |= {other: SAID[other] for other in beside}
    return world


SAID = {
    "contacts_needed": 3,
    "handoffs": 2,
    "score": 5.0,
    "verbatim": "other words",
    "sentiment": -0.5,
    "topic": "price",
    "revenue_touched": 9.0,
    "outcome": "fine",
    "consent": "speaking",
    "partner": "q",
}
EXCLUDED_BY = {"accepted": "declined", "declined": "accepted", "won": "lost", "lost": "won"}


def known_by_then(world: World, maker: Maker) -> World:
    """The whole world as it could have been exported just before T."""
    world = {
        name: [row for row in rows if row.get("recorded_at") is None or row["recorded_at"] < T]
        for name, rows in deleted(world, maker).items()
    }
    for name, columns in LATER.items():
        for row in world[name]:
            for column, beside in columns.items():
                if row[column] is not None and row[column] >= T:
                    forget(row, column, beside)
    return world


def forget(row: Row, column: str, beside: tuple[str, ...]) -> None:
    row |= dict.fromkeys((column, *beside))


CHANGES: tuple[Callable[[World, Maker], World], ...] = (
    added,
    changed,
    deleted,
    arrived_late,
    filled_in_later,
    known_by_then,
)
TOUCHED: dict[Callable[[World, Maker], World], set[str]] = {arrived_late: set(RECORDED), filled_in_later: set(LATER)}
"""The tables that a change concerns, where not all."""


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, pd.DataFrame]:
    return build(tmp_path_factory.mktemp("before"), Maker(SEED).world(), **WHOLE)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_the_future_of_every_table_moves_no_bit(
    change: Callable[[World, Maker], World], before: tuple[str, pd.DataFrame], tmp_path: Path
) -> None:
    world, was = change(Maker(SEED).world(), Maker(SEED + 1)), Maker(SEED).world()
    assert {name for name in world if world[name] != was[name]} == TOUCHED.get(change, set(TABLES))
    content, frame = build(tmp_path, world, **WHOLE)
    pd.testing.assert_frame_equal(frame, before[1], check_exact=True)
    assert content == before[0]


def test_the_worlds_have_people_of_every_persona(before: tuple[str, pd.DataFrame]) -> None:
    shares = before[1][["persona_1_share", "persona_2_share", "persona_3_share"]]
    assert (shares.max() > 0).all()
    assert (before[1]["personas_present"] > 1).any()


def test_the_past_of_every_table_moves_the_frame(tmp_path: Path) -> None:
    """The control: each account loses one row of one table, of the instant before T, and every account's row notices."""
    maker = Maker(3)
    world: World = {name: [] for name in TABLES}
    for name in TABLES:
        account = {"account": name, "contact": None, "recorded_at": None}
        world["accounts"].append({**maker.account(name, BEGINNING), "partner": "p", "partner_since": T - TICK})
        world["usage"].append(maker.row("usage", T - ONE_DAY) | account | {"contract": None})
        world["invoices"].append(maker.row("invoices", T - ONE_DAY) | account | {"currency": "USD"})
    for name in set(TABLES) - {"accounts", "rates"}:
        world[name].append(maker.row(name, T - TICK) | {"account": name, "recorded_at": None, "currency": None})
        world[name][-1] |= {"contact": "c"} if name == "contacts" else {"contact": None}
        world[name][-1] |= {"done": T - TICK} if name == "outreach" else {}
    world["invoices"][list(TABLES).index("rates")]["currency"] = "GBP"
    world["rates"] = [{"currency": code, "valid_from": BEGINNING, "rate": 2.0} for code in ("USD", "GBP")]
    _, full = build(tmp_path / "full", world)
    for name, rows in world.items():
        if name == "accounts":
            rows[0] |= {"partner": None, "partner_since": None}
        elif name == "rates":
            rows[-1]["rate"] += 0.5
        else:
            rows.pop()
    _, robbed = build(tmp_path / "robbed", world)
    same = full["row_hash"] == robbed["row_hash"]
    assert set(full["account"]) == set(TABLES)
    assert not set(full["account"][same])


START = windows.to_datetime(int(windows.lookback_starts([DAY], [90], ZONE)[0, 0]))
EDGES: dict[str, tuple[datetime, datetime | None, bool]] = {
    "at T": (T, None, False),
    "just before T": (T - TICK, None, True),
    "at the start of the window": (START, None, True),
    "just before the start": (START - TICK, None, False),
    "recorded at T": (T - ONE_DAY, T, False),
    "recorded just before T": (T - ONE_DAY, T - TICK, True),
}
"""When it happened, when it was recorded, and whether a window of 90 days before T sees it."""

COUNTED: dict[str, tuple[str, str, Row]] = {
    "usage_events_90d": ("usage", "occurred_at", {"event": "login"}),
    "tickets_opened_90d": ("tickets", "opened", {}),
    "first_response_hours_90d": ("tickets", "first_response", {}),
    "ticket_handoffs_90d": ("tickets", "resolved", {"handoffs": 1}),
    "tickets_escalated_90d": ("tickets", "escalated", {}),
    "tickets_reopened_90d": ("tickets", "reopened", {}),
    "feedback_asked_90d": ("feedback", "asked", {"instrument": "NPS"}),
    "nps_promoters_90d": ("feedback", "responded", {"instrument": "NPS", "score": 9}),
    "csat_mean_90d": ("feedback", "responded", {"instrument": "CSAT", "score": 4}),
    "invoiced_90d": ("invoices", "issued", {"amount": 1}),
    "payments_90d": ("invoices", "paid", {"amount": 1}),
    "asks_made_90d": ("advocacy", "asked", {"kind": "review"}),
    "asks_accepted_90d": ("advocacy", "accepted", {"kind": "review"}),
    "asks_declined_90d": ("advocacy", "declined", {"kind": "review"}),
    "acts_done_90d": ("advocacy", "done", {"kind": "review"}),
    "touches_90d": ("outreach", "done", {"kind": "call", "proactive": False}),
    "deals_opened_90d": ("deals", "opened", {}),
    "deals_won_90d": ("deals", "won", {}),
    "deals_lost_90d": ("deals", "lost", {}),
    "cost_to_serve_90d": ("costs", "occurred_at", {"amount": 1}),
    "contacts_joined_90d": ("contacts", "joined", {}),
    "contacts_left_90d": ("contacts", "left", {}),
}
"""Columns that are above zero if the window sees the row: its table, the column of the instant, the rest of the row."""


@pytest.fixture(scope="module")
def on_the_edge(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """An account for each edge, with a row on it for each column."""
    world: World = {name: [] for name in TABLES if name != "rates"}
    for edge, (happened, recorded, _) in EDGES.items():
        world["accounts"].append({"account": edge, "created": BEGINNING})
        world["contracts"].append({"contract": edge, "account": edge, "starts": BEGINNING, "ends": T + ONE_DAY})
        for column, (table, at, rest) in COUNTED.items():
            begins = {} if table in UNASKED else {FIRST[table]: happened - 400 * ONE_DAY}
            asked = {"asked": happened} if column.startswith("asks_") else {}
            key = {TABLES[table].key: f"{edge} {column}", "account": edge, "recorded_at": recorded}
            row = {**key, **begins, **asked, at: happened, **rest}
            world[table].append({name: row.get(name) for name in TABLES[table].by_name})
    return build(tmp_path_factory.mktemp("edge"), world, cohort={"kind": "contract"})[1].set_index("account")


@pytest.mark.parametrize("column", COUNTED)
def test_windows_are_half_open_on_both_clocks(column: str, on_the_edge: pd.DataFrame) -> None:
    seen = (on_the_edge[column].fillna(0) > 0).to_dict()
    assert seen == {edge: counts for edge, (*_, counts) in EDGES.items()}


STATES: tuple[tuple[str, str, Row, int], ...] = (
    ("contracts", "contracts_live", {"starts": T - TICK}, 1),
    ("contracts", "contracts_live", {"starts": T}, 0),
    ("contracts", "contracts_live", {"starts": BEGINNING, "ends": T}, 1),
    ("contracts", "contracts_live", {"starts": BEGINNING, "ends": T - TICK}, 0),
    ("contracts", "contracts_live", {"starts": BEGINNING, "cancelled": T}, 1),
    ("contracts", "contracts_live", {"starts": BEGINNING, "cancelled": T - TICK}, 0),
    ("contracts", "contracts_live", {"starts": BEGINNING, "ends": T + ONE_DAY, "cancelled": T - TICK}, 1),
    ("contracts", "contracts_live", {"starts": BEGINNING, "signed": T}, 0),
    ("contracts", "contracts_live", {"starts": BEGINNING, "recorded_at": T}, 0),
    ("contracts", "contracts_live", {"starts": BEGINNING, "recorded_at": T - TICK}, 1),
    ("contracts", "contracts_signed", {"starts": T + ONE_DAY, "signed": T - TICK}, 1),
    ("contracts", "contracts_signed", {"starts": T + ONE_DAY, "signed": T}, 0),
    ("contracts", "notice_given", {"starts": BEGINNING, "ends": T + ONE_DAY, "cancelled": T - TICK}, 1),
    ("contracts", "notice_given", {"starts": BEGINNING, "ends": T + ONE_DAY, "cancelled": T}, 0),
    ("contracts", "notice_given", {"starts": BEGINNING, "ends": T - ONE_DAY}, 0),
    ("tickets", "tickets_open", {"opened": T - TICK}, 1),
    ("tickets", "tickets_open", {"opened": T}, 0),
    ("tickets", "tickets_open", {"opened": BEGINNING, "resolved": T}, 1),
    ("tickets", "tickets_open", {"opened": BEGINNING, "resolved": T - TICK}, 0),
    ("tickets", "tickets_escalated_open", {"opened": BEGINNING, "escalated": T - TICK}, 1),
    ("tickets", "tickets_escalated_open", {"opened": BEGINNING, "escalated": T - TICK, "resolved": T}, 1),
    ("tickets", "tickets_escalated_open", {"opened": BEGINNING, "escalated": BEGINNING, "resolved": T - TICK}, 0),
    ("tickets", "tickets_escalated_open", {"opened": BEGINNING, "escalated": T - TICK, "resolved": BEGINNING}, 0),
    ("invoices", "invoices_overdue", {"issued": BEGINNING, "due": T - TICK}, 1),
    ("invoices", "invoices_overdue", {"issued": BEGINNING, "due": T}, 0),
    ("invoices", "invoices_overdue", {"issued": BEGINNING, "due": T - ONE_DAY, "paid": T}, 1),
    ("invoices", "invoices_overdue", {"issued": BEGINNING, "due": T - ONE_DAY, "paid": T - TICK}, 0),
    ("contacts", "contacts_present", {"joined": T - TICK}, 1),
    ("contacts", "contacts_present", {"joined": T}, 0),
    ("contacts", "contacts_present", {"joined": BEGINNING, "left": T}, 1),
    ("contacts", "contacts_present", {"joined": BEGINNING, "left": T - TICK}, 0),
)
"""Column, and the one row of an account, and the state that the column is in at T."""


@pytest.fixture(scope="module")
def states(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """An account for each case, in the order of the cases."""
    world: World = {name: [] for name in ("accounts", "contacts", "contracts", "usage", "tickets", "invoices")}
    for number, (table, _, case, _) in enumerate(STATES):
        account = f"{number:02}"
        world["accounts"].append({"account": account, "created": BEGINNING})
        world["usage"].append({"account": account, "occurred_at": T - ONE_DAY, "event": "login", "value": 1})
        row = {TABLES[table].key: account, "account": account, "amount": 1, **case}
        world[table].append({column: row.get(column) for column in TABLES[table].by_name})
    return build(tmp_path_factory.mktemp("states"), world)[1]


@pytest.mark.parametrize(
    "number", range(len(STATES)), ids=[f"{number}-{state[1]}" for number, state in enumerate(STATES)]
)
def test_states_change_on_the_instant(number: int, states: pd.DataFrame) -> None:
    _, column, _, expected = STATES[number]
    assert states[column][number] == expected


@pytest.mark.parametrize(
    ("column", "zone", "first_seen"),
    [
        ("occurred_at", ZONE, DAY),
        ("recorded_at", ZONE, DAY),
        ("occurred_at", "America/New_York", DAY + ONE_DAY),  # their day ends after ours
        ("recorded_at", "America/New_York", DAY + ONE_DAY),
        ("occurred_at", "Asia/Tokyo", DAY),
    ],
)
def test_a_day_is_known_once_it_is_over(column: str, zone: str, first_seen: date, tmp_path: Path) -> None:
    row = {
        "account": "a",
        "event": "login",
        "value": None,
        "contact": None,
        "occurred_at": DAY - 2 * ONE_DAY,
        "recorded_at": None,
    }
    usage = [row | {"occurred_at": DAY - 100 * ONE_DAY}, row | {column: DAY}]
    options: dict[str, Any] = {**CONFIG, "tables": {"usage": {"timezone": zone}}}
    workspace = worlds.write(tmp_path, {"accounts": [{"account": "a"}], "usage": usage}, **options)
    days = [DAY - ONE_DAY, DAY, DAY + ONE_DAY]
    frame = worlds.frame(workspace, *days)
    assert dict(zip(frame["as_of"], frame["usage_events_30d"], strict=True)) == {day: day >= first_seen for day in days}
    assert worlds.take_in(workspace).tables["usage"].date_only


def test_an_account_is_there_once_it_was_created(tmp_path: Path) -> None:
    """Even where its events are older, and kept."""
    created = {"before": T - TICK, "at": T, "always": None}
    world: World = {
        "accounts": [{"account": account, "created": instant} for account, instant in created.items()],
        "usage": [{"account": account, "event": "login", "value": 1, "occurred_at": BEGINNING} for account in created],
    }
    options = CONFIG | {"cohort": {"kind": "activity", "days": 900}}
    frame = worlds.frame(worlds.write(tmp_path, world, impossible="keep", **options), DAY)
    assert frame["account"].tolist() == ["always", "before"]


def test_frames_do_not_depend_on_the_order_of_the_dates(tmp_path: Path) -> None:
    world = Maker(SEED).world()
    options = CONFIG | {"cohort": {"kind": "activity", "days": 365, "activity": ["cost"]}}
    workspace = worlds.write(
        tmp_path, {name: world[name] for name in ("accounts", "deals", "costs")}, **options, currency="USD"
    )
    days = [DAY - 40 * ONE_DAY, DAY - ONE_DAY, DAY]
    forward = worlds.frame(workspace, *days)
    shutil.rmtree(workspace.frames)
    backward = feature_frame(workspace, [*days[::-1], DAY]).drop_duplicates("row_hash")
    backward = backward.sort_values(["as_of", "account"], ignore_index=True)
    pd.testing.assert_frame_equal(backward, forward, check_exact=True)
