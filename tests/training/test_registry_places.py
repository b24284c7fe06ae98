"""The registry on SQLite in the workspace and on an MLflow server with PostgreSQL: the same tests on both."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import mlflow
import numpy as np
import pytest

from features.errors import PropensityError
from features.workspace import Workspace, load
from tests import postgres
from tests.postgres import Server
from tests.training import made
from training import promotion
from training.dataset import Dataset, dataset
from training.gate import PROMOTED
from training.model import Model
from training.registry import Registered, Registry, Version


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with postgres.mlflow_server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="module")
def rows(prepared: Workspace) -> Dataset:
    found = dataset(prepared, "churn")
    return found.at(sorted(set(found.as_of.tolist()))[:4])


@pytest.fixture(scope="module")
def fitted(rows: Dataset) -> list[Model]:
    """Three models that differ."""
    return [made.model(rows, seed=seed) for seed in range(3)]


@pytest.fixture(params=["sqlite", "server"])
def here(request: pytest.FixtureRequest, copied: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """A workspace whose registry has no model yet."""
    if request.param == "sqlite":
        yield copied
        return
    monkeypatch.setenv("MLFLOW_TRACKING_URI", request.getfixturevalue("server").url)
    yield copied
    Registry(copied).client.delete_registered_model("churn")


def registered(workspace: Workspace, model: Model, rows: Dataset, verdict: str = PROMOTED) -> Version:
    """As training does it: a run with a child, data, metrics, a model."""
    registry = Registry(workspace)
    folder = workspace.root / "to register"
    shutil.rmtree(folder, ignore_errors=True)
    sha256 = model.save(folder)
    with registry.run("churn", {"workspace": "company"}):
        registry.log_data(rows.frame, "company-churn", "0123456789abcdef")
        tested = registry.log_data(rows.frame.head(50), "company-churn", "fedcba9876543210", "test")
        with registry.child("trial 0", {"depth": "3"}):
            registry.log({"max_depth": 3}, {"log_loss": 0.5})
            with registry.child("fold 0"):
                registry.log({}, {"log_loss": 0.6})
        example = rows.frame[list(model.encoder.columns)].head(5)
        tags = {"verdict": verdict, "data": "0123456789abcdef"}
        numbers = {"log_loss": 0.25, "auc": float("nan")}
        return registry.register("churn", folder, sha256, example, tags, numbers, tested, "It says how likely.")


def golden(workspace: Workspace, rows: Dataset) -> bytes:
    registry = Registry(workspace)
    return registry.load(registry.require_champion("churn")).scores(rows.frame).probability.tobytes()


def test_what_is_registered_is_found_by_those_who_know_mlflow(
    here: Workspace, fitted: list[Model], rows: Dataset, capfd: pytest.CaptureFixture[str]
) -> None:
    version = registered(here, fitted[0], rows)
    assert capfd.readouterr().out == "", "standard output is for what was asked for"
    registry = Registry(here)
    run = registry.client.get_run(version.run)
    experiment = registry.client.get_experiment(run.info.experiment_id)
    assert (experiment.name, run.info.status) == ("propensity/churn", "FINISHED")
    runs = {one.info.run_name: one for one in registry.client.search_runs([experiment.experiment_id], max_results=3)}
    assert runs["trial 0"].data.tags["mlflow.parentRunId"] == version.run
    assert runs["fold 0"].data.tags["mlflow.parentRunId"] == runs["trial 0"].info.run_id
    assert runs["trial 0"].data.metrics == {"log_loss": 0.5}
    seen = {one.tags[0].value: one.dataset for one in run.inputs.dataset_inputs}
    assert {context: data.digest for context, data in seen.items()} == {
        "training": "0123456789abcdef",
        "test": "fedcba9876543210",
    }
    assert json.loads(seen["training"].profile)["num_rows"] == len(rows)
    assert json.loads(seen["training"].source)["uri"] == str(here.frames)

    (listed,) = promotion.models(here)["churn"]
    assert (listed.version, listed.aliases, listed.metrics) == (version, ("challenger",), {"log_loss": 0.25})
    assert listed.tags["code"].startswith(("git:", "sha256:"))
    assert listed.tags["lock"].startswith(("lock:", "installed:"))
    assert (listed.tags["data"], run.data.tags["code"]) == ("0123456789abcdef", listed.tags["code"])
    found = registry.client.get_model_version("churn", "1")
    assert found.description == "It says how likely."
    logged = registry.client.get_logged_model(found.source.removeprefix("models:/"))
    assert str(logged.status) == "READY"
    assert [(one.key, one.value, one.dataset_digest) for one in logged.metrics] == [
        ("log_loss", 0.25, "fedcba9876543210")
    ]
    assert [one.model_id for one in run.outputs.model_outputs] == [logged.model_id]


def test_mlflow_serves_the_champions_probability(here: Workspace, fitted: list[Model], rows: Dataset) -> None:
    version = registered(here, fitted[0], rows)
    promotion.promote(here, "churn")
    registry = Registry(here)
    columns = list(fitted[0].encoder.columns)
    assert os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] == "false"
    registry._use()
    loaded = mlflow.pyfunc.load_model("models:/churn@champion")
    assert loaded.metadata.signature.inputs.input_names() == columns
    expected = fitted[0].scores(rows.frame).probability
    assert np.array_equal(loaded.predict(rows.frame[columns])["probability"], expected)
    assert np.array_equal(loaded.predict(rows.frame[columns[::-1]])["probability"], expected), "columns go by name"
    example = loaded.metadata.load_input_example()
    assert list(example.columns) == columns
    assert np.array_equal(registry.load(version).scores(rows.frame).probability, expected)
    with pytest.raises(Exception, match="missing"):
        loaded.predict(rows.frame[columns[1:]])


def test_a_rollback_brings_back_the_same_scores(here: Workspace, fitted: list[Model], rows: Dataset) -> None:
    scores = []
    for model in fitted:
        registered(here, model, rows)
        promotion.promote(here, "churn", by="Ada", why="better")
        scores.append(golden(here, rows))
    assert len(set(scores)) == 3
    shutil.rmtree(here.state / "models")
    for number, reason in ((2, "too many calls"), (1, "still too many")):
        move = promotion.rollback(here, "churn", by="Grace", why=reason)
        assert (move.kind, move.before, move.after, move.by, move.why) == (
            "rollback",
            number + 1,
            number,
            "Grace",
            reason,
        )
        assert golden(here, rows) == scores[number - 1]
    with pytest.raises(PropensityError, match="before version 1 churn had no champion"):
        promotion.rollback(here, "churn")
    promotion.promote(here, "churn", 3)
    assert promotion.rollback(here, "churn").after == 1, "not to what was rolled back"
    told = [(move.kind, move.before, move.after) for move in promotion.history(here, "churn")]
    assert told == [
        ("promotion", None, 1),
        ("promotion", 1, 2),
        ("promotion", 2, 3),
        ("rollback", 3, 2),
        ("rollback", 2, 1),
        ("promotion", 1, 3),
        ("rollback", 3, 1),
    ]


def test_what_the_gate_refused_takes_force_and_a_reason(here: Workspace, fitted: list[Model], rows: Dataset) -> None:
    registered(here, fitted[0], rows)
    promotion.promote(here, "churn", 1)
    registered(here, fitted[1], rows, "not better")
    assert aliases(here) == {2: ("challenger",), 1: ("champion",)}
    for refused in ({}, {"force": True}, {"force": True, "why": " "}, {"why": "I like it"}):
        with pytest.raises(PropensityError, match="the gate did not pass version 2 of churn: not better"):
            promotion.promote(here, "churn", **refused)  # type: ignore[arg-type]
    assert promotion.promote(here, "churn", force=True, why="the test month was odd").forced
    assert aliases(here) == {2: ("champion",), 1: ()}
    last = promotion.history(here, "churn")[-1]
    assert (last.verdict, last.forced, last.why) == ("not better", True, "the test month was odd")
    with pytest.raises(PropensityError, match="version 2 of churn is the champion already"):
        promotion.promote(here, "churn", 2, force=True, why="again")
    with pytest.raises(PropensityError, match="there is no challenger for churn"):
        promotion.promote(here, "churn")


def aliases(workspace: Workspace) -> dict[int, tuple[str, ...]]:
    listed: list[Registered] = promotion.models(workspace)["churn"]
    return {one.version.number: one.aliases for one in listed}


RACE = """
import json, os, sys
from pathlib import Path
from features.errors import PropensityError
from features.workspace import load
from training import promotion

def promoted(runner, root, number, over):
    try:
        promotion.promote(load(Path(root)), "churn", number, by=f"runner {runner}", over=over)
    except PropensityError as error:
        print(error.message, file=sys.stderr)
        return 3
    return 0

def race(over, runners):
    waiting, start = os.pipe()
    children = []
    for runner, (root, number) in enumerate(runners):
        if not (child := os.fork()):
            os.close(start)
            os.read(waiting, 1)
            os._exit(promoted(runner, root, number, over))
        children.append(child)
    os.close(start)
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]

print(json.dumps([race(over, runners) for over, runners in json.loads(sys.argv[1])]))
"""
Runners = list[tuple[str, int]]


def race(*rounds: tuple[int | str, Runners]) -> tuple[list[list[str]], str]:
    """Who got through in each round, all of it processes started at the same moment; and what the others were told."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", RACE, json.dumps(rounds)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    statuses = json.loads(done.stdout)
    assert {status for found in statuses for status in found} <= {0, 3}, done.stderr
    return [[f"runner {who}" for who, status in enumerate(found) if status == 0] for found in statuses], done.stderr


def test_of_ten_who_promote_at_once_one_wins(here: Workspace, fitted: list[Model], rows: Dataset) -> None:
    """Each was judged against version 1; afterwards four try again whichever is in use, and each record is kept."""
    for model in fitted:
        registered(here, model, rows)
    promotion.promote(here, "churn", 1)
    ten = [(str(here.root), 2 + runner % 2) for runner in range(10)]
    ((winner,), winners), told = race((1, ten), ("whichever", ten[:4]))
    first, second, *others = promotion.history(here, "churn")
    assert (first.after, second.before, second.by) == (1, 1, winner)
    late = re.compile("is the champion already$|was judged against version 1, and now the champion is version [23]$")
    assert [line for line in told.splitlines() if line and not late.search(line)] == []
    assert len(told.splitlines()) == 13 - len(winners)
    assert sorted(one.by for one in others) == sorted(winners)
    line = [first, second, *others]
    assert [one.before for one in line[1:]] == [one.after for one in line[:-1]]
    champion = Registry(here).require_champion("churn")
    assert champion.number == line[-1].after
    assert golden(here, rows) == fitted[champion.number - 1].scores(rows.frame).probability.tobytes()


def test_machines_with_folders_of_their_own_end_with_the_same_champion(
    server: Server,
    copied: Workspace,
    fitted: list[Model],
    rows: Dataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.url)
    for model in fitted:
        registered(copied, model, rows)
    roots = [Path(shutil.copytree(copied.root, tmp_path / f"machine {number}")) for number in range(4)]
    (winners,), _ = race(("whichever", [(str(root), 1 + number % 3) for number, root in enumerate(roots)]))
    moves = promotion.history(copied, "churn")
    champions = {Registry(load(root)).require_champion("churn").number for root in roots}
    assert champions == {moves[-1].after}
    assert moves[-1].by in winners
    assert set(winners) <= {move.by for move in moves}
    Registry(copied).client.delete_registered_model("churn")


def test_a_frozen_server_is_named_and_a_promotion_waits_for_nobody(
    server: Server, copied: Workspace, fitted: list[Model], rows: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.url)
    registered(copied, fitted[0], rows)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    registry = Registry(copied)
    server.signal(signal.SIGSTOP)
    try:
        for asked in (
            lambda: registry.champion("churn"),
            lambda: promotion.promote(copied, "churn", 1),
            lambda: registry.run("churn", {}).__enter__(),
        ):
            with pytest.raises(PropensityError, match="MLflow at http://127") as caught:
                asked()
            assert server.url in caught.value.message
            assert ("MLFLOW_TRACKING_URI" in caught.value.hint, caught.value.status) == (True, 503)
    finally:
        server.signal(signal.SIGCONT)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "60")
    assert promotion.promote(copied, "churn").after == 1
    registry.client.delete_registered_model("churn")
