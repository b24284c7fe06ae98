"""Why, what if and importance by command: across dates and model versions, and refusals that name the cure."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from features import frame
from features.workspace import Workspace, load
from serving.scores import batch
from serving.scores.families import shares
from serving.scores.movement import why
from serving.scores.score import Score
from serving.stores.store import Store
from tests import company
from tests.commands import Command
from training.movement import APART
from training.registry import Registry
from training.train import train

EARLIER, FIRST = company.UNTIL.replace(day=10), date(2026, 5, 31)
UNITS = ("log_odds", "probability")


@pytest.fixture(scope="module")
def scored(trained: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """The company scored as of three dates: twice by the first model, the last time by a second one of churn."""
    here = load(Path(shutil.copytree(trained.root, tmp_path_factory.mktemp("scored") / "company")))
    for day in (FIRST, EARLIER):
        batch.score(here, day)
    training = here.config.training.model_copy(update={"seed": 99})
    other = Workspace(here.root, here.config.model_copy(update={"training": training}))
    made = train(other, "churn")
    assert made.version is not None
    registry = Registry(here)
    registry.promote(registry.version("churn", made.version))
    batch.score(here)
    return here


def _account(workspace: Workspace) -> str:
    """One that is scored as of every date, and whose data has moved."""
    store = Store(workspace)
    for score in store.top("churn", 1000):
        history = store.history(score.account, "churn")
        if len(history) == 3 and abs(history[2].probability - history[1].probability) > 0.01:
            return score.account
    raise AssertionError("no account has moved")


def _sums(moved: dict[str, Any]) -> None:
    for unit in UNITS:
        told = moved[unit]
        scale = sum(abs(share[part]) for share in told["columns"].values() for part in ("data", "model"))
        for groups in ("columns", "families", "roles"):
            data, model = (math.fsum(share[part] for share in told[groups].values()) for part in ("data", "model"))
            assert data + told["season"] == pytest.approx(told["data"], abs=1e-9 * scale)
            assert model + told["starting_point"] == pytest.approx(told["model"], abs=1e-9 * scale)
        assert told["data"] + told["model"] == pytest.approx(told["change"], abs=1e-9 * scale)
        assert told["after"] - told["before"] == told["change"]


def test_why_explains_the_change_between_stored_scores_across_versions(propensity: Command, scored: Workspace) -> None:
    account = _account(scored)
    done = propensity("why", account, "--outcome", "churn", "--workspace", scored.root, "--json")
    assert (done.status, done.document["account"]) == (0, account)
    [moved] = done.document["moves"]
    before, after = Store(scored).history(account, "churn")[1:]
    assert (moved["before"], moved["after"]) == (before.as_dict(), after.as_dict())
    assert after.model_version > before.model_version == 1
    assert moved["probability"]["before"] == pytest.approx(before.probability, abs=1e-15)
    assert moved["probability"]["after"] == pytest.approx(after.probability, abs=1e-15)
    _sums(moved)
    assert moved["log_odds"]["model"] != 0
    sizes = [abs(cause["log_odds"]) for cause in moved["causes"]]
    assert sizes == sorted(sizes, reverse=True)
    assert 1 <= len(sizes) <= 5
    told = propensity("why", account, "--outcome", "churn", "--workspace", scored.root).out
    assert f"as of {EARLIER} → {company.UNTIL}" in " ".join(told.split())
    assert f"version 1 → {after.model_version}" in told


def test_since_goes_back_further_and_every_outcome_is_told(propensity: Command, scored: Workspace) -> None:
    account = _account(scored)
    done = propensity("why", account, "--since", "2026-06-05", "--workspace", scored.root, "--json")
    days = {move["outcome"]: (move["before"]["as_of"], move["after"]["as_of"]) for move in done.document["moves"]}
    assert days["churn"] == (str(FIRST), str(company.UNTIL))
    for moved in done.document["moves"]:
        _sums(moved)


def test_the_same_model_has_no_model_part_and_causes_have_their_old_values(scored: Workspace) -> None:
    moves = [moved for account in range(40) for moved in _advocacy(scored, f"a{account:04}")]
    assert moves
    assert all(moved.log_odds.model_part == 0 for moved in moves)
    assert all(set(moved.families.model.values()) == {0.0} for moved in moves)
    texts = [cause.text for moved in moves for cause in moved.causes]
    assert any(", was " in text for text in texts)
    assert all(cause.feature not in APART for moved in moves for cause in moved.causes)


def _advocacy(workspace: Workspace, account: str) -> list[Any]:
    history = Store(workspace).history(account, "advocacy")
    return why(workspace, account, "advocacy") if len(history) > 1 else []


def test_a_score_that_was_changed_has_no_movement(scored: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    account, honest = _account(scored), Store.history

    def changed(self: Store, account: str, outcome: str) -> list[Score]:
        *others, last = honest(self, account, outcome)
        return [*others, replace(last, probability=last.probability / 2)]

    monkeypatch.setattr(Store, "history", changed)
    with pytest.raises(Exception, match="and made again it is"):
        why(scored, account, "churn")


def test_one_score_is_no_movement(propensity: Command, trained: Workspace) -> None:
    account = Store(trained).top("churn", 1)[0].account
    done = propensity("why", account, "--workspace", trained.root, "--json")
    assert (done.status, done.document["status"]) == (2, 409)
    assert f"it was scored as of {company.UNTIL}" in done.document["error"]
    assert "propensity score --as-of" in done.document["hint"]
    early = propensity("why", account, "--since", "2020-01-01", "--workspace", trained.root, "--json")
    assert "as of 2020-01-01 or earlier" in early.document["error"]


def test_families_and_the_starting_point_sum_to_the_log_odds(propensity: Command, trained: Workspace) -> None:
    top = Store(trained).top("churn", 1)[0]
    done = propensity("explain", top.account, "--workspace", trained.root, "--json")
    told = done.document["shares"]
    assert set(told) == {score["outcome"] for score in done.document["scores"]}
    for one in told.values():
        for groups in ("families", "roles"):
            assert math.fsum([one["start"], *one[groups].values()]) == pytest.approx(one["log_odds"], abs=1e-9)
    assert 1 / (1 + math.exp(-told["churn"]["log_odds"])) == pytest.approx(top.probability, abs=1e-12)
    assert shares(trained, [top])["churn"].as_dict() == told["churn"]
    assert "by family, in log-odds: " in propensity("explain", top.account, "--workspace", trained.root).out


def test_what_if_sets_what_can_be_acted_on(propensity: Command, served: Workspace) -> None:
    """One touch more, in all windows; some account of the list is within what was seen."""
    for score in Store(served).top("churn", 20):
        row = frame.read(served, score.as_of, score.frame_hash).set_index("account").loc[score.account]
        was = {days: float(row[f"touches_{days}d"]) for days in (30, 90, 365)}
        arguments = ("what-if", score.account, "--set", f"touches={was[30] + 1:g}", "--outcome", "churn")
        done = propensity(*arguments, "--workspace", served.root, "--json")
        if done.status == 0:
            break
        assert "in training it was between" in done.document["error"]
    [asked] = done.document["outcomes"]
    assert (asked["outcome"], asked["score"]["score_id"]) == ("churn", score.score_id)
    assert asked["before"]["probability"] == score.probability
    for days, count in was.items():
        assert asked["changed"][f"touches_{days}d"] == {"from": count, "to": count + 1}
    assert "touches_recency" in asked["held"]
    assert "not what acting would cause" in asked["what"]
    change = math.fsum(share["probability"] for share in asked["contributions"].values())
    assert change == pytest.approx(asked["after"]["probability"] - score.probability, abs=1e-12)
    told = propensity(*arguments, "--workspace", served.root)
    assert told.status == 0
    assert f"touches_30d: {was[30]:g} → {was[30] + 1:g}" in told.out


def test_importance_by_command(propensity: Command, again: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.importance.REPEATS", 1)
    done = propensity("importance", "--outcome", "churn", "--workspace", again.root, "--json")
    assert (done.status, list(done.document)) == (0, ["churn"])
    families = done.document["churn"]["families"]
    assert {"interaction", "perception"} <= {name for name, worth in families.items() if worth["shown"]}
    assert done.document["churn"]["version"] == 1


ERRORS = {
    "unknown account, why": (["why", "a9999"], "there is no account 'a9999'", "accounts table"),
    "unknown outcome, why": (["why", "a0001", "--outcome", "growth"], "no outcome 'growth'", "churn"),
    "bad date, why": (["why", "a0001", "--since", "May"], "--since is 'May'", "YYYY-MM-DD"),
    "unknown account, what if": (["what-if", "a9999", "--set", "touches=1"], "there is no account", "accounts"),
    "no number": (["what-if", "TOP", "--set", "touches=many"], "--set is 'touches=many'", "feature=value"),
    "nothing set": (["what-if", "TOP"], "nothing is to be changed", "touches"),
    "not to be set": (["what-if", "TOP", "--set", "usage_events=1"], "nothing that we could act on", "touches"),
    "beyond the range": (["what-if", "TOP", "--set", "touches=1e6"], "in training it was between", "range"),
    "unknown outcome, importance": (["importance", "--outcome", "growth"], "no outcome 'growth'", "churn"),
}


@pytest.mark.parametrize(("arguments", "message", "hint"), ERRORS.values(), ids=ERRORS)
def test_refusals_name_the_cure(
    arguments: list[str], message: str, hint: str, propensity: Command, served: Workspace
) -> None:
    top = Store(served).top("churn", 1)[0].account
    named = [top if word == "TOP" else word for word in arguments]
    done = propensity(*named, "--workspace", served.root, "--json")
    assert done.status == 2
    assert message in done.document["error"]
    assert hint in done.document["hint"]
    assert "Traceback" not in done.err


def test_the_list_says_what_moved_a_score_since_last_time(propensity: Command, scored: Workspace) -> None:
    lines = propensity("list", "--top", 40, "--workspace", scored.root, "--json").document["lines"]
    told = [line for line in lines if line["moved"]]
    assert told, "nothing moved any of them"
    for line in lines:
        if line["before"] is None:
            assert not line["moved"]
            continue
        [moved] = why(scored, line["account"], "churn")
        assert line["before"] == moved.before.probability
        way = 1 if moved.probability.change > 0 else -1
        pulled = [cause.text for cause in moved.causes if way * cause.probability >= 0.01]
        assert line["moved"] == pulled[:2]
    words = " ".join(propensity("list", "--top", 40, "--workspace", scored.root).out.split())
    assert f"moved by: {told[0]['moved'][0]}" in words
