"""The application store's tables, brought to what this release needs: cheap when they are, safe when two do it at once."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from features.errors import PropensityError

HEAD = "0004"
"""The last of the migrations: told here so that a store that is up to date is known without loading Alembic."""
VERSION_TABLE = "propensity_version"
"""A name of our own: MLflow may live in the same database, and calls its table as Alembic does by default."""
LOCK = 7_105_733_226
"""Any number, as long as nobody else locks by it."""


def upgrade(engine: Engine) -> None:
    """Bring a store to ``HEAD``; one made before there were migrations keeps what it has.

    Raises PropensityError where the store cannot be reached or written (503), or is of a later release.
    """
    try:
        with engine.connect() as connection:
            if version(connection) == HEAD:
                return
            connection.rollback()
            _alone(connection)
            if version(connection) != HEAD:  # while this process waited, another may have done it
                _run(connection)
            connection.commit()
    except sa.exc.OperationalError as error:
        raise PropensityError(
            f"the application store cannot be reached or written: {error.orig}",
            "Check that it is up, not locked and has room; nothing was changed.",
            status=503,
        ) from error


def version(connection: Connection) -> str | None:
    """The migration that a store is at; None where it has none."""
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return None
    found: str | None = connection.exec_driver_sql(f"SELECT version_num FROM {VERSION_TABLE}").scalar()
    return found


def _alone(connection: Connection) -> None:
    """Until this transaction is over nobody else changes the tables; what is made in it is made whole or not at all."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:number)"), {"number": LOCK})
    else:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _run(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - a tenth of a second, for something that happens once per release
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise PropensityError(
            f"the application store is of a later release than this one: {error}",
            "Install the release that wrote it, or name another store in propensity.toml.",
        ) from error
