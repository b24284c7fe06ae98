"""Propensity: the same columns from declarations, stored as frames with their hashes."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from benchmarks.features import take_in, world
from benchmarks.features.columns import COLUMNS, DAY, NAMES, Column
from features import aggregations, frame
from features.expressions import Ratio
from features.feature import Declaration, Feature
from features.workspace import Workspace, load

PACKAGE = "propensity"
FACTS = {"opened": "ticket.opened", "open": "ticket.open", "resolved": "ticket.resolved"}
VOCABULARY = {aggregation.name: aggregation for aggregation in aggregations.VOCABULARY}


def _stem(column: Column) -> str:
    return column.name.removesuffix(f"_{column.window}d")


def _declared() -> tuple[Declaration, ...]:
    """A declaration for the columns that differ by their window only."""
    together: dict[str, list[Column]] = {}
    for column in COLUMNS:
        if column.what != "pace":
            together.setdefault(_stem(column), []).append(column)
    found: list[Declaration] = []
    for stem, columns in together.items():
        first, over = columns[0], tuple(column.window for column in columns if column.window)
        label = first.label if first.of == "usage" else first.label.lower()
        agg, of = VOCABULARY[first.what], FACTS.get(first.of, first.of)
        found.append(Feature(stem, of, agg, "interaction", stem, f"{stem}: {{value}}", over=over, label=label))
    return (*found, Ratio("usage_pace", "usage_events", "usage_events", "interaction", "pace", "{value}", pace="rate"))


DECLARED = _declared()


def warm(tables: Path, as_of: list[int]) -> None:
    """Compile the kernels, once per installation, on a tiny world; and forget frames of earlier runs."""
    with TemporaryDirectory() as scratch:
        tiny = world.write(Path(scratch), 2000)
        take_in.build(tiny.root, [], Path())
        frames(tiny, days(as_of))
    shutil.rmtree(workspace(tables).frames, ignore_errors=True)


def build(tables: Path, as_of: list[int], out: Path) -> None:
    frames(workspace(tables), days(as_of))


def finish(tables: Path, as_of: list[int], out: Path) -> None:
    """The stored frames as the others give them, to be compared; not timed."""
    here = workspace(tables)
    stored = frames(here, days(as_of))
    accounts = pd.read_parquet(tables / "accounts.parquet", columns=["account", "account_code"])
    codes = accounts.set_index("account")["account_code"]
    parts = []
    for day, instant in zip(days(as_of), as_of, strict=True):
        found = frame.read(here, day, stored[day])
        made = found[[name for name in NAMES if name in found]]
        parts.append(made.assign(account=found["account"].map(codes).astype("int64"), as_of=instant))
    pd.concat(parts).to_parquet(out, index=False)


def frames(here: Workspace, dates: list[date]) -> dict[date, str]:
    return frame.build(here, dates, declared=DECLARED)


def workspace(tables: Path) -> Workspace:
    return load(tables.parents[2])


def days(as_of: list[int]) -> list[date]:
    """The as_of dates: the days that end at these instants."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return [(epoch + timedelta(days=instant // DAY - 1)).date() for instant in as_of]
