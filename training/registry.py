"""The only module that imports MLflow: runs, their artifacts, the registered models and their aliases.

``champion`` is the version in use, ``challenger`` the last one registered that is not. Who moved the champion, when and
why is kept by ``training.promotion``.
"""

from __future__ import annotations

import logging
import math
import os
import re
import shutil
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Any

import pandas as pd
import sqlalchemy

from features import files
from features.errors import PropensityError, one_of
from features.workspace import Workspace
from training import model as models
from training import provenance
from training.model import Model

DEFAULTS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "PGCONNECT_TIMEOUT": "10",
}
"""Standard output is ours, and a server that is down or frozen is to be noticed within a minute; whoever sets these has
their way.
"""
for name, value in DEFAULTS.items():
    os.environ.setdefault(name, value)
os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] = "false"


@contextmanager
def _quiet() -> Iterator[None]:
    """MLflow warns of what its own libraries are about to deprecate."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


with _quiet():
    import mlflow
    from mlflow.data.pandas_dataset import PandasDataset
    from mlflow.exceptions import MlflowException
    from mlflow.models import ModelSignature
    from mlflow.types.schema import ColSpec, Schema
    from mlflow.utils.file_utils import local_file_uri_to_path

for noisy in ("alembic", "mlflow"):
    logging.getLogger(noisy).setLevel(logging.ERROR)

CHAMPION, CHALLENGER = "champion", "challenger"
SHA, VERDICT, PROCESS = "contract_sha256", "verdict", "propensity.process"
PYFUNC = Path(__file__).with_name("pyfunc.py")
SCHEMA_ROWS = 1000
LAST_WORDS = 10  # seconds that a terminated process takes at most to say that its runs have failed
MISSING = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")


@dataclass(frozen=True)
class Version:
    """A registered model version, the SHA-256 that its contract must have, and what the gate said of it."""

    outcome: str
    number: int
    sha256: str
    run: str
    verdict: str = ""


@dataclass(frozen=True)
class Registered:
    """A version as a list shows it: aliases, when it was registered (UTC), tags, its metrics by name, and the address of
    its run in MLflow, None where MLflow is no server.
    """

    version: Version
    aliases: tuple[str, ...]
    registered: datetime
    tags: dict[str, str]
    metrics: dict[str, float]
    link: str | None = None

    def as_dict(self) -> dict[str, Any]:
        return {
            "version": self.version.number,
            "aliases": list(self.aliases),
            "verdict": self.version.verdict,
            "registered": self.registered.isoformat(),
            "run": self.version.run,
            "tags": self.tags,
            "metrics": self.metrics,
            "link": self.link,
        }


class Data(PandasDataset):  # type: ignore[misc]
    """What MLflow keeps of rows: names and types of the columns and how many there are; no value."""

    counts: dict[str, int]

    @property
    def profile(self) -> dict[str, int]:
        return self.counts

    @classmethod
    def of(cls, rows: pd.DataFrame, name: str, digest: str, source: Path) -> Data:
        with _quiet():
            known = mlflow.data.from_pandas(rows.head(SCHEMA_ROWS), str(source), name=name, digest=digest)  # type: ignore[attr-defined]
            made = cls(known.df, known.source, name=name, digest=digest)
            made.counts = {"num_rows": len(rows), "num_elements": int(rows.size)}
            return made


class Registry:
    """MLflow for one workspace: ``MLFLOW_TRACKING_URI`` where it is set, else SQLite in the workspace.

    Raises PropensityError, naming the place and the cure, where MLflow cannot be reached or refuses.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.uri = os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{workspace.root / 'mlflow.db'}"
        self.parent: str | None = None
        workspace.root.mkdir(parents=True, exist_ok=True)
        with self._asking():
            _reach(self.uri)
            self.client = mlflow.MlflowClient(self.uri, self.uri)

    @contextmanager
    def run(self, outcome: str, tags: dict[str, str]) -> Iterator[str]:
        """A run of the outcome's experiment. Whatever ends it early, it ends as failed.

        An exception and SIGTERM mark it at once; after a kill, the next run on the same machine does.
        """
        self._use()
        with self._asking():
            experiment = self._experiment(outcome)
            self._close(experiment, provenance.gone)
        made_by = {"code": provenance.code(), "lock": provenance.lock()}
        with (
            self._begun(experiment_id=experiment, run_name=outcome, tags=made_by | tags) as run,
            _when_terminated(lambda: self._close(experiment, lambda process: process == provenance.process())),
        ):
            self.parent = run
            try:
                yield run
            finally:
                self.parent = None

    @contextmanager
    def child(self, name: str, tags: dict[str, str] | None = None) -> Iterator[str]:
        """A run below the one in progress (below the child in progress, within one): a trial, a fold, a rung."""
        inner = mlflow.active_run()
        parent = inner.info.run_id if inner is not None else self.parent
        if parent is None:
            raise ValueError("a child needs a run in progress: call it within Registry.run")
        experiment = (inner or self.client.get_run(parent)).info.experiment_id
        with self._begun(
            experiment_id=experiment, run_name=name, tags=tags or {}, nested=True, parent_run_id=parent
        ) as run:
            yield run

    def log(self, parameters: dict[str, Any], metrics: dict[str, float], artifacts: Path | None = None) -> None:
        """Log to the run in progress."""
        with self._asking():
            mlflow.log_params(parameters)
            mlflow.log_metrics(_finite(metrics))
            if artifacts is not None:
                mlflow.log_artifacts(str(artifacts))

    def log_data(self, rows: pd.DataFrame, name: str, digest: str, context: str = "training") -> Data:
        """Note which rows the run in progress has seen, and as what: ``training`` or ``test``."""
        data = Data.of(rows, name, digest, self.workspace.frames)
        with self._asking():
            mlflow.log_input(data, context=context)
        return data

    def register(
        self,
        outcome: str,
        folder: Path,
        sha256: str,
        example: pd.DataFrame,
        tags: dict[str, str],
        metrics: dict[str, float] | None = None,
        data: Data | None = None,
        description: str = "",
    ) -> Version:
        """Log the model folder as a pyfunc built from code, and register it as the challenger; nothing is pickled.

        ``metrics`` are those on ``data`` and are linked to the model. A folder that does not load, or whose columns are
        not those of the example, is refused; where anything fails, no file of the model is left behind.
        """
        model = models.load(folder, sha256)
        _agrees(model, example)
        made_by = {"code": provenance.code(), "lock": provenance.lock()} | tags
        with self._asking(), self._whole_or_gone(outcome, made_by) as logged:
            info = mlflow.pyfunc.log_model(
                model_id=logged.model_id,
                name=outcome,
                python_model=str(PYFUNC),
                artifacts={"model": str(folder)},
                signature=_signature(model),
                input_example=example,
                pip_requirements=["propensity"],
                model_config={SHA: sha256},
            )
            mlflow.log_metrics(_finite(metrics or {}), model_id=logged.model_id, dataset=data)
            try:
                self.client.create_registered_model(outcome)
            except MlflowException as error:
                if error.error_code != "RESOURCE_ALREADY_EXISTS":
                    raise
            made = self.client.create_model_version(
                outcome,
                info.model_uri,
                run_id=info.run_id,
                tags=made_by | {SHA: sha256},
                model_id=logged.model_id,
                description=description or None,
            )
        with self._asking():
            self.client.set_registered_model_alias(outcome, CHALLENGER, str(made.version))
        return Version(outcome, int(made.version), sha256, str(info.run_id), tags.get(VERDICT, ""))

    def promote(self, version: Version) -> None:
        """Make a version the champion, in one step. ``training.promotion`` also checks it and keeps the history."""
        with self._asking():
            self.client.set_registered_model_alias(version.outcome, CHAMPION, str(version.number))
            if self.challenger(version.outcome) == version:
                self.client.delete_registered_model_alias(version.outcome, CHALLENGER)

    def champion(self, outcome: str) -> Version | None:
        """The version in use, or None."""
        return self._under(outcome, CHAMPION)

    def challenger(self, outcome: str) -> Version | None:
        """The last version registered, if it is not the champion."""
        return self._under(outcome, CHALLENGER)

    def version(self, outcome: str, number: int) -> Version:
        with self._asking():
            try:
                return _version(self.client.get_model_version(outcome, str(number)))
            except MlflowException as error:
                if error.error_code not in MISSING:
                    raise
                there = [found.version for found in self.client.search_model_versions(f"name = '{outcome}'")]
                raise PropensityError(
                    f"the registry has no version {number} of {outcome}; there are {one_of(there)}",
                    "Restore the registry, or name a version that exists.",
                    status=404,
                ) from error

    def versions(self, outcome: str) -> list[Registered]:
        """Every version there is, the newest first."""
        self._use()
        with self._asking():
            found = list(self.client.search_model_versions(f"name = '{outcome}'"))
            if not found:
                return []
            experiment = self._experiment(outcome)
            logged = {
                model.model_id: {metric.key: metric.value for metric in model.metrics or ()}
                for model in mlflow.search_logged_models([experiment], output_format="list")
            }
            aliases = self.client.get_registered_model(outcome).aliases
        listed = [
            Registered(
                _version(one),
                tuple(sorted(alias for alias, number in aliases.items() if int(number) == int(one.version))),
                datetime.fromtimestamp(one.creation_timestamp / 1000, UTC),
                dict(one.tags),
                logged.get(one.source.removeprefix("models:/"), {}),
                f"{_named(self.uri).rstrip('/')}/#/experiments/{experiment}/runs/{one.run_id}" if self.served else None,
            )
            for one in found
        ]
        return sorted(listed, key=lambda one: -one.version.number)

    @property
    def served(self) -> bool:
        """Whether MLflow is a server, whose pages have addresses."""
        return self.uri.startswith(("http://", "https://"))

    @property
    def opened_by(self) -> str | None:
        """The command that shows the runs, in the folder of the workspace; None where a server shows them."""
        if self.served:
            return None
        place = '"$MLFLOW_TRACKING_URI"' if os.environ.get("MLFLOW_TRACKING_URI") else "sqlite:///mlflow.db"
        return f"mlflow ui --backend-store-uri {place}"

    def text(self, version: Version, name: str) -> str | None:
        """A text file of the run that made a version; None where there is none, or no such run."""
        with self._asking(), TemporaryDirectory() as folder:
            try:
                if name not in {file.path for file in self.client.list_artifacts(version.run)}:
                    return None
                return Path(self.client.download_artifacts(version.run, name, folder)).read_text(encoding="utf-8")
            except MlflowException as error:
                if error.error_code in MISSING:
                    return None
                raise

    def notes(self, outcome: str) -> dict[str, str]:
        """What is written down about the outcome's registered model, by key."""
        with self._asking():
            try:
                return dict(self.client.get_registered_model(outcome).tags)
            except MlflowException as error:
                if error.error_code in MISSING:
                    return {}
                raise

    def note(self, outcome: str, key: str, text: str) -> None:
        """Write something down about the outcome's registered model; at most 5,000 characters."""
        with self._asking():
            self.client.set_registered_model_tag(outcome, key, text)

    def load(self, version: Version) -> Model:
        """The model of a version, every byte checked before it is parsed."""
        cached = self.workspace.state / "models" / version.sha256
        if not (cached / models.CONTRACT).is_file():
            with files.alone(self.workspace.state / "models.lock"):
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

    def _under(self, outcome: str, alias: str) -> Version | None:
        with self._asking():
            try:
                return _version(self.client.get_model_version_by_alias(outcome, alias))
            except MlflowException as error:
                if error.error_code in MISSING:
                    return None
                raise

    def _fetch(self, version: Version, target: Path) -> None:
        uri = f"models:/{version.outcome}/{version.number}"
        self._use()
        try:
            with files.scratch(target.parent) as folder:
                with _quiet():
                    found = mlflow.artifacts.download_artifacts(
                        uri, dst_path=str(folder), tracking_uri=self.uri, registry_uri=self.uri
                    )
                (model,) = (Path(found) / "artifacts").iterdir()
                shutil.rmtree(target, ignore_errors=True)
                files.settled(model, target)
        except (MlflowException, OSError, ValueError) as error:
            raise PropensityError(
                f"the files of {uri} cannot be fetched from {_named(self.uri)}: {_first_line(error)}",
                "Check that MLflow is up and its artifacts are there.",
                status=503,
            ) from error

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

    @contextmanager
    def _begun(self, tags: dict[str, str], **how: Any) -> Iterator[str]:
        with self._asking():
            run = mlflow.start_run(tags=tags | {PROCESS: provenance.process()}, **how)
        try:
            yield str(run.info.run_id)
        except BaseException:
            with _quiet(), suppress(MlflowException):  # what went wrong first is what is told
                mlflow.end_run("FAILED")
            raise
        with self._asking():
            mlflow.end_run("FINISHED")

    def _close(self, experiment: str, which: Callable[[str], bool]) -> None:
        """Mark the runs in progress, and the models that they were logging, as failed where their process is such."""
        for run in self.client.search_runs([experiment], "attributes.status = 'RUNNING'"):
            process = run.data.tags.get(PROCESS, "")
            if not process or not which(process):
                continue
            self.client.set_terminated(run.info.run_id, "FAILED")
            for output in run.outputs.model_outputs if run.outputs else ():
                if str(self.client.get_logged_model(output.model_id).status) == "PENDING":
                    self.client.finalize_logged_model(output.model_id, "FAILED")

    @contextmanager
    def _whole_or_gone(self, outcome: str, tags: dict[str, str]) -> Iterator[Any]:
        """A logged model; where it cannot be finished it is deleted, and so are its files where they are local."""
        run = mlflow.active_run()
        if run is None:
            raise ValueError("a model is registered within Registry.run")
        model = self.client.create_logged_model(run.info.experiment_id, outcome, run.info.run_id, tags)
        try:
            yield model
        except BaseException:
            with _quiet(), suppress(MlflowException):
                self.client.finalize_logged_model(model.model_id, "FAILED")
                self.client.delete_logged_model(model.model_id)
            if model.artifact_location.startswith("file:"):
                shutil.rmtree(Path(local_file_uri_to_path(model.artifact_location)).parent, ignore_errors=True)
            raise

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """What MLflow cannot do becomes an error that names the place and the cure."""
        try:
            with _quiet():
                yield
        except (MlflowException, sqlalchemy.exc.SQLAlchemyError, OSError) as error:
            raise PropensityError(
                f"MLflow at {_named(self.uri)} does not do as it is asked: {_first_line(error)}",
                "Check that it is up, that its disk has room, and MLFLOW_TRACKING_URI; "
                "without that variable MLflow is in the workspace. What was registered before is as it was.",
                status=503,
            ) from error


@contextmanager
def _when_terminated(fail: Callable[[], None]) -> Iterator[None]:
    """On SIGTERM mark the runs as failed at once, then end as after an exception; a second SIGTERM ends at once.

    The marking is done by another thread: this one may be within a transaction. Not where others handle SIGTERM.
    """
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return

    def told(number: int, _: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)

        def say() -> None:
            with _quiet(), suppress(MlflowException):
                fail()

        last = threading.Thread(target=say, daemon=True)
        last.start()
        last.join(LAST_WORDS)
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, told)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _reach(uri: str) -> None:
    """Try a database once: MLflow itself tries for minutes."""
    if uri.startswith(("sqlite", "postgresql", "mysql", "mssql")):
        try:
            engine = sqlalchemy.create_engine(uri, poolclass=sqlalchemy.NullPool)
        except ModuleNotFoundError as error:
            raise PropensityError(
                f"MLflow at {_named(uri)} takes a driver that is not installed: {error.name}",
                f"Install it: pip install {error.name}.",
                status=503,
            ) from error
        with engine.connect():
            pass


def _agrees(model: Model, example: pd.DataFrame) -> None:
    """Refuse to register a model under a signature that is not its own."""
    if (said := list(example.columns)) != (own := list(model.encoder.columns)):
        differ = [name for name, other in zip(said, own, strict=False) if name != other] or [f"{len(own)} columns"]
        raise PropensityError(
            f"the example does not have the model's columns in the model's order; first at {differ[0]}",
            "Give an example with the columns of the model's contract.",
        )


def _signature(model: Model) -> Any:
    """Every column by its name, numbers as doubles whatever the rows at hand look like; any value may be missing."""
    texts = model.encoder.categories
    inputs = [ColSpec("string" if name in texts else "double", name) for name in model.encoder.columns]
    return ModelSignature(Schema(inputs), Schema([ColSpec("double", "probability")]))


def _finite(metrics: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in metrics.items() if math.isfinite(value)}


def _named(uri: str) -> str:
    """Without user and password."""
    return re.sub(r"//[^/@]*@", "//", uri)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]


def _version(found: Any) -> Version:
    tags = found.tags
    return Version(found.name, int(found.version), tags.get(SHA, ""), str(found.run_id), tags.get(VERDICT, ""))
