"""Scores from facts as they are now are those of the batch; lines are sent as they are made; one row alone is as among many."""

from __future__ import annotations

import asyncio
import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from fastapi import FastAPI

from features import frame, intake
from features.alone import Alone
from features.errors import PropensityError
from features.peers import ranks
from features.workspace import Workspace, load
from serving.client import Client
from serving.endpoints import stream
from serving.scores.families import share
from serving.scores.lists import owners
from serving.stores.keys import Key
from serving.web import application as web
from serving.web.guard import Guard
from serving.web.live import Live, Served, facts_now
from serving.web.watch import Watcher
from tests import small, worlds
from tests.serving.conftest import Inside
from training.models.trees import FEW, Trees, raw_score

OUTCOMES = ("churn", "advocacy")
STREAM = "/v1/score/stream"


def of(inside: Inside, outcome: str) -> Served:
    live: Live = inside.app.state.live
    return live.of(outcome)


def now(inside: Inside, account: str, outcome: str = "churn") -> httpx.Response:
    return inside.ask("GET", f"/v1/accounts/{account}/now", params={"outcome": outcome})


def lines(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == stream.KIND
    return [json.loads(line) for line in answer.content.splitlines()]


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_of_every_account_what_the_facts_say_is_what_the_batch_says(inside: Inside, outcome: str) -> None:
    """Bit for bit, reasons too; and who is not in the batch has no score now either."""
    scores = of(inside, outcome).shown.scores
    live: Live = inside.app.state.live
    assert len(scores) > 50
    for account in live.accounts:
        answer = now(inside, account, outcome)
        if account not in scores:
            assert answer.status_code == 409, account
            continue
        told, stored = answer.json(), scores[account].as_dict()
        same = ("outcome", "account", "as_of", "probability", "low", "high", "reasons", "model_version", "row_hash")
        assert {name: told[name] for name in same} == {name: stored[name] for name in same}
        assert (told["batch_as_of"], told["batch_probability"]) == (stored["as_of"], stored["probability"])


def test_an_outcome_that_does_not_apply_now_says_so(inside: Inside) -> None:
    shown = of(inside, "advocacy").shown
    left_out = next(account for account in shown.place if account not in shown.scores)
    told = now(inside, left_out, "advocacy").json()
    assert told["error"] == f"advocacy does not apply to account {left_out!r} as of {shown.as_of}"


def test_a_key_of_one_owner_is_told_of_theirs(
    apart: Workspace, inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_whom, scores = owners(apart), of(inside, "churn").shown.scores
    mine = next(account for account in scores if of_whom[account])
    other = next(account for account in scores if of_whom[account] not in {None, of_whom[mine]})
    key = Key("1", "ann", "", "read", of_whom[mine], datetime.now(UTC))
    monkeypatch.setattr(inside.app.state.protection, "door", SimpleNamespace(enter=lambda *_: key))
    assert now(inside, mine).status_code == 200
    assert now(inside, other).json()["error"] == f"there is no account {other!r}"
    body = {"outcome": "churn", "accounts": [other, mine]}
    first, second = lines(inside.ask("POST", STREAM, json=body))
    assert (first["status"], first["error"]) == (404, f"there is no account {other!r}")
    assert second["probability"] == scores[mine].probability


@pytest.fixture
def moved(served: Workspace, tmp_path: Path) -> tuple[Workspace, Watcher, str]:
    """The service over a copy in which, since the batch, an account has lost the usage of its last months."""
    workspace = load(Path(shutil.copytree(served.root, tmp_path / "moved", ignore=shutil.ignore_patterns("bentoml"))))
    watcher = Watcher(web.application(), workspace)
    watcher.begin()
    assert watcher.live is not None
    account = next(iter(watcher.live.of("churn").shown.scores))
    file = workspace.root / "data" / "usage.parquet"
    usage = pq.read_table(file)
    recent = pc.greater(usage["occurred_at"], pc.max(usage["occurred_at"]).as_py() - timedelta(days=60))
    late = pc.and_(pc.equal(usage["account"], account), recent)
    assert pc.sum(late).as_py() > 0
    pq.write_table(usage.filter(pc.invert(late)), file)
    with intake.read(workspace) as found:
        found.write_tables()
    return workspace, watcher, account


def test_new_facts_are_scored_before_the_next_batch(moved: tuple[Workspace, Watcher, str]) -> None:
    """The watcher finds them; the row is that of the next frame but for ranks, which wait for its peers."""
    workspace, watcher, account = moved
    before = watcher.live
    watcher.look()
    live = watcher.live
    assert before is not None and live is not None and isinstance(live.facts, Alone)
    (row, made), (old, _) = live.scored_now("churn", account), before.scored_now("churn", account)
    assert row.row_hash != old.row_hash
    day, batch = row.as_of, live.of("churn").shown
    assert day == batch.as_of == frame.observed_until(workspace)
    content = frame.build(workspace, [day])[day]
    assert content != batch.frame_hash
    (following,) = frame.read(workspace, day, content).query("account == @account").to_dict("records")
    late = {column.name for column, _ in ranks(live.facts.plan)}
    for name, value in row.values.items():
        known = None if pd.isna(following[name]) else following[name]
        assert name in late or known == (None if pd.isna(value) else value), name
    assert made.probability != batch.scores[account].probability
    web.protect(watcher.app, workspace, loopback=True)
    told = now(Inside(watcher.app), account).json()
    assert (told["probability"], told["batch_probability"]) == (made.probability, batch.scores[account].probability)


def test_without_peers_there_is_no_score_and_it_says_why(inside: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = of(inside, "churn").shown
    account = next(iter(shown.scores))
    monkeypatch.setitem(vars(shown), "peers", None)
    answer = now(inside, account)
    assert answer.status_code == 503
    assert "ranks accounts among is gone" in answer.json()["error"]


def test_facts_that_cannot_be_told_are_no_reason_not_to_serve_the_batch(
    inside: Inside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of tables that are not there."""
    empty = worlds.configure(tmp_path, small.CONFIG)
    account = next(iter(of(inside, "churn").shown.scores))
    monkeypatch.setitem(vars(inside.app.state.live), "facts", facts_now(empty))
    answer = now(inside, account)
    assert (answer.status_code, answer.json()["status"]) == (503, 503)
    assert "propensity" in answer.json()["hint"]
    assert inside.ask("GET", f"/v1/accounts/{account}/scores").status_code == 200


def test_features_with_another_meaning_are_refused(inside: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    live: Live = inside.app.state.live
    assert isinstance(live.facts, Alone)
    account, plan = next(iter(of(inside, "churn").shown.scores)), live.facts.plan
    meanings = {name: "another" if name == "days_to_renewal" else one for name, one in plan.meanings.items()}
    monkeypatch.setitem(vars(plan), "meanings", meanings)
    monkeypatch.setitem(vars(plan), "digest", "another")
    answer = now(inside, account)
    assert answer.status_code == 503
    assert answer.json()["error"].endswith("since the model was trained: days_to_renewal")


# Why, of one account


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_what_is_explained_is_what_the_model_says_of_the_frame(inside: Inside, outcome: str) -> None:
    """Bit for bit, and the same sums as the command has them."""
    served = of(inside, outcome)
    for account in list(served.shown.scores)[::10]:
        told = inside.ask("GET", f"/v1/accounts/{account}/explain?outcome={outcome}").json()
        row = served.rows([account])
        *parts, base = served.scorer.model.contributions(row)[0].tolist()
        assert told["base"] == base
        assert {one["name"]: one["contribution"] for one in told["features"]} == dict(
            zip(served.by_name, parts, strict=True)
        )
        values = {name: None if pd.isna(value) else value for name, value in row.to_dict("records")[0].items()}
        assert all(one["value"] == values[one["name"]] for one in told["features"])
        shares = share(served.scorer.model, served.scorer.plan, row)
        assert (told["families"], told["roles"]) == (shares.families, shares.roles)
        assert list(told["families"]) == list(shares.families)


# One row


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_few_rows_are_scored_as_among_many(inside: Inside, outcome: str) -> None:
    """By our own trees, and by LightGBM's; from lists as from a frame, with what is left out unknown."""
    served = of(inside, outcome)
    model, rows = served.scorer.model, served.shown.rows
    matrix = model.encoder.matrix(rows)
    whole = model.score_matrix(matrix, model.shift(rows))
    assert len(matrix) > FEW
    records = [{name: row[name] for name in served.by_name} for row in rows.to_dict("records")]
    np.testing.assert_array_equal(model.encoder.of_rows(records), matrix)
    said = [{name: one for name, one in row.items() if not pd.isna(one)} for row in records]
    assert any(len(row) < len(served.by_name) for row in said)
    np.testing.assert_array_equal(model.encoder.of_rows(said), matrix)
    for begin in range(0, len(matrix), 7):
        some = slice(begin, begin + 7)
        few = model.score_matrix(matrix[some], model.shift(rows.iloc[some]))
        for one, all_of_them in zip(vars(few).values(), vars(whole).values(), strict=True):
            np.testing.assert_array_equal(one, all_of_them[some])
    for part in model.parts:
        if isinstance(part.component, Trees):
            for booster, explained in zip(part.component.boosters, part.component.explained, strict=True):
                np.testing.assert_array_equal(explained.raw(matrix), raw_score(booster, matrix))


# Many at once


def test_lines_are_those_of_the_whole_answer(inside: Inside) -> None:
    """In the order asked for, repeated ones, unscored ones and unknown ones too."""
    live: Live = inside.app.state.live
    accounts = [*live.accounts, "nobody", *list(live.accounts)[:5]]
    body = {"outcome": "advocacy", "accounts": accounts}
    whole = inside.ask("POST", "/v1/score", json=body).json()["scores"]
    assert lines(inside.ask("POST", STREAM, json=body)) == whole
    assert {line.get("status") for line in whole} == {None, "unscored", 404}
    assert lines(inside.ask("POST", STREAM, json={"outcome": "churn", "accounts": ["nobody"]}))[0]["status"] == 404


def sent(app: FastAPI, body: dict[str, Any]) -> list[bytes]:
    """What is handed to the server, part by part."""
    content = json.dumps(body).encode()
    parts: list[bytes] = []
    given = iter([content])

    async def receive() -> dict[str, Any]:
        for once in given:
            return {"type": "http.request", "body": once, "more_body": False}
        await asyncio.Event().wait()  # nobody hangs up
        raise AssertionError

    async def send(message: Any) -> None:
        parts.append(message.get("body", b""))

    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    scope = {"type": "http", "asgi": {"version": "3.0"}, "method": "POST", "path": STREAM, "raw_path": STREAM.encode()}
    scope |= {"query_string": b"", "headers": [*headers, (b"host", b"127.0.0.1:3000")], "client": ("127.0.0.1", 4321)}
    scope |= {"server": ("127.0.0.1", 3000), "scheme": "http", "http_version": "1.1", "root_path": ""}
    asyncio.run(Guard(app)(scope, receive, send))
    return [part for part in parts if part]


def test_no_more_is_held_than_is_scored_together(inside: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "AT_ONCE", 20)
    accounts = list(of(inside, "churn").shown.scores)[:90]
    parts = sent(inside.app, {"outcome": "churn", "accounts": accounts})
    assert [len(part.splitlines()) for part in parts] == [20, 20, 20, 20, 10]


@pytest.fixture
def spoilt(inside: Inside, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Accounts of which the last is not the score that the batch has any more."""
    monkeypatch.setattr(stream, "AT_ONCE", 20)
    served = of(inside, "churn")
    shown, accounts = served.shown, list(served.shown.scores)[:50]
    shown.agreed.clear()
    monkeypatch.setitem(shown.scores, accounts[-1], shown.scores[accounts[0]])
    return accounts


def test_what_goes_wrong_on_the_way_is_the_last_line(inside: Inside, spoilt: list[str]) -> None:
    told = lines(inside.ask("POST", STREAM, json={"outcome": "churn", "accounts": spoilt}))
    assert [line["account"] for line in told[:-1]] == spoilt[:40]
    assert told[-1]["status"] == 500
    assert "is not the one that the batch has" in told[-1]["error"]


def test_what_is_wrong_from_the_beginning_is_the_answer(inside: Inside, spoilt: list[str]) -> None:
    answer = inside.ask("POST", STREAM, json={"outcome": "churn", "accounts": spoilt[-1:]})
    assert (answer.status_code, answer.json()["status"]) == (500, 500)


def test_the_client_raises_what_the_last_line_says(inside: Inside, spoilt: list[str]) -> None:
    def passed(request: httpx.Request) -> httpx.Response:
        answer = inside.ask("POST", STREAM, content=request.content, headers={"Content-Type": "application/json"})
        return httpx.Response(answer.status_code, headers={"content-type": stream.KIND}, content=answer.content)

    told: list[str] = []
    with (
        Client("http://127.0.0.1:3000", transport=httpx.MockTransport(passed)) as client,
        pytest.raises(PropensityError, match="is not the one that the batch has") as refused,
    ):
        told.extend(line["account"] for line in client.score_stream("churn", spoilt))
    assert told == spoilt[:40]
    assert refused.value.status == 500
