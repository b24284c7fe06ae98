"""Raw rows → typed rows: each mapping read once, each column in its canonical type, what does not parse reported."""

from __future__ import annotations

from pathlib import Path

import duckdb

from features import parsing
from features.database import literal, quoted
from features.errors import PropensityError, one_of
from features.quality import TableReport
from features.settings.data import Mapping
from features.sources.files import RawSource, unreadable
from features.tables import SQL_TYPES, Table


def type_rows(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    mapping: Mapping,
    sources: dict[str, RawSource],
    zone: str,
    report: TableReport,
) -> None:
    """``raw_X``: the mapping's rows, numbered; ``typed_X``: the same with canonical types and the parsing problems."""
    raw, typed = f"raw_{table.name}", f"typed_{table.name}"
    try:
        connection.execute(
            f"CREATE TABLE {raw} AS SELECT row_number() OVER () AS row, * FROM ({select(table, mapping)})"
        )
    except (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException) as error:
        raise PropensityError(
            f"tables.{table.name}: {str(error).splitlines()[0]}",
            f"Sources that exist: {one_of(sources)}. Mend the mapping of {table.name} in propensity.toml.",
        ) from error
    except duckdb.Error as error:
        raise unreadable(f"of {table.name}", error) from error
    types = {row[0]: row[1] for row in connection.execute(f"DESCRIBE {raw}").fetchall()}
    _require_columns(table, set(types))
    report.handled += _handled(mapping, sources)
    if extra := set(types) - set(table.by_name) - {"row"}:
        report.handled.append(f"columns that are not in the contract ignored: {one_of(extra)}")
    report.columns = [column.name for column in table.columns if column.name in types]
    parsed_columns, typed_columns, problems = ["*"], ["row"], ["NULL"]
    for column in table.columns:
        name, sql_type, beside = quoted(column.name), SQL_TYPES[column.type], quoted(f"typed {column.name}")
        if column.name not in types:
            typed_columns.append(f"CAST(NULL AS {sql_type}) AS {name}")
            continue
        try:
            parsed = parsing.parse(connection, raw, column, types[column.name], mapping, zone)
        except PropensityError as error:
            raise PropensityError(f"tables.{table.name}: {error.message}", error.hint) from error
        parsed_columns.append(f"CAST({parsed.sql} AS {sql_type}) AS {beside}")
        typed_columns.append(f"{beside} AS {name}")
        report.handled += [parsed.handled] if parsed.handled else []
        report.date_only += [column.name] if parsed.date_only else []
        given = parsing.given(column.name, types[column.name])
        problems.append(f"CASE WHEN {given} AND {beside} IS NULL THEN {literal(parsing.not_parsed(column))} END")
        if column.required:
            problems.append(f"CASE WHEN NOT ({given}) THEN {literal(column.name + ' is missing')} END")
    connection.execute(
        f"CREATE VIEW {typed} AS SELECT {', '.join(typed_columns)}, coalesce({', '.join(problems)}) AS problem "
        f"FROM (SELECT {', '.join(parsed_columns)} FROM {raw})"
    )
    report.read = count(connection, raw)


def add_own(connection: duckdb.DuckDBPyConnection, table: Table, own: Path, report: TableReport) -> None:
    """Rows that were written down here (Parquet in canonical types), after those of the mapping where there is one."""
    rows, typed = f"read_parquet({literal(str(own))})", f"typed_{table.name}"
    there = set(columns(connection, f"SELECT * FROM {rows}"))
    told = ", ".join(
        f"{quoted(column.name) if column.name in there else f'CAST(NULL AS {SQL_TYPES[column.type]})'} AS {quoted(column.name)}"
        for column in table.columns
    )
    own_rows = f"SELECT row_number() OVER () + {report.read} AS row, {told}, NULL AS problem FROM {rows}"
    if report.read or report.columns:
        connection.execute(f"ALTER VIEW {typed} RENAME TO mapped_{table.name}")
        connection.execute(f"CREATE VIEW {typed} AS SELECT * FROM mapped_{table.name} UNION ALL BY NAME {own_rows}")
    else:
        connection.execute(f"CREATE TABLE raw_{table.name} AS SELECT * EXCLUDE (problem) FROM ({own_rows})")
        connection.execute(f"CREATE VIEW {typed} AS {own_rows}")
    found = count(connection, rows)
    report.read += found
    report.columns += [name for name in table.by_name if name in there and name not in report.columns]
    report.handled.append(f"{found} rows written down here")


def select(table: Table, mapping: Mapping) -> str:
    if mapping.sql is not None:
        return mapping.sql.strip().rstrip(";")
    renamed = {raw: name for name, raw in mapping.columns.items()}
    columns = ", ".join(f"{quoted(raw)} AS {quoted(name)}" for raw, name in renamed.items())
    assert mapping.source is not None
    if not columns:
        return f"SELECT * FROM {quoted(mapping.source)}"
    return f"SELECT {columns} FROM {quoted(mapping.source)}"


def _require_columns(table: Table, there: set[str]) -> None:
    missing = [column.name for column in table.columns if column.required and column.name not in there]
    if missing:
        raise PropensityError(
            f"tables.{table.name} lacks {one_of(missing)}; it has {one_of(there - {'row'})}",
            f"Map {one_of(missing)} in tables.{table.name}: "
            + "; ".join(f"{m} is {table.by_name[m].doc}" for m in missing),
        )


def _handled(mapping: Mapping, sources: dict[str, RawSource]) -> list[str]:
    named = [s for s in sources.values() if s.name == mapping.source or (mapping.sql and s.name in mapping.sql)]
    return [f"{source.name}: {what}" for source in named for what in source.handled]


def columns(connection: duckdb.DuckDBPyConnection, relation: str) -> list[str]:
    return [row[0] for row in connection.execute(f"DESCRIBE {relation}").fetchall()]


def count(connection: duckdb.DuckDBPyConnection, relation: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {relation}").fetchone()
    assert row is not None
    return int(row[0])
