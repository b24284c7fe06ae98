"""What a run was made by."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from features.files import boot
from training import provenance


def sources(root: Path) -> Path:
    for package in provenance.PACKAGES:
        (root / package).mkdir(parents=True)
        (root / package / "provenance.py").write_text("one = 1\n")
    return root


def git(root: Path, *arguments: str) -> str:
    who = ["-c", "user.name=test", "-c", "user.email=test"]
    return subprocess.run(
        ["git", "-C", root, *who, *arguments], capture_output=True, text=True, check=True
    ).stdout.strip()


def code(root: Path) -> str:
    return provenance.code.__wrapped__(root)


def test_code_is_named_by_its_commit_only_while_it_is_what_was_committed(tmp_path: Path) -> None:
    root = sources(tmp_path / "one")
    plain = code(root)
    assert plain.startswith("sha256:")
    git(root, "init", "--quiet")
    assert code(root) == plain, "a repository that does not have the sources says nothing of them"
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message", "all")
    assert code(root) == f"git:{git(root, 'rev-parse', 'HEAD')}"
    (root / "serving" / "provenance.py").write_text("one = 2\n")
    assert code(root).startswith("sha256:")
    assert code(root) != plain
    shutil.copytree(root, tmp_path / "two", ignore=shutil.ignore_patterns(".git"))
    assert code(tmp_path / "two") == code(root), "wherever they are"


def test_the_lock_is_the_file_or_what_is_installed(tmp_path: Path) -> None:
    installed = provenance.lock.__wrapped__(tmp_path)
    assert installed.startswith("installed:")
    (tmp_path / "requirements.lock").write_text("numpy==2.4\n")
    first = provenance.lock.__wrapped__(tmp_path)
    (tmp_path / "requirements.lock").write_text("numpy==2.5\n")
    assert first.startswith("lock:")
    assert len({installed, first, provenance.lock.__wrapped__(tmp_path)}) == 3


def test_a_process_is_gone_when_it_has_ended_even_if_its_number_is_used_again() -> None:
    mine = provenance.process()
    host, started, number, began = mine.split()
    assert (int(number), started) == (os.getpid(), boot() or "-")
    assert not provenance.gone(mine)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        theirs = f"{host} {started} {other.pid} {provenance._began(other.pid)}"
        assert not provenance.gone(theirs)
        other.kill()
    assert provenance.gone(theirs)
    assert provenance.gone(f"{host} {started} {number} {int(began) + 1}"), "another process had that number"
    assert provenance.gone(f"{host} another-start {number} {began}"), "the machine was restarted"
    assert not provenance.gone(f"another-{host} another-start 1 1"), "of other machines nothing is known"
