"""What takes minutes is made in a process of its own, which may end as it likes."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from features.errors import PropensityError
from serving.stores.store import Store
from serving.web import backroom
from serving.web.backroom import BackRoom, Rooms
from serving.web.kept import Kept
from tests.serving import backroom as makes

GENEROUS = 60.0
PARENT = """
import sys
from pathlib import Path
from serving.web.backroom import BackRoom
from tests.serving.backroom import endless, workspace
BackRoom(workspace(Path(sys.argv[1]), "gone"))(endless, sys.argv[2])
"""


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> BackRoom:
    return BackRoom(makes.workspace(tmp_path_factory.mktemp("room"), "not in any file"))


def eventually(there: Callable[[], bool]) -> bool:
    until = time.monotonic() + GENEROUS
    while not there() and time.monotonic() < until:
        time.sleep(0.02)
    return there()


def test_it_comes_to_what_the_function_comes_to_with_its_types(room: BackRoom) -> None:
    (found,) = room(makes.what, "a\nword — with ünusual signs")
    assert isinstance(found, makes.Made)
    assert found.word == "a\nword — with ünusual signs"
    assert repr(found.numbers) == "(0.30000000000000004, nan, inf)"


def test_it_works_for_this_very_workspace_behind_everybody_else_and_stays(room: BackRoom) -> None:
    first, again = room(makes.named), room(makes.named)
    assert first == again
    assert first["name"] == "not in any file"
    assert first["process"] != os.getpid()
    assert first["nice"] >= min(os.nice(0) + backroom.NICE, 19)


def test_a_refusal_is_that_of_the_function_and_the_process_goes_on(room: BackRoom) -> None:
    before = room(makes.named)
    with pytest.raises(PropensityError) as refusal:
        room(makes.refused)
    assert refusal.value.as_dict() == {"error": "no", "hint": "not at all", "status": 409}
    assert room(makes.named) == before


def test_what_nobody_has_thought_of_is_told_without_what_it_was_about(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    room = BackRoom(makes.workspace(tmp_path, "broken"))
    with pytest.raises(PropensityError, match="something unexpected") as refusal:
        room(makes.broken, "Ada Lovelace")
    assert refusal.value.status == 500
    said = capfd.readouterr().err
    assert '"exception": "RuntimeError"' in said
    assert "Lovelace" not in said
    assert room(makes.named)["name"] == "broken", "and it goes on"


def test_where_it_is_killed_that_is_said_and_the_next_is_made(room: BackRoom) -> None:
    with pytest.raises(PropensityError, match="SIGKILL") as refusal:
        room(makes.killed)
    assert refusal.value.status == 503
    assert room(makes.named)["name"] == "not in any file"


def test_one_that_had_nothing_to_do_for_too_long_is_replaced(room: BackRoom) -> None:
    before = room(makes.named)["process"]
    os.kill(before, 15)
    assert eventually(lambda: room._process is not None and room._process.poll() is not None)
    assert room(makes.named)["process"] != before


def test_it_ends_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "from serving.web import backroom\nbackroom.IDLE_SECONDS = 0.1\nbackroom.main()"
    monkeypatch.setattr(backroom, "COMMAND", [sys.executable, "-W", "ignore", "-c", code])
    room = BackRoom(makes.workspace(tmp_path, "idle"))
    assert room(makes.named)["name"] == "idle"
    assert room._process is not None
    assert room._process.wait(GENEROUS) == 0


def test_it_ends_once_nobody_can_ask_it_anymore(tmp_path: Path) -> None:
    room = BackRoom(makes.workspace(tmp_path, "let go"))
    worker = Path("/proc") / str(room(makes.named)["process"])
    assert worker.exists()
    del room
    gc.collect()
    assert not worker.exists()


def test_it_ends_with_whoever_started_it_even_in_the_middle(tmp_path: Path) -> None:
    place = tmp_path / "process"
    command = [sys.executable, "-c", PARENT, str(tmp_path), str(place)]
    with subprocess.Popen(command, cwd=backroom.HERE) as parent:
        assert eventually(lambda: place.is_file() and bool(place.read_text()))
        parent.kill()
    worker = Path("/proc") / place.read_text()
    assert eventually(lambda: not worker.exists() or "\nState:\tZ" in (worker / "status").read_text())


def test_no_more_of_them_are_started_than_there_is_to_be_made_at_once(tmp_path: Path) -> None:
    rooms = Rooms(makes.workspace(tmp_path, "a few"))
    first = rooms(makes.named)["process"]
    assert rooms(makes.named)["process"] == first
    with ThreadPoolExecutor(5) as crowd:
        found = list(crowd.map(lambda _: rooms(makes.together, str(tmp_path), backroom.AT_ONCE), range(5)))
    assert len(set(found)) == backroom.AT_ONCE
    assert first in found


def test_it_is_made_once_for_each_state_of_the_data(tmp_path: Path) -> None:
    workspace = makes.workspace(tmp_path, "kept")
    Store(workspace)
    kept = Kept(workspace)
    before = kept.beside(makes.what, "one")
    assert kept.beside(makes.what, "one") is before
    assert kept.beside(makes.what, "two") is not before
    workspace.tables.mkdir(parents=True)
    (workspace.tables / "current").write_text("other tables")
    assert kept.beside(makes.what, "one") is not before
