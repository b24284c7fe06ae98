"""Files that are either whole or not there: written beside, then renamed; and folders that outlive no process."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path
from tempfile import TemporaryDirectory


@contextmanager
def replaced(target: Path, durable: bool = True) -> Iterator[Path]:
    """A path to write to; on success it takes ``target``'s place in one step, on failure ``target`` is as it was.

    What can be made again need not be ``durable``: it outlives the process, not a loss of power. What a killed process
    was writing in its place is cleared away.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    for left in target.parent.glob(f".{escape(target.name)}.*.part"):
        if not alive(int(left.name.split(".")[-2])):
            left.unlink(missing_ok=True)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        yield part
        if durable:
            forced(part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def forced(place: Path) -> None:
    """A file, or what a folder lists, onto the disk, so that it outlives a loss of power."""
    number = os.open(place, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def settled(folder: Path, final: Path) -> None:
    """A folder takes its final place, whole even after a loss of power; where another process was first, theirs stays."""
    for place in sorted(folder.rglob("*"), reverse=True):
        forced(place)
    forced(folder)
    try:
        folder.rename(final)
    except OSError:
        if not final.is_dir():
            raise
    forced(final.parent)


@contextmanager
def alone(file: Path) -> Iterator[None]:
    """One process (and one thread) at a time; the others wait. The lock goes with the process that holds it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def boot() -> str:
    """Which start of the machine this is; empty where the system does not say."""
    told = Path("/proc/sys/kernel/random/boot_id")
    return told.read_text(encoding="ascii").strip() if told.is_file() else ""


@contextmanager
def scratch(parent: Path) -> Iterator[Path]:
    """A folder for the time being; those that killed processes have left behind are cleared away."""
    parent.mkdir(parents=True, exist_ok=True)
    for left in parent.glob("tmp-*"):
        if not alive(int(left.name.split("-")[1])):
            shutil.rmtree(left, ignore_errors=True)
    with TemporaryDirectory(dir=parent, prefix=f"tmp-{os.getpid()}-") as folder:
        yield Path(folder)


def alive(pid: int) -> bool:
    """Is there a process of this number?"""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
