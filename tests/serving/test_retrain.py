"""The nightly run: the second time nothing is new, and whatever happens is said."""

from __future__ import annotations

import pandas as pd

from features.workspace import FILE, Workspace, load
from serving.retrain import retrain
from serving.stores.log import Log
from tests.commands import Command
from training.registry import Registry


def test_the_same_data_is_learnt_from_once_and_again_where_a_setting_changes(again: Workspace) -> None:
    first = {one.outcome: one for one in retrain(again)}
    assert {one.what for one in first.values()} == {"champion kept"}
    versions = {name: len(Registry(again).versions(name)) for name in first}
    second = {one.outcome: one for one in retrain(again)}
    assert {one.what for one in second.values()} == {"nothing new"}
    assert {name: len(Registry(again).versions(name)) for name in second} == versions
    for name, one in second.items():
        assert one.training is None
        assert one.batch is not None
        assert first[name].batch is not None
        assert one.batch.scores == first[name].batch.scores
    file = again.root / FILE
    file.write_text(file.read_text(encoding="utf-8").replace('"seed" = 7', '"seed" = 8') + "\n[value]\nmargin = 0.5\n")
    assert {one.what for one in retrain(load(again.root))} <= {"champion kept", "promoted"}


def test_the_command_scores_everybody_and_tells_what_it_did(propensity: Command, again: Workspace) -> None:
    done = propensity("retrain", "--workspace", again.root, "--json")
    assert done.status == 0
    document = done.document
    alerted = document.pop("alerts")
    raised = [entry for entry in Log(again).entries("alert") if entry.event == "raised"]
    assert alerted["open"] == alerted["new"] == len(raised) > 0
    for name, told in document.items():
        assert told["what"] in {"promoted", "champion kept"}
        assert told["scored"] == len(pd.read_parquet(again.root / "out" / "scores" / f"{name}-{told['as_of']}.parquet"))
    told = propensity("retrain", "--workspace", again.root)
    assert (told.status, "nothing new" in told.out) == (0, True)
    assert f"{len(raised)} alerts open, 0 of them new" in told.out
    assert [entry for entry in Log(again).entries("alert") if entry.event == "raised"] == raised, "each is raised once"


def test_without_a_champion_it_ends_with_3(propensity: Command, copied: Workspace) -> None:
    file = copied.root / FILE
    file.write_text(file.read_text(encoding="utf-8").replace('"minimum_positives" = 10', '"minimum_positives" = 150'))
    done = propensity("retrain", "--workspace", copied.root, "--json")
    assert done.status == 3
    document = done.document
    assert document.pop("alerts").keys() == {"open", "new", "closed", "snoozed"}
    assert {told["what"] for told in document.values()} == {"no champion"}
    assert not list(copied.root.glob("out/scores/*"))
