"""DuckDB within the workspace's memory: tables lie in a file, what else does not fit is spilled beside it, and what cannot
be spilled says so.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from features.errors import PropensityError
from features.threads import THREADS
from features.workspace import Workspace

NO_ROOM = ("failed to offload", *(os.strerror(code) for code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)))
"""What is said where a disk is full, or as full as it may be."""


def quoted(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """An SQL string."""
    return "'" + text.replace("'", "''") + "'"


def ran_out(error: Exception) -> bool:
    """Is it memory or disk that did not do?"""
    return isinstance(error, duckdb.OutOfMemoryException) or any(
        said in str(error) for said in ("Out of Memory Error", *NO_ROOM)
    )


@contextmanager
def connected(workspace: Workspace, spill: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection of its own, closed in the end. Raises PropensityError where memory or disk do not do.

    Its tables are written to a file as they are made, which takes far less memory than to keep temporary ones; they are
    never committed, since nobody reads them later.
    """
    config = workspace.config
    with duckdb.connect(spill / "tables.duckdb") as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"SET memory_limit = '{config.database_bytes} B'")
        connection.execute(f"SET temp_directory = {literal(str(spill))}")
        connection.execute(f"SET threads = {THREADS}")
        connection.begin()
        try:
            yield connection
        except (duckdb.OutOfMemoryException, duckdb.IOException, OSError) as error:  # OSError where rows are streamed
            if not ran_out(error):
                raise
            if any(said in str(error) for said in NO_ROOM):
                raise PropensityError(
                    f"there is no room left in {spill} for what memory of {config.memory} does not hold",
                    "Free space on that disk, or state more under memory in propensity.toml.",
                ) from error
            raise PropensityError(
                f"memory of {config.memory} is too little for these tables",
                "State more under memory in propensity.toml; a machine with fewer processors needs less, too.",
            ) from error
