"""A small but real workspace: a simulated company, trained on and scored, made once; each process has a copy of it."""

from __future__ import annotations

import fcntl
import os
import shutil
import warnings
from datetime import date
from pathlib import Path

import pytest

from features import intake
from features.sources.simulated import World, simulate
from features.tables import TABLES
from features.workspace import Workspace, load
from serving.scores import batch
from serving.stores.store import Store
from tests import worlds
from training.registry import Registry
from training.train import train

MADE = "made"
WORLD = World(accounts=300, months=18)
CONFIG = {
    "name": "tiny",
    "sources": {name: {"path": f"data/{name}.parquet"} for name in TABLES},
    "tables": {name: {"source": name} for name in TABLES},
    "signals": {"events": ["login", "report"], "windows": [30, 90]},
    "as_of": {"since": date(2025, 7, 31), "exported": WORLD.until},
    "outcomes": {"churn": {"horizon": 60, "grace": 0}, "advocacy": {"horizon": 60, "given_days": 7, "capacity": 10}},
    "training": {"test_dates": 2, "folds": 1, "minimum_positives": 5, "bags": 2, "bootstraps": 50},
}


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A simulated company with champions of churn and advocacy, scored."""
    mine = tmp_path_factory.getbasetemp()
    root = (mine.parent if "PYTEST_XDIST_WORKER" in os.environ else mine) / "served once"
    with root.with_name("served.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (root / MADE).is_file():
            shutil.rmtree(root, ignore_errors=True)
            _make(root)
            (root / MADE).touch()
    return load(Path(shutil.copytree(root, tmp_path_factory.mktemp("served") / "company")))


def _make(root: Path) -> None:
    simulate(WORLD, root / "data")
    workspace = worlds.configure(root, CONFIG)
    with intake.read(workspace) as found:
        found.write_tables()
        Store(workspace).remember(found.names())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow uses what SQLAlchemy has deprecated; none of it is ours
        _taught(workspace)
    Store(workspace).engine.dispose()


def _taught(workspace: Workspace) -> None:
    registry = Registry(workspace)
    for outcome, _ in workspace.config.outcomes:
        result = train(workspace, outcome)
        assert result.version is not None, result.reasons
        # So few accounts seldom show that a model is better than the baselines; here any model will do.
        registry.promote(registry.version(outcome, result.version))
    batch.score(workspace)
