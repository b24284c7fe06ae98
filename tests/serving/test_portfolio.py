"""The portfolio of companies made up at random and of the simulated one: what is live at a date, by both clocks."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from features import frame
from features.definitions import FEATURES
from features.facts import UNIT
from features.workspace import Workspace
from serving.decisions import portfolio as decisions
from serving.decisions.portfolio import AMOUNTS, DIMENSIONS
from serving.stores.store import Store
from serving.work import customers
from serving.work.portfolio import portfolio, read
from tests.commands import Command
from tests.serving.test_states import UNTIL, day, founded, score, tables

DAYS = [date(2026, 3, 31), date(2026, 5, 31), UNTIL]


def at_random(seed: int) -> dict[str, list[dict[str, object]]]:
    """Contracts that are over, run, are signed ahead, told late, without ARR, without a line of business."""
    rng = np.random.default_rng(seed)

    def some(*of: object) -> object:
        return of[int(rng.integers(len(of)))]

    names = [f"a{number:02}" for number in range(25)]
    accounts = [
        {"account": name, "created": day(2024, 1, 1), "billing_country": some("DE", "FR", None), "owner": some("ann", "=bob", None),
         "segment": some("small", "large"), "line_of_business": some("cloud", None), "partner": some("p", None), "partner_since": day(2026, 4, 15)}
        for name in names
    ]  # fmt: skip
    contracts = []
    for number in range(70):
        starts = day(2024, 6, 1) + timedelta(days=int(rng.integers(900)))
        ends, signed = (
            starts + timedelta(days=int(rng.integers(30, 500))),
            starts - timedelta(days=int(rng.integers(120))),
        )
        late = starts + timedelta(days=int(rng.integers(60)))
        contracts.append(
            {"contract": f"c{number}", "account": some(*names), "line_of_business": some("cloud", "print", None), "starts": starts,
             "ends": some(ends, ends, None), "signed": some(signed, None), "cancelled": some(None, None, starts + timedelta(days=25)),
             "arr": some(round(float(rng.random()) * 1e5, 2), None, 0.1), "recorded_at": some(None, None, late)}
        )  # fmt: skip
    return {"accounts": accounts, "contracts": contracts}


@pytest.fixture(scope="module", params=[1, 2])
def random_company(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return founded(tmp_path_factory.mktemp("random"), at_random(request.param))


@pytest.mark.parametrize("when", DAYS, ids=str)
def test_arr_is_that_of_the_features_and_reconciles_at_every_level(random_company: Workspace, when: date) -> None:
    slices, _ = read(random_company, when)
    by_account = decisions.portfolio(slices, "account")
    assert by_account.total.amounts["arr"] > 0
    names = customers.accounts(random_company)
    catalogue = [one for one in FEATURES if one.name in ("arr", "arr_year_before", "contracts_live")]
    assert len(catalogue) == 3
    rows = frame.feature_rows(random_company, names, [when] * len(names), declared=catalogue)
    amounts = {group.name: group.amounts for group in by_account.groups}
    for column, name in (("arr", "arr"), ("arr_year_before", "arr_year_before"), ("contracts_live", "contracts")):
        assert [amounts.get(account, {}).get(name, 0) / UNIT for account in names] == rows[column].tolist()
    assert by_account.total.accounts == int((rows["contracts_live"] > 0).sum())
    for dimension in DIMENSIONS:
        found_by = decisions.portfolio(slices, dimension)
        assert found_by.total == by_account.total
        for amount in AMOUNTS:
            assert sum(group.amounts[amount] for group in found_by.groups) == found_by.total.amounts[amount]
        for group in found_by.groups:
            inner = decisions.portfolio(slices, "line_of_business", {dimension: group.name})
            assert inner.total.amounts == group.amounts
            assert inner.total.accounts == group.accounts
    lines = {group.name for group in decisions.portfolio(slices, "line_of_business").groups}
    assert lines == {"cloud", "print", "unknown"}


def test_a_partner_counts_from_when_it_serves_the_account(random_company: Workspace) -> None:
    before, after = (
        {group.name for group in portfolio(random_company, "partner", day=when).portfolio.groups} for when in DAYS[:2]
    )
    assert (before, after) == ({"direct"}, {"direct", "p"})


def test_contracts_without_arr_are_counted_and_said(random_company: Workspace, propensity: Command) -> None:
    unpriced = portfolio(random_company).unpriced
    assert 0 < unpriced < portfolio(random_company).portfolio.total.amounts["contracts"] / UNIT
    shown = " ".join(propensity("portfolio", "--workspace", random_company.root).out.split())
    assert f"{unpriced} live contracts in all have no ARR" in shown


def test_what_comes_later_or_is_learnt_later_changes_nothing_before(tmp_path: Path) -> None:
    rows = tables()
    small = founded(tmp_path / "small", rows)
    more = {name: list(each) for name, each in rows.items()}
    more["contracts"] += [
        {"contract": "c8", "account": "ann", "starts": day(2026, 2, 1), "arr": 1e6, "recorded_at": day(2026, 6, 5)},
        {"contract": "c9", "account": "dee", "starts": day(2026, 6, 20), "arr": 1e6, "signed": day(2026, 5, 10)},
    ]
    more["feedback"] += [
        {
            "account": "ann",
            "responded": day(2026, 4, 1),
            "instrument": "NPS",
            "score": 0,
            "recorded_at": day(2026, 6, 1),
        }
    ]
    other = founded(tmp_path / "other", more)
    for dimension in ("global", "line_of_business", "account"):
        before, after = (portfolio(one, dimension, day=date(2026, 5, 31)).as_dict() for one in (small, other))
        assert before == after
    assert portfolio(small).as_dict() != portfolio(other).as_dict()


def test_worked_by_hand_with_scores(tmp_path: Path) -> None:
    """Ann (ARR 120) with 30%, dee (30) with 10%, bob (50) under notice and without a score; cem has left."""
    workspace = founded(tmp_path, tables())
    Store(workspace).save([score("ann", UNTIL, 0.3), score("dee", UNTIL, 0.1)])
    total = portfolio(workspace).portfolio.total
    told = {name: total.amounts[name] / UNIT for name in AMOUNTS}
    assert told == {
        "arr": 200, "arr_year_before": 240, "arr_scored": 150, "arr_at_risk": 39, "arr_under_notice": 50, "arr_expanding": 0,
        "contracts": 3, "escalations": 0, "acts": 1, "nps_answers": 2, "nps_promoters": 2, "nps_detractors": 0,
    }  # fmt: skip
    assert total.accounts == 3
    assert total.risk == 39 / 150
    assert {name: one.accounts for name, one in total.labels["states"].items()} == {"at risk": 2, "not yet": 1}
    assert {name: one.accounts for name, one in total.labels["loyalty"].items()} == {"accessible": 1, "unknown": 2}
    assert {name: (one.accounts, one.arr / UNIT) for name, one in total.labels["business"].items()} == {
        "at risk, not growing": (2, 170),
        "safe, growth unknown": (1, 30),
    }


def test_the_simulated_company(served: Workspace, propensity: Command, tmp_path: Path) -> None:
    file = tmp_path / "portfolio.csv"
    done = propensity("portfolio", "--by", "account", "--workspace", served.root, "--csv", file, "--json")
    assert done.status == 0
    groups, total = done.document["groups"], done.document["total"]
    p = Store(served).probabilities("churn", UNTIL)
    arr = {group["group"]: Fraction(repr(group["arr"])) for group in groups}
    expected = sum(Fraction(p[account]) * arr[account] for account in p)
    assert abs(Fraction(repr(total["arr_at_risk"])) - expected) < len(p) / UNIT
    assert total["accounts"] > len(p) > 0  # those under notice have no score
    for name in AMOUNTS:  # as numbers are written down, they add up to the last digit
        assert sum(Decimal(repr(group[name])) for group in groups) == Decimal(repr(total[name]))
    with file.open(encoding="utf-8", newline="") as stream:
        lines = list(csv.DictReader(stream))
    assert len(lines) == len(groups) + 1
    assert sum(Decimal(line["arr_at_risk"]) for line in lines[:-1]) == Decimal(lines[-1]["arr_at_risk"])
    assert sum(int(line["states: at risk"]) for line in lines[:-1]) == int(lines[-1]["states: at risk"])
    first = groups[0]
    assert first["name"] != first["group"]
    country = propensity("portfolio", "--by", "country", "--workspace", served.root, "--json").document
    assert country["total"] == total
    place = country["groups"][0]
    within = propensity(
        "portfolio", "--by", "line-of-business", "--within", f"country={place['group']}", "--workspace", served.root, "--json"
    ).document  # fmt: skip
    assert {**within["total"], "group": place["group"]} == place


def test_what_is_shown(served: Workspace, propensity: Command) -> None:
    shown = propensity("portfolio", "--by", "country", "--top", 2, "--workspace", served.root).out
    words = " ".join(shown.split())
    for expected in ("portfolio by country, as of 2026-06-30", "more, in --json and --csv", "attitude × intent", "truly loyal:",
                     "business at risk × business at growth", "have a churn score of that day",
                     "by ARR against a year before", "rates are made anew at each level"):  # fmt: skip
        assert expected in words
    before = propensity("portfolio", "--as-of", "2026-01-31", "--workspace", served.root)
    assert "no churn scores are stored for 2026-01-31" in " ".join(before.out.split())


def test_cells_that_a_spreadsheet_would_run_are_defused(random_company: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "owners.csv"
    portfolio(random_company, "owner").write(file)
    with file.open(encoding="utf-8", newline="") as stream:
        groups = [line["group"] for line in csv.DictReader(stream)]
    assert set(groups) == {"ann", "'=bob", "nobody", "total"}


def test_without_contracts_there_are_accounts_and_no_arr(tmp_path: Path, propensity: Command) -> None:
    some = {name: rows for name, rows in tables().items() if name in ("accounts", "usage")}
    workspace = founded(tmp_path, some, cohort={"kind": "activity", "days": 30, "activity": ["usage"]})
    total = portfolio(workspace).portfolio.total
    assert (total.accounts, total.amounts["arr"], total.nps, total.retention) == (1, 0, None, None)
    assert propensity("portfolio", "--workspace", workspace.root).status == 0


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (("--by", "planet"), "there is no level 'planet'", "line_of_business"),
        (("--within", "country"), "--within is 'country'", "LEVEL=GROUP"),
        (("--within", "country=DE", "--within", "country=FR"), "--within is 'country=FR'", "each level once"),
        (("--within", "country=XX"), "nothing has the country 'XX'", "DE"),
        (("--as-of", "2027-01-31"), "2027-01-31 has not been observed yet", "2026-06-30"),
    ],
)
def test_errors(
    random_company: Workspace, propensity: Command, arguments: tuple[str, ...], message: str, hint: str
) -> None:
    done: Any = propensity("portfolio", *arguments, "--workspace", random_company.root, "--json")
    assert (done.status, message in done.document["error"], hint in done.document["hint"]) == (2, True, True)
