"""Ablation: leaving out the family that carries the signal is missed, leaving out one that carries none is not."""

from __future__ import annotations

import json

import pytest

from benchmarks import ablation as benchmark
from benchmarks import docs
from benchmarks import results as kept
from features import frame
from features.errors import PropensityError
from features.workspace import Workspace
from tests.commands import Command
from tests.training import made
from training import ablation
from training.ablation import Ablation, ablate
from training.dataset import Encoder
from training.result import Result


@pytest.fixture(scope="module")
def churn(prepared: Workspace) -> Ablation:
    return ablate(prepared, "churn")


def test_only_the_families_that_carry_the_signal_are_missed(churn: Ablation) -> None:
    """Who barely used it and gave a low answer leaves: only interaction tells of the one, only perception of the other."""
    changes = {one.family: one for one in churn.without}
    assert tuple(changes) == ablation.FAMILIES
    assert [family for family, one in changes.items() if one.missed] == ["interaction", "perception"]
    for family in ("interaction", "perception"):
        missed = changes[family]
        assert missed.auc.value < -0.05
        assert missed.auc.high < 0
        assert 0 < missed.log_loss.low <= missed.log_loss.value <= missed.log_loss.high
    for family in ("outcome", "context"):
        assert abs(changes[family].auc.value) < 0.05


def test_it_is_measured_as_training_measures(churn: Ablation, results: tuple[Workspace, dict[str, Result]]) -> None:
    """The same model on the same rows: what is called "all" is what was registered."""
    trained = results[1]["churn"]
    assert (churn.test, churn.n, churn.positives) == (trained.test, trained.n, trained.positives)
    assert churn.auc == trained.metrics["auc"]
    assert churn.log_loss == trained.metrics["log_loss"]


def test_families_are_left_out_of_the_plan_and_the_frames_stay(prepared: Workspace, churn: Ablation) -> None:
    rows = made.rows(20)
    left = ablation.leave_out(rows, "context")
    assert left.plan.names == [name for name in rows.plan.names if name != "segment"]
    assert left.frame is rows.frame
    assert Encoder.fitted(left.frame, left.plan).matrix(left.frame).shape == (len(rows), len(left.plan.names))
    assert sum(one.columns for one in churn.without) == churn.columns == len(frame.current_plan(prepared).columns)


def test_too_little_to_judge_is_an_error_that_names_the_cure(prepared: Workspace) -> None:
    training = prepared.config.training.model_copy(update={"minimum_positives": 150})
    scarce = Workspace(prepared.root, prepared.config.model_copy(update={"training": training}))
    with pytest.raises(PropensityError, match=r"churn: the test fold has .* at least 150 are needed") as error:
        ablate(scarce, "churn")
    assert "training.minimum_positives" in error.value.hint


def test_the_command_prints_a_table_or_a_document(
    propensity: Command, again: Workspace, churn: Ablation, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def measured(workspace: Workspace, outcome: str, progress: ablation.Progress) -> Ablation:
        asked.append(outcome)
        progress("booster 1 of 2, all columns")
        return churn

    monkeypatch.setattr(ablation, "ablate", measured)
    done = propensity("ablate", "--workspace", again.root, "--outcome", "churn", "--json")
    assert (done.status, asked) == (0, ["churn"])
    assert done.document == {"churn": json.loads(json.dumps(churn.as_dict()))}
    assert done.document["churn"]["what"] == "a measurement on the test fold: nothing may be chosen by it"
    told = propensity("ablate", "--workspace", again.root, "--outcome", "churn").out
    for one in churn.without:
        assert any(line.startswith(one.family) and f"{one.auc.value:+.4f}" in line for line in told.splitlines())
    assert propensity("ablate", "--workspace", again.root, "--outcome", "growth").status == 2


def test_what_is_measured_on_real_input_is_logged_as_a_measurement_and_shown(
    churn: Ablation, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged: list[tuple[str, dict[str, object]]] = []
    monkeypatch.setattr(kept, "record", lambda name, row: logged.append((name, row)))
    rows = benchmark.lines("company churn", churn, 1.0)
    [(log, entry)] = logged
    assert (log, entry["auc"], entry["note"]) == ("test_date_runs", churn.auc.value, benchmark.NOTE)
    assert all(row["note"] == benchmark.NOTE for row in rows)
    assert [row["without"] for row in rows] == ["nothing", *ablation.FAMILIES]
    page = "\n\n".join(docs.ablation_parts([row | kept.stamp() for row in rows]))
    assert f"| nothing | {churn.columns} | {churn.log_loss.value:.4f} (" in page
    assert f"| **interaction** | {churn.without[0].columns} | {churn.without[0].log_loss.value:+.4f} (" in page
    assert docs.ablation_parts([]) == [], "never measured, nothing claimed"
