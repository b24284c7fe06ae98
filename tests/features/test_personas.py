"""Personas: planted kinds of people are found, accounts get their shares, and nothing after ``until`` moves a centre."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from features import clusters, computing, frame, intake, ledger, personas, windows
from features.computing import Partition
from features.definitions import FEATURES
from features.errors import PropensityError
from features.personas import Crowd, Personas
from features.plan import plan
from features.tables import TABLES
from features.workspace import Workspace
from tests import company, worlds
from training import beforehand, train
from training.splits import Fold

ZONE = "Europe/Berlin"
UNTIL, DAY = date(2025, 12, 31), date(2026, 3, 31)
TICK, ONE_DAY = timedelta(microseconds=1), timedelta(days=1)
CONFIG: dict[str, Any] = {
    "timezone": ZONE,
    "signals": {"events": ["login", "export"], "windows": [30, 90]},
    "cohort": {"kind": "activity", "days": 3650, "activity": ["account.created"]},
    "outcomes": {},
    "as_of": {"since": date(2025, 1, 31), "exported": DAY},
    "personas": {"until": UNTIL, "count": 2},
}
PEOPLE = {"anna": (3, 1), "bert": (1, 1), "carl": (0, 2), "dora": (0, 0)}
"""How many of the people of each account export much, and how many open tickets."""
Row = dict[str, Any]
World = dict[str, list[Row]]


def instant(day: date) -> datetime:
    """The midnight that ends an as_of date."""
    return windows.to_datetime(windows.as_of_instant(day, ZONE))


def world() -> World:
    """People of two kinds, in the 90 days before ``UNTIL`` and again in those before ``DAY``."""
    made: World = {name: [] for name in ("accounts", "usage", "tickets", "feedback")}
    for account, (exporters, askers) in PEOPLE.items():
        made["accounts"].append({"account": account, "created": instant(DAY) - 900 * ONE_DAY})
        for seen in (instant(UNTIL), instant(DAY)):
            for number in range(exporters):
                for step in range(18 + number):
                    made["usage"].append(usage(account, f"exports {number}", seen - (1 + step) * ONE_DAY, "export"))
            for number in range(askers):
                made["usage"].append(usage(account, f"asks {number}", seen - 2 * ONE_DAY, "login"))
                made["tickets"] += [
                    ticket(account, f"asks {number}", seen - (3 + step) * ONE_DAY) for step in range(5 + number)
                ]
            made["usage"].append(usage(account, None, seen - ONE_DAY, "export"))
    made["feedback"].append(feedback("anna", "exports 0", instant(UNTIL) - 400 * ONE_DAY))
    return made


def usage(account: str, contact: str | None, at: datetime, event: str = "login", known: datetime | None = None) -> Row:
    return {
        "account": account,
        "contact": contact,
        "occurred_at": at,
        "event": event,
        "value": 1.0,
        "recorded_at": known,
    }


def ticket(account: str, contact: str, at: datetime, known: datetime | None = None) -> Row:
    return {
        "ticket": f"{account} {contact} {at} {known}",
        "account": account,
        "contact": contact,
        "opened": at,
        "recorded_at": known,
    }


def feedback(account: str, contact: str, at: datetime, known: datetime | None = None) -> Row:
    return {
        "account": account,
        "contact": contact,
        "responded": at,
        "instrument": "NPS",
        "score": 9.0,
        "scale": 10.0,
        "recorded_at": known,
    }


def later(made: World) -> World:
    """More of everything that happened, or became known, from the end of ``UNTIL`` on; an account before all others."""
    end = instant(UNTIL)
    made["accounts"].append({"account": "aaron", "created": end})
    for at, known in ((end, None), (end + TICK, None), (end - TICK, end), (end - 100 * ONE_DAY, end + 40 * ONE_DAY)):
        for account, contact in (("aaron", "new"), ("anna", "exports 0"), ("anna", "a new one"), ("dora", "new")):
            if account == "aaron" and at < end:
                continue
            made["usage"] += [usage(account, contact, at, "export", known) for _ in range(30)]
            made["tickets"].append(ticket(account, contact, at, known))
            made["feedback"].append(feedback(account, contact, at, known))
    return made


def taken_in(root: Path, made: World, **options: Any) -> Workspace:
    workspace = worlds.write(root, made, parquet=True, **{**CONFIG, **options})
    report = worlds.take_in(workspace)
    assert not {name: table.problems for name, table in report.tables.items() if table.quarantined}
    return workspace


def built(workspace: Workspace, day: date = DAY) -> pd.DataFrame:
    return frame.feature_frame(workspace, [day]).set_index("account")


def fitted(workspace: Workspace) -> Personas:
    found = personas.stored(workspace, intake.current(workspace)[1])
    assert found is not None
    return found


def file(workspace: Workspace) -> bytes:
    (found,) = (workspace.state / "personas").iterdir()
    return found.read_bytes()


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, pd.DataFrame]:
    workspace = taken_in(tmp_path_factory.mktemp("planted"), world())
    return workspace, built(workspace)


def test_planted_kinds_are_found_and_named(planted: tuple[Workspace, pd.DataFrame]) -> None:
    found = fitted(planted[0])
    assert len(found.centres) == 2
    assert "much export" in found.names[0], "the busiest are the first"
    assert "opens tickets" in found.names[1]


def test_accounts_get_the_shares_of_their_people(planted: tuple[Workspace, pd.DataFrame]) -> None:
    rows = planted[1]
    for account, (exporters, askers) in PEOPLE.items():
        everybody = exporters + askers
        shares = [exporters / everybody, askers / everybody] if everybody else [np.nan, np.nan]
        told = rows.loc[account, ["persona_1_share", "persona_2_share"]].to_numpy(dtype=float)
        np.testing.assert_array_equal(told, shares)
        assert rows.loc[account, "personas_present"] == (exporters > 0) + (askers > 0)


def test_a_reason_names_the_kind(planted: tuple[Workspace, pd.DataFrame]) -> None:
    made = frame.current_plan(planted[0])
    column = next(column for column in made.columns if column.name == "persona_2_share")
    assert column.explain(0.25) == f"25% of active people are of the kind '{fitted(planted[0]).names[1]}'"


def test_people_are_told_apart_by_what_was_known_before_each_as_of(tmp_path: Path) -> None:
    """The features' own two clocks, at the as_of and at the begin of the 90 days."""
    end, begin = instant(DAY), instant(DAY - 90 * ONE_DAY)
    cases = {
        "at as_of": (end, None, False),
        "just before": (end - TICK, None, True),
        "recorded at as_of": (end - ONE_DAY, end, False),
        "recorded before": (end - ONE_DAY, end - TICK, True),
        "at the begin": (begin, None, True),
        "before the begin": (begin - TICK, None, False),
    }
    made = world()
    for account, (at, known, _) in cases.items():
        made["accounts"].append({"account": account, "created": instant(DAY) - 900 * ONE_DAY})
        made["usage"] += [usage(account, "somebody", at, "export", known) for _ in range(20)]
    rows = built(taken_in(tmp_path, made))
    assert {account: rows.loc[account, "personas_present"] > 0 for account in cases} == {
        account: sees for account, (*_, sees) in cases.items()
    }


def test_nothing_after_until_moves_a_centre(planted: tuple[Workspace, pd.DataFrame], tmp_path: Path) -> None:
    after = taken_in(tmp_path, later(world()))
    rows = built(after)
    assert file(after) == file(planted[0])
    assert rows.loc["dora", "personas_present"] > 0, "what came later counts at later dates"


@pytest.mark.parametrize("add", [usage, ticket, feedback], ids=lambda add: add.__name__)
def test_what_was_known_just_before_until_does(
    add: Any, planted: tuple[Workspace, pd.DataFrame], tmp_path: Path
) -> None:
    """The control."""
    made, tables = world(), {usage: "usage", ticket: "tickets", feedback: "feedback"}
    made[tables[add]].append(add("anna", "exports 0", instant(UNTIL) - ONE_DAY, known=instant(UNTIL) - TICK))
    workspace = taken_in(tmp_path, made)
    built(workspace)
    assert file(workspace) != file(planted[0])


def test_a_later_import_leaves_personas_and_frames_as_they_were(tmp_path: Path) -> None:
    days = [UNTIL - timedelta(days=90), UNTIL]
    workspace = taken_in(tmp_path / "then", world())
    before, centres = frame.build(workspace, days), file(workspace)
    again = taken_in(tmp_path / "then", later(world()))
    ledger.opened(again)
    assert frame.stored(again, days) == before
    assert frame.build(again, [*days, DAY]).items() > before.items()
    assert file(again) == centres
    assert frame.build(taken_in(tmp_path / "anew", later(world())), days) == before


def test_a_corrected_past_does_not_fit_them_again(tmp_path: Path) -> None:
    workspace = taken_in(tmp_path, world())
    built(workspace)
    centres, made = file(workspace), world()
    made["usage"] += [usage("carl", "asks 0", instant(UNTIL) - 5 * ONE_DAY, "export") for _ in range(40)]
    built(taken_in(tmp_path, made))
    assert file(workspace) == centres


def test_fitting_twice_is_the_same_however_accounts_are_partitioned(planted: tuple[Workspace, pd.DataFrame]) -> None:
    workspace, found = planted[0], fitted(planted[0])
    whole = clusters.sample(partitions(workspace, 4), found.behaviours, UNTIL)
    single = clusters.sample(partitions(workspace, 1), found.behaviours, UNTIL)
    assert len(whole) == sum(map(sum, PEOPLE.values()))
    np.testing.assert_array_equal(whole, single)
    assert clusters.fit(single, found.behaviours, 2) == found


def partitions(workspace: Workspace, size: int) -> Iterator[Partition]:
    folder, report = intake.current(workspace)
    book = ledger.opened(workspace)
    for first in range(0, len(book.sizes), size):
        yield Partition(workspace, book, folder, report, range(first, min(first + size, len(book.sizes))))


def test_one_account_by_itself_gets_what_it_gets_among_all(
    planted: tuple[Workspace, pd.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, rows = planted
    made = frame.current_plan(workspace)
    names = [column.name for column in made.columns if isinstance(column.declaration, Crowd)]
    assert len(names) == 3
    monkeypatch.setattr(computing, "PEOPLE_AT_ONCE", 2)
    for partition in (*partitions(workspace, 1), *partitions(workspace, 3)):
        _, values = computing.filled(partition, made, [UNTIL, DAY])
        for name in names:
            expected = rows.loc[values["account"].to_pylist()[1::2], name].to_numpy()
            np.testing.assert_array_equal(np.asarray(values[name])[1::2], expected)


def test_large_samples_are_thinned_evenly_however_accounts_are_partitioned(
    planted: tuple[Workspace, pd.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, chosen = planted[0], fitted(planted[0]).behaviours
    whole = clusters.sample(partitions(workspace, 4), chosen, UNTIL)
    monkeypatch.setattr(clusters, "LARGEST", 3)
    for size in (1, 2, 4):
        np.testing.assert_array_equal(clusters.sample(partitions(workspace, size), chosen, UNTIL), whole[::3])


def test_no_more_personas_than_kinds_of_people(tmp_path: Path) -> None:
    made = world()
    made["usage"] = [row for row in made["usage"] if row["contact"] in ("exports 0", None)]
    made["tickets"] = [row for row in made["tickets"] if row["contact"] == "asks 1"]
    workspace = taken_in(tmp_path, made, personas={"until": UNTIL, "count": 4})
    rows, plan_made = built(workspace), frame.current_plan(workspace)
    assert len(fitted(workspace).centres) == 2
    assert {name for name in rows if str(name).startswith("persona_")} == {"persona_1_share", "persona_2_share"}
    for number in (3, 4):
        assert plan_made.missing[f"persona_{number}_share"] == "only 2 kinds of people could be told apart"


def test_people_who_are_all_alike_are_one_persona() -> None:
    found = clusters.fit(np.ones((5, 4)), personas.BEHAVIOURS[:4], 4)
    assert found.centres == ((0.0, 0.0, 0.0, 0.0),)
    assert found.names == (clusters.USUAL,)


def test_names_tell_what_stands_out() -> None:
    days, tickets = personas.BEHAVIOURS[1], personas.BEHAVIOURS[3]
    centres = np.array([[2.0, 0.0], [0.1, 2.5], [0.0, -0.2], [-1.0, -0.4], [-1.1, -0.5]])
    assert clusters.named(centres, (days, tickets)) == (
        "often there",
        "opens tickets",
        clusters.USUAL,
        f"{clusters.SELDOM} (1)",
        f"{clusters.SELDOM} (2)",
    )


def test_off_by_default_frames_are_as_if_there_were_none(tmp_path: Path) -> None:
    options = {name: value for name, value in CONFIG.items() if name != "personas"}
    workspace = worlds.write(tmp_path, world(), parquet=True, **options)
    report = worlds.take_in(workspace)
    made = frame.current_plan(workspace)
    without = plan(workspace.config, report, [one for one in FEATURES if not isinstance(one, Crowd)])
    assert made.columns == without.columns
    assert made.digest == without.digest
    assert "[personas]" in made.missing["personas_present"]
    built(workspace)
    assert not (workspace.state / "personas").exists()


def test_other_centres_change_what_the_columns_mean_and_other_names_do_not(
    planted: tuple[Workspace, pd.DataFrame],
) -> None:
    workspace, found = planted[0], fitted(planted[0])
    report = intake.current(workspace)[1]

    def meanings(used: Personas) -> dict[str, str]:
        return plan(workspace.config, report, FEATURES, used).meanings

    moved = replace(found, centres=(found.centres[0], tuple(place + 1e-9 for place in found.centres[1])))
    was, now = meanings(found), meanings(moved)
    assert {name for name in was if was[name] != now[name]} == {
        "persona_1_share",
        "persona_2_share",
        "personas_present",
    }
    assert meanings(replace(found, names=("x", "y"))) == was


def nameless(made: World) -> World:
    return {name: [{key: row[key] for key in row if key != "contact"} for row in rows] for name, rows in made.items()}


@pytest.mark.parametrize(
    ("until", "change", "message"),
    [
        (UNTIL, nameless, "none of usage, tickets and feedback has contact mapped"),
        (DAY + ONE_DAY, lambda made: made, "the data ends on 2026-03-31"),
        (date(2024, 6, 30), lambda made: made, "nobody who is named did anything from 2023-07-06 to 2024-06-30"),
    ],
    ids=["nobody is named", "after the data", "before the data"],
)
def test_what_cannot_be_fitted_is_refused(until: date, change: Any, message: str, tmp_path: Path) -> None:
    workspace = taken_in(tmp_path, change(world()), personas={"until": until, "count": 2})
    with pytest.raises(PropensityError, match=message):
        frame.build(workspace, [DAY])


def test_a_day_within_the_test_is_refused_by_training(tmp_path: Path) -> None:
    rows = company.tables(20, 1, True)
    tables = {**rows, "tickets": [{**row, "contact": "c"} for row in rows["tickets"]]}
    workspace = worlds.write(tmp_path, tables, **{**company.CONFIG, "personas": {"until": date(2026, 3, 31)}})
    worlds.take_in(workspace)
    with pytest.raises(
        PropensityError, match=r"personas.until is 2026-03-31, and the test of churn begins on 2026-03-31"
    ):
        train.train(workspace, "churn")


def test_only_a_day_before_the_test_is_let_pass(planted: tuple[Workspace, pd.DataFrame]) -> None:
    config = planted[0].config
    fold = Fold((date(2025, 6, 30),), (UNTIL + ONE_DAY, DAY))
    beforehand.not_ahead(config, "churn", fold)
    beforehand.not_ahead(
        config.model_copy(update={"personas": None}), "churn", replace(fold, test=(date(2025, 1, 31),))
    )
    for first in (UNTIL, UNTIL - ONE_DAY):
        with pytest.raises(PropensityError, match="look ahead"):
            beforehand.not_ahead(config, "churn", replace(fold, test=(first, DAY)))


def test_the_tables_that_name_a_contact_have_the_column() -> None:
    """What people do is read from tables whose rows may name one."""
    of = {"usage": "usage", "ticket.opened": "tickets", "feedback": "feedback"}
    assert {behaviour.of for behaviour in personas.BEHAVIOURS} == set(of)
    assert all("contact" in TABLES[table].by_name for table in of.values())
