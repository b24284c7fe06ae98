"""Who asked to be forgotten: kept as salted hashes of ids, so that the next intake leaves them out."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from features.database import literal, quoted
from features.files import replaced
from features.quality import TableReport
from features.reading import columns
from features.tables import Table
from features.workspace import Workspace


@dataclass(frozen=True)
class Erased:
    """Hashes of erased accounts and contacts, and the ids of the scores that went with them.

    A salt makes the hashes worthless elsewhere; whoever has this workspace and guesses an id can check the guess.
    """

    salt: str
    account: tuple[str, ...] = ()
    contact: tuple[str, ...] = ()
    scores: tuple[str, ...] = ()

    def hashed(self, identifier: str) -> str:
        return hashlib.sha256(f"{self.salt}{identifier}".encode()).hexdigest()

    def of(self, kind: str) -> tuple[str, ...]:
        return self.account if kind == "account" else self.contact

    def with_(self, kind: str, identifier: str, scores: tuple[str, ...] = ()) -> Erased:
        """The same and one more; once more changes nothing."""
        hashes = tuple(sorted({*self.of(kind), self.hashed(identifier)}))
        more = replace(self, scores=tuple(sorted({*self.scores, *scores})))
        return replace(more, account=hashes) if kind == "account" else replace(more, contact=hashes)


def read(workspace: Workspace) -> Erased:
    """Nobody, with a new salt, where nobody was ever erased."""
    file = place(workspace)
    if not file.is_file():
        return Erased(secrets.token_hex(16))
    told = json.loads(file.read_text(encoding="utf-8"))
    return Erased(told["salt"], *(tuple(told[name]) for name in ("account", "contact", "scores")))


def write(workspace: Workspace, erased: Erased) -> None:
    with replaced(place(workspace)) as part:
        part.write_text(json.dumps(vars(erased), indent=1), encoding="utf-8")


def place(workspace: Workspace) -> Path:
    return workspace.state / "erased.json"


def leave_out(connection: duckdb.DuckDBPyConnection, erased: Erased, table: Table, report: TableReport) -> None:
    """``typed_X`` without rows of erased accounts, and without erased people: where a row may do without its contact, the
    row stays and what is personal in it goes, from ``raw_X`` too. Other references to the erased become null.
    """
    accounts, contacts = (_named(connection, erased, table, kind, kind) for kind in ("account", "contact"))
    gone = [_among("account", accounts)] if accounts else []
    forgotten: dict[str, str] = {}
    if contacts and (table.by_name["contact"].required or table.key == "contact"):
        gone.append(_among("contact", contacts))
    elif contacts:
        personal = [c.name for c in table.columns if (c.personal or c.type == "text") and not c.required]
        forgotten = dict.fromkeys(["contact", *personal], _among("contact", contacts))
    for column in table.of_type("id"):
        if column not in {"account", "contact", table.key} and not table.by_name[column].required:
            others = [one for kind in ("account", "contact") for one in _named(connection, erased, table, column, kind)]
            forgotten |= {column: _among(column, others)} if others else {}
    if forgotten:
        _forget(connection, table, forgotten)
    if gone:
        typed, whole, those = f"typed_{table.name}", f"whole_{table.name}", " OR ".join(gone)
        connection.execute(f"ALTER VIEW {typed} RENAME TO {whole}")
        connection.execute(f"CREATE VIEW {typed} AS SELECT * FROM {whole} WHERE NOT ({those})")
        left = connection.execute(f"SELECT count(*) FROM {whole} WHERE {those}").fetchone()
        assert left is not None
        report.read -= left[0]
        report.handled.append(f"{left[0]} rows of erased accounts or people left out")


def _forget(connection: duckdb.DuckDBPyConnection, table: Table, forgotten: Mapping[str, str]) -> None:
    """Null what each condition is about, and in those rows all that the contract does not know: it may be personal."""
    raw, typed, known = f"raw_{table.name}", f"typed_{table.name}", f"known_{table.name}"
    there = columns(connection, raw)
    extra = [name for name in there if name not in table.by_name and name != "row"]
    rows = {name: f"row IN (SELECT row FROM {typed} WHERE {when})" for name, when in forgotten.items() if name in there}
    rows |= dict.fromkeys(extra, f"row IN (SELECT row FROM {typed} WHERE {' OR '.join(forgotten.values())})")
    said = ", ".join(
        f"{quoted(name)} = CASE WHEN {when} THEN NULL ELSE {quoted(name)} END" for name, when in rows.items()
    )
    told = ", ".join(
        f"CASE WHEN {when} THEN NULL ELSE {quoted(name)} END AS {quoted(name)}" for name, when in forgotten.items()
    )
    if said:
        connection.execute(f"UPDATE {raw} SET {said}")
    connection.execute(f"ALTER VIEW {typed} RENAME TO {known}")  # rows that were written down here are in no raw table
    connection.execute(f"CREATE VIEW {typed} AS SELECT * REPLACE ({told}) FROM {known}")


def _named(connection: duckdb.DuckDBPyConnection, erased: Erased, table: Table, column: str, kind: str) -> list[str]:
    """Which of the erased a column names."""
    hashes = erased.of(kind)
    if column not in table.by_name or not hashes:
        return []
    name = quoted(column)
    query = f"SELECT DISTINCT {name} FROM typed_{table.name} WHERE sha256(? || {name}) IN (SELECT unnest(?))"
    return [one for (one,) in connection.execute(query, [erased.salt, list(hashes)]).fetchall()]


def _among(column: str, identifiers: list[str]) -> str:
    return f"coalesce({column} IN ({', '.join(map(literal, identifiers))}), false)"
