"""The outreach list by command: ranked by worth, planned, done, fed back as facts; and what must never be on it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from features import frame, intake
from features.workspace import Workspace
from serving.commands import take_in
from serving.stores import own
from serving.stores.log import Entry, Log
from serving.work import touch_file
from serving.work.outreach import outreach, plan
from tests.commands import Command
from training.dataset import dataset
from training.outcomes import configured


def test_the_list_is_ranked_by_what_a_call_brings(again: Workspace, propensity: Command) -> None:
    told = propensity("list", "--top", 8, "--workspace", again.root, "--json").document
    lines = told["lines"]
    assert len(lines) == 8
    assert (told["label"], told["save_rate"]["told"]) == ("", "assumed 0.20")
    terms = again.config.value
    for line in lines:
        arr = terms.arr if line["arr"] is None else line["arr"]
        saved = line["probability"] * terms.save_rate * (arr * terms.margin - terms.offer)
        assert line["worth"] == pytest.approx(saved - (1 - line["probability"]) * terms.offer - terms.contact_cost)
        assert line["action"]
        assert line["low"] <= line["probability"] <= line["high"]
    assert lines == sorted(lines, key=lambda line: -line["worth"])
    assert told["below"]
    assert all(line["why_not"] for line in told["below"])
    words = " ".join(propensity("list", "--top", 8, "--workspace", again.root).out.split())
    assert "whom to call, as of" in words
    assert "save_rate: assumed 0.20" in words


def test_an_owner_gets_their_part_of_the_same_list(again: Workspace, propensity: Command) -> None:
    whole = propensity("list", "--top", 20, "--workspace", again.root, "--json").document["lines"]
    parts = [
        propensity("list", "--top", 20, "--owner", f"owner-{number}", "--workspace", again.root, "--json").document[
            "lines"
        ]
        for number in range(3)
    ]
    assert sorted(line["account"] for part in parts for line in part) == sorted(line["account"] for line in whole)
    assert {line["owner"] for line in parts[1]} == {"owner-1"}


def test_who_is_planned_held_out_or_opted_out_is_not_on_the_next_list(again: Workspace, propensity: Command) -> None:
    first = outreach(again, 20)
    assert first.held_out
    called = {row.account for row in first.called}
    assert not called & set(first.held_out)
    told = propensity("outreach", "plan", "--by", "ann", "--top", 20, "--workspace", again.root, "--json").document
    numbers = {"planned": 20, "held_out": len(first.held_out), "new": 20 + len(first.held_out)}
    assert told == {"as_of": str(first.as_of), **numbers}
    entries = Log(again).entries()
    told = propensity("outreach", "plan", "--by", "bob", "--top", 20, "--workspace", again.root, "--json").document
    assert told == {"as_of": str(first.as_of), **dict.fromkeys(numbers, 0)}, "the same command again plans nobody else"
    assert Log(again).entries() == entries
    with_opt_out = outreach(again, 20).called[0].account
    propensity("outreach", "opt-out", with_opt_out, "--by", "ann", "--workspace", again.root)
    second = outreach(again, 20)
    on_it = {row.account for row in second.called}
    assert not on_it & (called | set(first.held_out) | {with_opt_out})
    assert second.kept_back[with_opt_out].startswith("opted out")
    propensity("outreach", "opt-out", with_opt_out, "--back", "--by", "ann", "--workspace", again.root)
    assert with_opt_out not in outreach(again, 20).kept_back
    again_planned = plan(again, first, "ann")
    assert again_planned == 0, "the same list again changes nothing"


def test_a_touch_is_done_and_what_came_of_it_becomes_a_fact(again: Workspace, propensity: Command) -> None:
    day, touched = frame.observed_until(again), "touches_90d"
    before = frame.feature_frame(again, [day]).set_index("account")
    at = datetime.combine(day, datetime.min.time(), UTC) - timedelta(days=3)
    one, other = before.index[3:5]
    log = Log(again)
    log.add([Entry("outreach", "t-1", "planned", one, at, "ann", None, "call")], now=at)
    log.add([Entry("outreach", "t-1", "done", one, at, "ann")], now=at)
    late = Entry("outreach", "t-2", "done", other, at, "ann", None, "call")
    log.add([late], now=datetime.combine(day, datetime.min.time(), UTC) + timedelta(days=2))
    take_in(again)
    after = frame.feature_frame(again, [day]).set_index("account")[touched].fillna(0)
    gain = after - (before[touched].fillna(0) if touched in before else 0)
    assert gain[gain != 0].to_dict() == {one: 1.0}, "what was written down after that day was not known on it"


def test_own_rows_are_read_beside_the_exports(again: Workspace) -> None:
    folder, report = intake.current(again)
    there = report.tables["outreach"].rows if "outreach" in report.tables else 0
    at = datetime(2025, 3, 2, 12, tzinfo=UTC)
    Log(again).add(
        [
            Entry("outreach", "t-1", "planned", "a0001", at, "ann", None, "call"),
            Entry("outreach", "t-2", "held out", "a0002", at, "ann", None, "call"),
            Entry("ask", "k-1", "asked", "a0001", at, "ann", None, "review"),
            Entry("ask", "k-1", "accepted", "a0001", at + timedelta(days=1), "ann"),
        ]
    )
    asks = report.tables["advocacy"].rows
    take_in(again)
    folder, report = intake.current(again)
    assert report.tables["outreach"].rows == there + 2
    assert report.tables["advocacy"].rows == asks + 1
    rows = duckdb.sql(f"SELECT outreach, held_out, done FROM '{folder / 'outreach.parquet'}' WHERE outreach LIKE 't-%'")
    assert sorted(rows.fetchall()) == [("t-1", False, None), ("t-2", True, None)]
    assert not report.tables["outreach"].quarantined
    before = {file: file.read_bytes() for file in again.own("outreach").parent.iterdir()}
    own.write(again)
    assert {file: file.read_bytes() for file in again.own("outreach").parent.iterdir()} == before


def test_touches_of_the_exports_count_as_well(served: Workspace) -> None:
    """The simulated company's own outreach: who was touched within thirty days is left in peace, who was not is not.
    Who was held out stays so until its window is over, which is longer.
    """
    folder, _ = intake.current(served)
    today = frame.observed_until(served) + timedelta(days=1)
    since, drawn = (
        datetime.combine(today - timedelta(days=days - 1), datetime.min.time(), UTC)
        for days in (30, configured(served, "churn").span)
    )
    touched = {
        account
        for (account,) in duckdb.execute(
            f"SELECT DISTINCT account FROM '{folder / 'outreach.parquet'}' t JOIN '{folder / 'accounts.parquet'}' "
            "USING (account_code) WHERE coalesce(t.done, t.planned) >= if(held_out, $drawn, $since)",
            {"since": since, "drawn": drawn},
        ).fetchall()
    }
    assert touched
    found = outreach(served, 10_000)
    scored = {row.account for row in (*found.called, *found.below)} | set(found.kept_back) | set(found.held_out)
    assert set(found.kept_back) == touched & scored
    assert scored - touched


FILE = """touch,account,kind,planned,done,outcome,by
t-7,a0001,call,2026-03-01,2026-03-02,stays,bob
,a0002,e-mail,2026-03-01,,,
"""


def test_a_file_of_touches_is_taken_once_and_whole(again: Workspace, propensity: Command, tmp_path: Path) -> None:
    file = tmp_path / "touches.csv"
    file.write_text(FILE, encoding="utf-8")
    told = propensity("outreach", "import", file, "--by", "ann", "--workspace", again.root, "--json").document
    assert told["new"] == 4
    assert (
        propensity("outreach", "import", file, "--by", "ann", "--workspace", again.root, "--json").document["new"] == 0
    )
    entries = propensity("outreach", "log", "a0001", "--workspace", again.root, "--json").document["entries"]
    assert [(entry["event"], entry["by"]) for entry in entries] == [
        ("outcome", "bob"),
        ("done", "bob"),
        ("planned", "bob"),
    ]


WRONG = {
    "no account": ("account,planned\n,2026-03-01\n", "line 2: account, and planned or done, are needed"),
    "no date": ("account,planned\na0001,soon\n", "line 2: 'soon' is no date"),
    "another column": ("account,planned,mood\na0001,2026-03-01,good\n", "has the columns account, mood, planned"),
    "too many cells": ("account,planned\na0001,2026-03-01,x\n", "line 2: too many cells"),
    "an account that is not there": ("account,planned\na0001,2026-03-01\nnobody,2026-03-01\n", "no account 'nobody'"),
}


@pytest.mark.parametrize(("text", "words"), WRONG.values(), ids=WRONG)
def test_a_file_that_is_wrong_is_refused_by_its_line(
    text: str, words: str, again: Workspace, propensity: Command, tmp_path: Path
) -> None:
    file = tmp_path / "touches.csv"
    file.write_text(text, encoding="utf-8")
    refused = propensity("outreach", "import", file, "--by", "ann", "--workspace", again.root)
    assert refused.status == 2
    assert words in " ".join(refused.err.split())
    assert Log(again).entries() == []


def test_commands_of_one_touch(again: Workspace, propensity: Command) -> None:
    where = ("--workspace", again.root, "--json")
    added = propensity("outreach", "add", "a0001", "--by", "ann", "--at", "2026-03-01", *where).document
    (planned,) = added["entries"]
    touch = planned["thing"]
    propensity("outreach", "done", touch, "--by", "bob", "--at", "2026-03-02", *where)
    propensity("outreach", "outcome", touch, "no answer", "--by", "bob", "--at", "2026-03-03", *where)
    refused = propensity("outreach", "done", touch, "--by", "bob", "--workspace", again.root)
    assert refused.status == 2
    assert "cannot follow" in " ".join(refused.err.split())
    score = outreach(again, 5).called[0]
    propensity("outreach", "think", score.score_id, "--no", "--why", "they renewed", "--by", "ann", *where)
    told = propensity("outreach", "log", *where).document["entries"]
    assert [entry["event"] for entry in told] == ["disagrees", "outcome", "done", "planned"]
    assert (told[0]["value"], told[0]["kind"]) == ("they renewed", score.score_id)
    own = ("--probability", 0.25, "--why", "their board said so", "--by", "ann")
    told = propensity("outreach", "override", score.score_id, *own, *where).document
    assert (told["new"], told["entries"][0]["value"]) == (1, "0.25: their board said so")


def test_without_scores_the_list_is_there_and_says_so(copied: Workspace, propensity: Command) -> None:
    told = propensity("list", "--top", 5, "--workspace", copied.root, "--json").document
    assert told["label"] == "unmodelled"
    arr = [line["arr"] for line in told["lines"]]
    assert len(arr) == 5
    assert arr == sorted(arr, reverse=True)
    assert {line["probability"] for line in told["lines"]} == {None}
    assert "unmodelled: ranked by ARR" in " ".join(propensity("list", "--workspace", copied.root).out.split())


def test_files_are_read_as_entries(tmp_path: Path) -> None:
    file = tmp_path / "touches.csv"
    file.write_text(FILE, encoding="utf-8-sig")
    first, *_, last = touch_file.entries(file, "ann")
    assert (first.thing, first.event, first.at) == ("t-7", "planned", datetime(2026, 3, 1, tzinfo=UTC))
    assert (last.by, last.kind) == ("ann", "e-mail")


def test_the_effect_is_that_of_the_lists_as_they_were_drawn(again: Workspace, propensity: Command) -> None:
    """Who was on a list counts as called; who was called beside it, or whose window is not over, counts nowhere."""
    told = propensity("effect", "--workspace", again.root, "--json").document
    assert told["verdict"].startswith("nothing is known yet")
    rows = dataset(again, "churn")
    early = rows.at([min(rows.as_of)])
    known = dict(zip(early.accounts.tolist(), early.y.tolist(), strict=True))
    names, at = sorted(known), datetime.combine(min(rows.as_of), datetime.min.time(), UTC) + timedelta(hours=12)
    held_out, called, beside = names[:10], names[10:60], names[60:]
    today = datetime.combine(frame.observed_until(again), datetime.min.time(), UTC)
    entries = [
        *(Entry("outreach", f"l-{name}", "held out", name, at, "ann", kind="call") for name in held_out),
        *(Entry("outreach", f"l-{name}", "planned", name, at, "ann", kind="call") for name in called),
        *(Entry("outreach", f"t-{name}", "planned", name, at, "ann", kind="call") for name in beside),
        *(Entry("outreach", f"l-{name}-late", "planned", name, today, "ann", kind="call") for name in beside),
    ]
    Log(again).add(entries)
    told = propensity("effect", "--workspace", again.root, "--json").document
    assert told["called"] == {"accounts": 50, "left": sum(known[name] for name in called)}
    assert told["held_out"] == {"accounts": 10, "left": sum(known[name] for name in held_out)}
    words = " ".join(propensity("effect", "--workspace", again.root).out.split())
    assert told["verdict"] in words
    assert "assumed: 20%" in words
