"""The limit: what it costs to read the usage and group it by account and day, and nothing more."""

from __future__ import annotations

from pathlib import Path

import duckdb

PACKAGE = "duckdb"


def build(tables: Path, as_of: list[int], out: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.sql(
            "SELECT account_code, epoch_us(occurred_at) // 86400000000 AS day, count(*) AS events, sum(value) AS value "
            f"FROM '{tables / 'usage.parquet'}' GROUP BY ALL"
        ).to_arrow_table()
