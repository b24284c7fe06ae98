"""The service beside other servers of the same model, on loopback, each in a fresh process.

    python -m benchmarks.serving [--workspace FOLDER] [--seconds 10] [--connections 1 16] [--who propensity ...]

Every answer is looked at while it is measured: the probability has to be that of the batch, or that which the model gives
in-process. Without ``--workspace`` a company is simulated, trained on and scored first. There is no rate limit. The load
comes from a process of its own, kept on another core than the server where there are two.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from benchmarks import results
from benchmarks.serving import cases
from benchmarks.serving.cases import MANY, OUTCOME, Case
from features.workspace import FILE, load
from serving.web.live import Live
from training.registry import Registry

PROJECT = Path(__file__).parents[2]
WORLD = PROJECT / "benchmarks" / ".worlds" / "serving"
PATIENCE = 300.0
STREAMED = f"{MANY:,} accounts in one request, streamed"
UP = {"propensity": "/readyz", "BentoML": "/readyz", "FastAPI": "/openapi.json", "mlflow": "/ping"}
Row = dict[str, Any]


@dataclass(frozen=True)
class Server:
    """A server, how it is started on a port, and what it is asked."""

    who: str
    command: list[str]
    tasks: dict[str, list[Case]]
    version: str


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving", description=__doc__)
    parser.add_argument("--workspace", type=Path, help="one that is trained and scored")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 16])
    parser.add_argument("--who", nargs="+", choices=list(UP), default=list(UP))
    parser.add_argument("--out", default="serving", help="name of the results")
    given = parser.parse_args()
    with TemporaryDirectory() as scratch:
        root = copied(given.workspace or made(), Path(scratch) / "company")
        found = measure([one for one in servers(root) if one.who in given.who], root, given.connections, given.seconds)
        found += scored(root, given.seconds) if "propensity" in given.who else []
    results.save(given.out, found)
    for row in found:
        print(
            *(row.get(name, "–") for name in ("who", "what", "connections", "rps", "p50_ms", "p99_ms", "rows")),
            sep="\t",
        )
    if wrong := [f"{row['who']}, {row['what']}: {row['wrong']}" for row in found if row["wrong"]]:
        sys.exit("\n".join(wrong))


def made() -> Path:
    if not (WORLD / FILE).is_file():
        subprocess.run(
            [sys.executable, "-m", "serving.cli", "demo", "--workspace", str(WORLD)], cwd=PROJECT, check=True
        )
    return WORLD


def copied(workspace: Path, to: Path) -> Path:
    """A copy without a rate limit and without keys."""
    shutil.copytree(workspace, to, ignore=shutil.ignore_patterns("bentoml", "data"))
    config = to / FILE
    settings = config.read_text(encoding="utf-8")
    if not re.search(r"^\[service\]", settings, re.MULTILINE):
        config.write_text(settings + "\n[service]\nrequests_per_minute = 0\n", encoding="utf-8")
    assert load(to).config.service.requests_per_minute == 0, "the workspace limits how often one may ask"
    return to


def servers(root: Path) -> list[Server]:
    workspace = load(root)
    live = Live.load(workspace)
    asked = cases.asked(workspace, live.of(OUTCOME))
    python, bento = sys.executable, ["-m", "bentoml", "serve", "--host", "127.0.0.1"]
    return [
        ours(
            root,
            {
                "a bare route": cases.nothing("/bare"),
                "a route that does nothing, guarded": cases.nothing("/nothing"),
                "by account id, with reasons": asked.by_id(),
                "by features, with reasons": asked.by_features(),
                "by account id, every feature's part": asked.explained(),
                "by account id, from its facts as they are now": asked.now(),
                STREAMED: asked.streamed(),
            },
        ),
        Server(
            "BentoML",
            [python, *bento, "benchmarks.serving.bentoml_default:Default", "--port", "{port}"],
            {"a bare mounted route": cases.nothing(cases.BARE), "by features": asked.to_bentoml()},
            version("bentoml"),
        ),
        Server(
            "FastAPI",
            [python, "-m", "uvicorn", "benchmarks.serving.fastapi_by_hand:application", "--factory", "--port", "{port}", "--no-access-log"],
            {"by features": asked.to_fastapi()},
            version("fastapi"),
        ),
        Server(
            "mlflow",
            [python, "-m", "mlflow", "models", "serve", "--model-uri", f"models:/{OUTCOME}@champion",
             "--env-manager", "local", "--host", "127.0.0.1", "--port", "{port}"],
            {"by features": asked.to_mlflow()},
            version("mlflow"),
        ),
    ]  # fmt: skip


def ours(root: Path, tasks: dict[str, list[Case]] | None = None) -> Server:
    """The service as it is, with a route that does nothing."""
    start = f"from pathlib import Path; from serving.start import serve; serve(Path({str(root)!r}), port={{port}}, of='benchmarks.serving.ours:Propensity')"
    return Server("propensity", [sys.executable, "-c", start], tasks or {}, version("propensity"))


def measure(servers: list[Server], root: Path, connections: list[int], seconds: float) -> list[Row]:
    """A row for each server, task and number of connections; ``wrong`` is the first answer that was not as expected.

    ``rows``: accounts scored in a second, where a request is about many.
    """
    found = []
    for server in servers:
        with running(server, root) as port:
            for what, asked in server.tasks.items():
                for many in connections:
                    row = {"who": server.who, "what": what, "connections": many, "version": server.version}
                    told = loaded(port, many, seconds, asked)
                    if what == STREAMED and "rps" in told:
                        told["rows"] = round(told["rps"] * MANY)
                    found.append(row | told | {"seconds": seconds, "load": _load()})
                    print(found[-1], file=sys.stderr)
    return found


def scored(root: Path, seconds: float) -> list[Row]:
    """Batch scoring of as many accounts in a process, to hold the stream against."""
    rows = cases.batch(Live.load(load(root)).of(OUTCOME), seconds)
    row = {"who": "propensity", "what": "batch scoring in-process, with reasons", "connections": 0}
    told = {"version": version("propensity"), "rows": round(rows), "wrong": ""}
    return [row | told | {"seconds": seconds, "load": _load()}]


def loaded(port: int, connections: int, seconds: float, asked: list[Case]) -> Row:
    with TemporaryDirectory() as scratch:
        file = Path(scratch) / "cases.json"
        file.write_text(json.dumps(asked), encoding="utf-8")
        command = ["-m", "benchmarks.serving.load", str(port), str(connections), str(seconds), str(file)]
        done = subprocess.run(
            [*_on_core(-1), sys.executable, *command],
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds + PATIENCE,
        )
    if done.returncode:
        return {"wrong": done.stderr.strip()[-500:]}
    told: Row = json.loads(done.stdout)
    return told


@contextmanager
def running(server: Server, root: Path, anywhere: bool = False) -> Iterator[int]:
    """The server in a process of its own, up; its port. It is kept on one core, unless it may be ``anywhere``."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    command = [*([] if anywhere else _on_core(0)), *(part.replace("{port}", str(port)) for part in server.command)]
    environment = os.environ | {
        "PROPENSITY_WORKSPACE": str(root),
        "MLFLOW_TRACKING_URI": Registry(load(root)).uri,
        "BENTOML_DO_NOT_TRACK": "True",
        "BENTOML_HOME": str(root / "bentoml"),
        "PATH": os.pathsep.join(
            (str(Path(sys.executable).parent), os.environ["PATH"])
        ),  # MLflow starts uvicorn by name
        "PYTHONPATH": str(PROJECT),
        "TZ": "UTC",
    }
    log = root / f"{server.who}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=PROJECT, env=environment, stdout=out, stderr=out, start_new_session=True
        )
        try:
            _wait(process, f"http://127.0.0.1:{port}{UP[server.who]}", log)
            yield port
        finally:
            _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """It and all that it has started."""
    for which in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, which)
        with suppress(subprocess.TimeoutExpired):
            process.wait(30)


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < until:
        try:
            if httpx.get(url, timeout=5, trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise RuntimeError(f"it did not come up: {log.read_text(encoding='utf-8')[-2000:]}")


def _on_core(which: int) -> list[str]:
    """What keeps a process on the first (0) or the last (-1) core; nothing where there is one, or no ``taskset``."""
    cores = sorted(os.sched_getaffinity(0))
    return ["taskset", "-c", str(cores[which])] if len(cores) > 1 and shutil.which("taskset") else []


def _load() -> float:
    """How busy the machine was in the last minute."""
    return round(os.getloadavg()[0], 2)


if __name__ == "__main__":
    main()
