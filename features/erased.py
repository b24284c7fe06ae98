"""Who asked to be forgotten: kept as salted hashes of ids, so that the next intake leaves them out."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from features.database import literal, quoted
from features.files import replaced
from features.quality import TableReport
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
        return replace(self, **{kind: hashes, "scores": tuple(sorted({*self.scores, *scores}))})


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


@dataclass
class LeftOut:
    """How an open intake leaves out the erased; ``rows``: per table those that named one and stay, without the name."""

    erased: Erased
    rows: dict[str, list[int]] = field(default_factory=dict)

    def apply(self, connection: duckdb.DuckDBPyConnection, table: Table, report: TableReport) -> None:
        """``typed_X`` without rows of erased accounts, and without erased people: where a row may do without its
        contact, the row stays and what is personal in it goes. Other references to the erased become null.
        """
        accounts = self._named(connection, table, "account", "account")
        contacts = self._named(connection, table, "contact", "contact")
        gone = [_among("account", accounts)] if accounts else []
        forgotten: dict[str, str] = {}
        if contacts:
            named = _among("contact", contacts)
            if table.by_name["contact"].required or table.key == "contact":
                gone.append(named)
            else:
                personal = [c.name for c in table.columns if (c.personal or c.type == "text") and not c.required]
                forgotten = dict.fromkeys(["contact", *personal], named)
        for column in table.of_type("id"):
            if column not in {"account", "contact", table.key} and not table.by_name[column].required:
                others = [
                    one for kind in ("account", "contact") for one in self._named(connection, table, column, kind)
                ]
                forgotten |= {column: _among(column, others)} if others else {}
        if not gone and not forgotten:
            return
        typed, whole = f"typed_{table.name}", f"whole_{table.name}"
        connection.execute(f"ALTER VIEW {typed} RENAME TO {whole}")
        keep = f"NOT ({' OR '.join(gone)})" if gone else "true"
        if forgotten:
            rows = connection.execute(f"SELECT row FROM {whole} WHERE {' OR '.join(forgotten.values())}").fetchall()
            self.rows[table.name] = [row for (row,) in rows]
        said = ", ".join(
            f"CASE WHEN {when} THEN NULL ELSE {quoted(name)} END AS {quoted(name)}" for name, when in forgotten.items()
        )
        named_no_more = f"* REPLACE ({said})" if said else "*"
        connection.execute(f"CREATE VIEW {typed} AS SELECT {named_no_more} FROM {whole} WHERE {keep}")
        left = connection.execute(f"SELECT count(*) FROM {whole} WHERE NOT ({keep})").fetchone()
        assert left is not None
        report.read -= left[0]
        if left[0]:
            report.handled.append(f"{left[0]} rows of erased accounts or people left out")

    def _named(self, connection: duckdb.DuckDBPyConnection, table: Table, column: str, kind: str) -> list[str]:
        """Which of the erased a column names."""
        hashes = self.erased.of(kind)
        if column not in table.by_name or not hashes:
            return []
        name = quoted(column)
        query = f"SELECT DISTINCT {name} FROM typed_{table.name} WHERE sha256(? || {name}) IN (SELECT unnest(?))"
        return [one for (one,) in connection.execute(query, [self.erased.salt, list(hashes)]).fetchall()]


def _among(column: str, identifiers: list[str]) -> str:
    return f"coalesce({column} IN ({', '.join(map(literal, identifiers))}), false)"
