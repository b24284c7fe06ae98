"""Raw exports → canonical tables: typed, checked, converted, and what cannot be right set aside with its reason.

Errors stop before anything is written. The tables of one intake lie in a
folder named after their content; the file ``current`` names the one in use and
is replaced by a rename, so a kill at any moment leaves the previous one whole.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

from features import erased, words
from features.database import literal, quoted
from features.errors import PropensityError
from features.files import replaced, settled
from features.judging import exists, flag_future, happened, judge, own_check
from features.quality import Report, TableReport
from features.reading import add_own, columns, type_rows
from features.sources.files import open_sources
from features.tables import TABLES, Table
from features.workspace import Workspace

Progress = Callable[[str], None]


@dataclass
class Intake:
    """An open intake: every mapped table read and judged, nothing written yet."""

    workspace: Workspace
    connection: duckdb.DuckDBPyConnection
    report: Report

    def names(self) -> list[tuple[str, str]]:
        """Account and its name, for the application store, the only place where names are kept."""
        if "name" not in columns(self.connection, "good_accounts"):
            return []
        return self.connection.execute(
            "SELECT account, name FROM good_accounts WHERE name IS NOT NULL ORDER BY account"
        ).fetchall()

    def write_quarantine(self) -> None:
        """Rows set aside, one CSV per table, with the reason first; cells that a spreadsheet would run are defused."""
        for name, report in self.report.tables.items():
            target = self.workspace.quarantine / f"{name}.csv"
            if not report.quarantined:
                target.unlink(missing_ok=True)
                continue
            cells = ", ".join(
                f"regexp_replace(CAST({quoted(column)} AS VARCHAR), '^([=+@\\t\\r-])', '''\\1') AS {quoted(column)}"
                for column in columns(self.connection, f"raw_{name}")
                if column != "row"
            )
            with replaced(target) as part:
                self.connection.execute(
                    f"COPY (SELECT b.problem AS reason, {cells} FROM bad_{name} b JOIN raw_{name} USING (row) "
                    f"ORDER BY row) TO {literal(str(part))} (HEADER)"
                )
            report.quarantine_file = str(target)

    def write_tables(self) -> str:
        """Write the good rows as Parquet and make them current; returns their digest."""
        if not self.report.tables["accounts"].rows:
            raise PropensityError(
                f"accounts has no usable row: {self.report.tables['accounts'].read} read, "
                f"{self.report.tables['accounts'].quarantined} set aside",
                "Look at `propensity check`, then mend the export or its mapping.",
            )
        part = self.workspace.state / "tables.part"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        for name in self.report.tables:
            # First with codes, then in order: to join and to sort at once would take more memory than either.
            coded, order = _stored(self.connection, name)
            self.connection.execute(f"CREATE OR REPLACE TABLE coded AS {coded}")
            self.connection.execute(
                f"COPY (SELECT * FROM coded ORDER BY {order}) TO {literal(str(part / f'{name}.parquet'))} "
                "(FORMAT parquet, COMPRESSION zstd)"
            )
        self.connection.execute("DROP TABLE coded")
        self.connection.execute(
            f"COPY (SELECT contact_code, account_code, contact, role, role_known FROM people ORDER BY contact_code) "
            f"TO {literal(str(part / 'people.parquet'))} (FORMAT parquet, COMPRESSION zstd)"
        )
        self.connection.execute(
            f"COPY ({_RELATIVES}) TO {literal(str(part / 'relatives.parquet'))} (FORMAT parquet, COMPRESSION zstd)"
        )
        digest = _digest(part)
        final = self.workspace.tables / digest
        final.parent.mkdir(parents=True, exist_ok=True)
        if final.exists():
            shutil.rmtree(part)
        else:
            settled(part, final)
        with replaced(final / "report.json") as report:
            report.write_text(json.dumps(self.report.as_dict(), indent=1), encoding="utf-8")
        with replaced(self.workspace.tables / "current") as pointer:
            pointer.write_text(digest, encoding="utf-8")
        for old in self.workspace.tables.iterdir():
            if old.is_dir() and old.name != digest:
                shutil.rmtree(old)
        return digest


@contextmanager
def read(workspace: Workspace, progress: Progress = lambda _: None) -> Iterator[Intake]:
    """Read and judge every mapped table, in the order of the contract."""
    config = workspace.config
    with open_sources(workspace) as (connection, sources):
        mapped = [table for name, table in TABLES.items() if name in config.tables or workspace.own(name).is_file()]
        reports: dict[str, TableReport] = {}
        forgotten = erased.read(workspace)
        for table in mapped:
            progress(table.name)
            reports[table.name] = TableReport(table.name)
            if (mapping := config.tables.get(table.name)) is not None:
                type_rows(connection, table, mapping, sources, config.timezone, reports[table.name])
            if (own := workspace.own(table.name)).is_file():
                add_own(connection, table, own, reports[table.name])
            erased.leave_out(connection, forgotten, table, reports[table.name])
        for table in sorted(mapped, key=lambda table: table.name != "rates"):
            progress(table.name)
            judge(connection, workspace, table, reports[table.name])
            words.score(connection, table, config.text, reports[table.name], progress)
        report = Report(reports, [own_check(connection, check) for check in config.checks])
        report.observed_until = _observed_until(workspace, reports)
        flag_future(connection, report, mapped, config.timezone)
        _number_people(connection, mapped)
        yield Intake(workspace, connection, report)


def current(workspace: Workspace) -> tuple[Path, Report]:
    """The folder of the canonical tables in use and the report of their intake."""
    pointer = workspace.tables / "current"
    if not pointer.is_file():
        raise PropensityError(f"{workspace.root} has no tables yet", "Run `propensity features` first.")
    folder = workspace.tables / pointer.read_text(encoding="utf-8")
    return folder, Report.from_dict(json.loads((folder / "report.json").read_text(encoding="utf-8")))


def _observed_until(workspace: Workspace, reports: dict[str, TableReport]) -> str | None:
    """The last local day with a fact, today at the latest, or the day the exports were taken where that is stated."""
    if workspace.config.as_of.exported is not None:
        return workspace.config.as_of.exported.isoformat()
    lasts = [report.last for name, report in reports.items() if TABLES[name].facts and report.last]
    today = datetime.now(ZoneInfo(workspace.config.timezone)).date().isoformat()
    return min(max(lasts)[:10], today) if lasts else None


def _number_people(connection: duckdb.DuckDBPyConnection, mapped: list[Table]) -> None:
    """``codes``: accounts numbered by their bytes; ``people``: contacts numbered within the order of their accounts.

    A role counts for what became known since the contact was there and recorded: a contact that arrives late does
    not change what was known of earlier facts.
    """
    connection.execute(
        "CREATE TABLE codes AS SELECT account, CAST(row_number() OVER () - 1 AS INTEGER) AS account_code "
        "FROM (SELECT account FROM good_accounts ORDER BY account)"
    )
    seen = [
        f"SELECT DISTINCT account, contact FROM good_{table.name} WHERE contact IS NOT NULL AND account IS NOT NULL"
        for table in mapped
        if "contact" in table.by_name
    ]
    everyone = " UNION ".join(seen) or "SELECT NULL AS account, NULL AS contact WHERE false"
    role, known, joined = "CAST(NULL AS VARCHAR)", "CAST(NULL AS BIGINT)", ""
    if exists(connection, "good_contacts"):
        role, joined = "p.role", "LEFT JOIN good_contacts p USING (account, contact)"
        known = "epoch_us(greatest(p.joined, p.recorded_at, TIMESTAMPTZ '1900-01-01 00:00:00+00'))"
    connection.execute(f"CREATE TABLE everyone AS {everyone}")
    # Sorted first and then counted, since a window over everybody would take all of them into memory at once.
    connection.execute(
        f"CREATE TABLE people AS SELECT CAST(row_number() OVER () - 1 AS INTEGER) AS contact_code, * FROM ("
        f"SELECT account_code, account, contact, {role} AS role, {known} AS role_known "
        f"FROM everyone JOIN codes USING (account) {joined} ORDER BY account_code, contact)"
    )
    connection.execute("DROP TABLE everyone")


LARGEST_FAMILY = 1000
"""A parent of more accounts than this is a market, not a family: its accounts are no siblings."""
_RELATIVES = f"""
WITH children AS (
    SELECT k.account_code, p.account_code AS parent_code, count(*) OVER (PARTITION BY a.parent) AS family
    FROM good_accounts a JOIN codes k ON k.account = a.account JOIN codes p ON p.account = a.parent
    WHERE a.parent <> a.account
)
SELECT account_code, parent_code AS relative, 'parent' AS relation FROM children
UNION ALL SELECT c.account_code, s.account_code, 'siblings' FROM children c JOIN children s USING (parent_code)
WHERE c.account_code <> s.account_code AND c.family <= {LARGEST_FAMILY}
ORDER BY ALL
"""
"""Who belongs together: account, relative, relation. The hierarchy has no history: it is taken as always known."""


def _stored(connection: duckdb.DuckDBPyConnection, name: str) -> tuple[str, str]:
    """A canonical table as stored, and in which order: identifiers of accounts and contacts as numbers, nothing personal,
    by account and instant.
    """
    table = TABLES[name]
    columns = [f"t.{quoted(column.name)}" for column in table.columns if not column.personal]
    if name == "rates":
        return f"SELECT {', '.join(columns)} FROM good_rates t", "ALL"
    if name == "accounts":
        return (
            f"SELECT account_code, {', '.join(columns)} FROM good_accounts t JOIN codes USING (account)",
            "account_code",
        )
    join = "LEFT JOIN codes k ON k.account = t.account"
    columns = ["k.account_code", *(column for column in columns if column != 't."account"')]
    if "contact" in table.by_name:
        join += " LEFT JOIN people p ON p.account = t.account AND p.contact = t.contact"
        columns = ["k.account_code", "p.contact_code", *(c for c in columns[1:] if c != 't."contact"')]
    names = [column.split(".", 1)[1] for column in columns]
    first = [names[0], *(quoted(time) for time in happened(table)[:1])]
    return f"SELECT {', '.join(columns)} FROM good_{name} t {join}", ", ".join(dict.fromkeys([*first, *names]))


def _digest(folder: Path) -> str:
    total = hashlib.sha256()
    for file in sorted(folder.glob("*.parquet")):
        with file.open("rb") as stream:
            total.update(f"{file.name} {hashlib.file_digest(stream, 'sha256').hexdigest()}\n".encode())
    return total.hexdigest()[:16]
