"""Another champion, another batch: taken into use without a restart, or left alone where they cannot be used.

The application runs within the test, so that each look happens when the test says so; ``test_service_faults`` does the
same to the server under load.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa
from fastapi import FastAPI

from benchmarks import drills
from features.errors import PropensityError
from features.workspace import Workspace, load
from serving.scores.score import Score
from serving.stores.store import Store, is_down
from serving.web import application as web
from serving.web import canary, watch
from serving.web.guard import METRICS
from serving.web.live import Live, Served
from serving.web.watch import AGAIN_SECONDS, Attempt, Wanted, Watcher
from tests.serving import inside
from training.model import CONTRACT
from training.registry import Registry, Version


@pytest.fixture(scope="module")
def two(trained: Workspace, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[Version, list[Score]]]:
    """A workspace with a second version of churn, and what both say."""
    root = Path(shutil.copytree(trained.root, tmp_path_factory.mktemp("two") / "company"))
    workspace = load(root)
    first, second = Registry(workspace).require_champion("churn"), drills.another(workspace)
    return root, {version: drills.scored(workspace, version) for version in (first, second)}


@pytest.fixture
def scores(two: tuple[Path, dict[Version, list[Score]]]) -> dict[Version, list[Score]]:
    return two[1]


@pytest.fixture
def here(two: tuple[Path, Any], tmp_path: Path) -> Workspace:
    return load(Path(shutil.copytree(two[0], tmp_path / "company")))


class Service:
    """The application, its watcher, and what it answers."""

    def __init__(self, workspace: Workspace) -> None:
        self.app: FastAPI = web.application()
        self.watcher = Watcher(self.app, workspace, lambda: web.protect(self.app, workspace, loopback=True))
        self.client = inside.client(self.app)
        self.watcher.begin()

    def score(self, accounts: list[str]) -> Any:
        return self.client.post("/v1/score", json={"outcome": "churn", "accounts": accounts}).raise_for_status().json()

    def health(self) -> tuple[str, Any]:
        told = self.client.get("/v1/health").raise_for_status().json()
        return told["status"], told["outcomes"]["churn"]

    def is_at(self, scores: list[Score]) -> None:
        """Every account is answered as these scores have it."""
        told = self.score([score.account for score in scores])
        assert told["model_version"] == scores[0].model_version
        for one, score in zip(told["scores"], scores, strict=True):
            assert {name: one[name] for name in score.as_dict()} == score.as_dict()


@pytest.fixture
def service(here: Workspace) -> Iterator[Service]:
    found = Service(here)
    yield found
    found.watcher.close()


def counted(name: str) -> float:
    return METRICS.get_sample_value(name, {"outcome": "churn"}) or 0.0


def untried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is to be tried or loaded."""
    monkeypatch.setattr(watch, "tried", lambda *_: pytest.fail("there is nothing new to try"))


def damaged(version: Version, workspace: Workspace, sign: bool) -> Path:
    """A byte of a booster more; ``sign``: and its hash is made to fit, so that it is LightGBM that notices."""
    folder = workspace.state / "models" / version.sha256
    file = min(folder.glob("part-*.txt"))
    file.write_bytes(file.read_bytes().replace(b"leaf_value=", b"leaf_value=9", 1))
    if sign:
        contract = json.loads((folder / CONTRACT).read_text(encoding="utf-8"))
        for part in contract["parts"]:
            for told in part["files"].values():
                if told["file"] == file.name:
                    told["sha256"] = hashlib.sha256(file.read_bytes()).hexdigest()
        (folder / CONTRACT).write_text(json.dumps(contract), encoding="utf-8")
    return folder


def test_a_promoted_model_is_served_once_its_own_scores_are_there(
    here: Workspace, service: Service, scores: dict[Version, list[Score]], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = scores
    assert [s.probability for s in scores[first]] != [s.probability for s in scores[second]]
    service.is_at(scores[first])
    assert service.health()[0] == "ok"

    with monkeypatch.context() as patch:
        untried(patch)
        service.watcher.look()
        Registry(here).promote(second)
        service.watcher.look()
    service.is_at(scores[first])
    status, told = service.health()
    assert (status, told["model_version"], "propensity score" in told["hint"]) == ("degraded", 1, True)
    assert "is version 2, and the latest scores are of version 1" in told["error"]
    assert Live.load(here).of("churn").scorer.version == first, "a worker that starts now serves that too"

    before = counted("propensity_swaps_total")
    Store(here).save(scores[second])
    service.watcher.look()
    service.is_at(scores[second])
    assert (service.health()[0], counted("propensity_swaps_total") - before) == ("ok", 1)
    assert counted("propensity_model_version") == 2
    assert counted("propensity_scores") == len(scores[second])
    assert counted("propensity_model_age_days") > counted("propensity_scores_age_days") > 0


def test_a_model_that_is_not_whole_or_kills_who_loads_it_changes_nothing_but_health_log_and_metric(
    here: Workspace,
    service: Service,
    scores: dict[Version, list[Score]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    first, second = scores
    failures = counted("propensity_swap_failures_total")
    whole = here.root / "whole"
    shutil.copytree(here.state / "models" / second.sha256, whole)
    folder = damaged(second, here, sign=False)
    drills.use(here, second, scores[second])
    service.watcher.look()
    service.is_at(scores[first])
    status, told = service.health()
    assert (status, told["model_version"], "SHA-256 differs" in told["error"]) == ("degraded", 1, True)
    assert counted("propensity_swap_failures_total") - failures == 1
    alerts = [record.message for record in caplog.records if record.levelno >= logging.ERROR]
    assert len([line for line in alerts if line.startswith("ALERT: churn goes on as it was")]) == 1
    assert web.ready(service.app), "it serves as well as it did"

    with monkeypatch.context() as patch:
        untried(patch)
        service.watcher.look()

    killer = damaged(second, here, sign=True)
    made = drills.enrolled(here, second, killer, hashlib.sha256((killer / CONTRACT).read_bytes()).hexdigest())
    drills.use(
        here, made, [drills.replace(one, model_version=3, score_id=one.score_id[::-1]) for one in scores[second]]
    )
    service.watcher.look()
    service.is_at(scores[first])
    assert "kills the process that loads it (SIGABRT)" in service.health()[1]["error"]

    shutil.copytree(whole, folder)
    drills.use(here, second, scores[second])
    service.watcher.look()
    service.is_at(scores[second])
    assert service.health()[0] == "ok"


def test_scores_that_the_model_does_not_say_are_not_taken(
    here: Workspace, service: Service, scores: dict[Version, list[Score]]
) -> None:
    first, second = scores
    high = scores[second][0]
    drills.use(here, second, [drills.replace(high, low=high.low / 2), *scores[second][1:]])
    service.watcher.look()
    service.is_at(scores[first])
    assert "is not the one that the batch has" in service.health()[1]["error"]


def test_a_canary_says_what_may_be_served(here: Workspace, scores: dict[Version, list[Score]]) -> None:
    first, second = scores
    as_of, content = scores[first][0].as_of, scores[first][0].frame_hash
    assert canary.tried(here, first) == ("churn", "1", str(as_of), content)
    with pytest.raises(PropensityError, match="no version 9 of churn"):
        canary.tried(here, drills.replace(second, number=9))


def test_what_failed_is_tried_when_something_changes_and_else_ever_more_rarely() -> None:
    this, other = Wanted(None, (1,), (0, False)), Wanted(None, (2,), (0, False))
    assert not Attempt(this).due(this)
    assert Attempt(this).due(other)
    assert not Attempt(this, time.monotonic() + AGAIN_SECONDS).due(this)
    assert Attempt(this, time.monotonic() + AGAIN_SECONDS).due(other)
    assert Attempt(this, time.monotonic() - 1).due(this)


def test_the_pause_between_attempts_doubles(
    service: Service, here: Workspace, scores: dict[Version, list[Score]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def bad(*_: object) -> None:
        raise PropensityError("it is bad", "Mend it.", status=503)

    now = [1000.0]
    monkeypatch.setattr(watch, "tried", bad)
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    drills.use(here, *list(scores.items())[1])
    failures, seen = counted("propensity_swap_failures_total"), []
    for second in range(0, 500, 5):
        now[0] = 1000.0 + second
        service.watcher.look()
        if counted("propensity_swap_failures_total") > failures:
            failures, seen = failures + 1, [*seen, second]
    assert seen == [0, 60, 180, 420]


def test_a_store_that_goes_between_two_outcomes_loses_neither(
    here: Workspace, service: Service, scores: dict[Version, list[Score]], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, second = scores
    drills.use(here, second, scores[second])
    store, versions = Store(here), []
    store.save(store.top("advocacy", 1000))

    def tried(workspace: Workspace, version: Version) -> tuple[str, ...]:
        versions.append(version.outcome)
        if versions == ["churn", "advocacy"]:
            raise sa.exc.OperationalError("SELECT 1", {}, ValueError("gone"))
        return Served.of(workspace, Registry(workspace), store, version).named

    monkeypatch.setattr(watch, "tried", tried)
    service.watcher.look()
    service.is_at(scores[second])
    assert service.health()[0] == "degraded"
    service.watcher.look()
    assert (versions, service.health()[0]) == (["churn", "advocacy", "advocacy"], "ok")


def test_what_could_not_be_used_at_the_start_is_tried_again(
    here: Workspace, scores: dict[Version, list[Score]], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = next(iter(scores))
    shutil.copytree(here.state / "models" / first.sha256, here.root / "whole")
    folder = damaged(first, here, sign=False)
    service = Service(here)
    assert not web.ready(service.app)
    shutil.rmtree(folder)
    shutil.copytree(here.root / "whole", folder)
    service.watcher.look()
    assert not web.ready(service.app)
    later = time.monotonic() + AGAIN_SECONDS
    monkeypatch.setattr(watch, "tried", lambda *_: Served.of(here, Registry(here), Store(here), first).named)
    monkeypatch.setattr(watch.time, "monotonic", lambda: later)
    service.watcher.look()
    assert web.ready(service.app)
    service.is_at(scores[first])


def test_accounts_of_another_intake_are_known(here: Workspace, service: Service) -> None:
    assert service.client.get("/v1/accounts/newcomer/scores").status_code == 404
    pointer = here.tables / "current"
    old = here.tables / pointer.read_text(encoding="utf-8")
    shutil.copytree(old, here.tables / "other")
    table = pd.read_parquet(old / "accounts.parquet")
    newcomer = table.iloc[[0]].assign(account="newcomer", account_code=table["account_code"].max() + 1)
    pd.concat([table, newcomer]).astype(table.dtypes).to_parquet(
        here.tables / "other" / "accounts.parquet", index=False
    )
    pointer.write_text("other", encoding="utf-8")
    service.watcher.look()
    assert service.client.get("/v1/accounts/newcomer/scores").status_code == 409


def test_a_registry_that_is_gone_is_said_and_found_again(
    here: Workspace, service: Service, scores: dict[Version, list[Score]], caplog: pytest.LogCaptureFixture
) -> None:
    first, second = scores
    with away(here.root / "mlflow.db"):
        service.watcher.look()
        service.watcher.look()
        service.is_at(scores[first])
        status, told = service.health()
        assert (status, told["model_version"], "MLflow" in told["error"]) == ("degraded", 1, True)
        assert METRICS.get_sample_value("propensity_reached") == 0
        assert sum(record.message.startswith("ALERT: what is in memory") for record in caplog.records) == 1
    drills.use(here, second, scores[second])
    service.watcher.look()
    service.is_at(scores[second])
    assert service.health()[0] == "ok"
    assert METRICS.get_sample_value("propensity_reached") == 1


def test_a_store_that_is_gone_is_outlived(
    here: Workspace, service: Service, scores: dict[Version, list[Score]]
) -> None:
    listed = service.client.get("/v1/lists/churn").raise_for_status().json()
    body = {"account": listed["lines"][0]["account"], "by": "ann"}
    with away(here.state / "propensity.db"):
        service.watcher.look()
        service.is_at(next(iter(scores.values())))
        assert service.client.get("/v1/lists/churn").raise_for_status().json() == listed, "the last good answer"
        assert service.health()[0] == "degraded"
        for answer in (
            service.client.post("/v1/outreach", json=body),
            service.client.get("/v1/lists/churn?top=1"),
            service.client.get("/v1/log"),
        ):
            assert answer.status_code == 503, answer.text
            assert "application store" in answer.json()["error"]
            assert answer.json()["hint"].startswith("Check that it is up")
    assert service.client.post("/v1/outreach", json=body).status_code == 201
    service.watcher.look()
    assert service.health()[0] == "ok"
    assert len(service.client.get("/v1/lists/churn?top=1").raise_for_status().json()["lines"]) == 1


def test_a_service_that_starts_while_they_are_gone_finds_them_later(
    here: Workspace, scores: dict[Version, list[Score]]
) -> None:
    for place in (here.root / "mlflow.db", here.state / "propensity.db"):
        with away(place):
            service = Service(here)
            assert not web.ready(service.app)
            assert service.client.get("/v1/health").status_code == 503
        service.watcher.look()
        assert web.ready(service.app)
        service.is_at(next(iter(scores.values())))


def test_a_mistake_of_ours_is_not_taken_for_a_store_that_is_down() -> None:
    def raised(kind: type[sa.exc.DBAPIError]) -> bool:
        return is_down(kind("SELECT 1", {}, ValueError("so")))

    assert raised(sa.exc.OperationalError)
    assert raised(sa.exc.DatabaseError)
    assert raised(sa.exc.InterfaceError)
    assert is_down(sa.exc.TimeoutError())
    assert not raised(sa.exc.IntegrityError)
    assert not raised(sa.exc.ProgrammingError)
    assert not is_down(sa.exc.NoSuchTableError("log"))


class away:  # noqa: N801 - reads as what it does
    """A database whose file cannot be opened, and is there again afterwards."""

    def __init__(self, file: Path) -> None:
        self.file, self.kept = file, file.with_name("kept")

    def __enter__(self) -> None:
        self.kept.mkdir()
        for one in self.file.parent.glob(f"{self.file.name}*"):
            one.rename(self.kept / one.name)
        self.file.mkdir()

    def __exit__(self, *_: object) -> None:
        self.file.rmdir()
        for one in self.kept.iterdir():
            one.rename(self.file.with_name(one.name))
        self.kept.rmdir()
