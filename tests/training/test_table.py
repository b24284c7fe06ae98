"""A flat table of one's own: what is planted is found, what is not there is refused, and new rows are scored alike."""

from __future__ import annotations

import csv
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from features.errors import PropensityError
from features.sources.flat import flat
from serving import table as tables
from tests.commands import Command
from training import columns, gate, table_model
from training.charts import png
from training.charts.intervals import baselines
from training.charts.reliability import reliability
from training.table import UNDATED, Asked, read
from training.table_model import Trained

TELCO = Path(__file__).parents[3] / "shared" / "data" / "ibm_telco"
HOSTILE = 'a "b", {value} $x^ <i>\n=1+1'
MONTHS = [date(2024, month, 28) for month in range(1, 13)]


def _made(rows: int = 600, seed: int = 1, signal: float = 1.5) -> pd.DataFrame:
    """Numbers, a category, an identifier, a constant; ``logins`` and ``plan`` decide the label as far as ``signal`` goes."""
    rng = np.random.default_rng(seed)
    logins, plan = rng.normal(size=rows), rng.choice(["basic", "plus", "pro"], size=rows)
    tickets = rng.poisson(2, size=rows).astype(float)
    tickets[rng.random(rows) < 0.1] = np.nan
    odds = signal * (-1.2 * logins + np.where(plan == "pro", -1.0, 0.6)) - 0.4
    return pd.DataFrame(
        {
            "customer": [f"c-{number:05}" for number in range(rows)],
            HOSTILE: logins,
            "plan": plan,
            "tickets": tickets,
            "account": rng.normal(size=rows),
            "currency": "EUR",
            "left": np.where(rng.random(rows) < expit(odds), "Yes", "no"),
        }
    )


def _panel(accounts: int = 150, seed: int = 2, signal: float = 1.0) -> pd.DataFrame:
    """Each account at the end of each month; ``logins`` decide the label, and how far ``swing`` is from nought."""
    rng = np.random.default_rng(seed)
    size = accounts * len(MONTHS)
    logins, swing = rng.normal(size=size), rng.normal(size=size)
    return pd.DataFrame(
        {
            "who": np.tile([f"a{number}" for number in range(accounts)], len(MONTHS)),
            "month": np.repeat(MONTHS, accounts),
            "logins": logins,
            "swing": swing,
            "noise": rng.normal(size=size),
            "left": (rng.random(size) < expit(signal * (2.5 * np.abs(swing) - 2 * logins - 3))).astype(int),
        }
    )


def _file(table: pd.DataFrame, folder: Path, name: str = "table.csv") -> Path:
    file = folder / name
    if name.endswith(".parquet"):
        table.to_parquet(file)
    else:
        table.to_csv(file, index=False)
    return file


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("table")


@pytest.fixture(scope="module")
def found(place: Path) -> Trained:
    """The planted table, trained without dates."""
    return table_model.train(Asked(_file(_made(), place), "left"))


@pytest.fixture(scope="module")
def folder(place: Path, found: Trained) -> Path:
    table_model.keep(found, place / "model")
    return place / "model"


def test_what_is_planted_is_found_and_said_to_be_untested_out_of_time(found: Trained) -> None:
    assert found.result.promoted, found.result.reasons
    assert found.result.metrics["auc"].low > 0.75
    assert found.result.n == 600, "every row is foretold"
    assert found.result.test == []
    assert set(found.result.baselines) == {"base rate", "best column", "logistic regression"}
    assert found.result.value is None, "there is no ARR"
    assert found.found.left_out == {"customer": "an identifier: each has a text of its own", "currency": "constant"}
    assert any("nothing was tested out of time" in note for note in table_model.notes(found.asked, found.found))
    document = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert document["table"]["tested"] == table_model.IN_TURN
    assert (document["table"]["rows"], document["table"]["used"]) == (600, 600)


def test_a_leak_is_seen_without_dates_too(place: Path) -> None:
    """Each part of the rows is ranked by what the other four have settled."""
    table = _made(300)
    table["closed on"] = np.where(table["left"] == "Yes", "then", None)
    result = table_model.train(Asked(_file(table, place, "leak.parquet"), "left")).result
    assert [alarm.feature for alarm in result.alarms] == ["closed on"]
    assert result.verdict == gate.SUSPECTED


def test_what_is_shown(found: Trained, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tables.show_trained(found, place)
    told = " ".join(capsys.readouterr().out.split())
    assert "600 of 600 rows" in told
    assert "left out: customer, an identifier" in told
    assert "foretold in turn: 600 rows" in told
    assert "nothing was tested out of time" in told


def test_what_foretells_a_row_has_not_met_its_entity(place: Path) -> None:
    """The label is the entity's alone: whoever has met it knows it, whoever has not can only guess."""
    rng = np.random.default_rng(5)
    who = np.repeat(np.arange(80), 6)
    table = pd.DataFrame(
        {"who": who, "mark": rng.normal(size=80)[who], "left": (rng.random(80) < 0.4).astype(int)[who]}
    )
    result = table_model.train(Asked(_file(table, place, "entities.csv"), "left", entity="who")).result
    assert result.metrics["auc"].value < 0.7
    assert not result.promoted


@pytest.mark.parametrize("dated", [True, False])
def test_noise_is_refused(dated: bool, place: Path) -> None:
    table = _panel(60, signal=0.0) if dated else _made(300, seed=3, signal=0.0)
    asked = Asked(_file(table, place, "noise.csv"), "left", *(("month", "who") if dated else ()))
    result = table_model.train(asked).result
    assert result.verdict == gate.NO_SIGNAL
    assert result.metrics["auc"].low <= 0.5


def test_a_leak_is_named_and_held_back_unless_it_is_trusted(place: Path) -> None:
    table = _panel(80)
    flip = np.random.default_rng(6).random(len(table)) < 0.01
    table["closed on"] = np.where((table["left"] == 1) ^ flip, 1, 0)
    file = _file(table, place, "leak.csv")
    result = table_model.train(Asked(file, "left", "month", "who")).result
    assert (result.verdict, [alarm.feature for alarm in result.alarms]) == (gate.SUSPECTED, ["closed on"])
    assert "--without" in result.reasons[-1]
    passed = table_model.train(Asked(file, "left", "month", "who", trusted=("closed on",))).result
    assert (passed.verdict != gate.SUSPECTED, passed.alarms[0].trusted) == (True, True)
    without = read(Asked(file, "left", without=("closed on",)))
    assert "closed on" not in without.rows.plan.names


def test_the_order_of_rows_decides_nothing(place: Path, found: Trained) -> None:
    shuffled = _made().sample(frac=1, random_state=8)
    again = table_model.train(Asked(_file(shuffled, place, "shuffled.csv"), "left"))
    assert again.judged is not None and found.judged is not None
    assert again.result.metrics == found.result.metrics
    assert [p.component.as_data() for p in again.judged.model.parts] == [
        p.component.as_data() for p in found.judged.model.parts
    ]
    assert again.judged.test.frame["row"].tolist() != found.judged.test.frame["row"].tolist()


def test_a_table_with_dates_is_tested_on_the_last_of_them(place: Path) -> None:
    asked = Asked(_file(_panel(), place, "panel.parquet"), "left", "month", "who", horizon=45)
    found = table_model.train(asked)
    assert found.judged is not None
    assert found.result.test == MONTHS[-2:]
    learnt = found.judged.model.facts["trained_on"]
    assert learnt == [str(day) for day in MONTHS if day + timedelta(days=45) <= MONTHS[-2]]
    assert found.result.promoted, found.result.reasons
    assert found.as_dict()["table"]["tested"] == table_model.LATER
    assert found.found.left_out == {}
    page = tables._tested(found)
    assert page["as_of"].tolist() == [str(day) for day in MONTHS[-2:] for _ in range(150)]


def test_many_dates_are_taken_together_and_the_embargo_is_the_longer_for_it(place: Path) -> None:
    table = _panel()
    rng = np.random.default_rng(9)
    table["month"] = [
        day - timedelta(days=int(back))
        for day, back in zip(table["month"], rng.integers(0, 27, len(table)), strict=True)
    ]
    file = _file(table, place, "daily.csv")
    months = read(Asked(file, "left", "month", "who", horizon=30))
    assert (months.together, months.span) == ("months", 60)
    assert sorted(set(months.rows.as_of.tolist()))[:2] == [date(2024, 1, 31), date(2024, 2, 29)]
    few = table[pd.to_datetime(table["month"]) < "2024-03-01"]
    weeks = read(Asked(_file(few, place, "weeks.csv"), "left", "month", "who"))
    assert (weeks.together, weeks.span) == ("weeks", 1)


def test_a_value_only_where_there_is_an_arr(place: Path) -> None:
    table = _panel(60).assign(arr=12_000)
    table.loc[::2, "arr"] = 30_000
    found = table_model.train(Asked(_file(table, place, "arr.csv"), "left", "month", "who"))
    assert found.result.value is not None
    assert found.result.empc is not None


@pytest.mark.parametrize(
    "written", [("1", "0"), ("1.0", "0.0"), ("TRUE", "False"), (" yes", "NO "), (True, False), (1, 0)]
)
def test_labels_as_people_write_them_and_unknown_ones_are_dropped_and_counted(
    written: tuple[Any, Any], place: Path
) -> None:
    table = _made(60)
    table["left"] = pd.Series([written[0], written[1], None] * 20, dtype=object)
    name = "labels.csv" if isinstance(written[0], str) else "labels.parquet"
    found = read(Asked(_file(table, place, name), "left"))
    assert (found.counts["rows"], found.counts["used"], found.counts["unknown"]) == (60, 40, 20)
    assert found.rows.y[np.argsort(found.rows.frame["row"])].tolist() == [1.0, 0.0] * 20
    assert found.rows.as_of.tolist() == [UNDATED] * 40


def test_other_labels_are_refused_by_name(place: Path) -> None:
    table = _made(60)
    table.loc[3, "left"] = "perhaps"
    with pytest.raises(PropensityError, match="neither yes nor no: perhaps"):
        read(Asked(_file(table, place, "perhaps.csv"), "left"))


def test_too_few_are_refused_with_the_count(place: Path) -> None:
    table = _made(200)
    table["left"] = np.where(np.arange(200) < 12, "yes", "no")
    result = table_model.train(Asked(_file(table, place, "few.csv"), "left")).result
    assert (result.verdict, result.metrics) == (gate.NO_SIGNAL, {})
    assert "the table has 12 rows with yes; at least 30 are needed" in result.reasons[0]
    table["left"], table["who"] = np.where(np.arange(200) < 100, "yes", "no"), np.arange(200) // 50
    result = table_model.train(Asked(_file(table, place, "few.csv"), "left", entity="who")).result
    assert result.reasons == ["the table has yes of 2 entities only; at least 10 are needed"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"label": "gone"}, "has no column gone"),
        ({"time": "left"}, "named twice"),
        ({"time": "plan"}, "no date: basic, plus, pro"),
        ({"trusted": ("gone",)}, "has no column gone"),
        ({"without": (HOSTILE, "plan", "tickets", "account")}, "no column of .* is left to learn from"),
    ],
)  # fmt: skip
def test_what_does_not_fit_the_table_is_an_error_that_names_it(changes: dict[str, Any], said: str, place: Path) -> None:
    file = _file(_made(60), place, "misnamed.csv")
    with pytest.raises(PropensityError, match=said):
        read(Asked(**{"file": file, "label": "left", **changes}))


def test_dates_that_read_two_ways_are_not_guessed(place: Path) -> None:
    table = _made(60).assign(on=["03/04/2024", "05/06/2024"] * 30)
    with pytest.raises(PropensityError, match="may be %d/%m/%Y or %m/%d/%Y"):
        read(Asked(_file(table, place, "dates.csv"), "left", "on"))
    table["on"] = ["03/04/2024", "25/06/2024"] * 30
    found = read(Asked(_file(table, place, "dates.csv"), "left", "on"))
    assert set(found.rows.as_of.tolist()) == {date(2024, 4, 3), date(2024, 6, 25)}


def test_kinds_of_columns(place: Path) -> None:
    table = _made(60).assign(
        post=[f"0{number % 7}" for number in range(60)],
        flag=["true", "False", None] * 20,
        cost=["1.5", "NA", "inf"] * 20,
        since="2024-01-01",
        number=np.arange(60) + 5,
        row=np.arange(60) % 4,
        segment=np.arange(60) % 3,
        blank=" ",
    )
    found = read(Asked(_file(table, place, "kinds.csv"), "left"))
    kinds = {one.name: (one.column, one.kind) for one in found.given}
    assert kinds["post"] == ("post", "text")
    assert kinds["row"] == ("row (of the table)", "number")
    assert kinds["account"] == ("account (of the table)", "number")
    assert kinds["segment"] == ("segment (of the table)", "number")
    flag, cost = (found.rows.frame.sort_values("row")[name].to_numpy()[:3] for name in ("flag", "cost"))
    np.testing.assert_array_equal(flag, [1, 0, np.nan])
    np.testing.assert_array_equal(cost, [1.5, np.nan, np.nan])
    assert found.left_out.keys() == {"customer", "currency", "since", "number", "blank"}
    assert found.left_out["number"] == "a row number"
    assert found.left_out["since"].startswith("dates")


def test_a_file_is_read_and_nothing_beside_it(place: Path) -> None:
    (place / "twice [1].csv").write_text("a,a\n1,2\n")
    assert flat(place / "twice [1].csv").column_names == ["a", "a_1"]
    (place / "secret.csv").write_text("a\n1\n")
    (place / "s*t.csv").write_text("a\n2\n")
    with pytest.raises(PropensityError, match="cannot be read"):
        flat(place / "s*t.csv")
    for name, said in (("gone.csv", "there is no file"), ("x.xlsx", "ends in '.xlsx'"), ("empty.csv", "no rows")):
        if name != "gone.csv":
            (place / name).write_text("a,b\n")
        with pytest.raises(PropensityError, match=said):
            flat(place / name)
    (place / "broken.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(PropensityError, match="cannot be read"):
        flat(place / "broken.parquet")


def test_the_folder_has_everything_and_scores_are_those_of_the_model(place: Path, folder: Path, found: Trained) -> None:
    there = {file.name for file in folder.iterdir()}
    assert {"table.json", "contract.json", "card.md", "result.json", "reliability.png", "importance.png"} <= there
    told = found.as_dict()
    title = f"left, {told['metrics']['n']:,} rows"
    assert (folder / "reliability.png").read_bytes() == png(reliability(told["interval_coverage"], title))
    assert (folder / "baselines.png").read_bytes() == png(baselines(told, title))
    page = (folder / "card.md").read_text(encoding="utf-8")
    assert "nothing was tested out of time" in page
    assert "Left out: customer" in page
    new = _made(50, seed=11).drop(columns="left")[::-1]
    scored = tables.score(_file(new, place, "new.parquet"), folder, place / "new-scores.csv", lambda _: None)
    kept = table_model.kept(folder)
    expected = kept.model.scores(columns.frame(flat(place / "new.parquet"), kept.given))
    again = pd.read_csv(place / "new-scores.csv")
    for name in ("probability", "low", "high"):
        np.testing.assert_array_equal(again[name], getattr(expected, name))
        np.testing.assert_array_equal(scored.lines[name], getattr(expected, name))
    assert again["row"].tolist() == list(range(1, 51))
    assert found.judged is not None
    of_csv = tables.score(_file(new, place, "new.csv"), folder, place / "new-scores.csv", lambda _: None)
    pd.testing.assert_frame_equal(of_csv.lines, scored.lines)
    reasons = scored.lines["reason_1"]
    assert reasons.str.endswith((" (raises)", " (lowers)")).all()
    assert any(reason.startswith('A "b", (value) $x^ <i>\n=1+1 is ') for reason in reasons), set(reasons)


def test_rows_that_a_model_cannot_read_are_an_error(place: Path, folder: Path) -> None:
    new = _made(30, seed=12)
    for table, said in (
        (new.drop(columns="plan"), "lacks columns that the model needs: plan"),
        (new.assign(tickets="many"), "tickets holds numbers, and in 30 rows it is none: many"),
    ):
        with pytest.raises(PropensityError, match=said):
            tables.score(_file(table, place, "odd.csv"), folder, place / "odd-scores.csv", lambda _: None)
    assert not (place / "odd-scores.csv").exists()


def test_a_changed_model_and_what_is_no_model_are_refused(place: Path, found: Trained) -> None:
    broken = place / "broken"
    table_model.keep(found, broken)
    table_model.keep(found, broken)  # one's own may be replaced
    (broken / "contract.json").write_text((broken / "contract.json").read_text() + " ")
    with pytest.raises(PropensityError, match="SHA-256 differs"):
        table_model.kept(broken)
    other = place / "holiday"
    other.mkdir()
    (other / "photo.txt").write_text("mine")
    with pytest.raises(PropensityError, match="not the model of a table"):
        table_model.keep(found, other)
    with pytest.raises(PropensityError, match="not the model of a table"):
        table_model.kept(other)
    assert (other / "photo.txt").read_text() == "mine"
    with pytest.raises(PropensityError, match="holds no scores"):
        tables.score(place / "table.csv", broken, other / "photo.txt", lambda _: None)


def test_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, propensity: Command) -> None:
    monkeypatch.chdir(tmp_path)
    table = _panel(100).assign(note="=1+1")
    table["who"] = "=" + table["who"]
    _file(table, tmp_path, "panel.csv")
    named = ("--label", "left", "--time", "month", "--entity", "who", "--horizon", 28)
    done = propensity("train", "--table", "panel.csv", *named, "--json")
    assert (done.status, list(done.document)) == (0, ["left"])
    assert (done.document["left"]["verdict"], done.document["left"]["folder"]) == ("promoted", "model-left")
    with (tmp_path / "model-left" / "scores.csv").open(encoding="utf-8") as stream:
        lines = list(csv.DictReader(stream))
    assert len(lines) == done.document["left"]["metrics"]["n"]
    assert lines[0]["entity"].startswith("'=a")
    assert {"row", "entity", "as_of", "label", "probability", "low", "high"} == set(lines[0])
    scored = propensity("score", "--table", "panel.csv", "--model", "model-left", "--json")
    assert (scored.status, scored.document["rows"], scored.document["path"]) == (0, len(table), "panel-scores.csv")
    told = propensity("score", "--table", "panel.csv", "--model", "model-left")
    assert "1,200 rows" in told.out
    _file(_panel(60, signal=0.0), tmp_path, "noise.csv")
    refused = propensity("train", "--table", "noise.csv", "--label", "left", "--time", "month", "--out", "noise")
    assert refused.status == 3
    assert "no usable signal" in refused.out
    assert "No --horizon was named" in refused.out
    warned = propensity("score", "--table", "noise.csv", "--model", "noise")
    assert (warned.status, "the gate did not pass this model" in warned.out) == (0, True)
    for arguments in (
        ("train", "--table", "panel.csv"),
        ("train", "--label", "left"),
        ("score", "--table", "panel.csv"),
        ("score", "--model", "model-left"),
        ("train", "--table", "panel.csv", "--label", "left", "--out", "."),
    ):
        assert propensity(*arguments).status == 2, arguments


@pytest.mark.data
def test_a_table_with_published_results() -> None:
    """Most write-ups reach an AUC of 0.84 to 0.86; more than 0.9 would be a leak."""
    files = sorted(TELCO.glob("*.csv"))
    if not files:
        pytest.skip("no data: ../shared/data/ibm_telco is absent")
    found = table_model.train(Asked(files[0], "Churn"))
    assert found.result.verdict == gate.PROMOTED
    assert 0.83 < found.result.metrics["auc"].value < 0.86
    assert found.result.alarms == []
    assert "customerID" in found.found.left_out
    assert "TotalCharges" in [one.name for one in found.found.given if one.kind == columns.NUMBER], "blank is no text"
