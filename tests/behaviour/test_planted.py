"""What is planted is found, with its sign; where nothing is planted, nothing is found.

One simulated company of each kind, smaller than the demo, and small bags: the sweep over many seeds is
`make verify`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.signs import signs
from features import intake
from features.sources.simulated import World
from features.workspace import Workspace
from serving.demo import prepare
from training import gate
from training.beacon import beacon
from training.registry import Registry
from training.result import Result
from training.train import train
from training.worth import worth

OUTCOMES = ("churn", "advocacy")
ROBUST = {
    "churn": (
        "the end of the term is near",
        "use falls below two thirds of the account's own usual",
        "survey scores are low",
        "the product is used on few days of the month",
    ),
    "advocacy": (
        "NPS answers are 9 or more",
        "use is high for the seats",
        "the account acted in the last 60 days",
    ),
}
"""Causes strong enough to show in so small a world. That an account has acted before, and how long it has been with us,
move the log-odds by a hundredth: their sign in columns that overlap is not settled at this size (``make verify`` counts
them all).
"""


def _simulated(root: Path, world: World, **training: int) -> Workspace:
    made = prepare(root, world, lambda done, of: None)
    training = {"bags": 2, "bootstraps": 200, **training}
    config = made.config.model_copy(update={"training": made.config.training.model_copy(update=training)})
    workspace = Workspace(made.root, config)
    with intake.read(workspace) as found:
        found.write_tables()
    return workspace


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return _simulated(tmp_path_factory.mktemp("planted"), World(accounts=900, months=24))


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_planted_causes_are_found_with_their_sign(outcome: str, planted: Workspace) -> None:
    result = train(planted, outcome)
    assert result.metrics["auc"].low > 0.7
    assert result.metrics["log_loss"].value < result.baselines["base rate"]["log_loss"].value
    assert result.verdict in (gate.PROMOTED, gate.NOT_BETTER)
    assert result.version is not None
    registry = Registry(planted)
    found = signs(planted, outcome, registry.load(registry.version(outcome, result.version)))
    told = {sign["cause"]: sign for sign in found}
    for cause in ROBUST[outcome]:
        assert told[cause]["right"], told[cause]
        assert abs(told[cause]["correlation"]) > 0.1, told[cause]


def test_low_answers_are_a_beacon_of_leaving(tmp_path: Path) -> None:
    """They are one cause of nine, and thirty metrics are tried: it takes a company of some size and history."""
    longer = _simulated(tmp_path, World(accounts=1000, months=30))
    told = {one.measure.name: one.judged for one in beacon(longer, "churn").beacons}
    assert told["nps_answer"].end == "low"


def test_high_answers_are_a_beacon_of_advocacy_and_an_answer_is_worth_something(planted: Workspace) -> None:
    told = {one.measure.name: one.judged for one in beacon(planted, "advocacy").beacons}
    assert told["nps_answer"].end == "high"
    (answer,) = worth(planted, ("nps_answer",))
    assert answer.stay is not None
    assert answer.stay.shown
    assert answer.stay.value > 0
    assert answer.trusted


def test_where_nothing_is_planted_nothing_is_promoted(tmp_path: Path) -> None:
    workspace = _simulated(tmp_path, World(accounts=350, months=20, seed=1, signal=False), minimum_positives=10)
    for outcome in OUTCOMES:
        assert not beacon(workspace, outcome).beacons
        result = train(workspace, outcome)
        _nothing(result)
        assert Registry(workspace).champion(outcome) is None


def _nothing(result: Result) -> None:
    assert result.metrics, result.reasons
    assert result.verdict == gate.NO_SIGNAL, result.reasons
    assert result.metrics["auc"].low <= 0.5 <= result.metrics["auc"].high
