"""The funnel by command on the simulated company: who says yes, learnt from asks, kept and found again; and stories."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features import frame, intake
from features.errors import PropensityError
from features.sources.simulated import simulate
from features.workspace import FILE, Workspace, load
from serving.decisions.asks import EFFORT
from serving.stores.store import Store
from serving.work import asked, funnel
from serving.work.asking import Situation
from serving.work.stories import stories
from tests import worlds
from tests.commands import Command
from tests.small import CONFIG, WORLD
from training.asks import fit
from training.asks.past import Past
from training.model import Model


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The simulated company, without a champion: the funnel needs none."""
    root = tmp_path_factory.mktemp("funnel")
    simulate(WORLD, root / "data")
    here = worlds.configure(root, CONFIG)
    with intake.read(here) as found:
        found.write_tables()
        Store(here).remember(found.names())
    return here


@pytest.fixture(scope="module")
def past(company: Workspace) -> Past:
    return asked.past(company)


def test_the_past_of_asks_is_as_of_the_day_before_each(company: Workspace, past: Past) -> None:
    assert len(past.asks) == len(asked.exported(company)) > 100
    epoch = asked.EPOCH
    assert all(
        day == epoch + timedelta(days=int(number) - 1)
        for day, number in zip(past.asks["as_of"], past.asks["asked"], strict=True)
    )
    assert past.asks["role"].notna().any()
    assert past.asks["mood"].dropna().between(0, 1).all()
    assert (past.asks["used"].dropna() > 0).all()
    inside = past.asks[past.asks["cell"] >= 0]
    cells = past.cells.loc[inside["cell"]]
    assert (cells["account"].to_numpy() == inside["account"].to_numpy()).all()
    starts = np.array([(day - epoch).days for day in cells["as_of"]])
    assert (starts < inside["asked"].to_numpy()).all()
    assert (inside["asked"].to_numpy() <= cells["ends"].to_numpy()).all()
    terms = company.config.asks
    assert (past.cells["tenure_days"] >= terms.tenure_days).all()
    assert not (past.cells["nps_last"] <= 6).any()


def test_an_account_is_no_candidate_while_it_rests_from_the_last_ask(past: Past) -> None:
    days = past.asks.groupby("account")["asked"].apply(list)
    for account, day in zip(past.cells["account"], past.cells["as_of"], strict=True):
        now = (day - asked.EPOCH).days
        assert not [one for one in days.get(account, []) if 0 <= now - one < 89]


def test_numbers_are_kept_and_found_again_bit_for_bit(company: Workspace) -> None:
    told: list[str] = []
    shutil.rmtree(company.state / "asks", ignore_errors=True)
    first = funnel.funnel(company, told.append)
    assert "who says yes" in told
    told.clear()
    again = funnel.funnel(company, told.append)
    assert not told
    assert again.yes.as_dict() == first.yes.as_dict()
    rows = frame.feature_frame(company, [first.as_of])
    situation = Situation.of(company)
    assert first.chances(rows, situation.accepts) == again.chances(rows, situation.accepts) == situation.accepts
    assert all(0 < one.low <= one.value <= one.high < 1 for one in situation.accepts.values())
    shutil.rmtree(company.state / "asks")
    assert funnel.funnel(company).chances(rows, situation.accepts) == situation.accepts, "made anew they are the same"


def test_other_terms_make_other_numbers_and_the_old_go(company: Workspace, tmp_path: Path) -> None:
    root = Path(shutil.copytree(company.root, tmp_path / "other"))
    before = sorted(one.name for one in (root / "state" / "asks").iterdir())
    with (root / FILE).open("a", encoding="utf-8") as config:
        config.write("\n[asks]\ntenure_days = 400\n")
    other = funnel.funnel(load(root))
    assert other.yes.overlap.cells < funnel.funnel(company).yes.overlap.cells
    after = sorted(one.name for one in (root / "state" / "asks").iterdir())
    assert len(before) == len(after) == 1
    assert before != after


def test_who_acts_unasked_is_told_apart(company: Workspace, past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of so few accounts few act unasked; here that is enough."""
    monkeypatch.setattr(fit, "LEAST_OF_EACH", 5)
    model = funnel.unasked(company, past)
    assert isinstance(model, Model)
    rows = frame.feature_frame(company, [frame.observed_until(company)])
    said = model.scores(rows).probability
    acted = rows["acts_ever"].to_numpy() > 0
    assert said[acted].mean() > said[~acted].mean()
    assert funnel.unasked(company, replace(past, cells=past.cells[:50])) is None


def test_commands_tell_of_the_funnel(company: Workspace, propensity: Command) -> None:
    where = ("--workspace", company.root)
    told = propensity("advocates", *where, "--json").document
    assert {"rung", "asks", "yes", "unknown", "outside", "overlap"} <= set(told["model"])
    for line in told["lines"]:
        assert line["low"] <= line["accepts"] <= line["high"]
        assert line["unasked"] is None or 0 < line["unasked"] < 1
        assert line["effort"] == EFFORT[line["kind"]]
    words = " ".join(propensity("advocates", *where).out.split())
    assert "chance that this person says yes to that" in words
    steps = propensity("ask", "fatigue", *where, "--json").document["steps"]
    by_asks = [one for one in steps if one["by"] == "asks in the year before"]
    assert [one["name"] for one in by_asks] == ["none", "1", "2", "3 or more"]
    since = [one for one in steps if one["by"] == "since the last ask"]
    assert sum(one["asks"] for one in since) == sum(one["asks"] for one in by_asks)
    assert "a difference need not come from the asking" in " ".join(propensity("ask", "fatigue", *where).out.split())


def test_the_backtest_of_asks_by_command(company: Workspace, propensity: Command) -> None:
    where = ("--workspace", company.root)
    done = propensity("ask", "backtest", *where, "--json")
    if done.status == 2:  # so few accounts may have too few answers before any origin, and then it says so
        assert "asks accepted" in done.document["error"]
        return
    assert set(done.document["judged"]) >= {"corrected", "uncorrected", "share per kind", "overall share"}
    assert done.document["n"] == sum(one["n"] for one in done.document["origins"])
    assert (company.state / "backtests" / "asks.json").is_file()
    words = " ".join(propensity("ask", "backtest", *where).out.split())
    assert "as of all eligible, weighted" in words
    assert "foretold" in words


def test_stories_by_command(company: Workspace, propensity: Command) -> None:
    told = propensity("stories", "--workspace", company.root, "--json").document
    assert told["dimensions"] == ["industry", "product", "region"]
    assert "role" in told["left_out"]
    assert told["gaps"]
    assert told["uncovered"] <= told["value"]
    worth = [one["uncovered"] for one in told["gaps"]]
    assert worth == sorted(worth, reverse=True)
    situation = Situation.of(company)
    for gap in told["gaps"]:
        for one in gap["candidates"]:
            assert situation.eligibility(one["account"]).eligible
            person = next(each for each in situation.people[one["account"]] if each.contact == one["contact"])
            assert one["kind"] in person.consent
    words = " ".join(propensity("stories", "--workspace", company.root, "--top", 2).out.split())
    assert "nobody to speak for them" in words
    assert "left out: role" in words


def test_without_deals_or_advocacy_it_says_so(tmp_path: Path) -> None:
    tables: worlds.Tables = {
        "accounts": [{"account": "a", "created": "2024-01-01"}],
        "usage": [{"account": "a", "occurred_at": "2026-03-30T00:00:00+00:00", "event": "login", "value": 1}],
    }
    here = worlds.write(tmp_path, tables, cohort={"kind": "activity"}, outcomes={"churn": {"kind": "inactivity"}})
    worlds.take_in(here)
    with pytest.raises(PropensityError, match="no deals"):
        stories(here, 5)
    made = funnel.funnel(here)
    assert (made.yes.asks, made.unasked) == (0, None)
    assert "0 asks with an answer" in made.yes.why
    found = Situation.of(here)
    assert found.accepts == {}
    assert isinstance(found.funnel.yes.model.scores(pd.DataFrame({"kind": ["review"]})).probability[0], float)
