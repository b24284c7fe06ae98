"""Where everybody stands at the end of each month, on a company small enough to know it by heart."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from features.workspace import Workspace
from serving.decisions.states import AT_RISK, GONE, NEW
from serving.scores.score import Score
from serving.stores.store import Store
from serving.work.states import continuum, told
from tests import worlds
from tests.commands import Command

UNTIL = date(2026, 6, 30)
MONTHS = [date(2026, 3, 31), date(2026, 4, 30), date(2026, 5, 31), UNTIL]
Rows = dict[str, list[dict[str, object]]]


def day(*parts: int) -> datetime:
    return datetime(*parts, 12, tzinfo=UTC)  # type: ignore[arg-type,misc]


def tables() -> Rows:
    """Ann renewed, answers ever better, and acts in May; bob gives notice in May; cem leaves in April; dee comes in May."""
    days = [day(2024, 6, 1) + timedelta(days=number) for number in range(760)]
    return {
        "accounts": [{"account": name, "name": f"={name}", "created": day(2024, 1, 1)} for name in ("ann", "bob", "cem", "dee")],
        "contracts": [
            {"contract": "c1", "account": "ann", "starts": day(2024, 1, 1), "ends": day(2025, 1, 1), "arr": 100},
            {"contract": "c2", "account": "ann", "starts": day(2025, 1, 1), "ends": day(2027, 1, 1), "arr": 120, "signed": day(2024, 12, 20)},
            {"contract": "c3", "account": "bob", "starts": day(2025, 1, 1), "ends": day(2027, 1, 1), "arr": 50, "cancelled": day(2026, 5, 20)},
            {"contract": "c4", "account": "cem", "starts": day(2025, 4, 15), "ends": day(2026, 4, 15), "arr": 70},
            {"contract": "c5", "account": "dee", "starts": day(2026, 5, 5), "ends": day(2027, 5, 5), "arr": 30},
        ],
        "usage": [{"account": "ann", "occurred_at": at, "event": "login"} for at in days],
        "feedback": [
            {"account": "ann", "responded": at, "instrument": "NPS", "score": score}
            for at, score in ((day(2025, 6, 15), 8), (day(2025, 12, 15), 9), (day(2026, 3, 15), 10))
        ],
        "advocacy": [{"account": "ann", "kind": "review", "done": day(2026, 5, 10)}],
    }  # fmt: skip


def founded(root: Path, rows: Mapping[str, list[dict[str, object]]], **config: Any) -> Workspace:
    """``recorded_at`` is a column of every table of facts, so that a fact may be late."""
    whole = {
        name: [{**dict.fromkeys(TABLES_OF_FACTS.get(name, ())), **row} for row in each] for name, each in rows.items()
    }
    workspace = worlds.write(root, whole, **{"as_of": {"since": date(2025, 1, 31), "exported": UNTIL}, **config})
    with worlds.intake.read(workspace) as found:
        found.write_tables()
        Store(workspace).remember(found.names())
    return workspace


TABLES_OF_FACTS = {
    "contracts": ("signed", "cancelled", "recorded_at"),
    "usage": ("recorded_at",),
    "feedback": ("recorded_at",),
    "advocacy": ("recorded_at",),
}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return founded(tmp_path_factory.mktemp("small"), tables())


def score(account: str, as_of: date, probability: float) -> Score:
    return Score(
        f"{account}{as_of}", "churn", account, as_of, probability, 0.0, 1.0, 1, 100.0, 1, "row", f"frame {as_of}", []
    )


def test_months_worked_by_hand(small: Workspace) -> None:
    found = continuum(small, 4)
    assert [month.as_of for month in found.months] == MONTHS
    assert [dict(month.counts) for month in found.months] == [
        {"loyal": 1, "not yet": 2},
        {"loyal": 1, "not yet": 1},
        {"advocate": 1, "at risk": 1, "not yet": 1},
        {"advocate": 1, "at risk": 1, "not yet": 1},
    ]
    assert [dict(month.moves) for month in found.months] == [
        {},
        {("loyal", "loyal"): 1, ("not yet", "not yet"): 1, ("not yet", GONE): 1},
        {("loyal", "advocate"): 1, ("not yet", AT_RISK): 1, (NEW, "not yet"): 1},
        {("advocate", "advocate"): 1, (AT_RISK, AT_RISK): 1, ("not yet", "not yet"): 1},
    ]
    assert sum(found.moves.values()) == 9
    assert found.unlike == []
    for before, month in zip(found.months, found.months[1:], strict=False):
        assert sum(count for (state, _), count in month.moves.items() if state != NEW) == before.accounts
        assert sum(count for (_, state), count in month.moves.items() if state != GONE) == month.accounts


def test_one_account_with_its_own_numbers(small: Workspace) -> None:
    found = told(small, "ann", 4)
    assert found.standing is not None
    assert (found.standing.state, found.before) == (
        "advocate",
        list(zip(MONTHS, ["loyal", "loyal", "advocate", "advocate"], strict=True)),
    )
    words = {one.rule: (one.met, one.words) for verdict in found.standing.verdicts for one in verdict.evidence}
    assert words == {
        "notice": (False, "no notice has been given"),
        "NPS": (False, "last NPS answer 10; low is 6 or less"),
        "little use": (False, "used it 90 times in the last 90 days, usually 90; far below is less than 50% of it"),
        "act": (True, "1 act of advocacy in the last 365 days, the last 52 days ago"),
        "bought again": (True, "signed on 2 different days, the last 558 days ago"),
        "above expectation": (True, "answers at 100 of 100 in the last 180 days; expected is 80"),
        "use": (True, "used it 90 times in the last 90 days, usually 90; at its usual from 90% of it on"),
        "feedback": (True, "answers at 100 of 100 in the last 180 days, usually 85; at its usual from 90% of it on"),
    }
    assert [state for _, state in told(small, "cem", 4).before] == ["not yet", None, None, None]
    assert told(small, "cem", 4).standing is None


def test_a_renewal_that_is_not_signed_yet_is_none(small: Workspace) -> None:
    early = told(small, "ann", 1, date(2024, 11, 30))
    assert early.standing is not None
    words = {one.rule: one.words for verdict in early.standing.verdicts for one in verdict.evidence}
    assert words["bought again"] == "signed on one day only"
    signed = told(small, "ann", 1, date(2024, 12, 31))  # it starts in January
    assert signed.standing is not None
    words = {one.rule: one.words for verdict in signed.standing.verdicts for one in verdict.evidence}
    assert words["bought again"] == "signed on 2 different days, the last 12 days ago"


def test_what_comes_later_or_is_learnt_later_changes_nothing_before(small: Workspace, tmp_path: Path) -> None:
    rows = tables()
    rows["advocacy"] += [
        {"account": "bob", "kind": "review", "done": day(2026, 4, 10), "recorded_at": day(2026, 6, 2)},
        {"account": "ann", "kind": "review", "done": day(2026, 6, 10)},
    ]
    rows["feedback"] += [
        {"account": "ann", "responded": day(2026, 3, 20), "instrument": "NPS", "score": 0, "recorded_at": day(2026, 6, 3)},
        {"account": "bob", "responded": day(2026, 6, 20), "instrument": "NPS", "score": 10},
    ]  # fmt: skip
    rows["usage"] += [
        {"account": "dee", "occurred_at": day(2026, 5, 8), "event": "login", "recorded_at": day(2026, 6, 1)}
    ]
    rows["contracts"] += [
        {"contract": "c6", "account": "cem", "starts": day(2026, 4, 20), "ends": day(2027, 4, 20), "arr": 9, "recorded_at": day(2026, 6, 1)},
        {"contract": "c7", "account": "dee", "starts": day(2026, 6, 1), "ends": day(2027, 4, 20), "arr": 9, "signed": day(2026, 6, 1)},
    ]  # fmt: skip
    other = founded(tmp_path, rows)
    before, after = (continuum(one, 3, date(2026, 5, 31)).as_dict() for one in (small, other))
    assert before == after
    assert continuum(small, 1).as_dict() != continuum(other, 1).as_dict()


def test_scores_of_a_month_tell_risk_and_moves_from_signs_to_scores_are_left_out(tmp_path: Path) -> None:
    workspace = founded(tmp_path, tables())
    Store(workspace).save([score("ann", MONTHS[2], 0.3), score("dee", MONTHS[2], 0.1)])
    Store(workspace).save([score("ann", MONTHS[3], 0.1), score("dee", MONTHS[3], 0.1)])
    found = continuum(workspace, 4)
    assert [(month.risk_by, month.scored, month.alike) for month in found.months] == [
        ("signs", 0, False),
        ("signs", 0, True),
        ("score", 2, False),
        ("score", 2, True),
    ]
    assert found.unlike == [MONTHS[2]]
    assert found.moves == found.months[1].moves + found.months[3].moves
    assert found.months[3].moves[AT_RISK, "advocate"] == 1
    last = told(workspace, "ann", 2)
    assert [state for _, state in last.before] == [AT_RISK, "advocate"]
    assert last.places is not None
    assert last.places[0].name == "truly loyal"


def test_the_order_of_rows_does_not_matter(small: Workspace, tmp_path: Path) -> None:
    rows = {name: each[::-1] for name, each in tables().items()}
    assert continuum(founded(tmp_path, rows), 4).as_dict() == continuum(small, 4).as_dict()


def test_what_is_not_mapped_is_unknown_and_said_so(tmp_path: Path) -> None:
    some = {name: rows for name, rows in tables().items() if name in ("accounts", "usage")}
    workspace = founded(tmp_path, some, cohort={"kind": "activity", "days": 30, "activity": ["usage"]})
    found = continuum(workspace, 2)
    assert [(month.accounts, dict(month.counts)) for month in found.months] == [(1, {"not yet": 1})] * 2
    verdicts = {one.state: (one.met, one.words) for one in found.standings[0].verdicts}
    assert verdicts["advocate"] == (None, "unknown: act unknown, not known here: advocacy is not mapped")
    assert "neither contracts nor invoices are mapped" in verdicts["loyal"][1]
    assert "use met, used it 90 times" in verdicts["satisfied"][1]


def test_the_command(small: Workspace, propensity: Command, tmp_path: Path) -> None:
    where, file = ("--workspace", small.root), tmp_path / "states.csv"
    done = propensity("states", "--months", 4, *where, "--csv", file, "--json")
    assert (done.status, done.document) == (0, continuum(small, 4).as_dict())
    assert done.document["transitions"]["loyal"]["advocate"] == {"count": 1, "share": 0.5}
    with file.open(encoding="utf-8", newline="") as stream:
        lines = list(csv.DictReader(stream))
    assert [(line["as_of"], line["account"]) for line in lines] == sorted(
        (line["as_of"], line["account"]) for line in lines
    )
    assert len(lines) == 3 + 2 + 3 + 3
    assert {line["name"] for line in lines} == {"'=ann", "'=bob", "'=cem", "'=dee"}  # no formula
    assert lines[-2]["at risk"].startswith("met: notice met, notice has been given")
    shown = " ".join(propensity("states", "--months", 4, *where).out.split())
    assert "who became what within a month: 3 months, up to 2026-06-30" in shown
    assert "loyal – – 1 (50%) 1 (50%) – –" in shown
    one = " ".join(propensity("states", "bob", "--months", 2, *where).out.split())
    assert "=bob (bob) as of 2026-06-30: at risk (otherwise not yet)" in one
    assert "met notice: notice has been given" in one
    assert "no customer as of" in " ".join(propensity("states", "cem", *where).out.split())


def test_names_are_found_however_many_are_asked_for(tmp_path: Path) -> None:
    """A database takes so many values in a query; there may be more accounts."""
    store = Store(founded(tmp_path, tables()))
    asked = [f"nobody {number}" for number in range(300_000)] + ["ann", "dee"]
    assert store.names(asked) == {"ann": "=ann", "dee": "=dee"}
    assert store.names([]) == {}


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (("nobody",), "there is no account 'nobody'", "accounts table"),
        (("--as-of", "2027-01-31"), "2027-01-31 has not been observed yet", "2026-06-30"),
        (("ann", "--csv", "x.csv"), "--csv is about everybody", "--json"),
    ],
)
def test_errors(small: Workspace, propensity: Command, arguments: tuple[str, ...], message: str, hint: str) -> None:
    done = propensity("states", *arguments, "--workspace", small.root, "--json")
    assert (done.status, message in done.document["error"], hint in done.document["hint"]) == (2, True, True)
