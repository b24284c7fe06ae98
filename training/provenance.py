"""What a run was made by: which code, which libraries, which process; each as a text to compare and to look up."""

from __future__ import annotations

import hashlib
import os
import subprocess
from functools import lru_cache
from importlib.metadata import distributions
from pathlib import Path
from socket import gethostname

from features.files import alive, boot

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("features", "training", "serving")


@lru_cache
def code(root: Path = ROOT) -> str:
    """``git:`` and the commit, where the sources are exactly those of one; else ``sha256:`` over the sources."""
    tracked = _git(root, "ls-files", "--error-unmatch", "training/provenance.py")
    changed = _git(root, "status", "--porcelain", "--", *PACKAGES)
    commit = _git(root, "rev-parse", "HEAD")
    return f"git:{commit}" if tracked and changed == "" and commit else f"sha256:{_sources(root)}"


@lru_cache
def lock(root: Path = ROOT) -> str:
    """SHA-256 of ``requirements.lock`` where it lies beside the sources, else of the names of what is installed."""
    file = root / "requirements.lock"
    if file.is_file():
        return f"lock:{hashlib.sha256(file.read_bytes()).hexdigest()}"
    installed = sorted({f"{found.metadata['Name']}=={found.version}" for found in distributions()})
    return f"installed:{hashlib.sha256(chr(10).join(installed).encode()).hexdigest()}"


def process() -> str:
    """This process, told apart from every other: host, start of the machine, number, start of the process."""
    return f"{gethostname()} {boot() or '-'} {os.getpid()} {_began(os.getpid())}"


def gone(process: str) -> bool:
    """Is it known that a process has ended? Of other machines' processes it never is."""
    host, started, number, began = process.split(" ")
    if host != gethostname():
        return False
    return started != (boot() or "-") or not alive(int(number)) or _began(int(number)) != began


def _began(number: int) -> str:
    """In ticks since the machine started: a number is given again, a number and its beginning are not."""
    try:
        told = Path(f"/proc/{number}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return "-"
    state, *fields = told.rpartition(")")[2].split()
    return "-" if state == "Z" else fields[18]


def _sources(root: Path) -> str:
    total = hashlib.sha256()
    for package in PACKAGES:
        for file in sorted((root / package).rglob("*.py")):
            total.update(f"{file.relative_to(root).as_posix()}\0".encode() + file.read_bytes() + b"\0")
    return total.hexdigest()


def _git(root: Path, *arguments: str) -> str | None:
    """What git answers; None where there is no git, no repository, or it refuses."""
    try:
        done = subprocess.run(["git", "-C", root, *arguments], capture_output=True, text=True, timeout=20, check=True)  # noqa: S603, S607
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
