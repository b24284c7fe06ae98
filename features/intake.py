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
from datetime import date
from pathlib import Path

import duckdb

from features import parsing, windows
from features.errors import PropensityError, one_of
from features.files import replaced
from features.quality import Problem, Report, TableReport
from features.sources.files import RawSource, literal, open_sources, quoted, unreadable
from features.tables import SQL_TYPES, TABLES, Table
from features.workspace import Check, Mapping, Workspace

Progress = Callable[[str], None]
EXAMPLES = 3
MONEY_DATE = {
    "contracts": "coalesce(signed, starts)",
    "invoices": "issued",
    "advocacy": "coalesce(done, asked)",
    "deals": "opened",
    "costs": "occurred_at",
}
"""The instant whose exchange rate converts a table's amounts."""


@dataclass
class Intake:
    """An open intake: every mapped table read and judged, nothing written yet."""

    workspace: Workspace
    connection: duckdb.DuckDBPyConnection
    report: Report

    def names(self) -> list[tuple[str, str]]:
        """Account and its name, for the application store, the only place where names are kept."""
        if "name" not in _columns(self.connection, "good_accounts"):
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
                for column in _columns(self.connection, f"raw_{name}")
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
            self.connection.execute(
                f"COPY ({_stored(self.connection, name)}) TO {literal(str(part / f'{name}.parquet'))} "
                "(FORMAT parquet, COMPRESSION zstd)"
            )
        self.connection.execute(
            f"COPY (SELECT contact_code, account_code, contact, role FROM people ORDER BY contact_code) "
            f"TO {literal(str(part / 'people.parquet'))} (FORMAT parquet, COMPRESSION zstd)"
        )
        digest = _digest(part)
        final = self.workspace.tables / digest
        final.parent.mkdir(parents=True, exist_ok=True)
        if final.exists():
            shutil.rmtree(part)
        else:
            part.rename(final)
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
        mapped = [table for name, table in TABLES.items() if name in config.tables]
        reports: dict[str, TableReport] = {}
        for table in mapped:
            progress(table.name)
            mapping = config.tables[table.name]
            reports[table.name] = _type(connection, table, mapping, sources, config.timezone)
        for table in sorted(mapped, key=lambda table: table.name != "rates"):
            progress(table.name)
            _judge(connection, workspace, table, reports[table.name])
        report = Report(reports, [_own_check(connection, check) for check in config.checks])
        report.observed_until = _observed_until(connection, workspace, mapped)
        _flag_future(connection, report, mapped, config.timezone)
        _number_people(connection, mapped)
        yield Intake(workspace, connection, report)


def current(workspace: Workspace) -> tuple[Path, Report]:
    """The folder of the canonical tables in use and the report of their intake."""
    pointer = workspace.tables / "current"
    if not pointer.is_file():
        raise PropensityError(f"{workspace.root} has no tables yet", "Run `propensity features` first.")
    folder = workspace.tables / pointer.read_text(encoding="utf-8")
    return folder, Report.from_dict(json.loads((folder / "report.json").read_text(encoding="utf-8")))


def _columns(connection: duckdb.DuckDBPyConnection, relation: str) -> list[str]:
    return [row[0] for row in connection.execute(f"DESCRIBE {relation}").fetchall()]


def _select(table: Table, mapping: Mapping) -> str:
    if mapping.sql is not None:
        return mapping.sql.strip().rstrip(";")
    renamed = {raw: name for name, raw in mapping.columns.items()}
    columns = ", ".join(f"{quoted(raw)} AS {quoted(name)}" for raw, name in renamed.items())
    assert mapping.source is not None
    if not columns:
        return f"SELECT * FROM {quoted(mapping.source)}"
    return f"SELECT {columns} FROM {quoted(mapping.source)}"


def _type(
    connection: duckdb.DuckDBPyConnection, table: Table, mapping: Mapping, sources: dict[str, RawSource], zone: str
) -> TableReport:
    """``raw_X``: the mapping's rows, numbered; ``typed_X``: the same with canonical types and the parsing problems."""
    raw, typed = f"raw_{table.name}", f"typed_{table.name}"
    try:
        connection.execute(
            f"CREATE TEMP TABLE {raw} AS SELECT row_number() OVER () AS row, * FROM ({_select(table, mapping)})"
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
    report = TableReport(table.name, handled=_handled(mapping, sources))
    if extra := set(types) - set(table.by_name) - {"row"}:
        report.handled.append(f"columns that are not in the contract ignored: {one_of(extra)}")
    report.columns = [column.name for column in table.columns if column.name in types]
    expressions, problems = ["row"], ["NULL"]
    for column in table.columns:
        name, sql_type = quoted(column.name), SQL_TYPES[column.type]
        if column.name not in types:
            expressions.append(f"CAST(NULL AS {sql_type}) AS {name}")
            continue
        try:
            parsed = parsing.parse(connection, raw, column, types[column.name], mapping, zone)
        except PropensityError as error:
            raise PropensityError(f"tables.{table.name}: {error.message}", error.hint) from error
        expressions.append(f"CAST({parsed.sql} AS {sql_type}) AS {name}")
        report.handled += [parsed.handled] if parsed.handled else []
        report.date_only += [column.name] if parsed.date_only else []
        given = f"nullif(CAST(r.{name} AS VARCHAR), '') IS NOT NULL"
        problems.append(f"CASE WHEN {given} AND t.{name} IS NULL THEN {literal(parsing.not_parsed(column))} END")
        if column.required:
            problems.append(f"CASE WHEN NOT ({given}) THEN {literal(column.name + ' is missing')} END")
    connection.execute(
        f"CREATE TEMP TABLE {typed} AS WITH t AS (SELECT {', '.join(expressions)} FROM {raw}) "
        f"SELECT t.*, coalesce({', '.join(problems)}) AS problem FROM t JOIN {raw} r USING (row)"
    )
    report.read = _count(connection, raw)
    return report


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


def _judge(connection: duckdb.DuckDBPyConnection, workspace: Workspace, table: Table, report: TableReport) -> None:
    """``good_X`` and ``bad_X``: repeated rows dropped, impossible ones set aside, amounts in one currency."""
    config, name = workspace.config, table.name
    impossible = [(rule.problem, rule.broken) for rule in table.rules]
    checks = _repeats(table, report) + _orphans(connection, table)
    if config.impossible == "quarantine":
        checks += impossible
    cases = ["problem", *(f"CASE WHEN {broken} THEN {literal(problem)} END" for problem, broken in checks)]
    connection.execute(
        f"CREATE TEMP TABLE judged_{name} AS "
        f"SELECT * REPLACE (coalesce({', '.join(cases)}) AS problem) FROM ({_beside(connection, table, report)})"
    )
    if config.impossible == "keep":
        for problem, broken in impossible:
            report.problems += _problems(
                connection, table, f"{broken} AND problem IS NULL", literal(problem), report, False
            )
    if table.of_type("money"):
        _convert(connection, config.currency, table, "rates" in config.tables)
    connection.execute(
        f"CREATE TEMP TABLE bad_{name} AS SELECT row, problem FROM judged_{name} WHERE problem <> 'repeated'"
    )
    kept = ", ".join(quoted(column.name) for column in table.columns)
    connection.execute(f"CREATE TEMP TABLE good_{name} AS SELECT {kept} FROM judged_{name} WHERE problem IS NULL")
    report.rows = _count(connection, f"good_{name}")
    report.quarantined = _count(connection, f"bad_{name}")
    report.repeated = report.read - report.rows - report.quarantined
    report.problems = _problems(connection, table, "problem <> 'repeated'", "problem", report, True) + report.problems
    report.first, report.last = _range(connection, table, config.timezone)


def _count(connection: duckdb.DuckDBPyConnection, relation: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {relation}").fetchone()
    assert row is not None
    return int(row[0])


def _beside(connection: duckdb.DuckDBPyConnection, table: Table, report: TableReport) -> str:
    """The typed rows with their defaults, and beside them what the rules and checks ask for."""
    names, joins = set(table.by_name), []
    beside = {"account_created": "CAST(NULL AS TIMESTAMPTZ)", "contract_starts": "CAST(NULL AS TIMESTAMPTZ)"}
    if "account" in names and table.name != "accounts":
        joins.append("LEFT JOIN good_accounts a ON a.account = t.account")
        beside |= {"known_account": "a.account", "account_created": "a.created"}
    if table.name == "usage" and _exists(connection, "good_contracts"):
        joins.append("LEFT JOIN good_contracts c ON c.contract = t.contract AND c.account = t.account")
        beside |= {"known_contract": "c.contract", "contract_starts": "c.starts"}
    if "contact" in names and table.name != "contacts" and _exists(connection, "good_contacts"):
        joins.append("LEFT JOIN good_contacts p ON p.contact = t.contact AND p.account = t.account")
        beside |= {"known_contact": "p.contact"}
    if table.key in report.columns:
        values = ", ".join(f"t.{quoted(column)}" for column in table.by_name)
        beside["same_content"] = f"row_number() OVER (PARTITION BY {values} ORDER BY t.row)"
        # The row that begins first keeps its key: a key used again later must not displace what was known before.
        begins = ", ".join(f"t.{quoted(column)}" for column in table.of_type("time") if column != "recorded_at")
        beside["same_key"] = f"dense_rank() OVER (PARTITION BY t.{quoted(table.key)} ORDER BY least({begins}), {values})"
    extra = ", ".join(f"{sql} AS {name}" for name, sql in beside.items())
    defaults = ", ".join(
        f"coalesce({quoted(column.name)}, {column.default}) AS {quoted(column.name)}"
        for column in table.columns
        if column.default
    )
    replace = f" REPLACE ({defaults})" if defaults else ""
    return f"SELECT *{replace} FROM (SELECT t.*, {extra} FROM typed_{table.name} t {' '.join(joins)})"


def _exists(connection: duckdb.DuckDBPyConnection, relation: str) -> bool:
    found = connection.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = ?", [relation]).fetchone()
    assert found is not None
    return bool(found[0])


def _repeats(table: Table, report: TableReport) -> list[tuple[str, str]]:
    if table.key not in report.columns:
        return []
    key = quoted(table.key)
    return [
        ("repeated", f"{key} IS NOT NULL AND same_content > 1"),
        (f"{table.key} seen before with other content", f"{key} IS NOT NULL AND same_key > 1"),
    ]


def _orphans(connection: duckdb.DuckDBPyConnection, table: Table) -> list[tuple[str, str]]:
    checks = []
    if "account" in table.by_name and table.name != "accounts":
        checks.append(("account is not in accounts", "account IS NOT NULL AND known_account IS NULL"))
    if "contact" in table.by_name and table.name != "contacts" and _exists(connection, "good_contacts"):
        checks.append(("contact is not in contacts of this account", "contact IS NOT NULL AND known_contact IS NULL"))
    if table.name == "usage" and _exists(connection, "good_contracts"):
        checks.append(
            ("contract is not in contracts of this account", "contract IS NOT NULL AND known_contract IS NULL")
        )
    return checks


def _convert(connection: duckdb.DuckDBPyConnection, home: str, table: Table, rates: bool) -> None:
    """Amounts into the workspace's currency, at the rate of the row's own date; never mixed, never guessed."""
    name, when = table.name, MONEY_DATE[table.name]
    connection.execute(f"UPDATE judged_{name} SET currency = coalesce(upper(currency), {literal(home)})")
    foreign = connection.execute(
        f"SELECT DISTINCT currency FROM judged_{name} WHERE currency <> {literal(home)} AND problem IS NULL ORDER BY 1"
    ).fetchall()
    if not foreign:
        return
    if not rates:
        raise PropensityError(
            f"tables.{name} has amounts in {one_of(row[0] for row in foreign)} beside {home}, and there are no rates",
            "Map the table rates (currency, valid_from, rate), or convert in the mapping's sql.",
        )
    converted = ", ".join(f"round({column} * coalesce(rate, 1), 2) AS {column}" for column in table.of_type("money"))
    unrated = f"CASE WHEN currency <> {literal(home)} AND rate IS NULL THEN 'no exchange rate on its date' END"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE judged_{name} AS SELECT * EXCLUDE (rate) "
        f"REPLACE ({converted}, coalesce(problem, {unrated}) AS problem) FROM (SELECT j.*, r.rate FROM judged_{name} j "
        f"ASOF LEFT JOIN good_rates r ON j.currency = r.currency AND {when} >= r.valid_from)"
    )


def _problems(
    connection: duckdb.DuckDBPyConnection, table: Table, where: str, problem: str, report: TableReport, aside: bool
) -> list[Problem]:
    """Problems of judged rows, most frequent first, with examples in the source's own words."""
    name = table.name
    found = connection.execute(
        f"SELECT {problem}, count(*), list(row ORDER BY row)[1:{EXAMPLES}] FROM judged_{name} WHERE {where} "
        "GROUP BY 1 ORDER BY 2 DESC, 1"
    ).fetchall()
    return [
        Problem(text, count, count / max(report.read, 1), _examples(connection, name, rows), aside)
        for text, count, rows in found
    ]


def _examples(connection: duckdb.DuckDBPyConnection, name: str, rows: list[int]) -> list[str]:
    personal = {column.name for column in TABLES[name].columns if column.personal}
    shown = [column for column in _columns(connection, f"raw_{name}") if column not in personal | {"row"}]
    cells = ", ".join(f"CAST({quoted(column)} AS VARCHAR)" for column in shown)
    numbers = ", ".join(str(row) for row in rows)
    found = connection.execute(f"SELECT row, {cells} FROM raw_{name} WHERE row IN ({numbers}) ORDER BY row").fetchall()
    return [
        f"row {row}: "
        + ", ".join(f"{column}={value}" for column, value in zip(shown, cells, strict=True) if value is not None)
        for row, *cells in found
    ]


def happened(table: Table) -> list[str]:
    """The columns of a table that say when something happened, as against what is planned ahead."""
    return [column.name for column in table.columns if column.type == "time" and column.known == "itself"]


def _range(connection: duckdb.DuckDBPyConnection, table: Table, zone: str) -> tuple[str | None, str | None]:
    times = happened(table)
    if not times:
        return None, None
    first, last = (
        ", ".join(f"{bound}(timezone({literal(zone)}, {quoted(time)}))" for time in times) for bound in ("min", "max")
    )
    row = connection.execute(
        f"SELECT CAST(least({first}) AS VARCHAR), CAST(greatest({last}) AS VARCHAR) FROM good_{table.name}"
    ).fetchone()
    assert row is not None
    return row[0], row[1]


def _observed_until(connection: duckdb.DuckDBPyConnection, workspace: Workspace, mapped: list[Table]) -> str | None:
    """The last local day with a fact, or the day the exports were taken where the workspace states it."""
    if workspace.config.as_of.exported is not None:
        return workspace.config.as_of.exported.isoformat()
    lasts = [
        last for table in mapped if table.facts and (last := _range(connection, table, workspace.config.timezone)[1])
    ]
    return max(lasts)[:10] if lasts else None


def _flag_future(connection: duckdb.DuckDBPyConnection, report: Report, mapped: list[Table], zone: str) -> None:
    """Say which tables speak of days after the exports were taken; such rows stay, and count for no earlier as_of."""
    if report.observed_until is None:
        return
    end = windows.as_of_instant(date.fromisoformat(report.observed_until), zone)
    for table in mapped:
        times = [quoted(time) for time in happened(table)]
        if not table.facts or not times:
            continue
        where = f"problem IS NULL AND greatest({', '.join(f'epoch_us({time})' for time in times)}) >= {end}"
        found = report.tables[table.name]
        found.problems += _problems(connection, table, where, "'happens after the exports were taken'", found, False)


def _own_check(connection: duckdb.DuckDBPyConnection, check: Check) -> Problem:
    try:
        found = connection.execute(f"SELECT * FROM ({check.sql.strip().rstrip(';')})")
        columns = [column[0] for column in found.description or []]
        rows = found.fetchall()
        of = _count(connection, quoted(check.of)) if check.of else len(rows)
    except duckdb.Error as error:
        raise PropensityError(
            f"checks: {check.name}: {str(error).splitlines()[0]}",
            "Mend the sql or the of of that check; it may name any source.",
        ) from error
    examples = [", ".join(f"{c}={v}" for c, v in zip(columns, row, strict=True)) for row in rows[:EXAMPLES]]
    return Problem(check.name, len(rows), len(rows) / max(of, 1), examples, quarantined=False)


def _number_people(connection: duckdb.DuckDBPyConnection, mapped: list[Table]) -> None:
    """``codes``: accounts numbered by their bytes; ``people``: contacts numbered within the order of their accounts."""
    connection.execute(
        "CREATE TEMP TABLE codes AS SELECT account, CAST(row_number() OVER (ORDER BY account) - 1 AS INTEGER) "
        "AS account_code FROM good_accounts"
    )
    seen = [
        f"SELECT DISTINCT account, contact FROM good_{table.name} WHERE contact IS NOT NULL AND account IS NOT NULL"
        for table in mapped
        if "contact" in table.by_name
    ]
    everyone = " UNION ".join(seen) or "SELECT NULL AS account, NULL AS contact WHERE false"
    role = "'user'"
    joined = ""
    if _exists(connection, "good_contacts"):
        role, joined = "coalesce(p.role, 'user')", "LEFT JOIN good_contacts p USING (account, contact)"
    connection.execute(
        f"CREATE TEMP TABLE people AS SELECT CAST(row_number() OVER (ORDER BY account_code, contact) - 1 AS INTEGER) "
        f"AS contact_code, account_code, account, contact, {role} AS role "
        f"FROM ({everyone}) JOIN codes USING (account) {joined}"
    )


def _stored(connection: duckdb.DuckDBPyConnection, name: str) -> str:
    """A canonical table as stored: identifiers of accounts and contacts as numbers, nothing personal, sorted by account."""
    table = TABLES[name]
    columns = [f"t.{quoted(column.name)}" for column in table.columns if not column.personal]
    if name == "rates":
        return f"SELECT {', '.join(columns)} FROM good_rates t ORDER BY ALL"
    if name == "accounts":
        return f"SELECT account_code, {', '.join(columns)} FROM good_accounts t JOIN codes USING (account) ORDER BY account_code"
    join = "LEFT JOIN codes k ON k.account = t.account"
    columns = ["k.account_code", *(column for column in columns if column != 't."account"')]
    if "contact" in table.by_name:
        join += " LEFT JOIN people p ON p.account = t.account AND p.contact = t.contact"
        columns = ["k.account_code", "p.contact_code", *(c for c in columns[1:] if c != 't."contact"')]
    return f"SELECT {', '.join(columns)} FROM good_{name} t {join} ORDER BY ALL"


def _digest(folder: Path) -> str:
    total = hashlib.sha256()
    for file in sorted(folder.glob("*.parquet")):
        with file.open("rb") as stream:
            total.update(f"{file.name} {hashlib.file_digest(stream, 'sha256').hexdigest()}\n".encode())
    return total.hexdigest()[:16]
