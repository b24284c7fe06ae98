"""Forgetting a person or an account everywhere, and proving it.

What is to be forgotten is written down first and struck out last, so that a run that was killed is finished by the next.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import sqlalchemy as sa

from features import erased
from features.files import alone, replaced
from features.workspace import Workspace
from serving.stores.audit import AUDIT, Audit, Written
from serving.stores.keys import KEYS
from serving.stores.log import LOG
from serving.stores.scan import PENDING, Scan, mention, scan
from serving.stores.schema import VERSION_TABLE
from serving.stores.sessions import LOGINS, SESSIONS
from serving.stores.store import SCORES, Store

Kind = Literal["account", "contact"]
Progress = Callable[[str], None]
OURS = {KEYS.name, SESSIONS.name, LOGINS.name, AUDIT.name, VERSION_TABLE}
"""Tables that are about those who use the product, not about those whom it scores."""
FORGOTTEN = "erased"


@dataclass(frozen=True)
class Forgotten:
    """What was removed, and the proof."""

    kind: Kind
    rows: int
    files: list[str]
    scan: Scan

    def as_dict(self) -> dict[str, Any]:
        return vars(self) | {"scan": self.scan.as_dict()}


def erase(
    workspace: Workspace,
    kind: Kind,
    identifier: str,
    by: str,
    take_in: Callable[[Workspace], object],
    progress: Progress = lambda _: None,
) -> Forgotten:
    """Remove an account or a contact from the store, tables, facts, frames and our files, then look for it everywhere.

    Once more changes nothing. ``take_in`` makes the canonical tables anew, now without it.
    """
    with alone(workspace.state / "erasing.lock"):
        store = Store(workspace)
        words = _begin(workspace, store, kind, identifier)
        Audit(store).add(Written(by, "ERASE", kind, "command"))
        progress("the application store")
        rows = _store(store, kind, identifier, words)
        progress("exports, read again without it")
        for stale in ("facts", "parts", "tables.part"):
            shutil.rmtree(workspace.state / stale, ignore_errors=True)
        _own(workspace, kind, identifier)
        take_in(workspace)
        progress("frames and files")
        files = [str(file.relative_to(workspace.root)) for file in _ours(workspace) if _cleaned(workspace, file, words)]
        _compacted(store)
        found = scan(workspace, words, progress)
        if not found.found:
            _pending(workspace).unlink(missing_ok=True)
        Audit(store).add(Written(by, "ERASE", kind, "command", 500 if found.found else 200))
        return Forgotten(kind, rows, files, found)


def _begin(workspace: Workspace, store: Store, kind: Kind, identifier: str) -> list[str]:
    """Write down whom the next intakes leave out, and, until all is done, what to look for: the id, and the name."""
    names = [identifier, *(store.names([identifier]).values() if kind == "account" else [])]
    pending = _pending(workspace)
    if pending.is_file():
        told = json.loads(pending.read_text(encoding="utf-8"))
        names += told["words"] if told["words"][0] == identifier else []
    names = list(dict.fromkeys(names))
    with replaced(pending) as part:
        part.write_text(json.dumps({"words": names}), encoding="utf-8")
    gone: tuple[str, ...] = ()
    if kind == "account":
        with store.engine.connect() as connection:
            chosen = sa.select(SCORES.c.score_id).where(SCORES.c.account == identifier)
            gone = tuple(connection.execute(chosen).scalars())
    erased.write(workspace, erased.read(workspace).with_(kind, identifier, gone))
    return names


def _pending(workspace: Workspace) -> Path:
    return workspace.state / PENDING


def _store(store: Store, kind: Kind, identifier: str, words: list[str]) -> int:
    """Every row about it, in whatever table: those that a later release adds too. Returns how many."""
    rows = 0
    with store.writing() as connection:
        there = sa.MetaData()
        there.reflect(connection)
        if kind == "contact" and LOG.name in there.tables:
            things = sa.select(LOG.c.thing).where(LOG.c.contact == identifier)
            rows += connection.execute(LOG.delete().where(LOG.c.thing.in_(things))).rowcount
        for table in there.sorted_tables:
            if table.name not in OURS and kind in table.c:
                rows += connection.execute(table.delete().where(table.c[kind] == identifier)).rowcount
        pattern = mention(words)
        said = connection.execute(sa.select(LOG.c.number, LOG.c.value).where(LOG.c.value.is_not(None))).all()
        for number in (number for number, value in said if pattern.search(value)):
            connection.execute(LOG.update().where(LOG.c.number == number).values(value=FORGOTTEN))
            rows += 1
    return rows


def _own(workspace: Workspace, kind: Kind, identifier: str) -> None:
    """What was written down here: an intake writes it anew only where something is left."""
    for file in sorted((workspace.state / "own").glob("*.parquet")):
        _parquet(file, [identifier], {kind})


def _ours(workspace: Workspace) -> list[Path]:
    places = [workspace.frames, workspace.out]
    return sorted(file for place in places if place.is_dir() for file in place.rglob("*") if file.is_file())


def _cleaned(workspace: Workspace, file: Path, words: list[str]) -> bool:
    """Without the rows that hold one of the words; what has no rows and holds one goes whole. Says whether it did."""
    if file.suffix == ".parquet":
        return _parquet(file, words, {"account"} if workspace.frames in file.parents else None)
    if file.suffix == ".csv":
        return _csv(file, words)
    if any(word.encode() in file.read_bytes() for word in words if len(word) > 3) and file.suffix != ".png":
        file.unlink()
        return True
    return False


def _parquet(file: Path, words: list[str], columns: set[str] | None = None) -> bool:
    table = pq.read_table(file)
    hit = pa.array([False] * table.num_rows)
    for name in table.column_names if columns is None else columns.intersection(table.column_names):
        kind = table.schema.field(name).type
        if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind):
            named = pc.is_in(table[name].cast(pa.string()), value_set=pa.array(words, pa.string()))
            hit = pc.or_(hit, pc.fill_null(named, False).combine_chunks())
    if not pc.any(hit).as_py():
        return False
    with replaced(file) as part:
        pq.write_table(table.filter(pc.invert(hit)), part, compression="zstd")
    return True


def _csv(file: Path, words: list[str]) -> bool:
    with file.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))
    kept = [row for row in rows if not any(cell in words or cell.removeprefix("'") in words for cell in row)]
    if len(kept) == len(rows):
        return False
    with replaced(file) as part, part.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out, lineterminator="\n").writerows(kept)
    return True


def _compacted(store: Store) -> None:
    """What was deleted is written over: databases keep it in free pages until then."""
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("VACUUM")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            connection.exec_driver_sql("VACUUM FULL")
