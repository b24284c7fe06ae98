"""The load: so many connections, each asking one request after the other; latencies and what was wrong, as JSON.

    python -m benchmarks.serving.load PORT CONNECTIONS SECONDS CASES

CASES is a JSON list of {request, expects}: what is sent, and what the body of the answer must have in it. It is looked for
in every answer, so that a server is not fast by answering something else. The first tenth of the time is not counted.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from time import perf_counter
from typing import cast

import httptools
import numpy as np
import uvloop

Case = tuple[bytes, bytes]
WARM_UP = 0.1


@dataclass
class Told:
    """Seconds of every answer that counts; ``wrong`` is the first answer that was not as expected."""

    begun: float
    seconds: list[float] = field(default_factory=list)
    answers: int = 0
    wrong: str = ""


class Connection(asyncio.Protocol):
    """Asks, waits for the whole answer, asks again, until it is told to stop."""

    def __init__(self, cases: list[Case], numbers: Iterator[int], told: Told, until: float) -> None:
        self.cases, self.numbers, self.told, self.until = cases, numbers, told, until
        self.over = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._ask()

    def _ask(self) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.body: list[bytes] = []
        request, self.expects = self.cases[next(self.numbers) % len(self.cases)]
        self.asked = perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_body(self, data: bytes) -> None:
        self.body.append(data)

    def on_message_complete(self) -> None:
        now, body = perf_counter(), b"".join(self.body)
        if (status := self.parser.get_status_code()) != 200 or self.expects not in body:
            self.told.wrong = self.told.wrong or f"{status}, not {self.expects!r}: {body[:300]!r}"
        if self.asked >= self.told.begun:
            self.told.seconds.append(now - self.asked)
        if now < self.until and not self.told.wrong:
            asyncio.get_running_loop().call_soon(self._ask)
        else:
            self.transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if perf_counter() < self.until:
            self.told.wrong = self.told.wrong or f"the connection was closed: {error}"
        if not self.over.done():
            self.over.set_result(None)


async def asked(port: int, connections: int, seconds: float, cases: list[Case]) -> Told:
    begun = perf_counter()
    told, until, numbers = Told(begun + WARM_UP * seconds), begun + seconds, count()
    loop = asyncio.get_running_loop()
    made = [
        await loop.create_connection(lambda: Connection(cases, numbers, told, until), "127.0.0.1", port)
        for _ in range(connections)
    ]
    await asyncio.gather(*(one.over for _, one in made))
    return told


def main() -> None:
    port, connections, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    cases = [
        (one["request"].encode(), one["expects"].encode())
        for one in json.loads(Path(sys.argv[4]).read_text(encoding="utf-8"))
    ]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        told = runner.run(asked(port, connections, seconds, cases))
    taken = np.array(told.seconds)
    found: dict[str, object] = {"wrong": told.wrong, "answers": len(taken)}
    if len(taken):
        middle, late = np.percentile(1000 * taken, [50, 99])
        found |= {"rps": round(len(taken) / ((1 - WARM_UP) * seconds), 1), "p50_ms": round(middle, 3)}
        found |= {"p99_ms": round(late, 3)}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
