"""Whom a call helps most, from a workspace's own lists: learnt where it is there to be learnt, and then ranked by."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from features.workspace import Workspace
from serving.scores.score import Score
from serving.stores.log import Entry, Log
from serving.stores.store import Store
from serving.work import uplift
from serving.work.effect import terms, trial
from serving.work.outreach import outreach
from tests.commands import Command
from training.dataset import dataset


def lists(workspace: Workspace, called: Callable[[bool, bool], float], seed: int = 3) -> int:
    """Lists of every date of which it is known what came of it, with scores that say 0.16 of everybody; the chance of having
    been called depends, for the test, on whether the account is large and whether it left. How many were drawn.
    """
    rows, rng = dataset(workspace, "churn"), np.random.default_rng(seed)
    days = sorted(set(rows.as_of.tolist()))
    log, store = Log(workspace), Store(workspace)
    for day in days:
        here = rows.at([day])
        of = sorted(zip(here.accounts.tolist(), here.frame["arr"].tolist(), here.y.tolist(), strict=True))
        store.save([score(account, day) for account, _, _ in of])
        at = datetime.combine(day, datetime.min.time(), UTC) + timedelta(days=1)
        events = ["planned" if rng.random() < called(arr > 75_000, left == 1) else "held out" for _, arr, left in of]
        log.add(
            [
                Entry("outreach", f"l-{day}-{account}", event, account, at, "ann", kind="call")
                for (account, _, _), event in zip(of, events, strict=True)
            ]
        )
    return len(rows)


def score(account: str, day: date) -> Score:
    return Score(f"{account}-{day}", "churn", account, day, 0.16, 0.1, 0.2, 1, 100.0, 1, "", "")


def test_with_too_few_nothing_is_learnt(again: Workspace, propensity: Command) -> None:
    told = propensity("effect", "--workspace", again.root, "--json").document
    assert told["uplift"]["used"] is False
    assert told["uplift"]["why_not"].endswith("the fewest are 0")
    assert told["lists_go_by"]["told"] == "assumed 0.20"


def test_a_call_that_does_the_same_for_all_is_no_reason_to_leave_plain_risk(again: Workspace) -> None:
    lists(again, lambda large, left: 0.5)
    found = trial(again)
    said, learnt = uplift.judged(again, found, terms(again, found)[0])
    assert learnt is None
    assert said.why_not == "it is not shown to keep more accounts than plain risk"
    assert said.accounts > 1000


@pytest.mark.parametrize(
    ("called", "words"),
    [
        (lambda large, left: 0.35 if left else 0.6, "measured 0."),
        (lambda large, left: 0.8 if left else 0.4, "calls are shown to drive accounts away"),
    ],
    ids=["saved", "driven away"],
)
def test_lists_go_by_the_save_rate_that_was_measured(
    called: Callable[[bool, bool], float], words: str, again: Workspace, propensity: Command
) -> None:
    lists(again, called)
    measured = propensity("effect", "--workspace", again.root, "--json").document["save_rate"]["value"]
    rate = propensity("list", "--workspace", again.root, "--json").document["save_rate"]
    assert (rate["source"], rate["value"]) == ("measured", max(measured, 0))
    assert words in rate["told"]
    assert f"save_rate: {rate['told']}" in " ".join(propensity("list", "--workspace", again.root).out.split())
    stated = again.config.value.model_copy(update={"measured": False})
    kept = terms(Workspace(again.root, again.config.model_copy(update={"value": stated})))
    assert kept[0].save_rate == 0.2
    assert str(kept[1]).startswith("assumed 0.20 (measured so far")


@pytest.fixture
def dogs(again: Workspace) -> Workspace:
    """Large accounts stay where they are called, small ones leave."""
    lists(again, lambda large, left: 0.2 if large == left else 0.8)
    return again


def test_who_is_helped_is_called_and_who_is_driven_away_is_not(dogs: Workspace, propensity: Command) -> None:
    """The first as_of has no score before it but its own: every row counts, and only once."""
    told = propensity("effect", "--workspace", dogs.root, "--json").document["uplift"]
    assert told["used"] is True
    assert told["bound"] > 0
    assert told["qini"]["low"] > 0
    found = outreach(dogs, 40, today=date(2026, 12, 31))
    assert found.uplift_from == told["accounts"]
    assert found.called
    assert min(row.arr or 0 for row in found.called) > 50_000
    words = " ".join(propensity("effect", "--workspace", dogs.root).out.split())
    assert "uplift is used" in words
    assert "uplift minus risk: +" in words
    shown = propensity("list", "--today", "2026-12-31", "--workspace", dogs.root)
    assert "ranked by uplift: whom a call helps most" in " ".join(shown.out.split())
