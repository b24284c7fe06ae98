"""Outcomes on hand-made worlds, on the boundary instants: yes, no, and unknown where nobody can know yet.

The as_of is 1 March 2026 in Berlin, lead 10, horizon 30 and grace 15 days; the clocks change within the horizon.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from features import windows
from features.errors import PropensityError
from features.settings.outcomes import Churn, Contraction, Outcomes
from features.workspace import Workspace
from tests import worlds
from training.dataset import dataset
from training.outcomes import OUTCOMES, labelled, labels, losses, specification
from training.outcomes.specification import spec
from training.outcomes.terms import NEVER

ZONE = "Europe/Berlin"
AS_OF = datetime(2026, 3, 2, tzinfo=ZoneInfo(ZONE))
DAY, ONE_DAY, TICK = date(2026, 3, 1), timedelta(days=1), timedelta(microseconds=1)
LONG_AGO = datetime(2025, 1, 1, tzinfo=ZoneInfo(ZONE))
BEGINS = datetime(2026, 3, 12, tzinfo=ZoneInfo(ZONE))
ENDS = datetime(2026, 4, 11, tzinfo=ZoneInfo(ZONE))
GRACE_ENDS = datetime(2026, 4, 26, tzinfo=ZoneInfo(ZONE))
EXPORTED = date(2026, 6, 30)
TIMES = {"lead": 10, "horizon": 30, "grace": 15}
YES, NO = 1.0, 0.0
Row = dict[str, object]


def _world(
    root: Path, outcome: str, settings: dict[str, Any], tables: worlds.Tables, exported: date = EXPORTED
) -> Workspace:
    workspace = worlds.write(
        root,
        tables,
        timezone=ZONE,
        as_of={"since": date(2025, 1, 1), "exported": exported},
        cohort={"kind": "activity", "activity": settings.pop("activity", ["usage"])},
        outcomes={outcome: settings},
    )
    worlds.take_in(workspace)
    return workspace


def _rows(accounts: list[str], day: date = DAY) -> pd.DataFrame:
    return pd.DataFrame({"account": accounts, "as_of": [day] * len(accounts)})


def _told(workspace: Workspace, outcome: str, accounts: list[str]) -> dict[str, float]:
    """The labels, asked for in both orders of the accounts."""
    found = labels(workspace, outcome, _rows(accounts))
    assert np.array_equal(labels(workspace, outcome, _rows(accounts[::-1]))[::-1], found, equal_nan=True)
    return dict(zip(accounts, found.tolist(), strict=True))


def _utc(instant: datetime) -> datetime:
    return instant.astimezone(ZoneInfo("UTC"))


def _contract(**times: datetime) -> Row:
    return {"starts": LONG_AGO, "ends": None, "cancelled": None, **times}


CONTRACTS: dict[str, tuple[list[Row], float]] = {
    "open-ended": ([_contract()], NO),
    "runs beyond the horizon": ([_contract(ends=ENDS + 90 * ONE_DAY)], NO),
    "ends just after the horizon": ([_contract(ends=ENDS + TICK)], NO),
    "ends with the horizon": ([_contract(ends=ENDS)], YES),
    "ends within the horizon": ([_contract(ends=BEGINS)], YES),
    "ends before the horizon": ([_contract(ends=BEGINS - ONE_DAY)], YES),
    "cancelled with an end later on runs to it": ([_contract(cancelled=BEGINS, ends=ENDS + TICK)], NO),
    "cancelled without an end": ([_contract(cancelled=ENDS - ONE_DAY)], YES),
    "cancelled without an end, on the horizon's": ([_contract(cancelled=ENDS)], YES),
    "cancelled without an end, after the horizon": ([_contract(cancelled=ENDS + TICK)], NO),
    "renewed at once": ([_contract(ends=BEGINS), _contract(starts=BEGINS)], NO),
    "renewed on the last instant of the grace": ([_contract(ends=BEGINS), _contract(starts=GRACE_ENDS - TICK)], NO),
    "renewed as the grace ends": ([_contract(ends=BEGINS), _contract(starts=GRACE_ENDS)], YES),
    "renewed a day after the grace": ([_contract(ends=BEGINS), _contract(starts=GRACE_ENDS + ONE_DAY)], YES),
    "renewed and gone again by the end": ([_contract(ends=BEGINS), _contract(starts=BEGINS, ends=ENDS - TICK)], YES),
    "one of two goes": ([_contract(ends=BEGINS), _contract()], NO),
}


@pytest.fixture(scope="module")
def contracts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    rows: list[Row] = []
    for account, (terms, _) in CONTRACTS.items():
        for term in terms:
            rows.append({"contract": str(len(rows)), "account": account, "arr": 1, **term})
    tables: worlds.Tables = {"accounts": [{"account": account} for account in CONTRACTS], "contracts": rows}
    workspace = _world(tmp_path_factory.mktemp("contracts"), "churn", {"kind": "contract", **TIMES}, tables)
    return _told(workspace, "churn", list(CONTRACTS))


@pytest.mark.parametrize("account", CONTRACTS)
def test_contract_churn(account: str, contracts: dict[str, float]) -> None:
    assert contracts[account] == CONTRACTS[account][1]


@pytest.mark.parametrize(
    ("begins", "expected"), [(ENDS - TICK, NO), (ENDS, NO), (ENDS + TICK, YES), (ENDS + ONE_DAY / 2, YES)]
)
def test_without_grace_the_instant_at_which_the_horizon_ends_decides(
    begins: datetime, expected: float, tmp_path: Path
) -> None:
    tables: worlds.Tables = {
        "accounts": [{"account": "a"}],
        "contracts": [{"contract": "c", "account": "a", **_contract(starts=begins)}],
    }
    settings = {"kind": "contract", **TIMES, "grace": 0}
    assert _told(_world(tmp_path, "churn", settings, tables), "churn", ["a"]) == {"a": expected}


def _priced(arr: float | None, **times: datetime) -> Row:
    return {**_contract(**times), "arr": arr}


LOWER, SAME, HIGHER, GONE, OPEN = "lower", "same", "higher", "gone", "open"
GROWTH: dict[str, tuple[list[Row], str]] = {
    "goes on as it is": ([_priced(100)], SAME),
    "a twentieth less": ([_priced(100, ends=BEGINS), _priced(95, starts=BEGINS)], LOWER),
    "hardly less": ([_priced(100, ends=BEGINS), _priced(95.01, starts=BEGINS)], SAME),
    "a twentieth more": ([_priced(100, ends=BEGINS), _priced(105, starts=BEGINS)], HIGHER),
    "hardly more": ([_priced(100, ends=BEGINS), _priced(104.99, starts=BEGINS)], SAME),
    "less within the lead": ([_priced(100, ends=AS_OF), _priced(80, starts=AS_OF)], LOWER),
    "less before as_of": ([_priced(100, ends=AS_OF - TICK), _priced(80, starts=AS_OF - TICK)], SAME),
    "more before as_of": ([_priced(100), _priced(30, starts=AS_OF - TICK)], SAME),
    "more as of as_of": ([_priced(100), _priced(30, starts=AS_OF)], HIGHER),
    "more as the horizon ends": ([_priced(100), _priced(30, starts=ENDS)], HIGHER),
    "more on the last instant of the grace": ([_priced(100), _priced(30, starts=GRACE_ENDS - TICK)], HIGHER),
    "more as the grace ends": ([_priced(100), _priced(30, starts=GRACE_ENDS)], SAME),
    "less as the horizon ends": ([_priced(100, ends=ENDS), _priced(50, starts=ENDS)], LOWER),
    "less just after the horizon": ([_priced(100, ends=ENDS + TICK), _priced(50, starts=ENDS + TICK)], SAME),
    "one of two goes": ([_priced(60, ends=BEGINS), _priced(100)], LOWER),
    "one of two goes and is back within the grace": (
        [_priced(60, ends=BEGINS), _priced(100), _priced(60, starts=GRACE_ENDS - TICK)],
        SAME,
    ),
    "renewed late for less": ([_priced(100, ends=BEGINS), _priced(70, starts=ENDS + ONE_DAY)], LOWER),
    "renewed late for more": ([_priced(100, ends=BEGINS), _priced(130, starts=ENDS + ONE_DAY)], HIGHER),
    "less and gone by the end": ([_priced(100, ends=BEGINS), _priced(50, starts=BEGINS, ends=ENDS)], GONE),
    "gone": ([_priced(100, ends=BEGINS)], GONE),
    "gone without notice of a price": ([_priced(None, ends=BEGINS)], GONE),
    "stays for nothing": ([_priced(100, ends=BEGINS), _priced(0, starts=BEGINS)], LOWER),
    "cancelled before it starts": ([_priced(100), _priced(50, starts=BEGINS, cancelled=AS_OF)], SAME),
    "price then unknown": ([_priced(None, ends=BEGINS), _priced(100, starts=BEGINS)], OPEN),
    "price later unknown": ([_priced(100, ends=BEGINS), _priced(None, starts=BEGINS)], OPEN),
    "a price beside it unknown": ([_priced(100), _priced(None, starts=BEGINS)], OPEN),
    "a price unknown and over by then": ([_priced(100), _priced(None, starts=BEGINS, ends=ENDS)], SAME),
    "new after as_of": ([_priced(100, starts=BEGINS)], OPEN),
    "back after having left": ([_priced(100, ends=AS_OF - ONE_DAY), _priced(100, starts=BEGINS)], OPEN),
}
"""Contracts, and how the ARR at the end of the horizon compares with that at as_of."""


@pytest.fixture(scope="module")
def growth(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, float]]:
    rows: list[Row] = []
    for account, (terms, _) in GROWTH.items():
        for term in terms:
            late = {"recorded_at": EXPORTED} if len(rows) % 2 else {"recorded_at": None}
            rows.append({"contract": str(len(rows)), "account": account, **late, **term})
    workspace = worlds.write(
        tmp_path_factory.mktemp("growth"),
        {"accounts": [{"account": account} for account in GROWTH], "contracts": rows},
        timezone=ZONE,
        as_of={"since": date(2025, 1, 1), "exported": EXPORTED},
        outcomes=dict.fromkeys(("churn", "contraction", "expansion"), TIMES),
    )
    worlds.take_in(workspace)
    return {name: _told(workspace, name, list(GROWTH)) for name in ("churn", "contraction", "expansion")}


@pytest.mark.parametrize("account", GROWTH)
def test_arr_then_against_arr_now(account: str, growth: dict[str, dict[str, float]]) -> None:
    """However late a contract was recorded; an account that leaves is a churn and neither of the two."""
    came = GROWTH[account][1]
    told = {name: growth[name][account] for name in ("contraction", "expansion", "churn")}
    if came == OPEN:
        assert np.isnan([told["contraction"], told["expansion"]]).all()
        assert told["churn"] == NO
    else:
        assert told == {"contraction": came == LOWER, "expansion": came == HIGHER, "churn": came == GONE}


def test_growth_by_a_share_of_ones_own_for_accounts_with_arr(tmp_path: Path) -> None:
    """By the integers of the facts: a tenth of 0.30 is 0.03, though not in binary fractions."""
    cases: dict[str, tuple[list[Row], bool, bool]] = {
        "exactly": ([_priced(0.3, ends=BEGINS), _priced(0.33, starts=BEGINS)], True, True),
        "a cent less": ([_priced(0.3, ends=BEGINS), _priced(0.32, starts=BEGINS)], True, False),
        "unpriced": ([_priced(None)], False, False),
        "for nothing": ([_priced(0)], False, False),
    }
    rows: list[Row] = []
    for account, (terms, *_) in cases.items():
        for term in terms:
            rows.append({"contract": str(len(rows)), "account": account, **term})
    tables: worlds.Tables = {"accounts": [{"account": account} for account in cases], "contracts": rows}
    config = {"as_of": {"since": DAY, "until": DAY, "exported": EXPORTED}, "timezone": ZONE}
    workspace = worlds.write(tmp_path, tables, **config, outcomes={"expansion": {**TIMES, "share": 0.1}})
    frame = worlds.frame(workspace, DAY).set_index("account")
    assert frame["for_expansion"].to_dict() == {account: asked for account, (_, asked, _) in cases.items()}
    found = dataset(workspace, "expansion")
    assert dict(zip(found.accounts, found.y == YES, strict=True)) == {
        account: grown for account, (_, asked, grown) in cases.items() if asked
    }


MARCH_20 = datetime(2026, 3, 20, tzinfo=ZoneInfo(ZONE))  # clocks change within the grace after it
LOSSES: dict[str, tuple[list[Row], datetime | None]] = {
    "open-ended": ([_contract()], None),
    "ends": ([_contract(ends=MARCH_20)], MARCH_20),
    "ends as of as_of": ([_contract(ends=AS_OF)], AS_OF),
    "ended before, which nobody knew": ([_contract(ends=AS_OF - 9 * ONE_DAY)], AS_OF),
    "cancelled without an end": ([_contract(cancelled=MARCH_20)], MARCH_20),
    "cancelled with an end later on": ([_contract(cancelled=MARCH_20, ends=ENDS)], ENDS),
    "renewed at once": ([_contract(ends=MARCH_20), _contract(starts=MARCH_20, ends=ENDS)], ENDS),
    "renewed within the grace": (
        [_contract(ends=MARCH_20), _contract(starts=MARCH_20 + 15 * ONE_DAY - TICK, ends=ENDS)],
        ENDS,
    ),
    "renewed as the grace ends": ([_contract(ends=MARCH_20), _contract(starts=MARCH_20 + 15 * ONE_DAY)], MARCH_20),
    "one of two goes": ([_contract(), _contract(ends=MARCH_20)], None),
    "one within the other": ([_contract(ends=ENDS), _contract(starts=BEGINS, ends=MARCH_20)], ENDS),
    "back long after": ([_contract(ends=MARCH_20), _contract(starts=ENDS)], MARCH_20),
    "as_of within the grace": ([_contract(ends=AS_OF - ONE_DAY), _contract(starts=BEGINS, ends=ENDS)], ENDS),
    "left and back before as_of": ([_contract(ends=AS_OF - 99 * ONE_DAY), _contract(starts=AS_OF - ONE_DAY)], None),
    "back after the grace": ([_contract(ends=AS_OF - 9 * ONE_DAY), _contract(starts=AS_OF + 7 * ONE_DAY)], AS_OF),
}
"""Contracts, and the first instant without one."""


def test_when_an_account_is_first_without_a_contract(tmp_path: Path) -> None:
    cases = LOSSES | {"new": ([_contract(starts=AS_OF)], None), "none": ([], None)}
    rows: list[Row] = []
    for account, (terms, _) in cases.items():
        for term in terms:
            rows.append({"contract": str(len(rows)), "account": account, "arr": 1, **term})
    tables: worlds.Tables = {"accounts": [{"account": account} for account in cases], "contracts": rows}
    workspace = _world(tmp_path, "churn", {"kind": "contract", **TIMES}, tables)
    loss, there = losses(workspace, _rows(list(cases)))
    assert there.tolist() == [account in LOSSES for account in cases]
    told = {account: None if at == NEVER else windows.to_datetime(at) for account, at in zip(cases, loss, strict=True)}
    assert told == {account: at for account, (_, at) in cases.items()}
    strict, _ = losses(_without_grace(workspace), _rows(["renewed at once", "renewed within the grace"]))
    assert [windows.to_datetime(at) for at in strict] == [ENDS, MARCH_20]


def _without_grace(workspace: Workspace) -> Workspace:
    churn = Churn(kind="contract", **{**TIMES, "grace": 0})
    return Workspace(workspace.root, workspace.config.model_copy(update={"outcomes": Outcomes(churn=churn)}))


ANSWERS: dict[str, tuple[list[tuple[datetime, float]], float | None]] = {
    "at the threshold": ([(BEGINS, 9)], YES),
    "below it": ([(BEGINS, 8.99)], NO),
    "the last one counts, for": ([(BEGINS, 3), (ENDS - TICK, 10)], YES),
    "the last one counts, against": ([(BEGINS, 10), (ENDS - TICK, 3)], NO),
    "of two at once the lower": ([(BEGINS, 10), (BEGINS, 8)], NO),
    "as the horizon ends": ([(ENDS, 10)], None),
    "before the horizon": ([(BEGINS - TICK, 10)], None),
    "no answer": ([], None),
}
"""When which answers came, and whether a promoter was met."""


@pytest.fixture
def asked(tmp_path: Path) -> Callable[..., Workspace]:
    def world(first: datetime = LONG_AGO, exported: date = EXPORTED) -> Workspace:
        given: list[Row] = [{"account": "old", "responded": _utc(first), "instrument": "NPS", "score": 10}]
        for account, (answers, _) in ANSWERS.items():
            for at, score in answers:
                given.append({"account": account, "responded": _utc(at), "instrument": "NPS", "score": score})
        given.append({"account": "no answer", "responded": _utc(BEGINS), "instrument": "rating", "score": 5})
        given = [{**row, "asked": None} for row in given if row["responded"] >= _utc(first)]  # type: ignore[operator]
        given.append({"account": "no answer", "asked": _utc(LONG_AGO), "responded": None, "instrument": "NPS"})
        tables: worlds.Tables = {"accounts": [{"account": name} for name in [*ANSWERS, "old"]], "feedback": given}
        return _world(tmp_path, "promoter", {**TIMES, "grace": 0, "activity": ["feedback.asked"]}, tables, exported)

    return world


def test_a_promoter_is_who_says_so_last(asked: Callable[..., Workspace]) -> None:
    found = _told(asked(), "promoter", list(ANSWERS))
    expected = {account: np.nan if came is None else came for account, (_, came) in ANSWERS.items()}
    assert list(found) == list(expected)
    assert np.array_equal(list(found.values()), list(expected.values()), equal_nan=True)


def test_why_an_outcome_is_unknown(asked: Callable[..., Workspace]) -> None:
    rows = _rows(list(ANSWERS))
    unanswered = [came is None for _, came in ANSWERS.values()]
    whole = labelled(asked(), "promoter", rows)
    assert whole.ambiguous.tolist() == unanswered
    assert not (whole.immature | whole.unrecorded).any()
    late = labelled(asked(first=BEGINS + ONE_DAY), "promoter", rows)
    answered = [any(BEGINS + ONE_DAY <= at < ENDS for at, _ in given) for given, _ in ANSWERS.values()]
    assert any(answered)
    assert late.unrecorded.tolist() == np.logical_not(answered).tolist()
    assert not (late.immature | late.ambiguous).any()
    early = labelled(asked(exported=DAY + 39 * ONE_DAY), "promoter", rows)
    assert early.immature.all()
    assert np.isnan(early.y).all()
    assert not (early.unrecorded | early.ambiguous).any()


TOUCHED: dict[str, tuple[Row, bool]] = {
    "just before as_of": ({"done": AS_OF - TICK}, False),
    "at as_of": ({"done": AS_OF}, True),
    "within the lead": ({"done": BEGINS - TICK}, True),
    "just before the horizon ends": ({"done": ENDS - TICK}, True),
    "as the horizon ends": ({"done": ENDS}, False),
    "planned only": ({"planned": BEGINS}, False),
    "planned and held out": ({"planned": BEGINS, "held_out": True}, False),
    "nothing": ({}, False),
}


def test_who_was_reached_out_to(tmp_path: Path) -> None:
    blank: Row = {"planned": None, "done": None, "held_out": None, "kind": "call"}
    rows: list[Row] = [{"account": name, **blank, **row} for name, (row, _) in TOUCHED.items() if row]
    contracts: list[Row] = [{"contract": name, "account": name, "arr": 1, **_contract()} for name in TOUCHED]
    tables: dict[str, list[Row]] = {
        "accounts": [{"account": name} for name in TOUCHED],
        "contracts": contracts,
        "outreach": rows,
    }
    settings = {"kind": "contract", **TIMES}
    found = labelled(_world(tmp_path / "told", "churn", dict(settings), tables), "churn", _rows(list(TOUCHED)))
    assert found.treated is not None
    assert dict(zip(TOUCHED, found.treated.tolist(), strict=True)) == {n: there for n, (_, there) in TOUCHED.items()}
    del tables["outreach"]
    untold = labelled(_world(tmp_path / "untold", "churn", dict(settings), tables), "churn", _rows(list(TOUCHED)))
    assert untold.treated is None


CHANGES: dict[str, dict[str, Any]] = {
    "lead": {"lead": 11},
    "horizon": {"horizon": 31},
    "grace": {"grace": 16},
    "delay": {"delay": 1},
    "given_days": {"given_days": 30},
    "share": {"share": 0.06},
}


def test_a_specification_changes_with_what_labels_mean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tables: worlds.Tables = {
        "accounts": [{"account": "a"}],
        "contracts": [{"contract": "c", "account": "a", "arr": 1, **_contract()}],
    }

    def digest(config: dict[str, Any] | None = None, **settings: Any) -> str:
        told: dict[str, Any] = {"as_of": {"since": DAY}, "outcomes": {"contraction": {**TIMES, **settings}}}
        found = spec(worlds.write(tmp_path, tables, **told, **(config or {})), "contraction")
        json.dumps(found)
        return str(found["digest"])

    same = digest()
    assert same == digest() == digest(capacity=7) == digest(until=DAY) == digest({"memory": "2GB"})
    changed = {name: digest(**settings) for name, settings in CHANGES.items()}
    changed |= {
        name: digest({name: value})
        for name, value in {
            "timezone": ZONE,
            "currency": "USD",
            "cohort": {"kind": "activity", "activity": ["contract.live"]},
        }.items()
    }
    known = set(Contraction.model_fields) - set(specification.NOT_MEANT)
    assert known == set(CHANGES), "another setting: say whether labels depend on it"
    monkeypatch.setitem(OUTCOMES, "contraction", replace(OUTCOMES["contraction"], version=99))
    changed["version"] = digest()
    assert len({same, *changed.values()}) == len(changed) + 1


@pytest.mark.parametrize(
    ("outcomes", "says"),
    [
        ({"expansion": {"share": 0}}, ("outcomes.expansion.share", "0.001")),
        ({"contraction": {"share": 1.5}}, ("outcomes.contraction.share", "1")),
        ({"promoter": {}}, ("outcomes.promoter needs the table feedback",)),
        ({"promoter": {"instrument": "CSAT"}}, ("outcomes.promoter", "state at_least for CSAT")),
    ],
)
def test_settings_that_make_no_sense_are_refused_by_name(
    outcomes: dict[str, Any], says: tuple[str, ...], tmp_path: Path
) -> None:
    tables: worlds.Tables = {"accounts": [{"account": "a"}], "contracts": [{"contract": "c", "account": "a"}]}
    with pytest.raises(PropensityError) as error:
        worlds.write(tmp_path, tables, outcomes=outcomes)
    assert all(said in error.value.message for said in says), error.value.message


def test_growth_without_arr_is_refused_with_the_cure(tmp_path: Path) -> None:
    tables: worlds.Tables = {
        "accounts": [{"account": "a"}],
        "contracts": [{"contract": "c", "account": "a", **_contract()}],
    }
    workspace = _world(tmp_path, "expansion", {"activity": ["contract.live"]}, tables)
    with pytest.raises(PropensityError, match="contracts has no arr") as error:
        labels(workspace, "expansion", _rows(["a"]))
    assert "Map the column arr" in error.value.hint


INSTANTS: dict[str, tuple[datetime, bool]] = {
    "before the horizon": (BEGINS - TICK, False),
    "as the horizon begins": (BEGINS, True),
    "just before the horizon ends": (ENDS - TICK, True),
    "as the horizon ends": (ENDS, False),
}
"""When something happens, and whether the horizon has it."""

STREAMS: dict[str, tuple[str, dict[str, Any], Row, str, float]] = {
    "inactivity": ("churn", {"kind": "inactivity"}, {"event": "login"}, "usage", NO),
    "inactivity of the kind that counts": ("churn", {"kind": "inactivity", "activity": ["usage.login"]}, {"event": "login"}, "usage", NO),
    "inactivity of another kind": ("churn", {"kind": "inactivity", "activity": ["usage.login"]}, {"event": "export"}, "usage", YES),
    "either kind of activity": ("churn", {"kind": "inactivity", "activity": ["usage.login", "usage.export"]}, {"event": "export"}, "usage", NO),
    "an act": ("advocacy", {"kind": "act"}, {"kind": "review"}, "advocacy", YES),
    "an act that counts": ("advocacy", {"kind": "act", "acts": ["review", "referral"]}, {"kind": "referral"}, "advocacy", YES),
    "an act that does not count": ("advocacy", {"kind": "act", "acts": ["review"]}, {"kind": "speaking"}, "advocacy", NO),
    "an act that nobody asked for": ("unasked", {}, {"kind": "review", "asked": None}, "advocacy", YES),
    "an act that somebody asked for": ("unasked", {}, {"kind": "review"}, "advocacy", NO),
    "a rating at the threshold": ("advocacy", {"kind": "feedback", "at_least": 4}, {"instrument": "rating", "score": 4}, "feedback", YES),
    "a rating below it": ("advocacy", {"kind": "feedback", "at_least": 4}, {"instrument": "rating", "score": 3.99}, "feedback", NO),
    "an answer to another question": ("advocacy", {"kind": "feedback", "at_least": 4}, {"instrument": "CSAT", "score": 5}, "feedback", NO),
    "a promoter": ("advocacy", {"kind": "feedback", "instrument": "NPS", "at_least": 9}, {"instrument": "NPS", "score": 9}, "feedback", YES),
}  # fmt: skip
"""Outcome, its settings, a row, its table, and what the row makes of the outcome if it falls into the horizon."""
WHEN = {"usage": "occurred_at", "advocacy": "done", "feedback": "responded"}
LACKING: dict[str, Row] = {"usage": {"value": 1}, "advocacy": {"asked": LONG_AGO, "revenue_touched": 1}, "feedback": {}}
COUNTING: dict[str, list[Row]] = {
    "usage": [{"event": "login"}, {"event": "export"}],
    "advocacy": [{"kind": "review", "asked": None}],
    "feedback": [{"instrument": "rating", "score": 5}, {"instrument": "NPS", "score": 10}],
}
"""Rows of long ago, so that recording has begun before the horizon."""


@pytest.mark.parametrize("case", STREAMS)
def test_what_happens_within_the_half_open_horizon(case: str, tmp_path: Path) -> None:
    outcome, settings, row, table, falls = STREAMS[case]
    rest = LACKING[table]
    rows: list[Row] = [{"account": "old", WHEN[table]: LONG_AGO, **rest, **old} for old in COUNTING[table]]
    rows += [{"account": name, WHEN[table]: _utc(at), **rest, **row} for name, (at, _) in INSTANTS.items()]
    tables: worlds.Tables = {"accounts": [{"account": name} for name in [*INSTANTS, "old"]], table: rows}
    settings = {**settings, **TIMES, "grace": 0}
    nothing = YES if outcome == "churn" else NO
    expected = {name: falls if inside else nothing for name, (_, inside) in INSTANTS.items()}
    assert _told(_world(tmp_path, outcome, settings, tables), outcome, list(INSTANTS)) == expected


def test_an_ask_is_no_act(tmp_path: Path) -> None:
    asked: Row = {"account": "a", "kind": "review", "asked": BEGINS, "done": None, "revenue_touched": None}
    done: Row = {"account": "b", "kind": "review", "asked": BEGINS, "done": BEGINS + ONE_DAY, "revenue_touched": None}
    old: Row = {"account": "c", "kind": "review", "asked": None, "done": LONG_AGO, "revenue_touched": None}
    tables: worlds.Tables = {"accounts": [{"account": name} for name in "abc"], "advocacy": [asked, done, old]}
    found = _told(_world(tmp_path, "advocacy", {"kind": "act", **TIMES}, tables), "advocacy", ["a", "b", "c"])
    assert found == {"a": NO, "b": YES, "c": NO}


SPAN = 10 + 30 + 15 + 2
MATURE = {"kind": "contract", **TIMES, "delay": 2}


@pytest.mark.parametrize(("exported", "known"), [(DAY + SPAN * ONE_DAY, True), (DAY + (SPAN - 1) * ONE_DAY, False)])
@pytest.mark.parametrize("kind", ["contract", "inactivity"])
def test_a_window_that_was_not_observed_to_its_end_is_unknown_not_no(
    kind: str, exported: date, known: bool, tmp_path: Path
) -> None:
    tables: worlds.Tables = {
        "accounts": [{"account": "gone"}, {"account": "here"}],
        "contracts": [
            {"contract": "1", "account": "gone", **_contract(ends=BEGINS)},
            {"contract": "2", "account": "here", **_contract()},
        ],
        "usage": [
            {"account": "gone", "occurred_at": LONG_AGO, "event": "login", "value": 1},
            {"account": "here", "occurred_at": BEGINS, "event": "login", "value": 1},
        ],
    }
    workspace = _world(tmp_path, "churn", {**MATURE, "kind": kind}, tables, exported)
    found = labels(workspace, "churn", _rows(["gone", "here"]))
    assert found.tolist() == [YES, NO] if known else np.isnan(found).all()


@pytest.mark.parametrize(
    ("first", "known"),
    [
        (LONG_AGO, True),
        (BEGINS, True),
        (BEGINS + ONE_DAY - TICK, True),  # the day on which recording starts is taken as recorded
        (BEGINS + ONE_DAY, False),
        (ENDS + ONE_DAY, False),
        (None, False),
    ],
)
def test_a_window_that_begins_before_anything_was_recorded_is_unknown(
    first: datetime | None, known: bool, tmp_path: Path
) -> None:
    acts: list[Row] = [{"account": "a", "kind": "review", "asked": LONG_AGO, "done": first, "revenue_touched": None}]
    usage: list[Row] = [{"account": "a", "occurred_at": LONG_AGO, "event": "login", "value": 1}]
    tables: worlds.Tables = {"accounts": [{"account": "a"}, {"account": "b"}], "advocacy": acts, "usage": usage}
    found = labels(_world(tmp_path, "advocacy", {"kind": "act", **TIMES}, tables), "advocacy", _rows(["b"]))
    assert found.tolist() == [NO] if known else np.isnan(found).all()


def test_an_outcome_that_is_not_configured_is_named_with_the_cure(tmp_path: Path) -> None:
    tables: worlds.Tables = {
        "accounts": [{"account": "a"}],
        "contracts": [{"contract": "c", "account": "a", **_contract()}],
    }
    workspace = _world(tmp_path, "churn", {"kind": "contract"}, tables)
    for name, hint in (("advocacy", "[outcomes.advocacy]"), ("growth", "Use one of churn")):
        with pytest.raises(PropensityError) as error:
            labels(workspace, name, _rows(["a"]))
        assert f"no outcome {name!r} in this workspace; there are churn" in error.value.message
        assert hint in error.value.hint
        assert error.value.status == 404
