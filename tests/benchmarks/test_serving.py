"""The serving benchmark: the load sees what is wrong, and the whole begins on a small company."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks.serving import __main__ as bench
from benchmarks.serving import cases, load, page
from features.workspace import Workspace
from features.workspace import load as loaded
from serving.web.live import Live


class Echo(BaseHTTPRequestHandler):
    """Answers its path."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = self.path.encode()
        self.send_response(404 if self.path == "/gone" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def echo() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("path", "expects", "wrong"),
    [("/a", "/a", ""), ("/a", "/b", "not b'/b'"), ("/gone", "/gone", "404")],
)
def test_the_load_times_answers_and_sees_what_is_wrong(path: str, expects: str, wrong: str) -> None:
    case = (f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode(), expects.encode())
    with echo() as port:
        told = asyncio.run(load.asked(port, 2, 0.3, [case]))
    assert wrong in told.wrong
    assert bool(told.wrong) == bool(wrong)
    if not wrong:
        assert len(told.seconds) > 10
        assert all(0 < one < 0.3 for one in told.seconds)


def test_what_is_asked_holds_what_batch_and_model_say(served: Workspace) -> None:
    live = Live.load(served)
    asked = cases.asked(served, live.of("churn"))
    assert 100 < len(asked.accounts) == len(set(asked.accounts))
    assert [case["expects"] for case in asked.by_id()] == [
        repr(live.score("churn", account).probability) for account in asked.accounts
    ]
    head, _, body = asked.by_features()[0]["request"].partition("\r\n\r\n")
    assert f"Content-Length: {len(body)}" in head
    assert json.loads(body)["rows"] == [asked.rows[0]]
    assert json.loads(asked.to_mlflow()[0]["request"].partition("\r\n\r\n")[2])["dataframe_split"]["columns"] == list(
        asked.rows[0]
    )


def test_the_whole_begins(served: Workspace, tmp_path_factory: pytest.TempPathFactory) -> None:
    root = bench.copied(served.root, tmp_path_factory.mktemp("bench") / "company")
    assert loaded(root).config.service.requests_per_minute == 0
    (ours,) = (one for one in bench.servers(root) if one.who == "propensity")
    rows = bench.measure([ours], root, [2], 0.5)
    assert [row["wrong"] for row in rows] == [""] * len(ours.tasks)
    assert {row["what"] for row in rows if "rows" in row} <= {bench.STREAMED}  # half a second may be too short for one
    rows += bench.scored(root, 0.1)
    assert rows[-1]["rows"] > 0
    told = "\n".join(page.parts(rows))
    assert all(what in told for what in [*ours.tasks, rows[-1]["what"]])
    assert "times a bare route" in told
    assert page.parts([]) == []
