"""Typed rows → good rows: repeats dropped, impossible rows set aside with their reason, amounts in one currency."""

from __future__ import annotations

from datetime import date

import duckdb

from features import windows
from features.database import literal, quoted
from features.errors import PropensityError, one_of
from features.quality import Problem, Report, TableReport
from features.reading import columns, count
from features.settings.data import Check
from features.tables import TABLES, Table
from features.workspace import Workspace

EXAMPLES = 3
MONEY_DATE = {
    "contracts": "coalesce(signed, starts)",
    "invoices": "issued",
    "advocacy": "coalesce(done, asked)",
    "deals": "opened",
    "costs": "occurred_at",
}
"""The instant whose exchange rate converts a table's amounts."""


def judge(connection: duckdb.DuckDBPyConnection, workspace: Workspace, table: Table, report: TableReport) -> None:
    """``good_X`` and ``bad_X``: repeated rows dropped, impossible ones set aside, amounts in one currency."""
    config, name = workspace.config, table.name
    impossible = [(rule.problem, rule.broken) for rule in table.rules]
    checks = _repeats(table, report) + _orphans(table)
    told = _dangling(connection, table)
    if config.impossible == "quarantine":
        checks += impossible
    else:
        told += impossible
    cases = ["problem", *(f"CASE WHEN {broken} THEN {literal(problem)} END" for problem, broken in checks)]
    connection.execute(
        f"CREATE TABLE judged_{name} AS "
        f"SELECT * REPLACE (coalesce({', '.join(cases)}) AS problem) FROM ({_beside(connection, table, report)})"
    )
    for problem, true in told:
        report.problems += problems(connection, table, f"{true} AND problem IS NULL", literal(problem), report, False)
    if table.of_type("money"):
        _convert(connection, config.currency, table, "rates" in config.tables)
    connection.execute(f"CREATE VIEW bad_{name} AS SELECT row, problem FROM judged_{name} WHERE problem <> 'repeated'")
    kept = ", ".join(quoted(column.name) for column in table.columns)
    connection.execute(f"CREATE VIEW good_{name} AS SELECT {kept} FROM judged_{name} WHERE problem IS NULL")
    report.rows = count(connection, f"good_{name}")
    report.quarantined = count(connection, f"bad_{name}")
    report.repeated = report.read - report.rows - report.quarantined
    report.problems = problems(connection, table, "problem <> 'repeated'", "problem", report, True) + report.problems
    report.first, report.last = time_range(connection, table, config.timezone)


def _beside(connection: duckdb.DuckDBPyConnection, table: Table, report: TableReport) -> str:
    """The typed rows with their defaults, and beside them what the rules and checks ask for."""
    names, joins = set(table.by_name), []
    beside = {"account_created": "CAST(NULL AS TIMESTAMPTZ)", "contract_starts": "CAST(NULL AS TIMESTAMPTZ)"}
    if "account" in names and table.name != "accounts":
        joins.append("LEFT JOIN good_accounts a ON a.account = t.account")
        beside |= {"known_account": "a.account IS NOT NULL", "account_created": "a.created"}
    if table.name == "usage" and exists(connection, "good_contracts"):
        joins.append("LEFT JOIN good_contracts c ON c.contract = t.contract AND c.account = t.account")
        beside |= {"known_contract": "c.contract IS NOT NULL", "contract_starts": "c.starts"}
    if "contact" in names and table.name != "contacts" and exists(connection, "good_contacts"):
        joins.append("LEFT JOIN good_contacts p ON p.contact = t.contact AND p.account = t.account")
        beside |= {"known_contact": "p.contact IS NOT NULL"}
    if table.key in report.columns:
        values = ", ".join(f"t.{quoted(column)}" for column in table.by_name)
        beside["same_content"] = f"row_number() OVER (PARTITION BY {values} ORDER BY t.row)"
        # The row that begins first keeps its key: a key used again later must not displace what was known before.
        begins = ", ".join(f"t.{quoted(column)}" for column in table.of_type("time") if column != "recorded_at")
        beside["same_key"] = (
            f"dense_rank() OVER (PARTITION BY t.{quoted(table.key)} ORDER BY least({begins}), {values})"
        )
    extra = ", ".join(f"{sql} AS {name}" for name, sql in beside.items())
    defaults = ", ".join(
        f"coalesce({quoted(column.name)}, {column.default}) AS {quoted(column.name)}"
        for column in table.columns
        if column.default
    )
    replace = f" REPLACE ({defaults})" if defaults else ""
    return f"SELECT *{replace} FROM (SELECT t.*, {extra} FROM typed_{table.name} t {' '.join(joins)})"


def exists(connection: duckdb.DuckDBPyConnection, relation: str) -> bool:
    found = connection.execute("SELECT count(*) FROM duckdb_views() WHERE view_name = ?", [relation]).fetchone()
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


def _orphans(table: Table) -> list[tuple[str, str]]:
    if "account" not in table.by_name or table.name == "accounts":
        return []
    return [("account is not in accounts", "account IS NOT NULL AND NOT known_account")]


def _dangling(connection: duckdb.DuckDBPyConnection, table: Table) -> list[tuple[str, str]]:
    """References to rows that are not there (yet). The row stays: were it set aside, a contact or contract that
    arrives late would change what had been known before.
    """
    checks = []
    if "contact" in table.by_name and table.name != "contacts" and exists(connection, "good_contacts"):
        checks.append(("contact is not in contacts of this account", "contact IS NOT NULL AND NOT known_contact"))
    if table.name == "usage" and exists(connection, "good_contracts"):
        checks.append(("contract is not in contracts of this account", "contract IS NOT NULL AND NOT known_contract"))
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
        f"CREATE OR REPLACE TABLE judged_{name} AS SELECT * EXCLUDE (rate) "
        f"REPLACE ({converted}, coalesce(problem, {unrated}) AS problem) FROM (SELECT j.*, r.rate FROM judged_{name} j "
        f"ASOF LEFT JOIN good_rates r ON j.currency = r.currency AND {when} >= r.valid_from)"
    )


def problems(
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
    """Only columns of the contract are shown: what else the source has may be personal."""
    told = {column.name for column in TABLES[name].columns if not column.personal}
    shown = [column for column in columns(connection, f"raw_{name}") if column in told]
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


def time_range(connection: duckdb.DuckDBPyConnection, table: Table, zone: str) -> tuple[str | None, str | None]:
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


def flag_future(connection: duckdb.DuckDBPyConnection, report: Report, mapped: list[Table], zone: str) -> None:
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
        found.problems += problems(connection, table, where, "'happens after the exports were taken'", found, False)


def own_check(connection: duckdb.DuckDBPyConnection, check: Check) -> Problem:
    try:
        found = connection.execute(f"SELECT * FROM ({check.sql.strip().rstrip(';')})")
        columns = [column[0] for column in found.description or []]
        rows = found.fetchall()
        of = count(connection, quoted(check.of)) if check.of else len(rows)
    except duckdb.Error as error:
        raise PropensityError(
            f"checks: {check.name}: {str(error).splitlines()[0]}",
            "Mend the sql or the of of that check; it may name any source.",
        ) from error
    examples = [", ".join(f"{c}={v}" for c, v in zip(columns, row, strict=True)) for row in rows[:EXAMPLES]]
    return Problem(check.name, len(rows), len(rows) / max(of, 1), examples, quarantined=False)
