"""Raw files as DuckDB views: CSV (any delimiter, encoding, byte-order mark; .gz too), Parquet, JSON.

A CSV has no types, so every column of a CSV arrives as text; the canonical
column types do the parsing and report what they cannot parse.
"""

from __future__ import annotations

import codecs
import glob
import gzip
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from features.database import connected, literal, quoted, ran_out
from features.errors import PropensityError, one_of
from features.files import scratch
from features.settings.data import Source
from features.workspace import Workspace

CSV, PARQUET, JSON = (".csv", ".tsv", ".txt"), (".parquet",), (".json", ".jsonl", ".ndjson")
LONGEST_LINE = 16_000_000  # bytes; people paste whole logs into tickets
BYTE_ORDER_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass
class RawSource:
    """A view over raw files, and what was done to read them."""

    name: str
    files: list[Path]
    handled: list[str] = field(default_factory=list)


@contextmanager
def open_sources(workspace: Workspace) -> Iterator[tuple[duckdb.DuckDBPyConnection, dict[str, RawSource]]]:
    """A locked-down DuckDB connection in which every source is a view of its name.

    It reads only the sources' own folders and the workspace, and spills to disk beyond the workspace's memory limit.
    """
    with scratch(workspace.state) as folder, connected(workspace, folder) as connection:
        connection.execute("SET preserve_insertion_order = true")
        sources = {
            name: _create_view(connection, workspace.root, name, source, folder)
            for name, source in workspace.config.sources.items()
        }
        _lock(connection, workspace, sources)
        yield connection, sources


def _lock(connection: duckdb.DuckDBPyConnection, workspace: Workspace, sources: dict[str, RawSource]) -> None:
    folders = {workspace.root, *(file.parent for source in sources.values() for file in source.files)}
    allowed = ", ".join(literal(str(folder) + "/") for folder in sorted(folders))
    connection.execute(f"SET allowed_directories = [{allowed}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _create_view(
    connection: duckdb.DuckDBPyConnection, root: Path, name: str, source: Source, folder: Path
) -> RawSource:
    pattern = str(root / source.path)  # may be absolute, which Path.glob does not take
    files = [Path(found).resolve() for found in sorted(glob.glob(pattern, recursive=True))]  # noqa: PTH207
    if not files:
        raise PropensityError(
            f"source {name}: no file matches {source.path!r} in {root}",
            f"Put the file there, or change sources.{name}.path.",
        )
    raw = RawSource(name, files)
    kind = _kind(name, files[0])
    readable = [_as_utf8(file, source.encoding, folder, raw) if kind == CSV else file for file in files]
    reader = _reader(kind, readable, source)
    try:
        connection.execute(f"CREATE VIEW {quoted(name)} AS {_without_repeats(connection, reader, len(files))}")
    except duckdb.Error as error:
        raise unreadable(name, error) from error
    if kind == CSV:
        raw.handled.append("every column of the CSV read as text")
    if len(files) > 1:
        raw.handled.append(f"{len(files)} files read as one, rows that they share counted once")
    return raw


def unreadable(name: str, error: duckdb.Error) -> PropensityError:
    """What to say of a source that cannot be read; that memory or disk ran out is not its fault."""
    if ran_out(error):
        raise error
    first = next((line for line in str(error).splitlines() if line.strip()), "unreadable")
    return PropensityError(
        f"source {name} cannot be read: {first}",
        f"Check that the file is whole; for a CSV, set sources.{name}.delimiter or .encoding.",
    )


def _kind(name: str, file: Path) -> tuple[str, ...]:
    ending = Path(file.name.removesuffix(".gz")).suffix.lower()
    for kind in (CSV, PARQUET, JSON):
        if ending in kind:
            return kind
    raise PropensityError(
        f"source {name}: {file.name} ends in {ending!r}",
        f"Endings that can be read: {one_of(CSV + PARQUET + JSON)}; each CSV or JSON also with .gz.",
    )


def _reader(kind: tuple[str, ...], files: list[Path], source: Source) -> str:
    listed = "[" + ", ".join(literal(str(file)) for file in files) + "]"
    if kind == PARQUET:
        return f"read_parquet({listed}, union_by_name = true, filename = true)"
    if kind == JSON:
        return f"read_json({listed}, union_by_name = true, filename = true)"
    delimiter = f", delim = {literal(source.delimiter)}" if source.delimiter else ""
    return (
        f"read_csv({listed}, all_varchar = true, header = true, filename = true, union_by_name = true, "
        f"max_line_size = {LONGEST_LINE}, buffer_size = {2 * LONGEST_LINE}{delimiter})"
    )


def _without_repeats(connection: duckdb.DuckDBPyConnection, reader: str, files: int) -> str:
    """Rows are told apart by content and occurrence number within their file, so overlapping exports add nothing."""
    if files == 1:
        return f"SELECT * EXCLUDE (filename) FROM {reader}"
    described = connection.execute(f"DESCRIBE SELECT * EXCLUDE (filename) FROM {reader}").fetchall()
    columns = ", ".join(quoted(row[0]) for row in described)
    return (
        f"SELECT {columns} FROM (SELECT *, row_number() OVER (PARTITION BY filename, {columns}) AS occurrence "
        f"FROM {reader}) GROUP BY {columns}, occurrence"
    )


def _as_utf8(file: Path, encoding: str, folder: Path, raw: RawSource) -> Path:
    """The file itself, or a transcoded copy where it is not UTF-8."""
    opener = gzip.open if file.name.endswith(".gz") else open
    with opener(file, "rb") as stream:
        head = stream.read(3)
    mark = any(head.startswith(mark) for mark in BYTE_ORDER_MARKS)
    if mark:
        raw.handled.append(f"byte-order mark of {file.name} removed")
    if encoding == "utf-8":
        return file
    copy = folder / f"{raw.name}-{len(list(folder.iterdir()))}.csv"
    try:
        with (
            opener(file, "rt", encoding=encoding, newline="") as reader,
            copy.open("w", encoding="utf-8", newline="") as writer,
        ):
            shutil.copyfileobj(reader, writer)
    except UnicodeError as error:
        raise PropensityError(
            f"source {raw.name}: {file.name} is not {encoding}: {error}", f"Set sources.{raw.name}.encoding."
        ) from error
    raw.handled.append(f"{file.name} transcoded from {encoding} to UTF-8")
    return copy
