"""The registry: versions, the champion, runs of killed processes, and models that anybody's MLflow can load."""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path

import mlflow
import numpy as np
import pytest

from features import frame
from features.errors import PropensityError
from features.workspace import Workspace
from tests.training import made
from training.charts import png
from training.charts.reliability import reliability
from training.registry import Registry, Version
from training.result import Result

Results = tuple[Workspace, dict[str, Result]]


def test_the_champion_is_the_version_that_was_promoted(copied: Workspace) -> None:
    registry = Registry(copied)
    assert registry.champion("churn") is None
    with pytest.raises(PropensityError, match="no champion for churn") as none:
        registry.require_champion("churn")
    assert "propensity train" in none.value.hint
    made = [_registered(registry, copied.root / str(number)) for number in range(3)]
    assert [version.number for version in made] == [1, 2, 3]
    assert registry.champion("churn") is None
    for version in (made[1], made[2], made[0]):
        registry.promote(version)
        assert Registry(copied).champion("churn") == version
        assert registry.version("churn", version.number) == version
    with pytest.raises(PropensityError, match="no version 9 of churn; there are 1, 2, 3"):
        registry.version("churn", 9)


def _registered(registry: Registry, folder: Path) -> Version:
    rows = made.rows(40)
    sha256 = made.model(rows).save(folder)
    with registry.run("churn", {}):
        return registry.register("churn", folder, sha256, rows.frame[made.PLAN.names].head(2), {})


def test_two_workspaces_in_one_process_do_not_see_each_other(trained: Workspace, copied: Workspace) -> None:
    """MLflow writes the place it was last sent to into the environment; that must not become the next one's place."""
    assert Registry(trained).champion("churn") is not None
    with Registry(trained).run("churn", {}):
        pass
    assert "MLFLOW_TRACKING_URI" not in os.environ
    assert Registry(copied).champion("churn") is None
    with Registry(copied).run("churn", {"whose": "copied"}):
        pass
    assert [run.data.tags.get("whose") for run in _runs(copied)] == ["copied"]


def test_a_server_named_in_the_environment_is_used(
    trained: Workspace, copied: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", Registry(trained).uri)
    assert Registry(copied).champion("churn") == Registry(trained).champion("churn")


def _runs(workspace: Workspace) -> list[mlflow.entities.Run]:
    client = Registry(workspace).client
    found = client.get_experiment_by_name("propensity/churn")
    return [] if found is None else list(client.search_runs([found.experiment_id]))


def test_a_run_that_fails_says_so(copied: Workspace) -> None:
    with pytest.raises(ZeroDivisionError), Registry(copied).run("churn", {}):
        raise ZeroDivisionError
    assert [run.info.status for run in _runs(copied)] == ["FAILED"]


@pytest.mark.parametrize("outcome", ["churn", "advocacy"])
def test_mlflow_serves_the_same_probability_without_any_pickle(outcome: str, results: Results) -> None:
    workspace, found = results
    registry = Registry(workspace)
    version = registry.require_champion(outcome)
    rows = frame.feature_frame(workspace, found[outcome].test)
    model = registry.load(version)
    assert os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] == "false"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlflow.set_tracking_uri(registry.uri)
        mlflow.set_registry_uri(registry.uri)
        os.environ.pop("MLFLOW_TRACKING_URI", None)
        for name in (f"models:/{outcome}/{version.number}", f"models:/{outcome}@champion"):
            loaded = mlflow.pyfunc.load_model(name)
            answer = loaded.predict(rows[list(model.encoder.columns)])
            assert np.array_equal(answer["probability"], model.scores(rows).probability)


def test_nothing_that_is_kept_is_a_pickle(trained: Workspace) -> None:
    files = [file for file in (trained.root / "mlartifacts").rglob("*") if file.is_file()]
    models = [file for file in files if file.name == "MLmodel"]
    assert len(models) >= 2
    for file in files:
        assert file.suffix not in (".pkl", ".pickle", ".joblib", ".skops"), file
        content = file.read_bytes()
        assert not content.startswith(b"\x80"), f"{file} looks like a pickle"
        assert b"cloudpickle" not in content or file.name in ("MLmodel", "conda.yaml", "requirements.txt"), file
    for file in models:
        assert "python_model: null" not in file.read_text()
        assert "pkl" not in file.read_text()


def test_a_run_keeps_parameters_metrics_plots_card_and_which_data_it_has_seen(results: Results, tmp_path: Path) -> None:
    workspace, found = results
    registry, result = Registry(workspace), found["churn"]
    assert result.run is not None
    run = registry.client.get_run(result.run)
    assert run.info.status == "FINISHED"
    assert run.data.params["verdict"] == "promoted"
    assert run.data.params["outcome.horizon"] == "28"
    assert run.data.metrics["auc"] == result.metrics["auc"].value
    assert run.data.metrics["baseline.recency.log_loss"] == result.baselines["recency"]["log_loss"].value
    kept = [file.path.split("/")[-1] for file in registry.client.list_artifacts(result.run)]
    assert {"reliability.png", "baselines.png", "importance.png", "features.txt"} <= set(kept)
    written = Path(registry.client.download_artifacts(result.run, "reliability.png", str(tmp_path))).read_bytes()
    title = f"churn, {result.n:,} rows at {result.test[0]} to {result.test[-1]}"
    assert written == png(reliability(result.coverage, title)), "what the page and the notebooks show"
    model = registry.load(registry.require_champion("churn"))
    seen = {data.tags[0].value: data.dataset for data in run.inputs.dataset_inputs}
    assert seen["training"].digest == model.facts["data"] != seen["test"].digest
    assert json.loads(seen["test"].profile)["num_rows"] == result.n
    (listed,) = registry.versions("churn")
    assert (listed.aliases, listed.metrics["auc"]) == (("champion",), result.metrics["auc"].value)
    assert listed.tags["tested"] == f"{result.test[0]} to {result.test[-1]}"
    page = Path(registry.client.download_artifacts(result.run, "model_card.md", str(tmp_path))).read_text()
    assert page.startswith("# churn: promoted\n")
    assert f"data `{model.facts['data']}`" in page
    assert f"| recency | {result.baselines['recency']['log_loss']} |" in page


def test_damaged_files_are_noticed_in_the_cache_too(results: Results, tmp_path: Path) -> None:
    registry = Registry(results[0])
    version = registry.require_champion("churn")
    registry.load(version)
    file = min((results[0].state / "models" / version.sha256).glob("*booster*.txt"))
    whole = file.read_bytes()
    try:
        file.write_bytes(whole[:-100])
        with pytest.raises(PropensityError, match=f"{file.name} is not what was registered"):
            registry.load(version)
    finally:
        file.write_bytes(whole)
    registry.load(version)


def test_a_model_that_cannot_be_fetched_is_named(copied: Workspace) -> None:
    registry = Registry(copied)
    version = _registered(registry, copied.root / "model")
    for file in (copied.root / "mlartifacts").rglob("*booster-0.txt"):
        file.unlink()
    with pytest.raises(PropensityError, match=r"booster-0\.txt cannot be read"):
        registry.load(version)
