"""A PostgreSQL that hangs is given up in time, by everybody, and found again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from benchmarks.drills import until
from features.errors import PropensityError
from features.workspace import Workspace
from serving.stores.patience import SilentError
from serving.stores.store import Store
from tests import company, postgres


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    found = company.found(tmp_path, accounts=3)
    with postgres.postgresql() as url:
        store = url.replace("postgresql://", "postgresql+psycopg://")
        made = Workspace(found.root, found.config.model_copy(update={"store": store}))
        made.store_seconds = 0.5
        made.state.mkdir(parents=True, exist_ok=True)
        yield made
        Store(made).engine.dispose()


def silent(store: Store) -> str:
    with pytest.raises(sa.exc.OperationalError) as caught:
        store.shown("churn")
    assert isinstance(caught.value.orig, SilentError)
    return str(caught.value.orig)


def reached(store: Store) -> bool:
    try:
        store.shown("churn")
    except sa.exc.OperationalError:
        return False
    return True


def test_a_server_that_hangs_is_given_up_by_all_and_found_again(workspace: Workspace) -> None:
    store, heard = Store(workspace), list[str]()
    with store.engine.connect() as first, store.engine.connect() as second:
        backend = first.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        second.exec_driver_sql("SELECT 1")
    with postgres.stopped(backend):
        asking = [threading.Thread(target=lambda: heard.append(silent(store))) for _ in range(8)]
        for thread in asking:
            thread.start()
        for thread in asking:
            thread.join()
        assert len(heard) == 8
        assert all("says nothing" in line or "has said nothing" in line for line in heard)
        assert "tried again" in silent(store), "nobody waits for what is known"
        with pytest.raises(PropensityError, match="cannot be written") as caught, store.writing():
            pass
        assert caught.value.status == 503
    until(lambda: reached(store), "the server being found again")


def test_a_server_that_hangs_from_the_beginning_is_given_up(workspace: Workspace) -> None:
    with Store(workspace).engine.connect() as connection:
        backend = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    other = Workspace(workspace.root, workspace.config)
    other.store_seconds = 0.25
    with postgres.stopped(backend):
        for _ in range(2):
            with pytest.raises(PropensityError, match="cannot be reached or written") as caught:
                Store(other)
            assert caught.value.status == 503
    until(lambda: reached(Store(workspace)), "the server being found again")


def test_a_statement_that_takes_too_long_is_ended_by_the_server_and_nobody_else_is(workspace: Workspace) -> None:
    store = Store(workspace)
    with store.engine.connect() as connection, pytest.raises(sa.exc.OperationalError) as caught:
        connection.exec_driver_sql("SELECT pg_sleep(600)")
    assert isinstance(caught.value.orig, psycopg.errors.QueryCanceled)
    assert reached(store)


def test_what_keeps_coming_is_waited_for(workspace: Workspace) -> None:
    """Rows that come one by one, though together they take longer than the patience."""
    store = Store(workspace)
    with store.engine.connect() as connection:
        connection.exec_driver_sql("SET statement_timeout = 0")
        said = connection.exec_driver_sql("SELECT pg_sleep(0.6), repeat('x', 20000) FROM generate_series(1, 5)")
        assert len(said.all()) == 5


def test_another_database_is_named(tmp_path: Path) -> None:
    found = company.found(tmp_path, accounts=3)
    with pytest.raises(PropensityError, match="begins with 'mysql'"):
        Store(Workspace(found.root, found.config.model_copy(update={"store": "mysql://ada:secret@host/some"})))
