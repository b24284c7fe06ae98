"""Fixtures shared by all tests. The workspaces are read by many tests: copy what is to be changed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from features import cohort, frame
from features.workspace import Workspace, load
from serving.scores import batch
from serving.stores.store import Store
from tests import company, worlds
from tests.commands import Command
from tests.small import served
from training.registry import Registry
from training.result import Result
from training.train import train

__all__ = ["served"]

os.environ.pop("MLFLOW_TRACKING_URI", None)  # nothing is to be logged to the developer's own server


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The made-up company with its tables and frames and an empty registry, which takes MLflow long to make."""
    workspace = company.found(tmp_path_factory.mktemp("prepared"))
    worlds.take_in(workspace)
    Store(workspace).remember(company.names(workspace))
    frame.build(workspace, cohort.all_dates(workspace.config, frame.observed_until(workspace)))
    Registry(workspace).champion("churn")
    return workspace


@pytest.fixture
def copied(prepared: Workspace, tmp_path: Path) -> Workspace:
    """The same, to be changed at will."""
    return load(Path(shutil.copytree(prepared.root, tmp_path / "company")))


@pytest.fixture(scope="session")
def results(prepared: Workspace, tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, dict[str, Result]]:
    """The company with a champion for both outcomes, scored, and what training came to."""
    root = tmp_path_factory.mktemp("trained") / "company"
    workspace = load(Path(shutil.copytree(prepared.root, root)))
    found = {outcome: train(workspace, outcome) for outcome in ("churn", "advocacy")}
    batch.score(workspace)
    return workspace, found


@pytest.fixture(scope="session")
def trained(results: tuple[Workspace, dict[str, Result]]) -> Workspace:
    """The company with a champion for both outcomes, scored."""
    return results[0]


@pytest.fixture
def again(trained: Workspace, tmp_path: Path) -> Workspace:
    """The company with its champions and scores, to be changed at will; what it registers goes to the shared one."""
    return load(Path(shutil.copytree(trained.root, tmp_path / "company")))


@pytest.fixture
def propensity(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command within this process."""
    return Command(capsys, monkeypatch)
