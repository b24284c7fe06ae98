"""What Alembic runs: always on a connection that ``serving.stores.schema`` hands over, within its transaction."""

from __future__ import annotations

from alembic import context

from serving.stores.schema import VERSION_TABLE

context.configure(connection=context.config.attributes["connection"], version_table=VERSION_TABLE)
with context.begin_transaction():
    context.run_migrations()
