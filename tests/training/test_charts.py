"""What is drawn is what was measured, whatever names are in it; nothing is fetched to draw it."""

from __future__ import annotations

import json
import re
import struct
import zlib
from datetime import date
from html import unescape
from typing import Any

import numpy as np
import pytest

from training.backtest import Aged, Backtest, Origin
from training.charts import PALETTE, backtest, bars, folds, histograms, png, reliability, scores, shares, svg
from training.charts.intervals import baselines, intervals
from training.metrics import Estimate
from training.result import Result
from training.slices import Slice
from training.splits import Fold

MODEL, BASE = Estimate(0.2, 0.1, 0.3), Estimate(0.4, 0.35, 0.5)
NUMBERS = {"log_loss": MODEL, "auc": Estimate(0.8, 0.7, 0.9)}
BASES = {"base rate": {"log_loss": BASE, "auc": Estimate(0.5, 0.5, 0.5)}}
SAID = [
    {"n": 20.0, "said": 0.1, "low": 0.05, "high": 0.2, "seen": 0.15, "covered": 1.0},
    {"n": 20.0, "said": 0.3, "low": 0.26, "high": 0.4, "seen": 0.25, "covered": 0.0},
]
RESULT = Result("churn", "not better", [], n=40, metrics=NUMBERS, baselines=BASES, coverage=SAID)
DAYS = (date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30))
HOSTILE = "one $x_1$ {y} \\frac <b> & 'two'"
NAMESPACES = {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
Chart = dict[str, Any]


@pytest.fixture
def tested() -> Chart:
    origins = [Origin((day,), 100, "prior", 50, 10, NUMBERS, BASES, Estimate(9.0, 8.0, 10.0)) for day in DAYS[2:]]
    slices = [Slice("segment", "small", 40, 9, NUMBERS), Slice("segment", "large", 10, 1, {})]
    ages = [Aged(30, 2, 0.2, 0.8), Aged(60, 1, 0.3, 0.7)]
    return Backtest("churn", origins, NUMBERS, BASES, slices, ages, Estimate(0.5, 0.4, 0.6), []).as_dict()


def rows(chart: Any, *fields: str) -> list[tuple[Any, ...]]:
    """Of the rows that a chart draws, those that have all the fields."""
    drawn = [row for each in chart.to_dict()["datasets"].values() for row in each]
    return [tuple(row[field] for field in fields) for row in drawn if all(field in row for field in fields)]


def channels(chart: Any) -> list[tuple[str, Any]]:
    """Every channel of the chart, its layers and its parts, by name; what is told on pointing is one of them."""
    told = chart if isinstance(chart, dict) else chart.to_dict()
    within = [part for several in ("layer", "hconcat") for part in told.get(several, [])]
    return [*told.get("encoding", {}).items(), *(one for part in within for one in channels(part))]


def pointed(chart: Any) -> list[Chart]:
    """What whoever points at the chart is told."""
    return [one for name, several in channels(chart) if name == "tooltip" for one in several]


def titles(chart: Any, axis: str) -> set[Any]:
    return {one.get("title") for name, one in channels(chart) if name == axis and "title" in one}


def fields(chart: Any, channel: str) -> set[str]:
    return {one["field"] for name, one in channels(chart) if name == channel and "field" in one}


def test_reliability_shows_what_was_said_and_seen() -> None:
    chart = reliability.reliability(RESULT.coverage)
    assert rows(chart, "said", "seen", "low", "high", "n") == [
        (0.1, 0.15, 0.05, 0.2, 20.0),
        (0.3, 0.25, 0.26, 0.4, 20.0),
    ]
    assert (titles(chart, "x"), titles(chart, "y")) == ({"said"}, {"came true"})
    assert (fields(chart, "x"), fields(chart, "x2"), fields(chart, "y")) == ({"said", "low"}, {"high"}, {"seen"})


def test_the_model_stands_above_its_baselines() -> None:
    chart = baselines(RESULT.as_dict())
    assert rows(chart, "name", "first", "value", "low", "high") == [
        ("model", True, 0.2, 0.1, 0.3),
        ("base rate", False, 0.4, 0.35, 0.5),
    ]
    assert titles(chart, "x") == {"log loss on the test fold, 95% interval (lower is better)"}
    assert all(one["scale"]["domain"] == ["model", "base rate"] for name, one in channels(chart) if name == "y")


def test_what_is_not_a_number_is_not_drawn() -> None:
    chart = intervals({"known": MODEL.as_dict(), "unknown": Estimate(0.5, np.nan, np.nan).as_dict()}, "AUC")
    assert rows(chart, "name", "low") == [("known", 0.1), ("unknown", None)]
    without = intervals({"known": MODEL.as_dict(), "of nobody": Estimate(np.nan, np.nan, np.nan).as_dict()}, "AUC")
    assert "of nobody" in svg(without, "told"), "its name is there, and nothing beside it"
    assert rows(shares.by_date({DAYS[0]: float("nan")}, "share"), "share") == [(None,)]
    assert svg(chart, "told")


def test_folds_tell_what_is_learnt_from_judged_on_and_neither() -> None:
    chart = folds.folds(DAYS, [Fold(DAYS[:1], DAYS[2:3]), Fold(DAYS[:2], DAYS[3:])])
    drawn = rows(chart, "fold", "day", "part")
    assert [row[0] for row in drawn] == ["judged on 2026-03-31"] * 4 + ["judged on 2026-04-30"] * 4
    assert [row[1] for row in drawn] == [str(day) for day in DAYS] * 2
    first, second = [row[2] for row in drawn[:4]], [row[2] for row in drawn[4:]]
    assert first == ["learnt from", "neither", "judged on", "neither"]
    assert second == ["learnt from", "learnt from", "neither", "judged on"]


def test_many_dates_do_not_run_into_each_other() -> None:
    days = [date.fromordinal(DAYS[0].toordinal() + 7 * week) for week in range(200)]
    mark = folds.folds(days, [Fold(tuple(days[:1]), tuple(days[1:]))]).to_dict()["mark"]
    assert mark["size"] ** 0.5 < folds.WIDTH / len(days)


def test_origins_are_shown_by_date_beside_the_base_rate(tested: Chart) -> None:
    chart = backtest.origins(tested["origins"], "log_loss", "log loss")
    assert rows(chart, "day", "who", "value", "low", "high") == [
        (str(day), *drawn) for day in DAYS[2:] for drawn in (("model", 0.2, 0.1, 0.3), ("base rate", 0.4, 0.35, 0.5))
    ]
    assert titles(chart, "y") == {"log loss"}
    assert rows(backtest.origins(tested["origins"], "auc", "AUC"), "value")[0] == (0.8,)


def test_profit_is_shown_where_there_is_one(tested: Chart) -> None:
    tested["origins"][0]["profit_per_date"] = None
    chart = backtest.profit(tested["origins"], "EUR")
    assert rows(chart, "day", "value", "low", "high") == [(str(DAYS[3]), 9.0, 8.0, 10.0)]
    assert "EUR per date" in titles(chart, "y")


def test_days_are_the_same_in_every_time_zone(tested: Chart) -> None:
    charts = (
        backtest.origins(tested["origins"], "auc", "AUC"),
        backtest.profit(tested["origins"], "EUR"),
        folds.folds(DAYS, [Fold(DAYS[:1], DAYS[2:3])]),
        shares.by_date({DAYS[0]: 0.1}, "share"),
    )
    for chart in charts:
        across = [one for name, one in channels(chart) if name == "x"]
        assert across
        assert all(one["scale"]["type"] == "utc" for one in across)
        days = [told for told in pointed(chart) if told["field"] == "day"]
        assert days
        assert all(told["timeUnit"] == "utcyearmonthdate" for told in days)


def test_parts_with_too_little_are_not_drawn(tested: Chart) -> None:
    chart = backtest.parts(tested, "auc", "AUC")
    assert rows(chart, "name", "value") == [("all rows", 0.8), ("segment: small", 0.8)]
    assert titles(chart, "x") == {"AUC, 95% interval"}


def test_ages_show_the_metric_that_is_asked_for(tested: Chart) -> None:
    assert rows(backtest.ages(tested["ages"]), "days", "value") == [(30, 0.2), (60, 0.3)]
    chart = backtest.ages(tested["ages"], "auc", "AUC")
    assert rows(chart, "days", "value") == [(30, 0.8), (60, 0.7)]
    assert titles(chart, "y") == {"AUC"}


def test_bars_begin_where_they_are_told_to() -> None:
    chart = bars.bars({"one": 0.8, 2: 0.6}, "AUC alone", start=0.5, mark=0.55)
    assert rows(chart, "name", "start", "value") == [("one", 0.5, 0.8), ("2", 0.5, 0.6)]
    assert rows(chart, "mark") == [(0.55,)]
    assert (fields(chart, "x"), fields(chart, "x2")) == ({"start", "mark"}, {"value"})
    assert "AUC alone" in titles(chart, "x")
    assert rows(bars.bars({"one": 0.8}, "about"), "mark") == []


def test_histograms_count_every_value_once() -> None:
    values = np.random.default_rng(1).normal(size=500)
    chart = histograms.histogram(values, "days", "answers")
    drawn = rows(chart, "low", "high", "count")
    assert len(drawn) == histograms.BINS
    assert sum(count for *_, count in drawn) == 500
    assert (drawn[0][0], drawn[-1][1]) == (values.min(), values.max())
    assert (titles(chart, "x"), titles(chart, "y")) == ({"days"}, {"answers"})
    both = histograms.histograms({"days": values, "hours": values[:10]}, "answers")
    assert titles(both, "x") == {"days", "hours"}
    assert sum(count for (count,) in rows(both, "count")) == 510


def test_scores_stand_in_the_order_in_which_they_are_given() -> None:
    found = [{"probability": 0.9, "low": 0.5, "high": 0.95}, {"probability": 0.2, "low": 0.1, "high": 0.4}]
    chart = scores.bands({"all: trees": found, "few: prior": found[:1]})
    assert rows(chart, "place", "probability", "low", "high")[:2] == [(1, 0.9, 0.5, 0.95), (2, 0.2, 0.1, 0.4)]
    assert [panel["title"]["text"] for panel in chart.to_dict()["hconcat"]] == ["all: trees", "few: prior"]


def test_shares_begin_at_zero() -> None:
    chart = shares.by_date({DAYS[0]: 0.1, DAYS[1]: 0.2}, "share of yes")
    assert rows(chart, "day", "share") == [("2026-01-31", 0.1), ("2026-02-28", 0.2)]
    assert [one["scale"]["domainMin"] for name, one in channels(chart) if name == "y"] == [0, 0], (
        "of the line and of the points"
    )


def test_a_title_is_there_where_one_is_given() -> None:
    assert "title" not in bars.bars({"one": 1.0}, "about").to_dict()
    assert bars.bars({"one": 1.0}, "about", "What it is").to_dict()["title"] == "What it is"


def test_whoever_points_at_a_chart_is_told_its_numbers(tested: Chart) -> None:
    assert {one["field"] for one in pointed(reliability.reliability(SAID))} == {"said", "seen", "low", "high", "n"}
    origins = backtest.origins(tested["origins"], "auc", "AUC")
    assert {one["field"] for one in pointed(origins)} == {"day", "who", "value", "low", "high"}


def test_names_are_shown_as_they_are_and_nothing_is_fetched() -> None:
    chart = bars.bars({HOSTILE: 1.0}, HOSTILE, HOSTILE)
    drawn = str(svg(chart, HOSTILE))
    texts = [unescape(text) for text in re.findall(r"<text[^>]*>([^<]*)</text>", drawn)]
    assert texts.count(HOSTILE) == 3, "beside the bar, under the axis, and above it all"
    assert set(re.findall(r"https?://[^\"\s<]+", drawn)) <= NAMESPACES
    assert '"url"' not in json.dumps(chart.to_dict())
    assert png(chart) != png(bars.bars({HOSTILE.replace("$", ""): 1.0}, HOSTILE, HOSTILE))


def test_a_character_that_cannot_be_drawn_does_not_end_the_process() -> None:
    bad = "a\x00b\x0cc\ud800d"
    chart = bars.bars({bad: 1.0}, bad, bad)
    assert str(svg(chart, "told")).count("a\ufffdb\ufffdc\ufffdd</text>") == 3
    assert png(chart)


def test_a_png_is_white_and_has_two_pixels_for_each_of_the_chart(tested: Chart) -> None:
    chart = backtest.ages(tested["ages"])
    width, height, corner = _png(png(chart))
    shown = re.search(r'width="([\d.]+)" height="([\d.]+)"', str(svg(chart, "told")))
    assert shown is not None
    assert (width, height) == tuple(pytest.approx(2 * float(size), abs=2) for size in shown.groups())
    assert corner[:3] == b"\xff\xff\xff"
    assert chart.to_dict()["background"] == "transparent", "on a page it is as light or dark as the page"


def test_on_a_page_colours_are_those_of_the_page() -> None:
    drawn = str(svg(bars.bars({"one": 1.0}, "about", "What it is"), "told"))
    assert "var(--accent)" in drawn
    assert not [colour for colour in PALETTE.values() if colour in drawn]


def _png(content: bytes) -> tuple[int, int, bytes]:
    """Width, height, and the colour of the first pixel."""
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", content[16:24])
    position, packed = 8, b""
    while position < len(content):
        (length,) = struct.unpack(">I", content[position : position + 4])
        if content[position + 4 : position + 8] == b"IDAT":
            packed += content[position + 8 : position + 8 + length]
        position += 12 + length
    return width, height, zlib.decompress(packed)[1:5]


def test_a_picture_is_one_thing_to_who_does_not_see_it() -> None:
    drawn = str(svg(bars.bars({"one": 1.0}, "about"), "what is to be seen"))
    assert re.findall(r' role="([^"]*)"', drawn) == ["img"]
    assert re.findall(r' aria-label="([^"]*)"', drawn) == ["what is to be seen"]
    assert "aria-roledescription" not in drawn
