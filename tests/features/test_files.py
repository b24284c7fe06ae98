"""Files are whole or not there; folders for the time being outlive no process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from features.files import replaced, scratch


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "there" / "file"
    with replaced(target) as part:
        part.write_text("one", encoding="utf-8")
    with pytest.raises(ZeroDivisionError), replaced(target) as part:
        part.write_text("two", encoding="utf-8")
        raise ZeroDivisionError
    assert target.read_text(encoding="utf-8") == "one"
    assert [file.name for file in target.parent.iterdir()] == ["file"]


def ended() -> str:
    """The number of a process that is no more."""
    command = [sys.executable, "-c", "import os; print(os.getpid())"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_what_a_killed_process_was_writing_is_cleared_when_it_is_written_again(tmp_path: Path) -> None:
    """And what another is writing, or wrote in place of something else, stays."""
    others = [tmp_path / f".file.{os.getppid()}.part", tmp_path / f".file2.{ended()}.part"]
    for part in (tmp_path / f".file.{ended()}.part", *others):
        part.write_text("half", encoding="utf-8")
    with replaced(tmp_path / "file") as part:
        part.write_text("whole", encoding="utf-8")
    assert set(tmp_path.iterdir()) == {tmp_path / "file", *others}


def test_what_killed_processes_left_is_cleared_and_what_is_in_use_stays(tmp_path: Path) -> None:
    left = tmp_path / f"tmp-{ended()}-left"
    left.mkdir()
    with scratch(tmp_path) as mine, scratch(tmp_path) as other:
        assert mine.is_dir() and other.is_dir() and not left.exists()
    assert list(tmp_path.iterdir()) == []
