"""One partition of accounts: its facts, its rows, and every column of the plan for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from features import cohort, kernel, windows
from features.aggregates import Aggregates
from features.facts import Facts
from features.feature import Attribute, Column, Feature, Numbers
from features.kernel import Measure, Names, Rows
from features.ledger import Source
from features.personas import DAYS, Crowd
from features.plan import Plan
from features.quality import Report
from features.windows import Span
from features.workspace import Workspace

APPLIES = "for_"
PEOPLE_AT_ONCE = 200_000
"""Rows (contact, as_of) that are looked at together."""
Mask = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]
Values = dict[str, npt.NDArray[np.generic] | pa.Array]


@dataclass
class Partition:
    """A range of accounts; the facts of each kind are loaded when they are first asked for."""

    workspace: Workspace
    ledger: Source
    tables: Path
    report: Report
    accounts: range
    loaded: dict[str, Facts] = field(default_factory=dict)
    owners: npt.NDArray[np.int64] | None = None
    """See ``owners``; read when they are first asked for."""

    def load(self, kind: str) -> Facts:
        if kind not in self.loaded:
            self.loaded[kind] = self.ledger.load(kind, self.accounts)
        return self.loaded[kind]

    def attributes(self, names: list[str]) -> pa.Table:
        """Columns of the accounts, in the order of their codes."""
        with pq.ParquetFile(self.tables / "accounts.parquet") as file:
            sizes = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
            upto = np.cumsum([0, *sizes])
            first = int(np.searchsorted(upto, self.accounts.start, side="right")) - 1
            last = int(np.searchsorted(upto, self.accounts.stop))
            table = file.read_row_groups(range(first, last), columns=names)
        return table.slice(self.accounts.start - upto[first], len(self.accounts)).combine_chunks()

    @property
    def people(self) -> tuple[range, npt.NDArray[np.int64]]:
        """The codes of the contacts of these accounts, and the account of each (position within the range)."""
        if self.owners is None:
            self.owners = owners(self.tables)
        begin, end = np.searchsorted(self.owners, [self.accounts.start, self.accounts.stop])
        return range(int(begin), int(end)), self.owners[begin:end].astype(np.int64) - self.accounts.start

    def part(self, accounts: range) -> Partition:
        """Some of these accounts."""
        return replace(self, accounts=accounts, loaded={})


def owners(tables: Path) -> npt.NDArray[np.int64]:
    """The account of each contact there is."""
    found: npt.NDArray[np.int64] = pq.read_table(tables / "people.parquet", columns=["account_code"])[
        "account_code"
    ].to_numpy()
    return found


def filled(partition: Partition, made: Plan, days: list[date]) -> tuple[Rows, Values]:
    """The rows of a partition, by as_of and account, and their columns: account, ``for_OUTCOME``, features."""
    everybody = cohort.everybody(len(partition.accounts), days)
    keep = scorable(partition, everybody, days)
    rows = Rows(everybody.account[keep], everybody.at[keep])
    return rows, _told(partition, made, rows, days, np.ones(len(rows), dtype=bool))


def asked(partition: Partition, made: Plan, rows: Rows, days: list[date]) -> Values:
    """The same columns for these rows, whoever they are: no outcome is for those that may not be scored."""
    return _told(partition, made, rows, days, scorable(partition, rows, days))


def _told(partition: Partition, made: Plan, rows: Rows, days: list[date], present: Mask) -> Values:
    config = partition.workspace.config
    values: Values = {"account": _spread(partition.attributes(["account"])["account"], rows)}
    for name, outcome in config.outcomes:
        values[APPLIES + name] = present & cohort.applies(partition.load, config, outcome, rows, days)
    return values | compute(partition, made, rows, days)


def scorable(partition: Partition, rows: Rows, days: list[date]) -> Mask:
    """Per row: may it be scored, and is there such an account yet?"""
    config = partition.workspace.config
    return cohort.members(partition.load, config.cohort, rows, days, config.timezone) & _exists(partition, rows, days)


def _exists(partition: Partition, rows: Rows, days: list[date]) -> npt.NDArray[np.bool_]:
    """Accounts count from the moment they were created; without a date, always."""
    if "account.created" not in partition.ledger.kinds:
        return np.ones(len(rows), dtype=bool)
    created = partition.load("account.created")
    dated = created.offsets[rows.account + 1] > created.offsets[rows.account]
    always = windows.bounds(days, [Span()], partition.workspace.config.timezone)
    return ~dated | (kernel.total_of(created, rows, always, Measure.COUNT) > 0)


def _spread(column: pa.ChunkedArray, rows: Rows) -> pa.Array:
    """A column of the accounts, repeated for each of their rows."""
    return column.combine_chunks().take(pa.array(rows.account))


def compute(partition: Partition, made: Plan, rows: Rows, days: list[date]) -> Values:
    """The columns of the plan for these rows, in the order of the plan."""
    values: Values = {}
    for kind, columns in by_kind(made).items():
        values |= aggregated(partition.load(kind), columns, rows, days, partition.workspace.config.timezone)
    attributes = [column for column in made.columns if isinstance(column.declaration, Attribute)]
    if attributes:
        table = partition.attributes([column.name for column in attributes])
        for column in attributes:
            found = _spread(table[column.name], rows)
            values[column.name] = found if column.categorical else floats(found)
    values |= crowds(partition, crowded(made), rows, days)
    for column in made.columns:
        if not isinstance(column.declaration, Feature | Attribute | Crowd):
            inputs = [np.asarray(values[name], dtype=np.float64) for name in made.inputs(column)]
            values[column.name] = column.declaration.number(column, *inputs)
    return {column.name: values[column.name] for column in made.columns}


def behaving(
    partition: Partition, behaviours: tuple[Feature, ...], rows: Rows, days: list[date]
) -> Iterator[tuple[Integers, list[Numbers]]]:
    """Everybody of these rows' accounts, some after the other: the row for which they are looked at, and the count of
    each behaviour in the days before its as_of. By contact and as_of, however many at once.
    """
    contacts, owner = partition.people
    order, account, _ = rows.in_order
    begin = np.searchsorted(account, np.arange(len(partition.accounts) + 1))
    times = np.diff(begin)[owner]  # how many rows each contact is looked at for
    found = {kind: partition.load(kind).by_contact(contacts) for kind in dict.fromkeys(b.of for b in behaviours)}
    cuts = np.searchsorted(np.cumsum(times), np.arange(PEOPLE_AT_ONCE, times.sum(), PEOPLE_AT_ONCE))
    for part in np.split(np.arange(len(owner)), cuts):
        who, many = np.repeat(part, times[part]), times[part]
        within = np.arange(len(who)) - np.repeat(np.cumsum(many) - many, many)
        row = order[begin[owner[who]] + within]
        people, values = Rows(who.astype(np.int32), rows.at[row]), Values()
        for kind, done in found.items():
            chosen = tuple(behaviour for behaviour in behaviours if behaviour.of == kind)
            values |= _done(Names.of(done), chosen, tuple(days), partition.workspace.config.timezone).values(
                done, people
            )
        yield row, [np.asarray(values[behaviour.name], dtype=np.float64) for behaviour in behaviours]


@lru_cache
def _done(names: Names, behaviours: tuple[Feature, ...], days: tuple[date, ...], zone: str) -> Aggregates:
    return Aggregates.of(names, [Column(behaviour.name, behaviour, DAYS) for behaviour in behaviours], days, zone)


def crowded(made: Plan) -> list[tuple[Column, Crowd]]:
    """The columns that tell how the active people of each account spread over the personas."""
    return [(column, column.declaration) for column in made.columns if isinstance(column.declaration, Crowd)]


def crowds(partition: Partition, declared: list[tuple[Column, Crowd]], rows: Rows, days: list[date]) -> Values:
    """The values of these columns."""
    if not declared:
        return {}
    fitted = declared[0][1].among
    assert fitted is not None
    counts = np.zeros((len(rows), len(fitted.names)))
    for row, behaviour in behaving(partition, fitted.behaviours, rows, days):
        persona = fitted.nearest(behaviour)
        there = persona >= 0
        np.add.at(counts, (row[there], persona[there]), 1.0)
    return {column.name: crowd.number(column, *counts.T) for column, crowd in declared}


def floats(column: pa.Array) -> npt.NDArray[np.float64]:
    return column.cast(pa.float64()).fill_null(float("nan")).to_numpy(zero_copy_only=False)


def by_kind(made: Plan) -> dict[str, list[Column]]:
    kinds: dict[str, list[Column]] = {}
    for column in made.columns:
        if isinstance(column.declaration, Feature):
            kinds.setdefault(column.declaration.of, []).append(column)
    return kinds


def aggregated(found: Facts, columns: list[Column], rows: Rows, days: list[date], zone: str) -> Values:
    """Every column that looks at one kind of facts, with one pass of the kernel."""
    return dict(Aggregates.of(Names.of(found), columns, days, zone).values(found, rows))
