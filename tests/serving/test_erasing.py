"""Forgetting: nothing of a person or an account is left, whoever looks, and it does not come back."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from features import erased, frame, intake
from features.errors import PropensityError
from features.workspace import Workspace
from serving.commands import take_in
from serving.scores import replay
from serving.scores.score import Reason, Score
from serving.stores import erasing, own, store
from serving.stores.audit import Audit
from serving.stores.log import Entry, Log
from serving.stores.scan import scan
from serving.stores.store import Store
from tests import company, worlds
from tests.commands import Command

DAY, CONTENT = date(2026, 5, 31), "f00d"
NOON = datetime(2026, 6, 2, 12, tzinfo=UTC)
GONE, NAME, PERSON, KEPT = "a0003", f"{company.CANARY} 3", "zoe.quagga@acme.example", "contact-4-1"


@pytest.fixture
def full(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Workspace]:
    """A company that has both everywhere: exports, tables, frames, store, log, own rows, quarantine and our files."""
    rows = company.tables(12, 1, signal=True)
    rows["accounts"][4]["parent"] = GONE
    rows["contacts"] = [
        {"contact": PERSON, "account": GONE, "role": "champion"},
        {"contact": KEPT, "account": "a0004", "role": "user"},
        {"contact": PERSON + "2", "account": "a0004", "role": "user"},
    ]
    for use in rows["usage"]:
        use["contact"] = {GONE: PERSON, "a0004": KEPT}.get(str(use["account"]))
    made = worlds.write(tmp_path, rows, **company.CONFIG)
    url = request.getfixturevalue("database") if getattr(request, "param", "") == "postgresql" else None
    made = Workspace(made.root, made.config.model_copy(update={"store": url}))
    exported = tmp_path / "data" / "usage.csv"
    text = exported.read_text(encoding="utf-8")
    for account, person in ((GONE, PERSON), ("a0004", KEPT)):  # what cannot be read is set aside, with its reason
        bad = {"account": account, "occurred_at": "someday", "contact": person, "event": "login", "value": "1"}
        text += ",".join(bad.get(name, "") for name in text.splitlines()[0].split(",")) + "\n"
    exported.write_text(text, encoding="utf-8")
    log = Log(made)
    log.add(
        [
            Entry("outreach", "t-1", "done", GONE, NOON, "ann", PERSON, "call"),
            Entry("outreach", "t-2", "planned", "a0004", NOON, "ann", PERSON, "call"),
            Entry("outreach", "t-2", "done", "a0004", NOON, "ann"),
            Entry("outreach", "t-3", "done", "a0004", NOON, "ann", KEPT, "call"),
            Entry("opinion", "o-1", "agrees", "a0004", NOON, "ann", value=f"as {PERSON} of {NAME} ({GONE}) said"),
        ]
    )
    own.write(made)
    take_in(made)
    rows_of = pd.DataFrame({"account": [GONE, "a0004"], "row_hash": ["3", "4"], "uses": [1.0, 2.0]})
    frame.path(made, DAY, CONTENT).parent.mkdir(parents=True)
    rows_of.to_parquet(frame.path(made, DAY, CONTENT))
    for number, account in enumerate((GONE, "a0004")):
        reasons = [Reason("", "", 0.0)]
        score = Score(f"5c0e{number}", "churn", account, DAY, 0.5, 0.25, 0.75, 1, 1.0, 1, "row", CONTENT, reasons)
        with Store(made).engine.begin() as connection:
            connection.execute(store.SCORES.insert(), store._row(score))
    (made.out / "scores").mkdir(parents=True)
    listed = pd.DataFrame(
        {"account": [GONE, "a0004"], "name": [NAME, "other"], "contact": [PERSON, KEPT], "probability": [0.5, 0.25]}
    )
    listed.to_parquet(made.out / "scores" / "churn.parquet")
    listed.to_csv(made.out / "scores" / "churn.csv", index=False)
    (made.out / "card.md").write_text(f"the riskiest: {GONE} ({NAME}), ask {PERSON}")
    yield made
    with Store(made).engine.begin() as connection:
        for table in reversed(store.METADATA.sorted_tables):
            connection.execute(table.delete())
    Store(made).engine.dispose()


def grep(workspace: Workspace, *words: str) -> list[str]:
    """Where one of the words stands, by means of its own: everything but the exports."""
    found = []
    for file in workspace.root.rglob("*"):
        if not file.is_file() or workspace.root / "data" in file.parents or file.name == "propensity.toml":
            continue
        texts = [file.read_bytes().decode("latin-1")]
        if file.suffix == ".parquet":
            texts.append(pq.read_table(file).to_pandas().to_csv())
        if file.suffix == ".db":
            with sqlite3.connect(file) as connection:
                texts += connection.iterdump()
            connection.close()
        found += [
            str(file)
            for text in texts
            for word in words
            if any(word + end in text for end in ('"', "'", ",", " ", "\n", ")", "\0"))
        ]
    if not workspace.store_url.startswith("sqlite"):
        with Store(workspace).engine.connect() as connection:
            for table in store.METADATA.sorted_tables:
                text = str(connection.execute(sa.select(table)).all())
                found += [table.name for word in words if f"'{word}'" in text or f" {word}" in text]
    return found


def erase(workspace: Workspace, kind: erasing.Kind, identifier: str) -> erasing.Forgotten:
    return erasing.erase(workspace, kind, identifier, "ann", take_in)


@pytest.mark.parametrize("full", ["sqlite", "postgresql"], indirect=True)
def test_an_account_is_gone_everywhere_and_the_others_are_not(full: Workspace) -> None:
    assert len(grep(full, GONE, NAME)) >= 7
    done = erase(full, "account", GONE)
    assert done.scan.found == []
    assert grep(full, GONE, NAME) == []
    assert done.rows >= 3
    assert {"out/card.md", "out/scores/churn.csv", "out/scores/churn.parquet"} < set(done.files)
    assert done.scan.read["Parquet file"] > 5
    assert "data/accounts.csv" in done.scan.not_ours
    kept = frame.read(full, DAY, CONTENT)
    assert ("a0004" in set(kept["account"]), GONE in set(kept["account"])) == (True, False)
    assert list(pd.read_csv(full.out / "scores" / "churn.csv")["account"]) == ["a0004"]
    assert {entry.thing for entry in Log(full).entries()} == {"t-2", "t-3", "o-1"}
    assert Store(full).score("5c0e1").account == "a0004"
    with pytest.raises(PropensityError, match="were erased on request") as caught:
        replay.replay(full, "5c0e0")
    assert caught.value.status == 410


def test_a_person_is_gone_everywhere_and_the_account_is_not(full: Workspace) -> None:
    assert len(grep(full, PERSON)) >= 5
    folder, before = intake.current(full)
    uses = pq.read_table(folder / "usage.parquet").num_rows
    assert erase(full, "contact", PERSON).scan.found == []
    assert grep(full, PERSON) == []
    folder, report = intake.current(full)
    assert (
        pq.read_table(folder / "usage.parquet").num_rows == uses
    )  # what was done stays, and nobody in particular did it
    assert report.tables["contacts"].rows == before.tables["contacts"].rows - 1
    assert {entry.thing for entry in Log(full).entries()} == {"t-3", "o-1"}
    assert {entry.value for entry in Log(full).entries("opinion")} == {"erased"}
    quarantined = (full.quarantine / "usage.csv").read_text(encoding="utf-8")
    assert (KEPT in quarantined, quarantined.count("\n")) == (True, 3)
    assert grep(full, PERSON + "2", KEPT)


def test_the_next_intakes_leave_out_whom_the_exports_still_have(full: Workspace) -> None:
    erase(full, "account", GONE)
    take_in(full)
    assert grep(full, GONE, NAME) == []
    assert Store(full).names([GONE, "a0004"]).keys() == {"a0004"}


def test_once_more_changes_nothing(full: Workspace) -> None:
    erase(full, "account", GONE)
    first, listed = intake.current(full)[0], erased.read(full)
    again = erase(full, "account", GONE)
    assert (again.rows, again.files, again.scan.found) == (0, [], [])
    assert (intake.current(full)[0], erased.read(full)) == (first, listed)


@pytest.mark.parametrize("where", ["_own", "_compacted", "scan"])
def test_killed_in_the_middle_the_next_run_completes(
    full: Workspace, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def killed(*_: object) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(erasing, where, killed)
        with pytest.raises(KeyboardInterrupt):
            erase(full, "account", GONE)
    assert erase(full, "account", GONE).scan.found == []
    assert grep(full, GONE, NAME) == []


def test_who_erased_is_written_down_and_whom_is_not(full: Workspace) -> None:
    erase(full, "account", GONE)
    assert [(one.who, one.method, one.route, one.status) for one in Audit(Store(full)).entries()] == [
        ("ann", "ERASE", "account", None),
        ("ann", "ERASE", "account", 200),
    ]


def test_what_is_still_there_is_told(full: Workspace) -> None:
    (full.state / "forgotten.txt").write_text(f"remember {GONE}!")
    assert erase(full, "account", GONE).scan.found == ["state/forgotten.txt"]
    assert scan(full, ["a000"]).found == []  # a word of its own, not a part of one


def test_the_command(propensity: Command, full: Workspace) -> None:
    both = propensity("erase", "--account", "a", "--contact", "b", "--by", "ann", "--workspace", full.root, "--json")
    assert (both.status, "one of --contact and --account" in both.document["error"]) == (2, True)
    done = propensity("erase", "--contact", PERSON, "--by", "ann", "--workspace", full.root)
    said = " ".join(done.out.split())
    assert (done.status, "found nowhere" in said, "since they are yours" in said) == (0, True, True)
