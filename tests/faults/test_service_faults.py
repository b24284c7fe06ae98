"""What befalls a service that people are asking: swaps, kills, a store or registry that is gone, an end, and time.

Each on SQLite and on PostgreSQL, against the real server; in small here, in full by ``python -m benchmarks.faults``.
"""

from __future__ import annotations

import resource
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from benchmarks import drills
from features.workspace import FILE, Workspace, load
from serving.scores.score import Score
from serving.stores.log import Log
from serving.stores.store import Store
from tests import postgres
from tests.faults.test_swap import away
from tests.serving.conftest import Server, launch, stop
from training.registry import Registry, Version

SWAPS = 2
WRITER_KILLS = 2
WRITES = 20
"""Entries that a writer has said to have written when it is killed."""
SOAK_SECONDS = 6.0
MORE_MEMORY, MORE_HANDLES = 0.05, 5
"""What the last third of a soak may have more than the middle one: a share, and a number."""


@dataclass
class Up:
    """A server, its workspace, and what both versions of churn say."""

    server: Server
    workspace: Workspace
    scores: dict[Version, list[Score]]

    @property
    def truth(self) -> drills.Truth:
        return {version.number: {one.account: one for one in said} for version, said in self.scores.items()}

    @property
    def url(self) -> str:
        return str(self.server.client.base_url)

    @property
    def accounts(self) -> list[str]:
        return sorted(next(iter(self.truth.values())))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def up(request: pytest.FixtureRequest, trained: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    folder = tmp_path_factory.mktemp(request.param)
    root = Path(shutil.copytree(trained.root, folder / "company"))
    with postgres.postgresql() if request.param == "postgresql" else _nothing() as url:
        config = (root / FILE).read_text(encoding="utf-8")
        if url:
            config = f'store = "{url.replace("postgresql://", "postgresql+psycopg://")}"\n{config}'
        (root / FILE).write_text(config + "\n[service]\nwatch_seconds = 0.2\nstore_seconds = 1\n", encoding="utf-8")
        here = load(root)
        Store(here).save(Store(trained).top("churn", 1000))
        first, second = Registry(here).require_champion("churn"), drills.another(here)
        server = launch(here, folder / "server.log")
        drills.until(lambda: server.client.get("/readyz").status_code in {200, 503}, "an answer")
        yield Up(server, here, {version: drills.scored(here, version) for version in (first, second)})
        stop(server)
        Store(here).engine.dispose()


@contextmanager
def _nothing() -> Iterator[str]:
    yield ""


def test_swaps_under_load_fail_no_request_and_each_answer_is_of_one_version(up: Up) -> None:
    with drills.load(up.url, up.truth) as seen:
        drills.swaps(up.workspace, up.server.client, up.scores, SWAPS)
    assert seen.wrong == []
    assert seen.versions == {1, 2}
    assert seen.answers > 10 * SWAPS
    metrics = up.server.client.get("/metrics").text
    assert f'propensity_swaps_total{{outcome="churn"}} {SWAPS}.0' in metrics
    assert 'propensity_swap_failures_total{outcome="churn"} 0.0' in metrics


def test_a_killed_worker_comes_again_and_nothing_acknowledged_is_lost(up: Up) -> None:
    with drills.writing(up.url, up.accounts) as written:
        drills.until(lambda: len(written.acknowledged) >= WRITES, "writing")
        drills.kill_worker(up.server.client, up.server.process.pid)
        before = len(written.acknowledged)
        drills.until(lambda: len(written.acknowledged) >= before + WRITES, "writing again")
    compared = written.compared(Log(up.workspace))
    assert (compared.lost, compared.twice) == ([], [])


def test_a_killed_writer_has_lost_nothing_that_it_said_to_have_written(up: Up) -> None:
    for number in range(WRITER_KILLS):
        said, lost = drills.kill_writer(up.workspace, up.accounts[0], f"writer-{number}", WRITES)
        assert said >= WRITES
        assert lost == []


@contextmanager
def store_down(up: Up) -> Iterator[None]:
    """Nobody can connect, and whoever was connected is not any more."""
    engine = Store(up.workspace).engine
    if engine.dialect.name == "sqlite":
        with away(up.workspace.state / "propensity.db"):
            yield
        return
    other = sa.create_engine(engine.url.set(database="template1"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    name = engine.url.database
    with other.connect() as connection:
        connection.exec_driver_sql(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        everybody = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %(name)s"
        connection.exec_driver_sql(everybody, {"name": name})
    try:
        yield
    finally:
        with other.connect() as connection:
            connection.exec_driver_sql(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')


def test_a_store_that_is_down_stops_writing_alone_and_is_found_again(up: Up) -> None:
    client, body = up.server.client, {"account": up.accounts[0], "kind": "after the store", "by": "ann"}
    listed = client.get("/v1/lists/churn").raise_for_status().json()
    with drills.load(up.url, up.truth) as seen, store_down(up):
        drills.until(lambda: "error" in drills.health(client), "health that says so")
        assert client.get("/v1/lists/churn").raise_for_status().json() == listed
        for answer in (client.post("/v1/outreach", json=body), client.get("/v1/log")):
            assert answer.status_code == 503, answer.text
            assert "Check that it is up" in answer.json()["hint"]
        assert client.get("/readyz").status_code == 200
        before = seen.answers
        drills.until(lambda: seen.answers > before + 2, "answers meanwhile")  # two may have been on their way
    assert (seen.wrong, len(seen.versions)) == ([], 1)
    drills.until(lambda: "error" not in drills.health(client), "health that is well again")
    assert client.post("/v1/outreach", json=body).status_code == 201


@contextmanager
def store_hanging(up: Up) -> Iterator[None]:
    """Nothing is refused, and nothing is answered; of SQLite, to whoever writes."""
    with Store(up.workspace).engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN EXCLUSIVE")
            yield
            connection.rollback()
        else:
            with postgres.stopped(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()):
                yield


def test_a_store_that_hangs_is_not_waited_for_and_is_found_again(up: Up) -> None:
    client, body = up.server.client, {"account": up.accounts[0], "kind": "after the silence", "by": "ann"}
    listed = client.get("/v1/lists/churn").raise_for_status().json()
    with drills.load(up.url, up.truth) as seen, store_hanging(up):
        for _ in range(10):
            answer = client.post("/v1/outreach", json=body)
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5"), answer.text
            assert client.get("/readyz").status_code == 200
        assert client.get("/v1/lists/churn").raise_for_status().json() == listed
        if up.workspace.store_url.startswith("postgresql"):  # whoever opens the store by now waits in vain
            drills.until(lambda: "error" in drills.health(client), "health that says so")
            assert client.get("/v1/log").status_code == 503
            old = client.get("/v1/lists/churn").raise_for_status()
            assert (old.json(), old.headers["Warning"][:3]) == (listed, "111")
    assert (seen.wrong, len(seen.versions)) == ([], 1)
    drills.until(lambda: "error" not in drills.health(client), "health that is well again")
    drills.until(lambda: client.post("/v1/outreach", json=body).status_code == 201, "writing")
    assert "Warning" not in client.get("/v1/lists/churn").headers


def test_a_registry_that_is_down_is_outlived_by_what_is_served_and_found_again(up: Up) -> None:
    client = up.server.client
    with drills.load(up.url, up.truth) as seen, away(up.workspace.root / "mlflow.db"):
        drills.until(lambda: "MLflow" in drills.health(client).get("error", ""), "health that says so")
        assert client.get("/v1/models").status_code == 503
    assert seen.wrong == []
    drills.until(lambda: "error" not in drills.health(client), "health that is well again")
    assert client.get("/v1/models").status_code == 200


def test_a_soak_leaves_memory_and_handles_as_they_were(up: Up) -> None:
    with drills.load(up.url, up.truth) as seen:
        samples = drills.soak(up.server.process.pid, SOAK_SECONDS, SOAK_SECONDS / 30)
    assert seen.wrong == []
    memory, handles = drills.growth(samples)
    assert memory < MORE_MEMORY
    assert handles <= MORE_HANDLES


def test_what_is_at_work_is_finished_before_the_end(up: Up) -> None:
    """Last: the server is gone afterwards. A request whose body has half come is answered once the rest has."""
    body = b'{"outcome": "churn", "accounts": ["%s"]}' % up.accounts[0].encode()
    head = (
        f"POST /v1/score HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    )
    with socket.create_connection(("127.0.0.1", up.server.port), timeout=drills.PATIENCE) as asking:
        asking.sendall(head.encode() + b"\r\nConnection: close\r\n\r\n" + body[:10])
        drills.until(lambda: "propensity" in up.server.client.get("/metrics").text, "an answer to somebody else")
        up.server.client.close()
        up.server.process.send_signal(signal.SIGTERM)
        drills.until(lambda: _refused(up.server.port), "nobody else being let in")
        asking.sendall(body[10:])
        answer = b"".join(iter(lambda: asking.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 200"), answer[:300]
    assert up.accounts[0].encode() in answer
    assert up.server.process.wait(drills.PATIENCE) == 0
    assert "Traceback" not in up.server.log.read_text(encoding="utf-8")


def _refused(port: int) -> bool:
    try:
        httpx.get(f"http://127.0.0.1:{port}/livez", timeout=1, trust_env=False)
    except httpx.TransportError:
        return True
    return False


FULL = """
import resource, sys
from pathlib import Path
from datetime import UTC, datetime
from features.workspace import load
from features.errors import PropensityError
from serving.stores.log import Entry, Log
workspace = load(Path(sys.argv[1]))
log = Log(workspace)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
done = 0
try:
    for number in range(100_000):
        log.add([Entry("outreach", f"full-{number}", "planned", "a0001", datetime.now(UTC), "full", kind="x" * 150)])
        done += 1
except PropensityError as error:
    print(done, error.status, error.message)
"""


def test_a_full_disk_refuses_to_write_and_what_was_acknowledged_is_there(trained: Workspace, tmp_path: Path) -> None:
    here = load(Path(shutil.copytree(trained.root, tmp_path / "company")))
    scores = Store(here).top("churn", 1000)
    limit = (here.state / "propensity.db").stat().st_size + 200_000
    command = [sys.executable, "-W", "ignore", "-c", FULL, str(here.root), str(limit)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    done, status, why = told.split(" ", 2)
    assert (int(done) > 10, status, "cannot be written" in why) == (True, "503", True), told
    there = {entry.thing for entry in Log(here).entries("outreach") if entry.by == "full"}
    assert there == {f"full-{number}" for number in range(int(done))}
    assert Store(here).top("churn", 1000) == scores
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
