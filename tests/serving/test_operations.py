"""Dashboard, alert rules, proxy and compose file: they name metrics that exist, and limits that are the service's own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from fastapi.routing import _IncludedRouter

from features.workspace import Workspace
from serving.start import SERVICE
from serving.stores.store import Store
from serving.web import application as web
from serving.web import freshness, gauges
from serving.web.body import MOST_BYTES
from serving.web.guard import HEALTH, METRICS, METRICS_PATH
from serving.web.live import Live
from tests.serving import inside

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations"
NAME = re.compile(r"\bpropensity_\w+")
LABEL = re.compile(r"[{,]\s*(\w+)\s*(?:=~|!~|!=|=)|by \(([\w, ]+)\)")


def read(name: str) -> Any:
    return yaml.safe_load((OPERATIONS / name).read_text(encoding="utf-8"))


def expressions() -> list[str]:
    rules = [rule["expr"] for group in read("alerts.yaml")["groups"] for rule in group["rules"]]
    panels = json.loads((OPERATIONS / "dashboard.json").read_text(encoding="utf-8"))["panels"]
    return rules + [target["expr"] for panel in panels for target in panel["targets"]]


@pytest.fixture
def exposed(served: Workspace) -> tuple[set[str], set[str]]:
    """Names of samples, and of labels, that the service tells."""
    gauges.begin(served)
    with inside.client(inside.application(served)) as client:
        client.get("/v1/health").raise_for_status()
        text = client.get("/metrics").raise_for_status().text
    return set(re.findall(r"^(propensity_\w+)", text, re.MULTILINE)), set(re.findall(r'(\w+)="', text))


def test_dashboard_and_alerts_ask_for_metrics_and_labels_that_there_are(exposed: tuple[set[str], set[str]]) -> None:
    names, labels = exposed
    asked = {name for expression in expressions() for name in NAME.findall(expression)}
    assert asked <= names, asked - names
    used = {
        label
        for found in expressions()
        for pair in LABEL.findall(found)
        for label in re.findall(r"\w+", " ".join(pair))
    }
    assert used <= labels | {"job"}, used - labels
    told = {family.name for family in METRICS.collect()}
    assert told == {re.sub(r"_(count|bucket|total)$", "", name) for name in asked}, "each metric is shown or alerted on"


def test_every_alert_says_what_it_is_and_what_to_do() -> None:
    rules = [rule for group in read("alerts.yaml")["groups"] for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules) > 5
    for rule in rules:
        assert {"alert", "expr", "for", "labels", "annotations"} == rule.keys()
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert all(rule["annotations"][name] for name in ("summary", "description"))


def test_what_is_served_is_told_as_metrics(served: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    live, store = Live.load(served), Store(served)
    monkeypatch.setattr(gauges.HELD, "app", SimpleNamespace(state=SimpleNamespace(live=live)))

    def value(name: str, **labels: str) -> float | None:
        return METRICS.get_sample_value(name, labels)

    for outcome in ("churn", "advocacy"):
        scores = store.top(outcome, 10_000)
        age = freshness.aged(served, scores[0].as_of)
        assert value("propensity_scores", outcome=outcome) == len(scores)
        assert value("propensity_scores_age_days", outcome=outcome) == age["age_days"]
        assert value("propensity_scores_stale", outcome=outcome) == age["stale"]
        assert value("propensity_model_version", outcome=outcome) == 1
        assert value("propensity_served", outcome=outcome) == 1
        middle = value("propensity_scores_probability", outcome=outcome, quantile="0.5")
        assert middle == sorted(score.probability for score in scores)[round(0.5 * (len(scores) - 1))]
    none = Live(served, live.owners, live.kept, live.facts)
    monkeypatch.setattr(gauges.HELD, "app", SimpleNamespace(state=SimpleNamespace(live=none)))
    assert value("propensity_served", outcome="churn") == 0
    assert value("propensity_model_version", outcome="churn") is None


def test_the_compose_file_hangs_together() -> None:
    compose = read("compose.yaml")
    services = compose["services"]
    assert services.keys() == {"proxy", "service", "mlflow", "postgres"}
    for service in services.values():
        assert ":latest" not in service["image"]
        for name, condition in service.get("depends_on", {}).items():
            assert condition == {"condition": "service_healthy"}
            assert "healthcheck" in services[name]
        for volume in service["volumes"]:
            source = volume.partition(":")[0]
            assert source in compose["volumes"] or (OPERATIONS / source).is_file(), source
        assert set(service.get("secrets", ())) <= compose["secrets"].keys()
    assert [name for name, service in services.items() if "ports" in service] == ["proxy"], "nothing else is reached"


def test_the_proxy_has_the_limits_of_the_service_and_keeps_the_inside_in() -> None:
    text = (OPERATIONS / "Caddyfile").read_text(encoding="utf-8")
    assert f"max_size {MOST_BYTES // 1_000_000}MB" in text
    assert "read_header" in text
    (hidden,) = re.findall(r"@inside path (.*)", text)
    assert set(hidden.split()) == {METRICS_PATH, *HEALTH}
    assert text.count("{") == text.count("}")
    assert "reverse_proxy service:3000" in text


def test_bentoml_build_is_told_everything_that_the_service_imports() -> None:
    """The build itself is not run: it installs the whole lock."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # BentoML's own dependencies deprecate each other
        from bentoml._internal.bento.build_config import BentoBuildConfig  # noqa: PLC0415
    root = OPERATIONS.parents[1]
    found = BentoBuildConfig.from_file(str(root / "pyproject.toml"))
    assert found.service == SERVICE
    assert found.python.requirements_txt == "requirements.lock"
    assert found.python.lock_packages is False
    assert (root / "requirements.lock").is_file()
    packages = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    assert {f"/{name}/**" for name in packages["root_packages"]} <= set(found.include)


def test_the_process_that_watches_over_the_worker_loads_none_of_the_application() -> None:
    heavy = {"serving.web.application", "serving.web.live", "mlflow", "lightgbm", "numba", "pandas"}
    code = f"import sys, serving.start, serving.service; print(sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_whoever_comes_first_does_not_wait_for_routes_to_be_put_together(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []
    put = _IncludedRouter._build_effective_context
    monkeypatch.setattr(_IncludedRouter, "_build_effective_context", lambda *given: made.append(given) or put(*given))
    app = web.application()
    web.put_together(app)
    before = len(made)
    assert before > len(web.ENDPOINTS)
    for path in ("/v1/health", "/v1/accounts/a/scores", "/app/today", "/nowhere"):
        for route in app.routes:
            route.matches({"type": "http", "method": "GET", "path": path, "headers": []})
    assert len(made) == before
