"""Commands of those who make models: judge over time, move the champion, and see how it came to be."""

from __future__ import annotations

from features.workspace import Workspace
from tests.commands import Command
from training.registry import Registry


def test_backtest_tells_origins_parts_and_ages(propensity: Command, again: Workspace) -> None:
    done = propensity("backtest", "churn", "--workspace", again.root, "--origins", 1, "--json")
    assert done.status == 0
    assert len(done.document["origins"]) == 1
    assert {"slices", "ages", "shuffled_auc", "metrics", "baselines", "skipped"} <= set(done.document)
    refused = propensity("backtest", "nonsense", "--workspace", again.root)
    assert (refused.status, "no outcome 'nonsense'" in refused.err) == (2, True)


def test_the_champion_moves_back_and_forth_and_every_move_is_told(propensity: Command, again: Workspace) -> None:
    registry = Registry(again)
    first = registry.require_champion("churn")
    assert propensity("train", "--workspace", again.root, "--outcome", "churn", "--json").status == 3
    second = registry.challenger("churn")
    assert second is not None
    refused = propensity("promote", "churn", "--workspace", again.root, "--json")
    assert (refused.status, "the gate did not pass version" in refused.document["error"]) == (2, True)
    forced = propensity("promote", "churn", "--workspace", again.root, "--force", "--why", "to see", "--json")
    assert (forced.status, forced.document["after"], forced.document["forced"]) == (0, second.number, True)
    assert registry.require_champion("churn").number == second.number
    back = propensity("rollback", "churn", "--workspace", again.root, "--why", "seen", "--json")
    assert (back.status, back.document["after"]) == (0, first.number)
    told = propensity("models", "--workspace", again.root, "--json").document["churn"]
    assert [move["kind"] for move in told["history"]][-2:] == ["promotion", "rollback"]
    champion = [one for one in told["versions"] if "champion" in one["aliases"]]
    assert [one["version"] for one in champion] == [first.number]
    shown = propensity("models", "--workspace", again.root)
    assert (shown.status, "to see" in " ".join(shown.out.split())) == (0, True)
