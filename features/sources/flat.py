"""One flat file as it is: CSV (any delimiter; .gz too), Parquet or JSON, read by a DuckDB that can open nothing else.

A CSV has no types, so every column of a CSV arrives as text. Names that a file has twice are told apart by a number.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa

from features.database import literal
from features.errors import PropensityError, one_of
from features.sources.files import CSV, JSON, LONGEST_LINE, PARQUET
from features.threads import THREADS

MEMORY = "3GB"


def flat(file: Path) -> pa.Table:
    """Every row and column of a file, in its order. Raises PropensityError where it cannot be read or is empty."""
    place = file.resolve()
    if not place.is_file():
        raise PropensityError(f"there is no file {file}", "Name a CSV, Parquet or JSON file with --table.")
    reader = _reader(place)
    with TemporaryDirectory() as spill, duckdb.connect() as connection:
        for setting in (
            "TimeZone = 'UTC'",
            f"memory_limit = '{MEMORY}'",
            f"temp_directory = {literal(spill)}",
            f"threads = {THREADS}",
            "preserve_insertion_order = true",
            f"allowed_paths = [{literal(str(place))}]",
            "enable_external_access = false",
            "lock_configuration = true",
        ):
            connection.execute(f"SET {setting}")
        try:
            found = connection.sql(f"SELECT * FROM {reader}").to_arrow_table()
        except duckdb.Error as error:
            first = next((line for line in str(error).splitlines() if line.strip()), "unreadable")
            raise PropensityError(
                f"{file} cannot be read: {first}",
                "Check that the file is whole; a CSV has a line of names, and is UTF-8.",
            ) from error
    if not found.num_rows:
        raise PropensityError(f"{file} has no rows", "Name a table with a line of names and rows below it.")
    return found


def _reader(file: Path) -> str:
    ending = Path(file.name.removesuffix(".gz")).suffix.lower()
    if ending in PARQUET:
        return f"read_parquet({literal(str(file))})"
    if ending in JSON:
        return f"read_json({literal(str(file))})"
    if ending in CSV:
        return (
            f"read_csv({literal(str(file))}, all_varchar = true, header = true, "
            f"max_line_size = {LONGEST_LINE}, buffer_size = {2 * LONGEST_LINE})"
        )
    raise PropensityError(
        f"{file.name} ends in {ending!r}",
        f"Endings that can be read: {one_of(CSV + PARQUET + JSON)}; each CSV or JSON also with .gz.",
    )
