"""Dirt for the simulated world: what real exports contain and a contract must refuse or survive.

Each entry of the tables below soils a small random share of a table's rows.
"""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

SHARE = 0.003  # rows soiled by each entry
DUPLICATED = 0.01  # rows of every table that occur twice
YEARS_AHEAD = 3 * 365 * 86_400_000_000  # microseconds by which future-dated rows are off

STAINS: tuple[tuple[str, str, object], ...] = (
    ("accounts", "name", '=HYPERLINK("http://example.test","pay")'),
    ("accounts", "name", "+1+cmd|' /C calc'!A0"),
    ("accounts", "name", "株式会社 Ünïcødé \u202e🚀"),
    ("accounts", "name", '<script>alert("x")</script>'),
    ("accounts", "size", -3),
    ("accounts", "parent", "account-nobody"),
    ("accounts", "segment", ""),
    ("accounts", "owner", "@SUM(1,1)"),
    ("contacts", "role", "Chef de cuisine"),
    ("contacts", "role", "CHAMPION "),
    ("contacts", "consent", "reference; poetry"),
    ("contracts", "seats", -5),
    ("contracts", "arr", -1000.0),
    ("contracts", "arr", math.nan),
    ("contracts", "arr", math.inf),
    ("contracts", "discount", 1.7),
    ("contracts", "currency", "Euro"),
    ("usage", "value", math.nan),
    ("usage", "value", math.inf),
    ("usage", "value", -12.5),
    ("usage", "event", "=1+1"),
    ("usage", "contact", "contact-nobody"),
    ("tickets", "severity", "P1"),
    ("tickets", "handoffs", -1),
    ("feedback", "score", 42.0),
    ("feedback", "score", -math.inf),
    ("feedback", "score", None),
    ("feedback", "instrument", "thumbs"),
    ("feedback", "verbatim", '=1+1; "quoted", naïve\nsecond line'),
    ("invoices", "amount", math.nan),
    ("invoices", "amount", -250.0),
    ("advocacy", "kind", "standing ovation"),
    ("outreach", "owner", "propriétaire-№9"),
    ("deals", "value", math.inf),
    ("costs", "amount", math.nan),
    ("rates", "rate", 0.0),
)

SWAPS: tuple[tuple[str, str, str], ...] = (
    ("contacts", "joined", "left"),
    ("contracts", "starts", "ends"),
    ("tickets", "opened", "resolved"),
    ("feedback", "asked", "responded"),
    ("invoices", "issued", "paid"),
    ("advocacy", "asked", "done"),
    ("outreach", "planned", "done"),
    ("deals", "opened", "won"),
)

SHIFTS: tuple[tuple[str, str, int], ...] = (
    ("accounts", "created", YEARS_AHEAD),
    ("contracts", "signed", YEARS_AHEAD),
    ("usage", "occurred_at", YEARS_AHEAD),
    ("usage", "occurred_at", -5 * YEARS_AHEAD),
    ("tickets", "opened", YEARS_AHEAD),
    ("feedback", "responded", YEARS_AHEAD),
    ("invoices", "paid", YEARS_AHEAD),
    ("outreach", "done", YEARS_AHEAD),
)


def soil(name: str, table: pa.Table, rng: np.random.Generator) -> pa.Table:
    """The table with orphans, absurd values, reversed and misplaced times, and some rows twice."""
    if name not in ("accounts", "rates"):
        table = _stained(table, "account", "account-nobody", rng)
    for soiled, column, value in STAINS:
        if soiled == name:
            table = _stained(table, column, value, rng)
    for soiled, earlier, later in SWAPS:
        if soiled == name:
            table = _swapped(table, earlier, later, rng)
    for soiled, column, shift in SHIFTS:
        if soiled == name:
            table = _shifted(table, column, shift, rng)
    twice = np.nonzero(rng.random(table.num_rows) < DUPLICATED)[0]
    return pa.concat_tables([table, table.take(pa.array(twice))])


def _spots(table: pa.Table, rng: np.random.Generator) -> pa.Array:
    return pa.array(rng.random(table.num_rows) < SHARE)


def _put(table: pa.Table, column: str, values: pa.Array) -> pa.Table:
    return table.set_column(table.schema.get_field_index(column), table.schema.field(column), values)


def _stained(table: pa.Table, column: str, value: object, rng: np.random.Generator) -> pa.Table:
    stain = pa.scalar(value, table.schema.field(column).type)
    return _put(table, column, pc.if_else(_spots(table, rng), stain, table[column]))


def _swapped(table: pa.Table, earlier: str, later: str, rng: np.random.Generator) -> pa.Table:
    spots = pc.and_(_spots(table, rng), pc.is_valid(table[later]))
    swapped = _put(table, earlier, pc.if_else(spots, table[later], table[earlier]))
    return _put(swapped, later, pc.if_else(spots, table[earlier], table[later]))


def _shifted(table: pa.Table, column: str, shift: int, rng: np.random.Generator) -> pa.Table:
    moved = pc.add(table[column].cast(pa.int64()), shift).cast(table.schema.field(column).type)
    return _put(table, column, pc.if_else(_spots(table, rng), moved, table[column]))
