"""A tiny workspace on disk, written from rows of canonical tables.

    workspace = worlds.write(tmp_path, {"accounts": [{"account": "a"}], "usage": [...]}, timezone="Europe/Berlin")
    frame = worlds.frame(workspace, date(2026, 3, 31))

Each table becomes one file, ``data/TABLE.csv`` (or Parquet), mapped without renaming. Keyword arguments are further
keys of ``propensity.toml``; ``tables`` and ``sources`` may be given there too, to add options to the plain mapping.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from features import intake
from features.frame import feature_frame
from features.quality import Report
from features.tables import TABLES
from features.workspace import FILE, Workspace, load

Row = Mapping[str, object]
Tables = Mapping[str, Sequence[Row]]

ARROW = {
    "time": pa.timestamp("us", "UTC"),
    "number": pa.float64(),
    "money": pa.float64(),
    "integer": pa.int64(),
    "flag": pa.bool_(),
}
AS_OF = {"since": date(2025, 1, 1)}


def write(root: Path, rows: Tables, *, parquet: bool = False, **config: Any) -> Workspace:
    """Write the files and the configuration; a table has the columns that its rows have, or all of the contract's."""
    ending = "parquet" if parquet else "csv"
    for name, table in rows.items():
        (write_parquet if parquet else write_csv)(root / "data" / f"{name}.{ending}", table, columns_of(name, table))
    sources = {name: {"path": f"data/{name}.{ending}"} for name in rows}
    tables = {name: {"source": name} for name in rows}
    return configure(
        root,
        {
            "name": "tiny",
            "as_of": AS_OF,
            **config,
            "sources": _merged(sources, config.get("sources", {})),
            "tables": _merged(tables, config.get("tables", {})),
        },
    )


def configure(root: Path, config: Mapping[str, Any]) -> Workspace:
    """Write ``propensity.toml`` and load it."""
    root.mkdir(parents=True, exist_ok=True)
    lines = [f"{key} = {toml(value)}\n" for key, value in config.items()]
    (root / FILE).write_text("".join(lines), encoding="utf-8")
    return load(root)


def take_in(workspace: Workspace) -> Report:
    """Read, judge and store the tables, as `propensity features` does."""
    with intake.read(workspace) as found:
        found.write_quarantine()
        found.write_tables()
        return found.report


def frame(workspace: Workspace, *days: date) -> pd.DataFrame:
    """The features of a workspace that may not have been read yet."""
    take_in(workspace)
    return feature_frame(workspace, list(days))


def columns_of(name: str, rows: Sequence[Row]) -> list[str]:
    found = dict.fromkeys(column for row in rows for column in row)
    return list(found) or list(TABLES[name].by_name)


def write_csv(file: Path, rows: Sequence[Row], columns: Sequence[str], delimiter: str = ",") -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, delimiter=delimiter, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([_cell(row.get(column)) for column in columns] for row in rows)


def write_parquet(file: Path, rows: Sequence[Row], columns: Sequence[str]) -> None:
    """Typed as the contract says, so that no value passes through text."""
    file.parent.mkdir(parents=True, exist_ok=True)
    types = {name: ARROW.get(column.type, pa.string()) for name, column in TABLES[file.stem].by_name.items()}
    schema = pa.schema([(column, types.get(column, pa.string())) for column in columns])
    pq.write_table(pa.Table.from_pylist([dict(row) for row in rows], schema=schema), file)


def toml(value: object) -> str:
    """A value as TOML, on one line."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{json.dumps(key)} = {toml(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml(inner) for inner in value) + "]"
    return value.isoformat() if isinstance(value, date) else json.dumps(value)


def _cell(value: object) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _merged(plain: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    merged = {name: {**options, **extra.get(name, {})} for name, options in plain.items()}
    for options in merged.values():
        if "sql" in options:
            del options["source"]
    return {**{name: options for name, options in extra.items() if name not in plain}, **merged}
