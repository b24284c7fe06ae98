"""The programme of a small company worked by hand; what lies in the future, or arrived late, changes nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from features.errors import PropensityError
from features.workspace import Workspace
from serving.scores.score import Score
from serving.stores.log import Entry, Log
from serving.stores.store import Store
from serving.work.known import Known
from serving.work.programme import month_ends, programme
from tests import worlds
from tests.commands import Command

DAY = date(2026, 6, 30)
CONFIG: dict[str, Any] = {
    "as_of": {"since": date(2025, 1, 31), "exported": date(2026, 7, 31)},
    "signals": {"windows": [90]},
    "programme": {"nps_accounts": 2, "period": 122},
    "training": {"bootstraps": 50},
}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def tables() -> dict[str, list[dict[str, object]]]:
    """a could be asked in March, and was; b had to rest after it declined; c may be asked; nobody at d has agreed to anything; e, at which nobody has either, acted
    unasked. At f an escalation is open all the time.
    """
    accounts = "abcdef"
    return {
        "accounts": [{"account": a, "owner": "ann" if a < "d" else "bob", "created": at("2024-01-01")} for a in accounts],
        "contracts": [
            {"contract": a, "account": a, "starts": at("2024-01-01"), "ends": at("2028-01-01"), "arr": 1000} for a in accounts
        ],
        "contacts": [
            {"contact": f"p-{a}", "account": a, "role": "user", "joined": at("2024-02-01"), "consent_at": at("2024-02-01"),
             "consent": None if a in "de" else "review;reference", "left": None} for a in accounts
        ],
        "usage": [{"account": a, "occurred_at": at("2026-01-01"), "event": "login"} for a in accounts],
        "tickets": [
            {"ticket": "t1", "account": "f", "contact": "p-f", "opened": at("2024-05-01"), "escalated": at("2024-05-02"),
             "first_response": at("2024-05-03"), "resolved": None},
            {"ticket": "t2", "account": "b", "contact": "p-b", "opened": at("2026-03-21"), "escalated": None,
             "first_response": at("2026-03-24"), "resolved": at("2026-03-25")},
        ],
        "feedback": [
            {"account": "a", "contact": "p-a", "instrument": "NPS", "responded": at("2025-03-10"), "score": 9, "recorded_at": None},
            {"account": "b", "contact": "p-b", "instrument": "NPS", "responded": at("2025-03-10"), "score": 8, "recorded_at": None},
            {"account": "a", "contact": "p-a", "instrument": "NPS", "responded": at("2026-03-01"), "score": 10, "recorded_at": None},
            {"account": "b", "contact": "p-b", "instrument": "NPS", "responded": at("2026-03-20"), "score": 9, "recorded_at": None},
            {"account": "c", "contact": "p-c", "instrument": "NPS", "responded": at("2026-06-01"), "score": 0,
             "recorded_at": at("2026-07-02")},
            {"account": "d", "contact": "p-d", "instrument": "NPS", "responded": at("2026-07-05"), "score": 0, "recorded_at": None},
        ],
        "outreach": [
            {"outreach": "o1", "account": "a", "contact": None, "kind": "call", "done": at("2026-03-03"), "recorded_at": None},
            {"outreach": "o2", "account": "c", "contact": None, "kind": "call", "done": at("2026-06-05"),
             "recorded_at": at("2026-07-02")},
        ],
        "advocacy": [
            {"act": "k1", "account": "a", "contact": "p-a", "kind": "review", "asked": at("2026-03-01"), "accepted": at("2026-03-03"),
             "declined": None, "done": at("2026-03-13"), "revenue_touched": 300, "recorded_at": None},
            {"act": "k2", "account": "b", "contact": "p-b", "kind": "review", "asked": at("2026-03-05"), "accepted": None,
             "declined": at("2026-03-06"), "done": None, "revenue_touched": None, "recorded_at": None},
            {"act": "k3", "account": "e", "contact": None, "kind": "social", "asked": None, "accepted": None, "declined": None,
             "done": at("2026-04-01"), "revenue_touched": None, "recorded_at": None},
            {"act": "k4", "account": "c", "contact": None, "kind": "social", "asked": None, "accepted": None, "declined": None,
             "done": at("2026-06-10"), "revenue_touched": 500, "recorded_at": at("2026-07-02")},
        ],
        "deals": [
            {"deal": "d1", "account": None, "opened": at("2025-08-01"), "won": at("2026-03-10"), "value": 1000},
            {"deal": "d2", "account": "a", "opened": at("2024-08-01"), "won": at("2025-01-10"), "value": 5000},
            {"deal": "d3", "account": "b", "opened": at("2026-01-01"), "won": at("2026-07-10"), "value": 7000},
        ],
    }  # fmt: skip


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = worlds.write(tmp_path_factory.mktemp("programme"), tables(), **CONFIG)
    worlds.take_in(workspace)
    return workspace


def test_participation_by_hand(company: Workspace) -> None:
    """a and e took part; c could have been asked."""
    found = programme(company, DAY).participation
    assert found is not None
    assert (found.found.yes, found.found.of) == (2, 3)
    assert len(found.month_ends) == 4
    assert found.risk_unknown == found.month_ends
    assert "eligible: no rule" in found.as_dict()["definition"]


def test_the_other_numbers_by_hand(company: Workspace) -> None:
    found = programme(company, DAY)
    assert found.nps is not None
    assert found.nps.now is not None
    assert found.nps.before is not None
    assert (found.nps.now.value, found.nps.before.value) == (100, 50)
    assert (found.revenue.deals, found.revenue.won, found.revenue.touched, found.revenue.acts_unknown) == (
        1,
        1000,
        300,
        1,
    )
    assert found.loop is not None
    every = found.loop.kinds[0]
    assert (every.closed.yes, every.closed.of) == (2, 2)
    assert every.days is not None
    assert every.days.value == 3, "a after 2 days by a call, b after 4 by a ticket's first answer"
    assert found.loop.open == []
    assert found.funnel is not None
    assert (found.funnel.eligible, found.funnel.asked.yes, found.funnel.beside) == (3, 1, 1)
    assert (found.funnel.whole.asked, found.funnel.whole.accepted.yes, found.funnel.whole.done.yes) == (2, 1, 1)


def test_later_and_late_facts_change_nothing_until_they_are_known(company: Workspace, tmp_path: Path) -> None:
    """Taken out, they leave the day as it was; a month later they count."""
    past = tables()
    for name in ("feedback", "outreach", "advocacy"):
        past[name] = [row for row in past[name] if row["recorded_at"] is None]
    past["deals"] = past["deals"][:2]
    past["feedback"] = [row for row in past["feedback"] if row["account"] != "d"]
    without = worlds.write(tmp_path, past, **CONFIG)
    worlds.take_in(without)
    before = programme(without, DAY).as_dict()
    assert programme(company, DAY).as_dict() == before
    after = programme(company)
    assert after.participation is not None
    assert after.nps is not None
    assert (after.as_of, after.participation.found.yes, after.nps.answers) == (date(2026, 7, 31), 2, 2)
    assert after.revenue.won == 7000
    assert after.as_dict() != before


def test_what_our_log_says_counts_from_when_it_was_written_down(company: Workspace, tmp_path: Path) -> None:
    there = worlds.write(tmp_path, tables(), **CONFIG)
    worlds.take_in(there)
    log = Log(there)
    asked = Entry("ask", "k-1", "asked", "c", at("2026-03-01"), "ann", "p-c", "review")
    log.add([asked], now=at("2026-03-02"))
    log.add([Entry("ask", "k-1", "accepted", "c", at("2026-03-03"), "ann")], now=at("2026-07-02"))
    log.add([Entry("outreach", "t-1", "done", "c", at("2026-06-03"), "ann", kind="call")], now=at("2026-07-02"))
    (act,) = [one for one in Known(there, DAY).acts() if one.act == "k-1"]
    assert (act.asked, act.accepted) == (date(2026, 3, 1), None)
    (act,) = [one for one in Known(there, date(2026, 7, 31)).acts() if one.act == "k-1"]
    assert act.accepted == date(2026, 3, 3)
    assert "c" not in {one.account for one in Known(there, DAY).handled()}
    assert "c" in {one.account for one in Known(there, DAY, by_now=True).handled()}
    assert len([one for one in Known(there, date(2026, 3, 1)).acts() if one.act == "k-1"]) == 0


def test_a_source_that_is_late_by_a_day_is_known_a_day_later(tmp_path: Path) -> None:
    rows = tables()
    dated = [{"account": "a", "instrument": "NPS", "responded": date(2026, 6, 30), "score": 9}]
    late = worlds.write(
        tmp_path, {**rows, "feedback": dated}, **CONFIG, tables={"feedback": {"source": "feedback", "delay_hours": 12}}
    )
    worlds.take_in(late)
    assert Known(late, DAY).answers() == [], "dated only, it is known as the day ends, and half a day later"
    assert len(Known(late, date(2026, 7, 1)).answers()) == 1


def test_risk_blocks_where_it_was_known_then(company: Workspace, tmp_path: Path) -> None:
    """c is about to leave, by the only scores there are: those of the last day, which is one of four."""
    there = worlds.write(tmp_path, tables(), **CONFIG)
    worlds.take_in(there)
    Store(there).save([score(account, DAY, 0.9 if account == "c" else 0.01) for account in "abcdef"])
    whole = programme(there, DAY).participation
    month = programme(there, DAY, 28).participation
    assert whole is not None
    assert month is not None
    assert (len(whole.risk_unknown), whole.found.of) == (3, 3)
    assert (month.risk_unknown, month.month_ends, month.found.of) == ([], [DAY], 0)


def score(account: str, day: date, probability: float) -> Score:
    return Score(
        score_id=f"{account} {day}"[:20], outcome="churn", account=account, as_of=day, probability=probability, low=0.0,
        high=1.0, rank=1, percentile=1.0, model_version=1, row_hash="r", frame_hash="f", reasons=[],
    )  # fmt: skip


def test_a_table_that_is_not_mapped_is_said_and_nothing_is_made_up(tmp_path: Path) -> None:
    few = {name: rows for name, rows in tables().items() if name in ("accounts", "contracts", "usage", "feedback")}
    there = worlds.write(tmp_path, few, **CONFIG)
    worlds.take_in(there)
    document = programme(there, DAY).as_dict()
    assert document["participation"] == {"unknown": "the table advocacy is not mapped, and nothing was asked here"}
    assert document["funnel"] == document["participation"]
    assert "neither outreach nor tickets are mapped" in document["closed_loop"]["unknown"]
    assert document["revenue"]["verdict"] == "unknown: deals and advocacy not mapped"
    assert document["nps"]["now"]["value"] == 100
    less = worlds.write(tmp_path / "less", {**few, "feedback": []}, **CONFIG)
    worlds.take_in(less)
    assert programme(less, DAY).as_dict()["nps"]["verdict"].startswith("unknown: 0 accounts answered")


def test_month_ends() -> None:
    assert month_ends(date(2026, 3, 31), date(2026, 6, 30)) == [date(2026, 4, 30), date(2026, 5, 31), date(2026, 6, 30)]
    assert month_ends(date(2026, 3, 15), date(2026, 5, 14)) == [date(2026, 3, 31), date(2026, 4, 30), date(2026, 5, 14)]


def test_a_day_beyond_the_data_is_refused(company: Workspace) -> None:
    with pytest.raises(PropensityError, match="the data ends on 2026-07-31"):
        programme(company, date(2026, 8, 1))


def test_the_command(company: Workspace, propensity: Command) -> None:
    where = ("--workspace", company.root, "--as-of", DAY)
    document = propensity("programme", *where, "--json").document
    assert (document["since"], document["days"], document["participation"]["yes"]) == ("2026-03-01", 122, 2)
    words = " ".join(propensity("programme", *where).out.split())
    assert "2 of 3 eligible accounts took part: 67%" in words
    assert "revenue touched, not caused" in words
    assert "4 of 4 month-ends have no stored scores" in words
    assert "no trend can be told" in words
    half = propensity("programme", *where, "--days", 28, "--json").document
    assert half["since"] == str(DAY - timedelta(days=27))
    assert propensity("programme", "--workspace", company.root, "--as-of", "someday", "--json").status == 2
