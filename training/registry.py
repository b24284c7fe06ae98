"""The only module that imports MLflow: runs, their artifacts, the registered models and the alias ``champion``."""

from __future__ import annotations

import logging
import math
import os
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from features.errors import PropensityError, one_of
from features.files import alive
from features.workspace import Workspace
from training import model as models
from training.model import Model

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] = "false"
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")


@contextmanager
def _quiet() -> Iterator[None]:
    """MLflow warns of what its own libraries are about to deprecate."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


with _quiet():
    import mlflow
    from mlflow.exceptions import MlflowException

for noisy in ("alembic", "mlflow"):
    logging.getLogger(noisy).setLevel(logging.ERROR)

CHAMPION = "champion"
SHA = "contract_sha256"
PYFUNC = Path(__file__).with_name("pyfunc.py")


@dataclass(frozen=True)
class Version:
    """A registered model version, and the SHA-256 that its contract must have."""

    outcome: str
    number: int
    sha256: str
    run: str


class Registry:
    """MLflow for one workspace: ``MLFLOW_TRACKING_URI`` where it is set, else SQLite in the workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.uri = os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{workspace.root / 'mlflow.db'}"
        workspace.root.mkdir(parents=True, exist_ok=True)
        with _quiet():
            self.client = mlflow.MlflowClient(self.uri, self.uri)

    @contextmanager
    def run(self, outcome: str, tags: dict[str, str]) -> Iterator[str]:
        """A run of the outcome's experiment; an exception marks it as failed, and so does the next run after a kill."""
        self._use()
        experiment = self._experiment(outcome)
        self._close_the_killed(experiment)
        pid = {"propensity.pid": str(os.getpid())}
        with mlflow.start_run(experiment_id=experiment, run_name=outcome, tags=tags | pid) as active:
            yield str(active.info.run_id)

    def log(self, parameters: dict[str, Any], metrics: dict[str, float], artifacts: Path) -> None:
        """Log to the run in progress."""
        mlflow.log_params(parameters)
        mlflow.log_metrics({name: value for name, value in metrics.items() if math.isfinite(value)})
        mlflow.log_artifacts(str(artifacts))

    def log_data(self, rows: pd.DataFrame, name: str, digest: str) -> None:
        """Note which data the run in progress has seen."""
        with _quiet():
            data = mlflow.data.from_pandas(rows, name=name, digest=digest)  # type: ignore[attr-defined]
            mlflow.log_input(data, context="training")

    def register(self, outcome: str, folder: Path, sha256: str, example: pd.DataFrame, tags: dict[str, str]) -> Version:
        """Log the model folder as a pyfunc built from code, register it; nothing in it is pickled."""
        with _quiet():
            output = pd.DataFrame({"probability": [0.5] * len(example)})
            info = mlflow.pyfunc.log_model(
                name=outcome,
                python_model=str(PYFUNC),
                artifacts={"model": str(folder)},
                signature=mlflow.models.infer_signature(example, output),  # type: ignore[attr-defined]
                pip_requirements=["propensity"],
                model_config={SHA: sha256},
            )
            try:
                self.client.create_registered_model(outcome)
            except MlflowException as error:
                if error.error_code != "RESOURCE_ALREADY_EXISTS":
                    raise
            made = self.client.create_model_version(
                outcome, info.model_uri, run_id=info.run_id, tags=tags | {SHA: sha256}, model_id=info.model_id
            )
        return Version(outcome, int(made.version), sha256, str(info.run_id))

    def promote(self, version: Version) -> None:
        """Make a version the champion, in one step."""
        self.client.set_registered_model_alias(version.outcome, CHAMPION, str(version.number))

    def champion(self, outcome: str) -> Version | None:
        """The version in use, or None."""
        try:
            found = self.client.get_model_version_by_alias(outcome, CHAMPION)
        except MlflowException as error:
            if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                return None
            raise
        return _version(found)

    def version(self, outcome: str, number: int) -> Version:
        try:
            return _version(self.client.get_model_version(outcome, str(number)))
        except MlflowException as error:
            there = [found.version for found in self.client.search_model_versions(f"name = '{outcome}'")]
            raise PropensityError(
                f"the registry has no version {number} of {outcome}; there are {one_of(there)}",
                "Restore the registry, or name a version that exists.",
                status=404,
            ) from error

    def load(self, version: Version) -> Model:
        """The model of a version, every byte checked before it is parsed."""
        cached = self.workspace.state / "models" / version.sha256
        if not (cached / models.CONTRACT).is_file():
            self._fetch(version, cached)
        return models.load(cached, version.sha256)

    def require_champion(self, outcome: str) -> Version:
        champion = self.champion(outcome)
        if champion is None:
            raise PropensityError(
                f"there is no champion for {outcome}",
                "Train one with `propensity train`; the gate promotes it if it is better than the baselines.",
                status=503,
            )
        return champion

    def _fetch(self, version: Version, target: Path) -> None:
        uri = f"models:/{version.outcome}/{version.number}"
        part = target.with_name(f".{target.name}.{os.getpid()}.part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        self._use()
        try:
            with _quiet():
                found = Path(
                    mlflow.artifacts.download_artifacts(
                        uri, dst_path=str(part), tracking_uri=self.uri, registry_uri=self.uri
                    )
                )
            shutil.rmtree(target, ignore_errors=True)
            (found / "artifacts" / "model").rename(target)
        except (MlflowException, OSError) as error:
            raise PropensityError(
                f"the files of {uri} cannot be fetched: {error}",
                "Check that MLflow is up and its artifacts are there.",
                status=503,
            ) from error
        finally:
            shutil.rmtree(part, ignore_errors=True)

    def _use(self) -> None:
        """Point MLflow here; it also writes the URI to the environment, where the next workspace would obey it."""
        given = os.environ.get("MLFLOW_TRACKING_URI")
        mlflow.set_tracking_uri(self.uri)
        mlflow.set_registry_uri(self.uri)
        if given is None:
            os.environ.pop("MLFLOW_TRACKING_URI", None)

    def _experiment(self, outcome: str) -> str:
        name = f"propensity/{outcome}"
        found = self.client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        local = self.uri.startswith("sqlite:")
        place = (self.workspace.root / "mlartifacts").as_uri() if local else None
        return str(self.client.create_experiment(name, artifact_location=place))

    def _close_the_killed(self, experiment: str) -> None:
        """Runs of processes that are no more did not finish."""
        for run in self.client.search_runs([experiment], "attributes.status = 'RUNNING'"):
            pid = run.data.tags.get("propensity.pid", "")
            if pid.isdigit() and not alive(int(pid)):
                self.client.set_terminated(run.info.run_id, "FAILED")


def _version(found: Any) -> Version:
    return Version(found.name, int(found.version), found.tags.get(SHA, ""), str(found.run_id))
