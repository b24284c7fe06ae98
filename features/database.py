"""DuckDB within the workspace's memory: what does not fit is spilled to a folder, and what cannot be spilled says so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from features.errors import PropensityError
from features.threads import THREADS
from features.workspace import Workspace


def quoted(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """An SQL string."""
    return "'" + text.replace("'", "''") + "'"


@contextmanager
def connected(workspace: Workspace, spill: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection of its own, closed in the end. Raises PropensityError where the memory does not do."""
    config = workspace.config
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"SET memory_limit = '{config.database_bytes} B'")
        connection.execute(f"SET temp_directory = {literal(str(spill))}")
        connection.execute(f"SET threads = {THREADS}")
        try:
            yield connection
        except (duckdb.OutOfMemoryException, OSError) as error:  # OSError where rows are streamed
            if isinstance(error, OSError) and "Out of Memory Error" not in str(error):
                raise
            if "offload" in str(error):
                raise PropensityError(
                    f"there is no room left in {spill} for what memory of {config.memory} does not hold",
                    "Free space on that disk, or state more under memory in propensity.toml.",
                ) from error
            raise PropensityError(
                f"memory of {config.memory} is too little for these tables",
                "State more under memory in propensity.toml; a machine with fewer processors needs less, too.",
            ) from error
