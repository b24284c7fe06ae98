"""A company of any size on disk, written in chunks: memory does not grow with the number of events.

Everything is proportional to the events: an account per thousand (of lognormal size) unless stated, fifteen contacts
per account if there is so much to do for them, a ticket and a question asked per hundred events, over 18 months.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.features.columns import DAY, EVENTS, WINDOWS
from features.files import replaced
from features.tables import ROLES, SEVERITIES
from features.workspace import FILE, Workspace, load

SINCE, UNTIL = date(2025, 1, 1), date(2026, 6, 30)
"""The first and the last day of the history."""
DATES = tuple(date(2025 + month // 12, month % 12 + 1, 1) - timedelta(days=1) for month in range(7, 19))
"""Twelve ends of months."""
CHUNK = 1_000_000
LATE, LATEST = 0.03, 20 * 24
"""The share of rows that arrive late, and by how many hours at most."""
HUNDREDTH = 36_000_000
"""A hundredth of an hour in microseconds: durations in it are exact as decimals, so that sums can be compared."""
TIME = pa.timestamp("us", "UTC")
CONFIG = """\
# Written by `python -m benchmarks.features`.
name = "bench"
timezone = "UTC"
memory = "2GiB"

[sources]
{sources}

{tables}
[signals]
events = {events}
windows = {windows}

[as_of]
since = {since}
exported = {until}

[cohort]
kind = "contract"
"""

Numbers = npt.NDArray[Any]


@dataclass(frozen=True)
class People:
    """Contacts of account a are numbered from ``first[a]`` up to ``first[a + 1]``; ``upto`` cumulates the sizes."""

    upto: npt.NDArray[np.float64]
    first: npt.NDArray[np.int64]

    def draw(self, random: np.random.Generator, n: int) -> tuple[Numbers, Numbers]:
        """An account by its size for each of n rows, and one of its contacts, some far more often than others."""
        account = np.searchsorted(self.upto, random.random(n) * self.upto[-1], side="right")
        within = np.square(random.random(n)) * (self.first[account + 1] - self.first[account])
        return account, self.first[account] + within.astype(np.int64)


def write(root: Path, events: int, accounts: int = 0, seed: int = 7) -> Workspace:
    """A workspace with that many events, not yet taken in; data that is there already is used as it is."""
    if not (root / FILE).is_file():
        shutil.rmtree(root, ignore_errors=True)
        _write(root / "data", events, accounts or max(2, events // 1000), np.random.default_rng(seed))
    with replaced(root / FILE) as part:  # last, so that a world is whole or not there
        part.write_text(_config(), encoding="utf-8")
    return load(root)


def _write(data: Path, events: int, accounts: int, random: np.random.Generator) -> None:
    data.mkdir(parents=True)
    size = random.lognormal(0, 1.2, accounts)
    usual = min(15, max(1, events // accounts // 10))
    contacts = np.maximum(1, np.rint(usual * np.sqrt(size) / np.sqrt(size).mean())).astype(np.int64)
    people = People(np.cumsum(size), np.concatenate([[0], np.cumsum(contacts)]))
    names = _ids("a", accounts), _ids("c", int(contacts.sum()))
    start = instant(SINCE)
    tables: dict[str, Iterator[dict[str, Any]]] = {
        "accounts": iter([{"account": names[0], "created": _times(np.full(accounts, start - DAY))}]),
        "contacts": iter([_contacts(names, contacts, random)]),
        "contracts": iter([_contracts(names[0], start)]),
        "usage": _chunks(events, people, names, random, _usage),
        "tickets": _chunks(events // 100, people, names, random, _tickets),
        "feedback": _chunks(events // 100, people, names, random, _feedback),
    }
    for name, chunks in tables.items():
        _write_table(data / f"{name}.parquet", chunks)


def _write_table(file: Path, chunks: Iterator[dict[str, Any]]) -> None:
    writer = None
    for chunk in chunks:
        table = pa.table(chunk)
        writer = writer or pq.ParquetWriter(file, table.schema, compression="zstd")
        writer.write_table(table)
    assert writer is not None
    writer.close()


def _config() -> str:
    names = ("accounts", "contacts", "contracts", "usage", "tickets", "feedback")
    return CONFIG.format(
        sources="\n".join(f'{name} = {{ path = "data/{name}.parquet" }}' for name in names),
        tables="\n".join(f'[tables.{name}]\nsource = "{name}"\n' for name in names),
        events=list(EVENTS),
        windows=list(WINDOWS),
        since=DATES[0],
        until=UNTIL,
    )


def _contacts(names: tuple[pa.Array, pa.Array], contacts: Numbers, random: np.random.Generator) -> dict[str, Any]:
    account = np.repeat(np.arange(len(contacts)), contacts)
    role = random.choice(len(ROLES), len(account), p=[0.05, 0.05, 0.05, 0.05, 0.2, 0.6])
    return {"contact": names[1], "account": names[0].take(pa.array(account)), "role": _coded(role, pa.array(ROLES))}


def _contracts(accounts: pa.Array, start: int) -> dict[str, Any]:
    """One without end for each account, so that every account has a row as of every date."""
    return {"contract": accounts, "account": accounts, "starts": _times(np.full(len(accounts), start))}


Rows = Callable[[Numbers, np.random.Generator], dict[str, Any]]


def _chunks(
    n: int, people: People, names: tuple[pa.Array, pa.Array], random: np.random.Generator, rows: Rows
) -> Iterator[dict[str, Any]]:
    """Rows in the order of time from chunk to chunk, as an export would have them."""
    begin, end = instant(SINCE), instant(UNTIL + timedelta(days=1))
    for done in range(0, max(n, 1), CHUNK):
        part = min(CHUNK, max(n, 1) - done)
        lo, hi = (begin + (end - begin) * at // max(n, 1) for at in (done, done + part))
        at = np.sort(random.integers(lo, hi, part))
        account, contact = people.draw(random, part)
        yield {"account": _coded(account, names[0]), "contact": _coded(contact, names[1]), **rows(at, random)}


def _usage(at: Numbers, random: np.random.Generator) -> dict[str, Any]:
    event = random.choice(len(EVENTS), len(at), p=[0.35, 0.25, 0.15, 0.15, 0.06, 0.04])
    return {
        "occurred_at": _times(at),
        "event": _coded(event, pa.array(EVENTS)),
        "value": np.round(random.lognormal(2, 1, len(at)), 2),
        "recorded_at": _recorded(at, random),
    }


def _tickets(at: Numbers, random: np.random.Generator) -> dict[str, Any]:
    answered = at + _hours(random, 6, len(at))
    return {
        "ticket": _ids("t", len(at), int(at[0])),
        "opened": _times(at),
        "first_response": _times(answered, answered >= instant(UNTIL)),
        "resolved": _times(done := answered + _hours(random, 60, len(at)), done >= instant(UNTIL)),
        "severity": _coded(random.choice(4, len(at), p=[0.2, 0.5, 0.2, 0.1]), pa.array(SEVERITIES)),
        "recorded_at": _recorded(at, random),
    }


def _feedback(at: Numbers, random: np.random.Generator) -> dict[str, Any]:
    nps = random.random(len(at)) < 0.4
    responded = at + _hours(random, 48, len(at))
    silent = (random.random(len(at)) < 0.4) | (responded >= instant(UNTIL))
    score = np.where(nps, random.integers(0, 11, len(at)), random.integers(1, 6, len(at))).astype(float)
    return {
        "asked": _times(at),
        "responded": _times(responded, silent),
        "instrument": _coded(nps.astype(np.int32), pa.array(("CSAT", "NPS"))),
        "score": pa.array(score, mask=silent),
        "recorded_at": _recorded(at, random),
    }


def _recorded(at: Numbers, random: np.random.Generator) -> pa.Array:
    """For a few rows, hours to weeks later; the others say nothing. What arrives after the export is not in it."""
    recorded = at + random.integers(DAY // 24, LATEST * DAY // 24, len(at))
    late = (random.random(len(at)) < LATE) & (recorded < instant(UNTIL))
    return _times(recorded, ~late)


def _hours(random: np.random.Generator, mean: float, n: int) -> Numbers:
    return (1 + random.exponential(100 * mean, n).astype(np.int64)) * HUNDREDTH


def instant(day: date) -> int:
    return (datetime(day.year, day.month, day.day, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).days * DAY


def _times(instants: Numbers, missing: Numbers | None = None) -> pa.Array:
    return pa.array(instants, type=pa.int64(), mask=missing).cast(TIME)


def _ids(letter: str, n: int, base: int = 0) -> pa.Array:
    return pa.array([f"{letter}{base}-{i:08d}" if base else f"{letter}-{i:08d}" for i in range(n)])


def _coded(codes: Numbers, names: pa.Array) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), names)
