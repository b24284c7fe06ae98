"""Models as a page: what training and the backtest wrote down, number for number, and a champion that is chosen with a reason."""

from __future__ import annotations

import shutil
import warnings
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from features.steadiness import Steadiness
from features.steadiness.finding import stale
from features.workspace import Workspace, load
from serving import amounts
from serving.pages import Show
from serving.pages.choosing import SCOPE
from serving.pages.models import NUMBERS
from serving.web import application as web
from serving.web.html import day
from serving.web.kept import Kept
from serving.web.live import Live
from tests.serving.conftest import Inside
from tests.serving.pages.reading import Element, read
from tests.serving.pages.test_advocates import send
from training.backtest import backtest, kept
from training.charts import backtest as over_time
from training.charts import svg
from training.charts.reliability import reliability
from training.record import recorded
from training.registry import Registry

PAGE = "/app/models"


@pytest.fixture(scope="module")
def company(served: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """With a second version of churn, which the gate refused as it did the first, and a backtest."""
    root = tmp_path_factory.mktemp("models") / "company"
    here = load(Path(shutil.copytree(served.root, root, ignore=shutil.ignore_patterns("bentoml", "data"))))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow uses what SQLAlchemy has deprecated; none of it is ours
        registry = Registry(here)
        registry.versions("churn")  # points MLflow here
        first = registry.client.get_model_version("churn", "1")
        registry.client.create_model_version("churn", first.source, first.run_id, tags=dict(first.tags))
        backtest(here, "churn", most=2)
    return here


@pytest.fixture(scope="module")
def inside(company: Workspace) -> Inside:
    app = web.application()
    web.protect(app, company, loopback=True)
    app.state.live = Live.load(company)
    return Inside(app)


def api(inside: Inside, path: str) -> Any:
    return inside.ask("GET", path).raise_for_status().json()


def page(inside: Inside, path: str = PAGE, status: int = 200, key: str = "") -> Element:
    found = inside.page(path, key)
    assert found.status_code == status, found.text
    return read(found.text)


def plain(value: float) -> str:
    return f"{value:.3f}"


def test_how_a_version_was_judged_is_what_its_training_wrote_down(inside: Inside, company: Workspace) -> None:
    registry = Registry(company)
    written = recorded(registry, registry.version("churn", 1))
    told = api(inside, "/v1/models/churn/versions/1")
    assert {name: one for name, one in written["metrics"].items() if name not in ("n", "positives")} == told["metrics"]
    assert (written["metrics"]["n"], written["interval_coverage"]) == (told["n"], told["reliability"])
    assert (written["slices"], written["value"]) == (told["slices"], told["value"])
    shown = page(inside).one("section", aria_labelledby="judged")
    for name in NUMBERS:
        one = told["metrics"][name]
        wanted = f"{plain(one['value'])} {plain(one['low'])}–{plain(one['high'])}"
        assert shown.one("td", data_number=name).text == wanted
    value = told["value"]["profit"]
    assert shown.one("span", data_number="value").text.startswith(amounts.number(value["value"]))
    assert all(" ".join(reason.split()) in shown.text for reason in told["reasons"])
    assert all(one["name"] in shown.text for one in told["slices"])


def test_every_version_says_what_the_gate_said_and_where_its_run_is(inside: Inside) -> None:
    told = api(inside, "/v1/models")
    rows = {row.attributes["data-version"]: row for row in page(inside).all("tr") if "data-version" in row.attributes}
    assert list(rows) == ["2", "1"]
    assert "champion" in rows["1"].text
    for one in told["outcomes"]["churn"]["versions"]:
        row = rows[str(one["version"])]
        assert plain(one["metrics"]["log_loss"]) in row.text
        assert row.one("code").attributes["title"] == one["run"]
    assert told["opened_by"] == "mlflow ui --backend-store-uri sqlite:///mlflow.db"
    assert told["opened_by"] in page(inside).text
    other = page(inside, f"{PAGE}?outcome=churn&version=2").one("section", aria_labelledby="judged")
    assert other.one("h2").text.startswith("Version 2")


def test_a_server_of_mlflow_has_an_address_and_no_password_in_it(
    inside: Inside, company: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Registry(company)
    real.uri, client = "https://ann:secret@mlflow.example", real.client
    assert (real.served, real.opened_by) == (True, None)
    monkeypatch.setattr(real, "_use", lambda: None)
    monkeypatch.setattr("training.registry.mlflow.search_logged_models", lambda *_, **__: [])
    [found, *_] = real.versions("churn")
    experiment = client.get_experiment_by_name("propensity/churn").experiment_id
    assert found.link == f"https://mlflow.example/#/experiments/{experiment}/runs/{found.version.run}"


def test_the_backtest_is_the_one_that_was_kept(inside: Inside) -> None:
    told, shown = api(inside, "/v1/models/churn/backtest"), page(inside).one("section", aria_labelledby="backtest")
    rows = {row.attributes["data-origin"]: row.text for row in shown.all("tr") if "data-origin" in row.attributes}
    assert list(rows) == [one["days"][0] for one in told["origins"]] != []
    for one in told["origins"]:
        assert plain(one["metrics"]["log_loss"]["value"]) in rows[one["days"][0]]
        assert amounts.number(one["profit_per_date"]["value"]) in rows[one["days"][0]]
    assert all(f"{one['log_loss']:.4f}" in shown.text for one in told["ages"])
    labels = [one.attributes["aria-label"] or "" for one in shown.all("svg")]
    assert [label.split()[0] for label in labels] == ["Log", "What", "Log"]


def test_charts_have_the_numbers_and_no_style_of_their_own(inside: Inside) -> None:
    tested, judged = api(inside, "/v1/models/churn/backtest"), api(inside, "/v1/models/churn/versions/1")
    drawn = {
        "reliability": reliability(judged["reliability"]),
        "origins": over_time.origins(tested["origins"], "log_loss", "log loss"),
        "profit": over_time.profit(tested["origins"], "EUR"),
        "ages": over_time.ages(tested["ages"]),
    }
    given = {name: str(chart.to_dict()) for name, chart in drawn.items()}
    assert all(repr(one["seen"]) in given["reliability"] for one in judged["reliability"])
    assert all(repr(one["metrics"]["log_loss"]["low"]) in given["origins"] for one in tested["origins"])
    assert all(repr(one["profit_per_date"]["high"]) in given["profit"] for one in tested["origins"])
    assert all(repr(one["log_loss"]) in given["ages"] for one in tested["ages"])
    assert all("style=" not in svg(chart, name) for name, chart in drawn.items())


def test_the_page_draws_what_notebooks_show(
    inside: Inside, company: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[dict[str, Any]] = []
    monkeypatch.setattr("serving.pages.models.charts.svg", lambda chart, _: drawn.append(chart.to_dict()) or "")
    monkeypatch.setattr(Kept, "__call__", lambda _, __, make, **___: make())
    page(inside)
    registry = Registry(company)
    bins = recorded(registry, registry.version("churn", 1))["interval_coverage"]
    tested = kept(company, "churn")
    shown = [
        reliability(bins, "in a notebook"),
        over_time.origins(tested["origins"], "log_loss", "log loss", "in a notebook"),
        over_time.ages(tested["ages"], "log_loss", "log loss", "in a notebook"),
        over_time.profit(tested["origins"], company.config.currency, "in a notebook"),
    ]
    assert drawn == [{name: part for name, part in one.to_dict().items() if name != "title"} for one in shown]


def test_what_has_no_record_says_which_command_makes_it(
    inside: Inside, company: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = page(inside, f"{PAGE}?outcome=advocacy")
    assert "propensity backtest advocacy" in shown.one("section", aria_labelledby="backtest").text
    kept = Registry.text
    monkeypatch.setattr(Registry, "text", lambda self, version, name: kept(self, version, name + ".gone"))
    shown = page(inside)
    assert "propensity train churn" in shown.one("section", aria_labelledby="judged").text
    monkeypatch.setattr("serving.endpoints.models.promotion.models", lambda _: {"churn": [], "advocacy": []})
    monkeypatch.setattr("serving.endpoints.models.promotion.history", lambda *_: [])
    shown = page(inside)
    assert "There is no model of churn yet" in shown.text
    assert "No version has been promoted yet" in shown.one("section", aria_labelledby="history").text


def test_tables_and_findings_are_those_of_the_intake(inside: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    told = api(inside, "/v1/data")
    rows = {row.attributes["data-table"]: row.text for row in page(inside).all("tr") if "data-table" in row.attributes}
    assert list(rows) == [one["table"] for one in told["tables"]] != []
    for one in told["tables"]:
        assert f"{one['rows']:,} {one['read']:,} {one['quarantined']:,}" in rows[one["table"]]
        assert day(one["last"]) in rows[one["table"]]
    assert "examples" not in str(told), "rows of the exports are not told"
    until = date.fromisoformat(told["observed_until"])
    found = Steadiness([stale("usage", until, 40, 3)], ["features"])
    monkeypatch.setattr("serving.endpoints.quality.steadiness.found", lambda _: found)
    shown = page(inside).one("section", aria_labelledby="data")
    assert "no fact for 40 days" in shown.text
    assert "Too little past to compare: features" in shown.text


def test_a_champion_is_promoted_against_the_gate_and_taken_back_with_reasons(inside: Inside) -> None:
    def row(version: int) -> Element:
        shown = page(inside)
        return next(one for one in shown.all("tr") if one.attributes.get("data-version") == str(version))

    verdict = next(one["verdict"] for one in api(inside, "/v1/models")["outcomes"]["churn"]["versions"])
    promote = row(2).one("form", action="/app/models/promote")
    boxes = list(promote.all("input", type="checkbox"))
    assert bool(boxes) == (verdict != "promoted"), "what the gate refused is promoted against it, and the form says so"
    read(send(inside, promote, 400, why="", by="ann").text).one("h1")
    answer = send(inside, promote, why="better on what came after", by="ann")
    assert answer.headers["location"] == f"{PAGE}?outcome=churn"
    assert "champion" in row(2).text
    assert not list(row(1).all("form", action="/app/models/rollback"))
    back = row(2).one("form", action="/app/models/rollback")
    send(inside, back, why="too many calls in vain", by="bob")
    again = read(send(inside, back, 409, why="twice", by="bob").text)
    assert "is version 1, not 2" in again.one("h1").text
    shown = page(inside).one("section", aria_labelledby="history").text
    assert "better on what came after" in shown
    assert "too many calls in vain" in shown
    assert "by bob" in shown
    assert "champion" in row(1).text


def test_who_may_not_choose_sees_no_form(inside: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    def choosing() -> list[Element]:
        return [one for one in page(inside).all("form") if "/app/models/" in (one.attributes["action"] or "")]

    assert choosing()
    monkeypatch.setattr(Show, "may", lambda _, scope: scope != "admin")
    assert choosing() == []
    assert SCOPE == "admin"
