"""What is unlike its own past is named, what merely varies is not."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from features import cohort, frame, intake, steadiness
from features.errors import PropensityError
from features.sources.simulated import World
from features.steadiness import Steadiness, intakes, usual
from features.steadiness.frames import Frame, Summary
from features.steadiness.frames import judge as judge_frames
from features.workspace import Workspace, load
from serving import demo
from tests import worlds
from tests.commands import Command

UNTIL = date(2026, 4, 12)
BERLIN = ZoneInfo("Europe/Berlin")
END = datetime(2026, 4, 13, tzinfo=BERLIN).astimezone(UTC)
DAYS = 660
LAST_PERIOD = END - timedelta(days=28)
Row = dict[str, Any]
Rows = dict[str, list[Row]]
PLAIN: dict[str, Any] = {"timezone": "Europe/Berlin", "as_of": {"since": date(2025, 6, 30), "exported": UNTIL}}


def varied(seed: int) -> Rows:
    """A company that varies by chance: weekdays and weekends, invoices once a month, tickets resolved in their time."""
    rng = np.random.default_rng(seed)
    rows: Rows = {name: [] for name in ("accounts", "usage", "tickets", "invoices", "feedback")}
    rows["accounts"] = [{"account": f"a{n}", "segment": "small"} for n in range(40)]
    for back in range(DAYS):
        midnight = END - timedelta(days=back + 1)
        for _ in range(rng.poisson(3 if midnight.weekday() > 4 else 9)):
            contact, value = rng.random(2) < (0.3, 0.05)
            rows["usage"].append(
                {
                    "account": _account(rng),
                    "occurred_at": _within(rng, midnight),
                    "event": "login",
                    "contact": None if contact else "c1",
                    "value": None if value else 1.5,
                }
            )
        for _ in range(rng.poisson(1)):
            opened = _within(rng, midnight)
            resolved = opened + timedelta(days=rng.exponential(20))
            rows["tickets"].append(
                {
                    "ticket": f"t{len(rows['tickets'])}",
                    "account": _account(rng),
                    "opened": opened,
                    "resolved": resolved if resolved < END else None,
                    "handoffs": 2 if resolved < END else None,
                    "severity": "high" if rng.random() < 0.4 else "low",
                }
            )
        if rng.random() < 0.1:
            rows["feedback"].append(
                {"account": _account(rng), "responded": _within(rng, midnight), "instrument": "NPS", "score": 8}
            )
        if midnight.astimezone(BERLIN).day == 1:
            for number in range(30):
                paid = midnight + timedelta(days=rng.exponential(25))
                rows["invoices"].append(
                    {
                        "account": f"a{number}",
                        "issued": midnight + timedelta(hours=2),
                        "paid": max(paid, midnight + timedelta(hours=2)) if paid < END else None,
                        "amount": 10.0,
                    }
                )
    return rows


def _account(rng: np.random.Generator) -> str:
    return f"a{rng.integers(40)}"


def _within(rng: np.random.Generator, midnight: datetime) -> datetime:
    return midnight + timedelta(seconds=int(rng.integers(4 * 3600, 22 * 3600)))


def checked(workspace: Workspace) -> Steadiness:
    with intake.read(workspace) as found:
        return steadiness.check(found)


def taken_in(workspace: Workspace) -> Steadiness:
    with intake.read(workspace) as found:
        return steadiness.remember(found)


def named(found: Steadiness) -> set[tuple[str, str]]:
    return {(finding.what, finding.kind) for finding in found.findings}


def steady(*days_back: int, times: int = 3, hour: int = 12) -> list[Row]:
    """Usage on these days before the end, the same on each."""
    return [
        {
            "account": "a",
            "occurred_at": END - timedelta(days=back + 1) + timedelta(hours=hour, minutes=minute),
            "event": "login",
        }
        for back in days_back
        for minute in range(times)
    ]


def tiny(root: Path, usage: list[Row], **config: Any) -> Workspace:
    return worlds.write(root, {"accounts": [{"account": "a"}], "usage": usage}, **{**PLAIN, **config})


@pytest.mark.parametrize("seed", range(20))
def test_what_varies_by_chance_is_steady(tmp_path: Path, seed: int) -> None:
    """Open tickets and unpaid invoices are always the newest ones, and no month has an invoice on each day."""
    found = checked(worlds.write(tmp_path, varied(seed), parquet=True, **PLAIN))
    assert found == Steadiness([], [])


def _stop(rows: Rows) -> None:
    rows["usage"] = [row for row in rows["usage"] if row["occurred_at"] < END - timedelta(days=20)]


def _double(rows: Rows) -> None:
    rows["usage"] += [
        {**row, "occurred_at": row["occurred_at"] + timedelta(seconds=1)}
        for row in rows["usage"]
        if row["occurred_at"] >= LAST_PERIOD
    ]


def _empty(table: str, at: str, column: str) -> Callable[[Rows], None]:
    def change(rows: Rows) -> None:
        for number, row in enumerate(rows[table]):
            if row[at] >= LAST_PERIOD and number % 2:
                row[column] = None

    return change


def _fill(rows: Rows) -> None:
    for row in rows["usage"]:
        if row["occurred_at"] >= LAST_PERIOD:
            row["contact"] = "c1"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (_stop, {("usage", "freshness"), ("usage", "volume")}),
        (_double, {("usage", "volume")}),
        (_empty("usage", "occurred_at", "value"), {("usage.value", "null share")}),
        (_fill, {("usage.contact", "null share")}),
    ],
    ids=["stops arriving", "doubles", "values go missing", "empty values are filled"],
)
def test_what_changed_is_named_and_nothing_else(
    tmp_path: Path, change: Callable[[Rows], None], expected: set[tuple[str, str]]
) -> None:
    rows = varied(1)
    change(rows)
    assert named(checked(worlds.write(tmp_path, rows, parquet=True, **PLAIN))) == expected


def test_what_the_contract_fills_in_counts_as_empty(tmp_path: Path) -> None:
    """A ticket without a severity is a normal one: the feed that loses it has no empty value in the good rows."""
    rows = varied(2)
    for row in rows["tickets"]:
        if row["opened"] >= LAST_PERIOD:
            row["severity"] = None
    (found,) = checked(worlds.write(tmp_path, rows, parquet=True, **PLAIN)).findings
    assert (found.what, found.kind, found.now) == ("tickets.severity", "null share", 1.0)
    assert found.high is not None and found.high < 0.6


def test_a_source_that_stops_resolving_is_named(tmp_path: Path) -> None:
    """Open tickets are compared at equal age: with what was open at the end of each earlier period."""
    rows = varied(3)
    for row in rows["tickets"]:
        if row["opened"] >= LAST_PERIOD:
            row["resolved"] = row["handoffs"] = None
    assert named(checked(worlds.write(tmp_path, rows, parquet=True, **PLAIN))) == {
        ("tickets.resolved", "null share"),
        ("tickets.handoffs", "null share"),
    }


def test_a_finding_says_what_is_usual(tmp_path: Path) -> None:
    found = checked(tiny(tmp_path, steady(*range(20, 400)))).findings
    assert [finding.kind for finding in found] == ["freshness", "volume"]
    assert (found[0].now, found[0].high) == (20, 3)
    assert found[0].text == "no fact for 20 days, the last on 2026-03-23; at most 3 days are usual"
    assert found[1].now == 24
    assert found[1].low is not None and 24 < found[1].low < 84
    assert found[1].text.startswith("24 facts in the 28 days to 2026-04-12; ")


@pytest.mark.parametrize(
    ("hour", "minutes", "facts"), [(24, 0, 0), (23, 59, 600), (24 - 28 * 24, 0, 600), (24 - 28 * 24 - 1, 59, 0)]
)
def test_periods_are_half_open_local_days(tmp_path: Path, hour: int, minutes: int, facts: int) -> None:
    """The last period ends before the midnight in Berlin that ends the last observed day, and begins at one."""
    at = datetime(2026, 4, 12, tzinfo=BERLIN) + timedelta(hours=hour, minutes=minutes)  # wall clock: DST lies between
    many = [{"account": "a", "occurred_at": at.astimezone(UTC), "event": str(number)} for number in range(600)]
    usage = [row for row in steady(*range(1, 400)) if row["occurred_at"] < END] + many
    found = [finding.now for finding in checked(tiny(tmp_path, usage)).findings if finding.kind == "volume"]
    assert found == ([facts + 81] if facts else [])


def test_nothing_is_read_past_the_last_observed_day(tmp_path: Path) -> None:
    """Neither facts that happen later, nor rows recorded later."""
    late = [{**row, "recorded_at": END} for row in steady(*range(28), times=50)]
    later = steady(*range(-60, 0), times=50)
    assert checked(tiny(tmp_path, steady(*range(400)) + late + later)).findings == []
    stopped = checked(tiny(tmp_path, steady(*range(20, 400)) + late + later))
    assert named(stopped) == {("usage", "freshness"), ("usage", "volume")}
    early = [{**row, "recorded_at": END - timedelta(seconds=1)} for row in late]
    assert named(checked(tiny(tmp_path, steady(*range(400)) + early))) == {("usage", "volume")}


def test_rows_that_usually_arrive_late_are_no_news(tmp_path: Path) -> None:
    """A third of the rows is recorded two weeks later: half of it is always missing from the last period."""
    usage = steady(*range(400), times=6)
    for number, row in enumerate(usage):
        row["recorded_at"] = row["occurred_at"] + timedelta(days=14 if number % 3 == 0 else 0)
    usage = [row for row in usage if row["recorded_at"] < END]
    assert checked(tiny(tmp_path, usage)) == Steadiness([], [])


def test_a_past_that_was_loaded_afterwards_is_no_past(tmp_path: Path) -> None:
    usage = [{**row, "recorded_at": max(row["occurred_at"], LAST_PERIOD)} for row in steady(*range(400))]
    assert checked(tiny(tmp_path, usage)) == Steadiness([], ["usage"])


@pytest.mark.parametrize(("days", "judged"), [(5 * 28, True), (5 * 28 - 1, False)])
def test_four_whole_periods_are_needed(tmp_path: Path, days: int, judged: bool) -> None:
    usage = steady(*range(28, days))
    found = checked(tiny(tmp_path, usage))
    assert (len(named(found) - {("usage", "freshness")}), found.too_little_past) == (
        (1, []) if judged else (0, ["usage"])
    )


def test_a_mistyped_year_is_no_past(tmp_path: Path) -> None:
    typo = [{"account": "a", "occurred_at": datetime(1970, 1, 1, tzinfo=UTC), "event": "login"}]
    assert checked(tiny(tmp_path, steady(*range(100)) + typo)) == Steadiness([], ["usage"])


def test_a_workspace_without_facts(tmp_path: Path) -> None:
    fresh = worlds.write(tmp_path, {"accounts": [{"account": "a"}], "usage": []}, timezone="Europe/Berlin")
    assert checked(fresh) == Steadiness([], [])
    assert steadiness.frames.found(fresh) == Steadiness()


def test_history_that_disappears_is_named_until_other_data_come(tmp_path: Path) -> None:
    """The export of the last 300 days has as many rows as ever: it is the time before that counts."""
    usage = steady(*range(7, 400))
    taken_in(tiny(tmp_path, usage, as_of={"since": UNTIL, "exported": UNTIL - timedelta(days=7)}))
    slid = tiny(tmp_path, steady(*range(7), times=100) + steady(*range(7, 300)))
    for found in (checked(slid), taken_in(slid), taken_in(slid), checked(slid)):
        (shrunk,) = (finding for finding in found.findings if finding.kind == "shrunk")
        assert (shrunk.what, shrunk.low) == ("usage", 3 * 393)
        assert shrunk.now == 3 * 293
        assert "1,179 rows of the time until 2026-04-05" in shrunk.text
    grown = tiny(tmp_path, steady(*range(7), times=101) + steady(*range(7, 300)))
    assert ("usage", "shrunk") not in named(taken_in(grown))


def test_a_table_that_shrank_says_by_how_much(tmp_path: Path) -> None:
    assert taken_in(tiny(tmp_path, steady(*range(400)))).findings == []
    (found,) = checked(tiny(tmp_path, steady(*range(300)))).findings
    assert (found.what, found.kind, found.now, found.low) == ("usage", "shrunk", 900, 1200)
    assert found.text == (
        "had 1,200 rows of the time until 2026-04-12 at the last intake, has 900: "
        "what has gone can no longer be replayed"
    )


def test_growing_and_losing_a_few_rows_are_no_news(tmp_path: Path) -> None:
    taken_in(tiny(tmp_path, steady(*range(7, 400)), as_of={"since": UNTIL, "exported": UNTIL - timedelta(days=7)}))
    assert checked(tiny(tmp_path, steady(*range(399)))).findings == []


def test_accounts_that_disappear_are_named(tmp_path: Path) -> None:
    """Whoever left and was deleted would make everybody seem to stay."""
    accounts = [{"account": f"a{number}"} for number in range(50)] + [{"account": "a"}]
    taken_in(worlds.write(tmp_path, {"accounts": accounts, "usage": steady(*range(400))}, **PLAIN))
    left = worlds.write(tmp_path, {"accounts": accounts[10:], "usage": steady(*range(400))}, **PLAIN)
    assert named(checked(left)) == {("accounts", "shrunk")}


def test_columns_and_tables_that_vanish_are_named(tmp_path: Path) -> None:
    rows = varied(4)
    taken_in(worlds.write(tmp_path, rows, **PLAIN))
    usage = [{name: value for name, value in row.items() if name != "value"} for row in rows["usage"]]
    left = {"accounts": rows["accounts"], "usage": usage, "invoices": rows["invoices"], "feedback": rows["feedback"]}
    found = checked(worlds.write(tmp_path, left, **PLAIN))
    assert named(found) == {("usage.value", "vanished"), ("tickets", "vanished")}
    assert (
        found.findings[0].text
        == "was there at the last intake (data until 2026-04-12), is no longer exported or mapped"
    )


def test_the_last_hundred_intakes_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intakes, "KEPT", 3)
    folder = tmp_path / "state" / "quality" / "intakes"
    for days in range(1, 6):
        workspace = tiny(tmp_path, steady(*range(days)))
        taken_in(workspace)
        taken_in(workspace)
    assert sorted(file.name for file in folder.iterdir()) == ["000003.json", "000004.json", "000005.json"]
    stored = json.loads((folder / "000005.json").read_text(encoding="utf-8"))
    assert (stored["observed_until"], stored["tables"]["usage"]["rows"]) == (str(UNTIL), 15)
    assert stored["steadiness"]["too_little_past"] == ["usage"]


def test_an_intake_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    workspace = tiny(tmp_path, steady(*range(3)))
    taken_in(workspace)
    (file,) = (tmp_path / "state" / "quality" / "intakes").iterdir()
    file.write_text('{"tables": {}}', encoding="utf-8")
    with pytest.raises(PropensityError, match=r"000001\.json is not what an intake wrote"):
        checked(workspace)


def frames_of(rng: np.random.Generator, dates: int, rows: int = 200) -> dict[date, Frame]:
    """Frames of features that vary: one of many zeros, one empty for a fifth, one that grows with time."""
    made = {}
    for number in range(dates):
        zeros = rng.poisson(0.7, rows).astype(float)
        usual = rng.lognormal(3, 1, rows)
        empty = int((rng.random(rows) < 0.2).sum())
        grows = 30.0 * number + rng.random(rows) * 400
        made[date(2025, 1, 31) + timedelta(days=30 * number)] = Frame(
            str(number),
            rows,
            {"zeros": summary(zeros), "usual": summary(usual[empty:], empty), "grows": summary(grows)}
            | {"segment": Summary(0), "unknown": Summary(rows)},
        )
    return made


def summary(values: np.ndarray[Any, np.dtype[np.float64]], empty: int = 0) -> Summary:
    quantiles = [float(value) for value in np.quantile(values, (0.05, 0.25, 0.5, 0.75, 0.95))]
    return Summary(empty, float(values.mean()), float(values.std()), quantiles)


@pytest.mark.parametrize("seed", range(20))
def test_features_that_vary_by_chance_are_steady(seed: int) -> None:
    assert judge_frames(frames_of(np.random.default_rng(seed), 12)) == Steadiness()


def test_features_that_jump_are_named() -> None:
    rng = np.random.default_rng(5)
    frames = frames_of(rng, 12)
    newest = frames[max(frames)].columns
    newest["usual"] = summary(60 * rng.lognormal(3, 1, 160), 40)  # seconds for minutes
    newest["zeros"] = summary(np.r_[np.zeros(20), np.full(180, 3.0)])
    newest["segment"] = Summary(150)
    newest["grows"] = Summary(200)
    assert named(judge_frames(frames)) == {
        ("usual", "mean"),
        ("zeros", "mean"),
        ("segment", "null share"),
        ("grows", "null share"),
    }


def test_a_median_that_jumps_below_an_unmoved_mean_is_named() -> None:
    """Most accounts fall to nothing while a few grow: the mean cannot tell."""
    rng = np.random.default_rng(6)
    frames = frames_of(rng, 12)
    for made in frames.values():
        made.columns["level"] = summary(rng.normal(50, 5, 200))
    frames[max(frames)].columns["level"] = summary(np.r_[np.full(180, 20.0), np.full(20, 320.0)])
    assert ("level", "median") in named(judge_frames(frames))


def test_features_need_four_earlier_dates() -> None:
    frames = frames_of(np.random.default_rng(7), 5)
    assert judge_frames(frames).too_little_past == []
    frames.pop(min(frames))
    assert judge_frames(frames) == Steadiness([], ["features"])


def test_frames_are_summarised_once(copied: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    days = cohort.all_dates(copied.config, frame.observed_until(copied))
    refs = frame.build(copied, days)
    first = steadiness.frames.remember(copied, refs)
    assert first.too_little_past == []
    assert steadiness.frames.found(copied) == first
    stored = json.loads((copied.state / "quality" / "features.json").read_text(encoding="utf-8"))
    assert sorted(stored["frames"]) == [str(day) for day in days]
    newest = frame.read(copied, days[-1], refs[days[-1]])
    made = stored["frames"][str(days[-1])]
    assert (made["rows"], made["content"]) == (len(newest), refs[days[-1]])
    assert not {"account", "row_hash", "as_of", "for_churn"} & set(made["columns"])
    for name, column in made["columns"].items():
        assert column["empty"] == newest[name].isna().sum()
        if column["mean"] is not None:
            assert column["mean"] == pytest.approx(newest[name].mean())
            assert column["quantiles"][2] == pytest.approx(newest[name].quantile(0.5, interpolation="nearest"))
    monkeypatch.setattr(frame, "path", None)  # nothing is read again
    assert steadiness.frames.remember(copied, {days[-1]: refs[days[-1]]}) == first


def test_a_feature_follows_its_table_and_check_tells(copied: Workspace, propensity: Command) -> None:
    """The whole way: a source that changes its unit is named at the feature, one that is cut at the table."""
    assert propensity("features", "--workspace", copied.root).status == 0
    quiet = propensity("check", "--workspace", copied.root, "--json")
    assert not {"shrunk", "vanished"} & {finding["kind"] for finding in quiet.document["steadiness"]["findings"]}
    usage = copied.root / "data" / "usage.csv"
    head, *lines = usage.read_text(encoding="utf-8").splitlines()
    assert head.endswith("value")
    kept = [line[:-1] + "1000" if "2026-06" in line else line for line in lines[: len(lines) * 3 // 4]]
    usage.write_text("\n".join([head, *kept]) + "\n", encoding="utf-8")
    told = propensity("check", "--workspace", copied.root)
    assert (told.status, "shrunk" in told.out, f"{len(lines):,}" in told.out) == (0, True, True)
    assert propensity("features", "--workspace", copied.root).status == 0
    done = propensity("check", "--workspace", copied.root, "--json")
    assert done.status == 0
    found = {(finding["what"], finding["kind"]) for finding in done.document["steadiness"]["findings"]}
    assert ("usage", "shrunk") in found
    assert any("value" in what and kind == "mean" for what, kind in found), found


def test_a_steady_workspace_says_so(tmp_path: Path, propensity: Command) -> None:
    done = propensity("check", "--workspace", tiny(tmp_path, steady(*range(400))).root)
    assert "steady: nothing is unlike its own past" in done.out
    fresh = propensity("check", "--workspace", tiny(tmp_path, steady(*range(20))).root)
    assert "too little past to judge: usage" in fresh.out


def test_the_simulated_company_is_steady(tmp_path: Path) -> None:
    here = demo.prepare(tmp_path / "demo", World(accounts=200, seed=7), lambda done, of: None)
    with intake.read(here) as found:
        found.write_tables()
        assert steadiness.remember(found) == Steadiness([], [])
    refs = frame.build(here, cohort.all_dates(here.config, frame.observed_until(here)))
    assert steadiness.frames.remember(load(here.root), refs) == Steadiness([], [])


def test_silence_is_judged_by_the_usual_gap() -> None:
    assert usual.silence([1] * 300) == 3
    assert usual.silence([1, 1, 1, 1, 3] * 60) == 6
    assert usual.silence([30, 31] * 6) == 62
    assert usual.silence([1] * 300 + [60]) == 3  # an outage of old does not excuse the next


def test_a_period_holds_enough_bursts() -> None:
    assert usual.period(range(400), [5] * 400) == 28
    assert usual.period(range(0, 400, 30), [200] * 14) == 126
    assert usual.period(range(400), [100 if day % 30 == 0 else 1 for day in range(400)]) == 126
