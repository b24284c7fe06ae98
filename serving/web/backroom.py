"""What takes minutes is made in a process of its own, so that nobody waits for the interpreter while it is.

``python -m serving.web.backroom`` is that process: it is told the workspace in one line on its standard input, and what to
make in each line after it, and answers each in one line of JSON. It ends with whoever started it, or once there was nothing
to make for a while, and gives its memory back; the next thing to make starts another one.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from queue import Empty, LifoQueue, SimpleQueue
from threading import Thread
from typing import Any, TypeVar, get_type_hints
from weakref import finalize

from pydantic import TypeAdapter

from features.errors import PropensityError
from features.workspace import Config, Workspace
from serving.web.journal import log_to_stderr

T = TypeVar("T")
IDLE_SECONDS = 600.0
NICE = 10
AT_ONCE = 2
"""Processes: at 50,000 accounts one may need 4 GB."""
LOG = logging.getLogger("propensity")
UNEXPECTED = PropensityError(
    "something unexpected went wrong", "The log of the service, on stderr, says what.", status=500
)
HERE = Path(__file__).parents[2]
COMMAND = [sys.executable, "-W", "ignore", "-m", "serving.web.backroom"]


class BackRoom:
    """Makes one thing at a time: whoever asks sees to that."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._process: subprocess.Popen[str] | None = None
        self._gone = 0

    def __call__(self, make: Callable[..., T], *given: Any) -> T:
        """``make(workspace, *given)`` of a function of a module; what it is given is as JSON has it, and what it comes to is
        as its annotation says. Raises PropensityError where it does, or where the process has ended over it (503).
        """
        asked = json.dumps([make.__module__, make.__qualname__, given])
        line = self._answer(asked) if self._process is not None else ""
        line = line or self._answer(asked)  # the one that was there may have had nothing to do for too long
        if not line:
            raise self._ended()
        found = json.loads(line)
        if "error" in found:
            raise PropensityError(found["error"], found["hint"], status=found["status"])
        made: T = _shape(make).validate_python(found["made"])
        return made

    def _answer(self, asked: str) -> str:
        """Nothing where the process has ended."""
        if self._process is None:
            self._process = _started(self.workspace)
            finalize(self, _end, self._process)
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(asked + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self._gone, self._process = process.wait(), None
        return line

    def _ended(self) -> PropensityError:
        how = signal.Signals(-self._gone).name if self._gone < 0 else f"exit status {self._gone}"
        return PropensityError(
            f"the process that works this out has ended ({how})",
            "The log of the service says more; with SIGKILL it is memory that was short. Ask again, or use the command.",
            status=503,
        )


class Rooms:
    """A few of them: what comes while all are at work waits. The one that was last at work is next, so that no more are
    started than there is to be made at once.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._free: LifoQueue[BackRoom] = LifoQueue()
        for _ in range(AT_ONCE):
            self._free.put(BackRoom(workspace))

    def __call__(self, make: Callable[..., T], *given: Any) -> T:
        """As one ``BackRoom`` does."""
        room = self._free.get()
        try:
            return room(make, *given)
        finally:
            self._free.put(room)


def _started(workspace: Workspace) -> subprocess.Popen[str]:
    process = subprocess.Popen(  # noqa: S603
        COMMAND, cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps([str(workspace.root.resolve()), workspace.config.model_dump(mode="json")]) + "\n")
    return process


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        with suppress(BrokenPipeError):
            pipe.close()  # type: ignore[union-attr]


def _shape(make: Callable[..., T]) -> TypeAdapter[T]:
    return TypeAdapter(get_type_hints(make)["return"])


def _told(workspace: Workspace, line: str) -> str:
    """What is made of one line, as one line."""
    module, name, given = json.loads(line)
    make = getattr(import_module(module), name)
    try:
        made = _shape(make).dump_python(make(workspace, *given), mode="json")
    except PropensityError as error:
        return json.dumps(error.as_dict())
    except Exception as error:  # whatever it is, the log says so without what it was about
        LOG.exception("%s could not be made", name, exc_info=error)
        return json.dumps(UNEXPECTED.as_dict())
    return json.dumps({"made": made})


def _lines() -> Iterator[str]:
    """Of standard input, as they come. Whoever writes them being gone is the end at once, whatever is in the making."""
    found: SimpleQueue[str] = SimpleQueue()

    def read() -> None:
        for line in sys.stdin:
            found.put(line)
        os._exit(0)

    Thread(target=read, daemon=True).start()
    while True:
        try:
            yield found.get(timeout=IDLE_SECONDS)
        except Empty:
            return


def main() -> None:
    os.nice(NICE)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no answer
    log_to_stderr()
    lines = _lines()
    root, config = json.loads(next(lines))
    workspace = Workspace(Path(root), Config.model_validate(config))
    for line in lines:
        answers.write(_told(workspace, line) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
