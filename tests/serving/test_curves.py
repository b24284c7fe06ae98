"""The retention curve of an account: the one that is kept, by command, or the reason why there is none."""

from __future__ import annotations

import numpy as np
import pytest

from features import frame
from features.workspace import Workspace
from tests.commands import Command
from training import hazard, retention
from training.dataset import Encoder, dataset
from training.hazard import Lives, Retention


@pytest.fixture(scope="module")
def fitted(prepared: Workspace) -> Retention:
    """A curve over two horizons on the company's own columns; who leaves in the second is drawn."""
    rows = dataset(prepared, "churn")
    encoder = Encoder.fitted(rows.frame, rows.plan)
    at_risk, left = np.ones((len(rows), 2), dtype=bool), np.zeros((len(rows), 2), dtype=bool)
    left[:, 0] = rows.y == 1
    at_risk[:, 1] = ~left[:, 0]
    left[:, 1] = at_risk[:, 1] & (np.random.default_rng(0).random(len(rows)) < 0.2)
    facts = {"meanings": rows.plan.meanings}
    matrix, lives = encoder.matrix(rows.frame), Lives((28, 90), at_risk, left)
    return hazard.fit(matrix, lives, rows.accounts, len(set(rows.as_of.tolist())), encoder, 7, 2, facts)


def test_the_curve_that_is_kept_is_told_of_an_account(
    copied: Workspace, fitted: Retention, propensity: Command
) -> None:
    retention.keep(copied, fitted, [])
    day = frame.observed_until(copied)
    rows = frame.feature_frame(copied, [day])
    rows = rows[rows[frame.APPLIES + "churn"].to_numpy(dtype=bool)].reset_index(drop=True)
    expected = fitted.curve(rows.head(1))[0].tolist()
    account = rows["account"][0]
    done = propensity("curve", account, "--workspace", copied.root, "--json")
    assert done.status == 0
    assert done.document == {
        "account": account,
        "as_of": str(day),
        "stays": dict(zip(("28", "90"), expected, strict=True)),
    }
    assert expected[0] >= expected[1]
    told = propensity("curve", account, "--workspace", copied.root)
    assert (told.status, "after  90 days" in told.out) == (0, True)


def test_a_curve_that_was_tampered_with_is_refused(copied: Workspace, fitted: Retention, propensity: Command) -> None:
    sha256 = retention.keep(copied, fitted, [])
    file = copied.state / "retention" / sha256 / "retention-0.txt"
    file.write_bytes(file.read_bytes()[:-20])
    done = propensity("curve", "a0001", "--workspace", copied.root, "--json")
    assert (done.status, "SHA-256 differs" in done.document["error"]) == (2, True)


def test_without_a_curve_the_command_says_how_to_get_one(copied: Workspace, propensity: Command) -> None:
    done = propensity("curve", "a0001", "--workspace", copied.root, "--json")
    assert (done.status, "there is no retention curve yet" in done.document["error"]) == (2, True)
    assert "propensity retention" in done.document["hint"]


def test_inactivity_has_no_moment_of_loss_and_so_no_curve(again: Workspace, propensity: Command) -> None:
    done = propensity("retention", "--workspace", again.root, "--json")
    assert done.status == 2
    assert "inactivity" in done.document["error"]


def test_an_account_that_is_not_there_is_named(copied: Workspace, fitted: Retention, propensity: Command) -> None:
    retention.keep(copied, fitted, [])
    done = propensity("curve", "nobody", "--workspace", copied.root, "--json")
    assert (done.status, "there is no account 'nobody'" in done.document["error"]) == (2, True)
