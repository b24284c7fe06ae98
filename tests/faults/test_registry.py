"""What befalls a registry: damaged files, full disks, models of another schema, servers that are gone, SIGTERM, kills.

Whatever it is, the champion stays what it was and can be used, and no half of anything is left.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import lightgbm
import mlflow
import pytest

from features.errors import PropensityError
from features.workspace import Workspace
from serving.scores.scoring import Scorer
from tests.training import made
from training import promotion, provenance
from training.dataset import Dataset, Encoder, dataset
from training.gate import PROMOTED
from training.model import CONTRACT, Model
from training.model import load as load_model
from training.registry import PROCESS, Registry, Version
from training.train import train


@pytest.fixture(scope="module")
def rows(prepared: Workspace) -> Dataset:
    found = dataset(prepared, "churn")
    return found.at(sorted(set(found.as_of.tolist()))[:4])


@pytest.fixture(scope="module")
def fitted(rows: Dataset) -> list[Model]:
    return [made.model(rows, seed=seed) for seed in range(2)]


@pytest.fixture
def here(copied: Workspace, fitted: list[Model], rows: Dataset) -> Workspace:
    """A workspace with a champion, version 1."""
    registered(copied, fitted[0], rows)
    promotion.promote(copied, "churn")
    return copied


def registered(workspace: Workspace, model: Model, rows: Dataset) -> Version:
    registry, folder = Registry(workspace), workspace.root / "saved"
    shutil.rmtree(folder, ignore_errors=True)
    sha256 = model.save(folder)
    with registry.run("churn", {}):
        example = rows.frame[list(model.encoder.columns)].head(2)
        return registry.register("churn", folder, sha256, example, {"verdict": PROMOTED})


def is_as_it_was(workspace: Workspace, model: Model, rows: Dataset) -> None:
    """The champion is version 1 and scores as before, from its files and not from what is kept ready."""
    shutil.rmtree(workspace.state / "models", ignore_errors=True)
    registry = Registry(workspace)
    champion = registry.require_champion("churn")
    assert champion.number == 1
    found = registry.load(champion).scores(rows.frame).probability
    assert found.tobytes() == model.scores(rows.frame).probability.tobytes()


def files_of(workspace: Workspace, version: Version) -> list[Path]:
    source = Registry(workspace).client.get_model_version("churn", str(version.number)).source
    folder = workspace.root / "mlartifacts" / "models" / source.removeprefix("models:/") / "artifacts"
    return sorted(file for file in folder.rglob("*") if file.is_file())


def damages(whole: bytes) -> Iterator[bytes]:
    """Cut short, or one bit flipped in the first, a middle and the last block."""
    yield from (b"", whole[: len(whole) // 2], whole[:-1])
    for place in (0, len(whole) // 2, len(whole) - 1):
        flipped = bytearray(whole)
        flipped[place] ^= 1
        yield bytes(flipped)


def test_damage_to_any_file_is_noticed_before_lightgbm_sees_it_and_the_champion_stays(
    here: Workspace, fitted: list[Model], rows: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = registered(here, fitted[1], rows)
    files = files_of(here, version)
    ours = [file for file in files if file.parent.name == "saved"]
    assert sorted({file.suffix for file in ours}) == [".json", ".txt"]

    def parsed(*_: object, **__: object) -> None:
        pytest.fail("LightGBM was given a damaged model, which can kill the process")

    for file in ours:
        whole = file.read_bytes()
        for damaged in damages(whole):
            file.write_bytes(damaged)
            shutil.rmtree(here.state / "models", ignore_errors=True)
            with monkeypatch.context() as patch, pytest.raises(PropensityError, match=f"{file.name} is not what was"):
                patch.setattr(lightgbm, "Booster", parsed)
                promotion.promote(here, "churn", version.number)
        file.unlink()
        shutil.rmtree(here.state / "models", ignore_errors=True)
        with pytest.raises(PropensityError, match=f"{file.name} cannot be read"):
            promotion.promote(here, "churn", version.number)
        file.write_bytes(whole)
    is_as_it_was(here, fitted[0], rows)
    assert [move.after for move in promotion.history(here, "churn")] == [1]
    for file in set(files) - set(ours):
        file.write_bytes(b"")
    shutil.rmtree(here.state / "models", ignore_errors=True)
    assert promotion.promote(here, "churn", version.number).after == 2, "what MLflow adds is not needed"


def test_a_rollback_to_damaged_files_is_refused(here: Workspace, fitted: list[Model], rows: Dataset) -> None:
    first = Registry(here).require_champion("churn")
    registered(here, fitted[1], rows)
    promotion.promote(here, "churn")
    for file in files_of(here, first):
        file.write_bytes(file.read_bytes()[:-1])
    shutil.rmtree(here.state / "models", ignore_errors=True)
    with pytest.raises(PropensityError, match="is not what was registered"):
        promotion.rollback(here, "churn")
    assert Registry(here).require_champion("churn").number == 2


def test_a_model_of_another_schema_is_refused(here: Workspace, fitted: list[Model], rows: Dataset) -> None:
    """A feature by a name that is not there, one whose definition has changed, columns in another order."""
    encoder = fitted[1].encoder
    columns = encoder.columns
    renamed = {next(name for name in columns if name not in encoder.categories): "logins_of_old"}
    other = replace(fitted[1], encoder=Encoder(tuple(renamed.get(name, name) for name in columns), encoder.categories))
    version = registered(here, other, replace(rows, frame=rows.frame.rename(columns=renamed)))
    with pytest.raises(PropensityError, match="features that are not there any more: logins_of_old"):
        promotion.promote(here, "churn", version.number)
    with pytest.raises(PropensityError, match="logins_of_old"):
        Scorer.of(here, Registry(here), version)

    meanings = fitted[1].facts["meanings"] | {columns[1]: "something else"}
    changed = registered(here, replace(fitted[1], facts=fitted[1].facts | {"meanings": meanings}), rows)
    with pytest.raises(PropensityError, match=f"definition of features has changed .*{columns[1]}"):
        promotion.promote(here, "churn", changed.number)

    registry, folder = Registry(here), here.root / "model"
    sha256 = fitted[1].save(folder)
    with (
        registry.run("churn", {}),
        pytest.raises(PropensityError, match=f"in the model's order; first at {columns[1]}"),
    ):
        registry.register("churn", folder, sha256, rows.frame[[columns[1], columns[0], *columns[2:]]], {})
    assert len(registry.versions("churn")) == 3
    is_as_it_was(here, fitted[0], rows)


@contextmanager
def full(limit: int) -> Iterator[None]:
    """No file can be written beyond this many bytes, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("what", ["artifacts", "database"])
def test_a_full_disk_leaves_no_half_model_and_the_champion_readable(
    what: str, here: Workspace, fitted: list[Model], rows: Dataset
) -> None:
    big = replace(fitted[1], facts=fitted[1].facts | {"padding": "x" * 6_000_000})
    database = (here.root / "mlflow.db").stat().st_size
    limit = {"artifacts": 5_000_000, "database": database}[what]
    assert database < 5_000_000
    before = sorted((here.root / "mlartifacts").rglob("*"))
    registry, folder = Registry(here), here.root / "big"
    sha256 = big.save(folder)
    example = rows.frame[list(big.encoder.columns)].head(2)
    with (
        pytest.raises(PropensityError, match=r"does not do as it is asked: .*(too large|full|disk)") as caught,
        registry.run("churn", {}),
        full(limit),
    ):
        registry.register("churn", folder, sha256, example, {"verdict": PROMOTED})
    assert "disk has room" in caught.value.hint
    assert sorted((here.root / "mlartifacts").rglob("*")) == before
    is_as_it_was(here, fitted[0], rows)
    assert registered(here, fitted[1], rows).number == 2
    assert [run.info.status for run in runs(here)] == ["FINISHED", "FAILED", "FINISHED"]


def test_a_disk_too_full_for_the_copy_keeps_no_half_of_it(here: Workspace, fitted: list[Model], rows: Dataset) -> None:
    shutil.rmtree(here.state / "models", ignore_errors=True)
    registry = Registry(here)
    champion = registry.require_champion("churn")
    with pytest.raises(PropensityError, match="the files of models:/churn/1 cannot be fetched"), full(1000):
        registry.load(champion)
    assert not list((here.state / "models").iterdir())
    is_as_it_was(here, fitted[0], rows)


def test_a_model_half_saved_on_a_full_disk_does_not_load(fitted: list[Model], tmp_path: Path) -> None:
    with pytest.raises(OSError, match="too large"), full(20_000):
        fitted[0].save(tmp_path)
    assert not (tmp_path / CONTRACT).exists()
    with pytest.raises(PropensityError, match=r"contract\.json cannot be read"):
        load_model(tmp_path, "0" * 64)


@pytest.fixture
def closed() -> Iterator[int]:
    """A port at which nobody listens, kept so that nobody will."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def test_a_server_that_is_gone_is_named_before_anything_is_fitted(
    closed: int, copied: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{closed}")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")
    told: list[str] = []
    with pytest.raises(PropensityError, match=f"MLflow at http://127.0.0.1:{closed} does not do") as caught:
        train(copied, "churn", told.append)
    assert ("MLFLOW_TRACKING_URI" in caught.value.hint, caught.value.status) == (True, 503)
    assert not [line for line in told if "booster" in line]


def test_a_database_that_is_gone_is_named_without_its_password(
    closed: int, copied: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"postgresql://ada:secret@127.0.0.1:{closed}/mlflow")
    with pytest.raises(PropensityError, match=f"MLflow at postgresql://127.0.0.1:{closed}/mlflow does not") as caught:
        Registry(copied)
    assert "secret" not in caught.value.message


STARTED = """
import sys, time
from pathlib import Path
from features.workspace import load
from training.registry import Registry
import mlflow
from mlflow.entities import LoggedModelOutput
registry = Registry(load(Path(sys.argv[1])))
with registry.run("churn", {}) as run, registry.child("trial 0"), registry.child("fold 0"):
    client = registry.client
    model = client.create_logged_model(mlflow.active_run().info.experiment_id, "churn", run)
    client.log_outputs(run, [LoggedModelOutput(model.model_id, 0)])
    print("started", flush=True)
    time.sleep(600)
"""


def ended_by(number: int, workspace: Workspace) -> int:
    """How a process ends that gets this signal within a run with a child and a model that is not finished."""
    command = [sys.executable, "-W", "ignore", "-c", STARTED, str(workspace.root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        process.send_signal(number)
        return process.wait()


def runs(workspace: Workspace) -> list[mlflow.entities.Run]:
    client = Registry(workspace).client
    found = client.get_experiment_by_name("propensity/churn")
    return [] if found is None else list(client.search_runs([found.experiment_id]))


def statuses(workspace: Workspace) -> tuple[list[str], list[str]]:
    """Of the runs, and of the models that they were logging."""
    client = Registry(workspace).client
    found = client.search_logged_models([client.get_experiment_by_name("propensity/churn").experiment_id])
    return [run.info.status for run in runs(workspace)], [str(model.status) for model in found]


def test_sigterm_marks_the_run_and_its_children_as_failed_at_once(copied: Workspace) -> None:
    assert ended_by(signal.SIGTERM, copied) == 128 + signal.SIGTERM
    assert statuses(copied) == (["FAILED"] * 3, ["FAILED"])


def test_after_a_kill_the_next_run_marks_them_and_no_others(copied: Workspace) -> None:
    assert ended_by(signal.SIGKILL, copied) == -signal.SIGKILL
    assert statuses(copied) == (["RUNNING"] * 3, ["PENDING"])
    killed = runs(copied)[0]
    others = [provenance.process(), f"another-machine - {killed.data.tags[PROCESS].split()[2]} -"]
    client = Registry(copied).client
    alive = [client.create_run(killed.info.experiment_id, tags={PROCESS: process}).info.run_id for process in others]
    with Registry(copied).run("churn", {}) as mine:
        assert statuses(copied)[1] == ["FAILED"]
        running = [run.info.run_id for run in runs(copied) if run.info.status == "RUNNING"]
        assert sorted(running) == sorted([*alive, mine]), "neither this process's nor other machines' are touched"
    assert [run.info.status for run in runs(copied)].count("FAILED") == 3


def test_a_killed_promoter_holds_up_nobody(here: Workspace, fitted: list[Model], rows: Dataset) -> None:
    """Killed between the record and the alias: the champion is the old one, and the next to promote goes ahead."""
    registered(here, fitted[1], rows)
    script = """
import os, signal, sys
from pathlib import Path
from features.workspace import load
from training import promotion, provenance
from training.registry import Registry
Registry.promote = lambda self, version: os.kill(os.getpid(), signal.SIGKILL)
promotion.promote(load(Path(sys.argv[1])), "churn")
"""
    command = [sys.executable, "-W", "ignore", "-c", script, str(here.root)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    is_as_it_was(here, fitted[0], rows)
    with pytest.raises(PropensityError, match="before version 1 churn had no champion"):
        promotion.rollback(here, "churn")
    assert promotion.promote(here, "churn").before == 1
    assert promotion.rollback(here, "churn").after == 1
    assert os.environ.get("MLFLOW_TRACKING_URI") is None
