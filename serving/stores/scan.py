"""Looking for somebody: every file and every database of a workspace, read through for an id or a name."""

from __future__ import annotations

import gzip
import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from features.workspace import FILE, Workspace
from serving.stores.store import Store

SHORT = 6
"""In files of plain numbers, fewer letters than this may stand there by chance: such words are not looked for in them."""

PENDING = "erasing.json"
"""Whom an erasure that is not over is about: it goes last."""


def mention(words: Sequence[str]) -> re.Pattern[str]:
    """A text that has one of the words in it, as a word of its own."""
    return re.compile("|".join(rf"(?<![\w-]){re.escape(word)}(?![\w-])" for word in words if word))


@dataclass
class Scan:
    """How many places of each kind were read, and where a word was found; ``ours`` is what it did not look at."""

    read: dict[str, int] = field(default_factory=dict)
    found: list[str] = field(default_factory=list)
    not_ours: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return vars(self)


def scan(workspace: Workspace, words: Sequence[str], progress: Callable[[str], None] = lambda _: None) -> Scan:
    """Read everything that lies in the workspace or in its application store, but for the user's own exports."""
    said, sources, pattern = Scan(), _sources(workspace), mention(words)
    for file in sorted(workspace.root.rglob("*")):
        if not file.is_file() or file in {workspace.root / FILE, workspace.state / PENDING}:
            continue
        if any(file == source or source in file.parents for source in sources):
            said.not_ours.append(str(file.relative_to(workspace.root)))
            continue
        progress(file.name)
        kind, cells = _cells(file, words)
        said.read[kind] = said.read.get(kind, 0) + 1
        if any(pattern.search(cell) for cell in cells):
            said.found.append(str(file.relative_to(workspace.root)))
    if not workspace.store_url.startswith("sqlite"):
        for table, rows in _tables(Store(workspace).engine):
            said.read["PostgreSQL table"] = said.read.get("PostgreSQL table", 0) + 1
            if any(pattern.search(cell) for cell in rows):
                said.found.append(f"table {table}")
    return said


def _sources(workspace: Workspace) -> list[Path]:
    """The exports, and the folders in which they lie: what is beside an export is the user's too."""
    found: list[Path] = []
    for source in workspace.config.sources.values():
        path = workspace.root / source.path
        found.append(path)
        folder = path.parent
        ours = [workspace.root, workspace.state, workspace.out]
        if not any(folder == one or folder in one.parents for one in ours) and "*" not in str(folder):
            found.append(folder)
        found += workspace.root.glob(source.path) if not Path(source.path).is_absolute() else []
    return found


def _cells(file: Path, words: Sequence[str]) -> tuple[str, Iterator[str]]:
    if file.suffix == ".parquet":
        return "Parquet file", _parquet(file)
    with file.open("rb") as stream:
        begin = stream.read(8192)
    if begin.startswith(b"SQLite format 3\0"):
        return "SQLite file", _sqlite(file)
    if begin.startswith(b"\x1f\x8b"):
        return "compressed file", iter([gzip.decompress(file.read_bytes()).decode("utf-8", "replace")])
    if b"\0" in begin and any(len(word) < SHORT for word in words):
        return "file of numbers, for long words only", _raw(file, [word for word in words if len(word) >= SHORT])
    return "other file", iter([file.read_bytes().decode("utf-8", "replace")])


def _raw(file: Path, words: Sequence[str]) -> Iterator[str]:
    content = file.read_bytes()
    return (word for word in words if word.encode() in content)


def _parquet(file: Path) -> Iterator[str]:
    with pq.ParquetFile(file) as opened:
        names = [one.name for one in opened.schema_arrow if not pa.types.is_primitive(one.type)]
        yield str(opened.schema_arrow.metadata)
        for batch in opened.iter_batches(columns=names):
            for column in batch.columns:
                flat = pa.types.is_string(column.type) or pa.types.is_dictionary(column.type)
                yield from (str(value) for value in (column.unique() if flat else column).to_pylist())


def _sqlite(file: Path) -> Iterator[str]:
    """The bytes, where also what was deleted may stand, and every cell."""
    yield file.read_bytes().decode("utf-8", "replace")
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for row in connection.execute(f'SELECT * FROM "{table}"'):
                yield from (cell for cell in row if isinstance(cell, str))
    finally:
        connection.close()


def _tables(engine: sa.Engine) -> Iterator[tuple[str, Iterator[str]]]:
    with engine.connect() as connection:
        for name in sa.inspect(connection).get_table_names():
            rows = connection.execute(sa.text(f'SELECT * FROM "{name}"')).all()
            yield name, (str(cell) for row in rows for cell in row if cell is not None)
