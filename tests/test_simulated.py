"""The simulated world keeps the contract, has the rates it promises, and shows its causes only where planted."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pytest

from features.errors import PropensityError
from features.sources.simulated import OMITTED, PLANTED, SIGNALS, TRUTHS, World, simulate
from features.sources.simulated_outcomes import EASE, MOST_YES
from features.tables import TABLES

SMALL = World(accounts=1100, months=24, seed=11)


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    return _connected(SMALL, tmp_path_factory.mktemp("planted"))


@pytest.fixture(scope="module")
def chance(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    return _connected(World(accounts=1100, months=24, seed=11, signal=False), tmp_path_factory.mktemp("chance"))


def _connected(world: World, directory: Path) -> duckdb.DuckDBPyConnection:
    """The world as views, ``life`` (when each account came and went) and ``state`` (its last 60 days and 180 before).

    ``state`` holds one row per account and date, with ``lost``: gone within the 120 days that follow.
    """
    simulate(world, directory)
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    for name in [*TABLES, *TRUTHS]:
        connection.execute(f"CREATE VIEW {name} AS SELECT * FROM '{directory / name}.parquet'")
    connection.execute(
        """
        CREATE TABLE life AS
        SELECT account, min(starts) AS came, max(coalesce(ends, cancelled, TIMESTAMPTZ '2100-01-01')) AS went
        FROM contracts GROUP BY account;
        CREATE TABLE state AS
        SELECT account, t, went < t + INTERVAL 120 DAY AS lost,
            count(*) FILTER (occurred_at >= t - INTERVAL 60 DAY)
                / nullif(count(*) FILTER (occurred_at < t - INTERVAL 60 DAY) / 3, 0) AS ratio
        FROM life JOIN usage USING (account)
        CROSS JOIN (VALUES (TIMESTAMPTZ '2025-04-01'), ('2025-08-01'), ('2025-12-01'), ('2026-02-01')) dates(t)
        WHERE came < t - INTERVAL 240 DAY AND went > t
            AND occurred_at < t AND occurred_at >= t - INTERVAL 240 DAY
        GROUP BY account, t, went
        """
    )
    return connection


def _number(connection: duckdb.DuckDBPyConnection, query: str) -> float:
    row = connection.execute(query).fetchone()
    assert row is not None and row[0] is not None
    return float(row[0])


def _churn_per_year(connection: duckdb.DuckDBPyConnection) -> float:
    return _number(
        connection,
        """
        SELECT count(*) FILTER (went < TIMESTAMPTZ '2026-06-01')
            / (sum(epoch(least(went, TIMESTAMPTZ '2026-06-01') - greatest(came, TIMESTAMPTZ '2024-07-01')))
               / 86400 / 365)
        FROM life WHERE went > TIMESTAMPTZ '2024-07-01' AND came < TIMESTAMPTZ '2026-06-01'
        """,
    )


def _lost(connection: duckdb.DuckDBPyConnection, condition: str) -> float:
    return _number(connection, f"SELECT avg(lost::INTEGER) FROM state WHERE {condition}")


def test_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    world = World(accounts=60, months=6, seed=3, dirt=True)
    told: list[tuple[int, int]] = []
    rows = simulate(world, tmp_path / "a", progress=lambda done, total: told.append((done, total)))
    assert simulate(world, tmp_path / "b") == rows
    simulate(World(accounts=60, months=6, seed=4, dirt=True), tmp_path / "c")
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert names == sorted(f"{name}.parquet" for name in [*TABLES, *TRUTHS])
    assert told == [(60, 60)]
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert (tmp_path / "a" / "usage.parquet").read_bytes() != (tmp_path / "c" / "usage.parquet").read_bytes()


@pytest.mark.parametrize("name", TABLES)
def test_a_clean_world_keeps_the_contract(planted: duckdb.DuckDBPyConnection, name: str) -> None:
    table = TABLES[name]
    columns = [row[0] for row in planted.execute(f"DESCRIBE {name}").fetchall()]
    assert columns == [column.name for column in table.columns if column.name not in OMITTED.get(name, ())]
    left_out = "".join(f", NULL AS {column}" for column in OMITTED.get(name, ()))
    rows = f"(SELECT *, NULL::TIMESTAMPTZ AS contract_starts{left_out} FROM {name})"
    if "account" in columns and name != "accounts":
        parents = "(SELECT account, created AS account_created FROM accounts)"
        rows = f"(SELECT * FROM {rows} LEFT JOIN {parents} USING (account))"
        assert not _number(planted, f"SELECT count(*) FROM {rows} WHERE account NOT NULL AND account_created IS NULL")
    for rule in table.rules:
        assert not _number(planted, f"SELECT count(*) FROM {rows} WHERE {rule.broken}"), rule.problem
    for column in table.columns:
        if column.required and column.name in columns:
            assert not _number(planted, f'SELECT count(*) FROM {name} WHERE "{column.name}" IS NULL'), column.name
        if column.allowed:
            assert not _number(planted, f'SELECT count(*) FROM {name} WHERE "{column.name}" NOT IN {column.allowed}')
        if column.type == "time" and column.name in columns and column.name not in ("starts", "ends", "due"):
            beyond = f"\"{column.name}\" >= TIMESTAMPTZ '2026-07-01'"
            assert not _number(planted, f"SELECT count(*) FROM {name} WHERE {beyond}"), column.name
    if table.key in columns:
        assert not _number(planted, f"SELECT count(*) - count(DISTINCT {table.key}) FROM {name}")


def test_some_rows_arrive_late_and_only_where_asked_for(planted: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    assert 0.02 < _number(planted, "SELECT count(recorded_at) / count(*) FROM usage") < 0.04
    assert not _number(planted, "SELECT count(*) FROM usage WHERE recorded_at < occurred_at")
    simulate(World(accounts=60, months=6, late=False), tmp_path)
    for name in ("usage", "tickets", "feedback"):
        assert not _number(planted, f"SELECT count(recorded_at) FROM '{tmp_path / name}.parquet'")


def test_rates_are_as_promised_with_and_without_signal(
    planted: duckdb.DuckDBPyConnection, chance: duckdb.DuckDBPyConnection
) -> None:
    for world in (planted, chance):
        assert 0.16 < _churn_per_year(world) < 0.24
        years = _number(world, "SELECT count(*) / 12 FROM truth")
        assert 0.25 < _number(world, "SELECT count(done) FROM advocacy") / years < 0.45


def test_falling_use_goes_with_churn(planted: duckdb.DuckDBPyConnection) -> None:
    assert _lost(planted, "ratio < 0.6") > 1.8 * _lost(planted, "ratio > 0.8")


def test_losing_the_champion_contact_goes_with_churn_where_contacts_are_few(
    planted: duckdb.DuckDBPyConnection,
) -> None:
    planted.execute(
        """
        CREATE OR REPLACE VIEW champions AS
        SELECT t, account, any_value(lost) AS lost,
            bool_or(champion_contact AND "left" < t AND "left" > t - INTERVAL 150 DAY) AS departed,
            count(*) FILTER (joined < t AND coalesce("left" > t, true)) < 4 AS few
        FROM state JOIN contacts USING (account) GROUP BY t, account
        """
    )
    query = "SELECT avg(lost::INTEGER) FROM champions WHERE {}"
    departed, stayed = (_number(planted, query.format(f"few AND {which}")) for which in ("departed", "NOT departed"))
    assert departed > 1.8 * stayed
    many = _number(planted, query.format("NOT few AND departed"))
    assert departed > 1.5 * many


def test_advocates_are_satisfied_accounts_of_some_tenure(planted: duckdb.DuckDBPyConnection) -> None:
    young = "SELECT count(*) FROM advocacy JOIN accounts USING (account) WHERE done < created + INTERVAL 180 DAY"
    assert not _number(planted, young)
    happy = """
        SELECT avg(score) FROM feedback
        WHERE instrument = 'NPS' AND account {} (SELECT account FROM advocacy WHERE done NOT NULL)
    """
    assert _number(planted, happy.format("IN")) > 1 + _number(planted, happy.format("NOT IN"))


def test_the_truth_of_asks_speaks_of_all_accounts_and_agrees_with_the_asks_made(
    planted: duckdb.DuckDBPyConnection, chance: duckdb.DuckDBPyConnection
) -> None:
    """Who is asked says yes more often than who is not would have: the happy are asked more."""
    pool = ", ".join(f"('{kind}', {ease})" for kind, ease in EASE.items())
    planted.execute(
        f"""
        CREATE OR REPLACE VIEW made AS
        SELECT truth_asks.*, a.asked IS NOT NULL AS made, a.accepted IS NOT NULL AS yes, least({MOST_YES}, accepts * ease) AS chance
        FROM truth_asks LEFT JOIN (SELECT *, last_day(asked - INTERVAL 1 MONTH) AS as_of FROM advocacy WHERE asked NOT NULL) a
            USING (account, as_of) LEFT JOIN (VALUES {pool}) pool(kind, ease) USING (kind)
        """
    )
    rows = _number(planted, "SELECT count(*) FROM made")
    asked, expected = (_number(planted, f"SELECT sum({what}) FROM made") for what in ("made::INTEGER", "asked"))
    assert abs(asked - expected) < 3 * expected**0.5 < rows / 50
    yes, wanted = (_number(planted, f"SELECT sum({what}) FROM made WHERE made") for what in ("yes::INTEGER", "chance"))
    assert abs(yes - wanted) < 3 * wanted**0.5 < asked / 5
    base = "SELECT avg(accepts) FROM made WHERE {}"
    assert _number(planted, base.format("made")) > 1.3 * _number(planted, base.format("NOT made"))
    assert not _number(chance, "SELECT count(*) FROM truth_asks")


def test_without_signal_churn_does_not_depend_on_use(chance: duckdb.DuckDBPyConnection) -> None:
    falling, steady = _lost(chance, "ratio < 0.7"), _lost(chance, "ratio >= 0.7")
    rows = _number(chance, "SELECT count(*) FROM state WHERE ratio < 0.7")
    assert rows > 200
    assert abs(falling - steady) < 3 * (steady * (1 - steady) / rows) ** 0.5
    assert not _number(chance, "SELECT count(ends) FROM contracts")
    assert not _number(chance, "SELECT count(asked) FROM advocacy")


def test_every_cause_names_a_signal_that_exists() -> None:
    assert {cause.signal for cause in PLANTED} == set(SIGNALS)
    assert {(cause.outcome, cause.sign) for cause in PLANTED} == {
        (outcome, sign) for outcome in ("churn", "advocacy") for sign in (1, -1)
    }


def test_dirt_breaks_rules(tmp_path: Path) -> None:
    simulate(World(accounts=300, months=8, until=date(2026, 5, 17), dirt=True), tmp_path)
    found = duckdb.connect()
    for name, condition in (
        ("contracts", "seats < 0"),
        ("contracts", "NOT ends > starts"),
        ("usage", "isnan(value)"),
        ("usage", "account = 'account-nobody'"),
        ("usage", "occurred_at > TIMESTAMPTZ '2027-01-01'"),
        ("contacts", "role = 'Chef de cuisine'"),
        ("tickets", "resolved < opened"),
    ):
        assert _number(found, f"SELECT count(*) FROM '{tmp_path / name}.parquet' WHERE {condition}") > 0, condition


def test_a_world_without_accounts_is_refused() -> None:
    with pytest.raises(PropensityError, match="accounts is 0"):
        World(accounts=0)
