"""The application store's migrations, on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import serving
from features.errors import PropensityError
from features.workspace import Workspace
from serving.scores.score import Reason, Score
from serving.stores import audit, keys, log, once, schema, store
from serving.stores.store import METADATA, Store
from tests import company, postgres

SCORE = Score(
    "s1", "churn", "a1", date(2026, 1, 31), 0.25, 0.125, 0.5, 1, 1.0, 3, "row", "frame", [Reason("why", "f", 0.5)]
)
OLD = [store.SCORES, store.BATCHES, store.NAMES, log.LOG]
"""What ``create_all`` made before there were migrations."""


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Workspace]:
    """A workspace whose store holds nothing, not even tables."""
    url = None
    if request.param == "postgresql":
        url = str(request.getfixturevalue("database"))
        postgres.emptied(url)
    found = company.found(tmp_path, accounts=3)
    made = Workspace(found.root, found.config.model_copy(update={"store": url}))
    made.state.mkdir(parents=True, exist_ok=True)
    yield made
    store._engine(made.store_url, made.store_seconds, os.getpid()).dispose()


def engine(workspace: Workspace) -> sa.Engine:
    return sa.create_engine(workspace.store_url, poolclass=sa.NullPool)


def differences(workspace: Workspace) -> list[object]:
    with engine(workspace).connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": schema.VERSION_TABLE, "compare_type": True}
        )
        return list(compare_metadata(context, METADATA))


def test_head_is_the_last_migration() -> None:
    folder = Path(serving.__path__[0]) / "stores" / "migrations"
    config = Config()
    config.set_main_option("script_location", str(folder))
    script = ScriptDirectory.from_config(config)
    assert script.get_heads() == [schema.HEAD]
    assert len(list(script.walk_revisions())) == len(list((folder / "versions").glob("[!_]*.py")))


def test_the_migrations_make_what_the_code_takes_for_granted(empty: Workspace) -> None:
    assert {audit.AUDIT.name, keys.KEYS.name, log.LOG.name, once.REQUESTS.name} < METADATA.tables.keys()
    assert differences(empty)
    Store(empty)
    assert differences(empty) == []


def test_a_store_from_before_there_were_migrations_is_taken_over_with_all_it_holds(empty: Workspace) -> None:
    METADATA.create_all(engine(empty), tables=OLD)
    with engine(empty).begin() as connection:
        connection.execute(store.NAMES.insert(), {"account": "a1", "name": "Ada & Co"})
        connection.execute(store.SCORES.insert(), store._row(SCORE))
    found = Store(empty)
    assert found.names(["a1"]) == {"a1": "Ada & Co"}
    assert found.score("s1") == SCORE
    assert differences(empty) == []


def test_a_store_that_only_ever_held_scores_gets_the_rest(empty: Workspace) -> None:
    METADATA.create_all(engine(empty), tables=OLD[:2])
    Store(empty)
    assert differences(empty) == []


def test_up_to_date_is_known_without_alembic_and_without_writing(empty: Workspace, tmp_path: Path) -> None:
    Store(empty)
    code = (
        "import sys, sqlalchemy as sa; from serving.stores import schema; "
        f"schema.upgrade(sa.create_engine({empty.store_url!r}, poolclass=sa.NullPool)); print('alembic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "False"


def test_many_processes_may_begin_at_once(empty: Workspace) -> None:
    code = f"import sqlalchemy as sa; from serving.stores import schema; schema.upgrade(sa.create_engine({empty.store_url!r}, poolclass=sa.NullPool))"
    begun = [subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE) for _ in range(4)]
    said = [process.communicate(timeout=120)[1].decode() for process in begun]
    assert ([process.returncode for process in begun], said) == ([0] * 4, [""] * 4)
    assert differences(empty) == []


def test_a_migration_that_fails_leaves_nothing_behind(empty: Workspace) -> None:
    METADATA.create_all(engine(empty), tables=[store.NAMES, keys.KEYS])  # the second step finds what it wants to make
    with pytest.raises((sa.exc.OperationalError, sa.exc.ProgrammingError, PropensityError)):
        Store(empty)
    assert set(sa.inspect(engine(empty)).get_table_names()) == {"names", "api_keys"}


def test_a_store_of_a_later_release_is_refused(empty: Workspace) -> None:
    Store(empty)
    with engine(empty).begin() as connection:
        connection.execute(sa.text(f"UPDATE {schema.VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(PropensityError, match="of a later release than this one"):
        Store(empty)


def test_sqlite_keeps_a_journal_ahead_and_waits_for_others(tmp_path: Path) -> None:
    with Store(company.found(tmp_path, accounts=3)).engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 10_000


def test_a_store_that_is_down_says_so(tmp_path: Path) -> None:
    found = company.found(tmp_path, accounts=3)
    away = found.config.model_copy(update={"store": "postgresql+psycopg://nobody@127.0.0.1:9/none"})
    with pytest.raises(PropensityError, match="cannot be reached") as caught:
        Store(Workspace(found.root, away))
    assert caught.value.status == 503
