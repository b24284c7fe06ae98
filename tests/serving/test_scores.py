"""Stored scores: made again exactly, stored once, and told without giving away a name."""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features import frame
from features.errors import PropensityError
from features.workspace import Workspace
from serving.cells import defused
from serving.scores import batch, lists
from serving.scores.replay import replay
from serving.scores.score import Score
from serving.scores.scoring import Scorer
from serving.stores.store import Store
from tests import company
from tests.commands import Command

OUTCOMES = ("churn", "advocacy")
EVERYBODY = 10_000


def _scores(workspace: Workspace, outcome: str = "churn") -> list[Score]:
    return Store(workspace).top(outcome, EVERYBODY)


def _rows(workspace: Workspace) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(workspace.state / "propensity.db")) as connection:
        return connection.execute("SELECT * FROM scores ORDER BY score_id").fetchall()


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_scores_are_what_the_model_says_of_the_frame(outcome: str, trained: Workspace) -> None:
    scores = _scores(trained, outcome)
    scorer = Scorer.champion(trained, outcome)
    rows = frame.read(trained, company.UNTIL, scores[0].frame_hash).set_index("account")
    said = scorer.model.scores(rows)
    expected = dict(zip(rows.index, zip(said.probability, said.low, said.high, strict=True), strict=True))
    assert {score.account: (score.probability, score.low, score.high) for score in scores} == expected
    assert [score.rank for score in scores] == list(range(1, len(scores) + 1))
    assert sorted(scores, key=lambda score: (-score.probability, score.account)) == scores
    assert scores[0].percentile == 100
    assert all(score.row_hash == rows["row_hash"][score.account] for score in scores)
    assert len({score.score_id for score in scores}) == len(scores)


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_reasons_are_the_accounts_own_and_add_up(outcome: str, trained: Workspace) -> None:
    scores = _scores(trained, outcome)
    scorer = Scorer.champion(trained, outcome)
    rows = frame.read(trained, company.UNTIL, scores[0].frame_hash)
    each = scorer.model.contributions(rows)
    above = dict(zip(rows["account"], each[:, :-1].sum(axis=1) >= 0, strict=True))
    for score in scores:
        assert len(score.reasons) <= 3
        assert len({reason.feature for reason in score.reasons}) == len(score.reasons)
        sizes = [abs(reason.contribution) for reason in score.reasons]
        assert sizes == sorted(sizes, reverse=True)
        assert {reason.direction for reason in score.reasons} <= {"raises" if above[score.account] else "lowers"}
    top, last = scores[0], scores[-1]
    assert {reason.direction for reason in top.reasons} == {"raises"}
    assert {reason.direction for reason in last.reasons} == {"lowers"}


def test_a_chunk_is_no_boundary(trained: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    scorer, scores = Scorer.champion(trained, "churn"), _scores(trained)
    rows = frame.read(trained, company.UNTIL, scores[0].frame_hash)
    monkeypatch.setattr("serving.scores.scoring.CHUNK", 7)
    assert scorer.score(rows, company.UNTIL, scores[0].frame_hash) == scores


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_replay_makes_every_stored_score_again_bit_for_bit(outcome: str, trained: Workspace) -> None:
    for score in _scores(trained, outcome)[::15]:
        found = replay(trained, score.score_id)
        assert found.identical, found.differences
        assert found.stored == score
        assert found.again.probability == score.probability


def _tampered(workspace: Workspace, column: str, value: object, score_id: str) -> None:
    with closing(sqlite3.connect(workspace.state / "propensity.db")) as connection, connection:
        connection.execute(f"UPDATE scores SET {column} = ? WHERE score_id = ?", (value, score_id))


def test_replay_by_command_reports_a_score_that_was_changed(propensity: Command, again: Workspace) -> None:
    score = _scores(again)[3]
    same = propensity("replay", score.score_id, "--workspace", again.root, "--json")
    assert (same.status, same.document["identical"], same.document["differences"]) == (0, True, [])
    assert same.document["score"]["probability"] == score.probability
    assert propensity("replay", score.score_id, "--workspace", again.root).out.startswith("identical")
    _tampered(again, "probability", float(np.nextafter(score.probability, 1)), score.score_id)
    changed = propensity("replay", score.score_id, "--workspace", again.root, "--json")
    assert (changed.status, changed.document["identical"]) == (1, False)
    assert [difference.split(":")[0] for difference in changed.document["differences"]] == ["probability"]
    assert propensity("replay", score.score_id, "--workspace", again.root).out.startswith("differs probability")


def test_replay_notices_a_frame_whose_values_were_changed(again: Workspace) -> None:
    score = _scores(again)[0]
    file = frame.path(again, score.as_of, score.frame_hash)
    table = pd.read_parquet(file)
    table.loc[table["account"] == score.account, "usage_events_30d"] += 5
    table.to_parquet(file)
    found = replay(again, score.score_id)
    assert [difference.split(":")[0] for difference in found.differences][-1] == "feature row"


def test_replay_says_which_input_is_gone(propensity: Command, again: Workspace) -> None:
    score = _scores(again)[0]
    file = frame.path(again, score.as_of, score.frame_hash)
    table = pd.read_parquet(file)
    table[table["account"] != score.account].to_parquet(file)
    erased = propensity("replay", score.score_id, "--workspace", again.root, "--json")
    assert (erased.status, erased.document["status"]) == (2, 410)
    assert f"account {score.account} is not in the frame {score.frame_hash} any more" in erased.document["error"]
    file.unlink()
    gone = propensity("replay", score.score_id, "--workspace", again.root, "--json")
    assert gone.status == 2
    assert f"the frame {score.frame_hash} of {score.as_of} is gone" in gone.document["error"]


def test_the_same_day_again_changes_nothing(again: Workspace) -> None:
    before, files = _rows(again), _contents(again)
    batch.score(again)
    assert _rows(again) == before
    assert _contents(again) == files
    assert len(before) == len(_scores(again)) + len(_scores(again, "advocacy"))


def _contents(workspace: Workspace) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted((workspace.out / "scores").iterdir())}


def test_an_earlier_day_is_kept_beside_and_the_latest_is_shown(again: Workspace) -> None:
    before = _rows(again)
    earlier = company.UNTIL.replace(day=10)
    batch.score(again, earlier)
    assert len(_rows(again)) > len(before)
    assert set(before) < set(_rows(again))
    assert {score.as_of for score in _scores(again)} == {company.UNTIL}
    assert (again.out / "scores" / f"churn-{earlier}.csv").is_file()


def test_the_files_say_what_the_store_says(trained: Workspace) -> None:
    for outcome in OUTCOMES:
        scores = _scores(trained, outcome)
        table = pd.read_parquet(trained.out / "scores" / f"{outcome}-{company.UNTIL}.parquet")
        assert table["account"].tolist() == [score.account for score in scores]
        assert table["probability"].tolist() == [score.probability for score in scores]
        assert table["score_id"].tolist() == [score.score_id for score in scores]
        assert table["reason_1"][0].startswith(scores[0].reasons[0].text)
        with (trained.out / "scores" / f"{outcome}-{company.UNTIL}.csv").open(encoding="utf-8", newline="") as stream:
            lines = list(csv.DictReader(stream))
        assert [float(line["probability"]) for line in lines] == table["probability"].tolist()


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", '"', "a\r=", "a\n=", "a,="])
def test_text_that_a_spreadsheet_would_run_is_defused(start: str, trained: Workspace, tmp_path: Path) -> None:
    evil = f"{start}cmd|' /C calc'!A0"
    shown = evil if start[0] in 'a"' else "'" + evil
    assert defused(evil) == shown
    workspace = Workspace(tmp_path, trained.config)
    scores = [replace(score, account=evil) for score in _scores(trained)[:1]]
    target = batch._write(workspace, "churn", company.UNTIL, scores)
    with target.with_suffix(".csv").open(encoding="utf-8", newline="") as stream:
        lines = list(csv.DictReader(stream))
    assert [line["account"] for line in lines] == [shown]
    assert pd.read_parquet(target)["account"][0] == evil, "Parquet is for machines: exact"


@pytest.mark.parametrize("cell", ["plain", "a=b", "", 1.5, -2.0, None])
def test_other_cells_are_left_as_they_are(cell: object) -> None:
    assert defused(cell) == cell


def _files(workspace: Workspace) -> Iterator[Path]:
    for file in workspace.root.rglob("*"):
        if file.is_file() and (workspace.root / "data") not in file.parents:
            yield file


def test_names_are_kept_in_the_application_store_and_nowhere_else(trained: Workspace) -> None:
    canary = company.CANARY.encode()
    with_names = {file.name for file in _files(trained) if canary in file.read_bytes()}
    assert with_names <= {"propensity.db", "propensity.db-wal"}
    assert with_names, "the store keeps names"
    tables = [*trained.tables.rglob("*.parquet"), *trained.frames.rglob("*.parquet"), *trained.out.rglob("*.parquet")]
    assert len(tables) > 20
    for file in tables:
        for column, values in pd.read_parquet(file).items():
            assert not values.astype(str).str.contains(company.CANARY).any(), (file, column)


def test_people_see_names(trained: Workspace) -> None:
    lines = lists.ranked(trained, "churn", EVERYBODY)
    named = {line.score.account: line.name for line in lines}
    assert all(name.startswith(company.CANARY) for account, name in named.items() if account != "a0000")
    assert {line.owner for line in lines} == {"owner-0", "owner-1", "owner-2"}
    assert all(line.arr == 1000 * (int(line.score.account[1:]) + 1) for line in lines)
    assert all(line.days_to_renewal is not None and line.days_to_renewal > 0 for line in lines)


def test_a_name_that_is_erased_leaves_the_rest_as_it_was(again: Workspace) -> None:
    before = _rows(again)
    Store(again).remember([])
    assert _rows(again) == before
    assert lists.ranked(again, "churn", 1)[0].name == lists.ranked(again, "churn", 1)[0].score.account


def test_a_store_that_is_locked_is_an_error_that_says_so(again: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(sqlite3.connect(again.state / "propensity.db", isolation_level=None)) as connection:
        store = Store(again)
        with store.engine.connect() as waiting:
            waiting.exec_driver_sql("PRAGMA busy_timeout = 50")
        connection.execute("BEGIN IMMEDIATE")
        with pytest.raises(PropensityError, match="cannot be written: database is locked") as error:
            store.save(_scores(again))
        connection.execute("ROLLBACK")
    assert error.value.status == 503
