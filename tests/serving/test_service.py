"""The real BentoML server over a real workspace."""

from __future__ import annotations

import json
import math
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import lightgbm
import pytest
from starlette.requests import Request

from features.errors import PropensityError
from features.workspace import Workspace, load
from serving import endpoints
from serving.scores import lists
from serving.start import serve
from serving.stores.store import Store
from serving.web import application as web
from serving.web import freshness
from serving.web.journal import Lines
from serving.web.live import Live
from tests.serving.conftest import Inside, Server, launch, stop
from training.model import CONTRACT
from training.registry import Registry

JSON = {"Content-Type": "application/json"}
OUTCOMES = ("churn", "advocacy")
UNKNOWN = "/v1/accounts/nobody"
SCORE, FEATURES = "/v1/score", "/v1/score/features"


def stored(workspace: Workspace, outcome: str) -> list[dict[str, Any]]:
    """The batch as it is served: with ages."""
    return [freshness.told(workspace, score) for score in Store(workspace).top(outcome, 10_000)]


def ask(client: httpx.Client, outcome: str, *accounts: str) -> httpx.Response:
    return client.post(SCORE, **body(outcome, accounts=accounts))


def explain(client: httpx.Client, account: str, outcome: str = "churn") -> Any:
    return client.get(f"/v1/accounts/{account}/explain", params={"outcome": outcome}).raise_for_status().json()


def refused(response: httpx.Response, status: int) -> str:
    """Assert the one shape of an error; returns its message."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cache-control"] == "no-store"
    told = response.json()
    assert told.keys() == {"error", "hint", "status"}
    assert told["status"] == status
    assert told["error"]
    assert told["hint"]
    assert "Traceback" not in response.text
    return str(told["error"])


def unscored(workspace: Workspace) -> str:
    """An account that has left."""
    known = Live.load(workspace).accounts
    return min(known - {score["account"] for score in stored(workspace, "churn")})


# What is served is what the batch has


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_served_is_batch_to_the_last_bit(client: httpx.Client, served: Workspace, outcome: str) -> None:
    batch = stored(served, outcome)
    assert len(batch) >= 200
    answer = ask(client, outcome, *(score["account"] for score in batch)).raise_for_status().json()
    assert answer["scores"] == batch
    assert answer["outcome"] == outcome
    assert answer["as_of"] == batch[0]["as_of"]
    assert answer["model_version"] == 1


def test_one_account_is_the_same_alone_and_among_many(client: httpx.Client, served: Workspace) -> None:
    for score in stored(served, "churn")[:200:5]:
        assert ask(client, "churn", score["account"]).json()["scores"] == [score]


def test_order_and_repetition_are_those_of_the_request(client: httpx.Client, served: Workspace) -> None:
    low, high = (stored(served, "churn")[place]["account"] for place in (-1, 0))
    found = ask(client, "churn", low, high, low).json()["scores"]
    assert [score["account"] for score in found] == [low, high, low]


def test_scores_of_one_account(client: httpx.Client, served: Workspace) -> None:
    both = {score["account"]: score for score in stored(served, "churn")}
    advocacy = stored(served, "advocacy")[0]
    found = client.get(f"/v1/accounts/{advocacy['account']}/scores").raise_for_status().json()
    assert found == {"account": advocacy["account"], "scores": [both[advocacy["account"]], advocacy]}


def test_an_outcome_that_does_not_apply_says_so(client: httpx.Client, served: Workspace) -> None:
    scored = {score["account"] for score in stored(served, "advocacy")}
    account = next(score["account"] for score in stored(served, "churn") if score["account"] not in scored)
    churn, advocacy = client.get(f"/v1/accounts/{account}/scores").raise_for_status().json()["scores"]
    assert "probability" in churn
    assert advocacy["outcome"] == "advocacy"
    assert advocacy["status"] == "unscored"
    assert "does not apply" in advocacy["error"]
    assert "given_days" in advocacy["hint"]


def test_unknown_and_unscored_accounts_say_why(client: httpx.Client, served: Workspace) -> None:
    gone, first = unscored(served), stored(served, "churn")[0]
    assert "no account 'nobody'" in refused(ask(client, "churn", "nobody"), 404)
    assert [one["status"] for one in ask(client, "churn", "\U0001f4a9", "").json()["scores"]] == [404, 404]
    assert "a live contract" in refused(client.get(f"/v1/accounts/{gone}/scores"), 409)
    scored, without, unknown = (
        ask(client, "churn", first["account"], gone, "nobody").raise_for_status().json()["scores"]
    )
    assert scored == first
    assert (without["account"], without["status"]) == (gone, "unscored")
    assert "a live contract" in without["error"]
    assert (unknown["account"], unknown["status"]) == ("nobody", 404)
    assert without["hint"]
    assert unknown["hint"]
    assert ask(client, "churn", gone).raise_for_status().json()["scores"] == [without]


def test_explained_contributions_sum_to_the_log_odds(client: httpx.Client, served: Workspace) -> None:
    for score in stored(served, "churn")[:20]:
        told = explain(client, score["account"])
        assert told["score"] == score
        parts = [feature["contribution"] for feature in told["features"]]
        assert math.isclose(math.fsum([told["base"], *parts]), told["log_odds"], abs_tol=1e-9)
        assert math.isclose(1 / (1 + math.exp(-told["log_odds"])), score["probability"], abs_tol=1e-9)
        assert parts == sorted(parts, key=abs, reverse=True)
        assert all(feature["doc"] and feature["family"] for feature in told["features"])
        for groups in (told["families"], told["roles"]):
            assert math.isclose(math.fsum([told["base"], *groups.values()]), told["log_odds"], abs_tol=1e-9)
        assert set(told["families"]) == {feature["family"] for feature in told["features"]}


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_an_accounts_own_features_give_its_score(client: httpx.Client, served: Workspace, outcome: str) -> None:
    scores = stored(served, outcome)[::20]
    told = [explain(client, score["account"], outcome) for score in scores]
    rows = [{feature["name"]: feature["value"] for feature in one["features"]} for one in told]
    found = client.post(FEATURES, json={"outcome": outcome, "rows": rows}).raise_for_status().json()["scores"]
    assert found == [{name: score[name] for name in ("probability", "low", "high", "reasons")} for score in scores]


def test_features_left_out_are_null(client: httpx.Client) -> None:
    one, other = (
        client.post(FEATURES, json={"outcome": "churn", "rows": [row]}).raise_for_status().json()["scores"]
        for row in ({}, {"days_to_renewal": None})
    )
    assert one == other
    assert 0 < one[0]["low"] <= one[0]["probability"] <= one[0]["high"] < 1


def test_list(client: httpx.Client, served: Workspace) -> None:
    ranked = lists.ranked(served, "churn")
    lines = [line.as_dict() | freshness.aged(served, line.score.as_of) for line in ranked]
    assert len(lines) == 25
    assert client.get("/v1/lists/churn").json() == {"outcome": "churn", "lines": lines}
    assert client.get("/v1/lists/churn", params={"top": 3}).json()["lines"] == lines[:3]
    owner = lines[0]["owner"]
    mine = client.get("/v1/lists/churn", params={"owner": owner}).json()["lines"]
    assert mine[0] == lines[0]
    assert {line["owner"] for line in mine} == {owner}


# Health


def test_health(client: httpx.Client, served: Workspace) -> None:
    told = client.get("/v1/health").raise_for_status().json()
    assert (told["status"], told["workspace"]) == ("ok", "tiny")
    assert told["outcomes"].keys() == set(OUTCOMES)
    churn = told["outcomes"]["churn"]
    assert (churn["model_version"], churn["rows"]) == (1, len(stored(served, "churn")))
    assert churn["trained_on_until"] < churn["as_of"] == "2026-06-30"


def test_bentoml_says_live_and_ready(client: httpx.Client) -> None:
    assert client.get("/livez").status_code == 200
    assert client.get("/readyz").status_code == 200


def test_metrics_and_log_name_routes_and_never_accounts(
    client: httpx.Client, server: Server, served: Workspace
) -> None:
    account = stored(served, "churn")[0]["account"]
    client.get(f"/v1/accounts/{account}/scores").raise_for_status()
    client.get(f"/{account}")
    metrics = client.get("/metrics").raise_for_status().text
    assert (
        'propensity_request_seconds_count{method="GET",route="/v1/accounts/{account:path}/scores",status="200"}'
        in metrics
    )
    assert 'route="unknown",status="404"' in metrics
    log = server.log.read_text(encoding="utf-8")
    ours = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    asked = {(line.get("method"), line.get("route"), line.get("status"), line.get("key")) for line in ours}
    assert ("GET", "/v1/accounts/{account:path}/scores", 200, "open") in asked
    assert account not in metrics + log


# Errors

Case = tuple[str, str, dict[str, Any], int, str]
"""Method, path, what else httpx sends, and the status and words expected."""


def body(outcome: Any = "churn", **rest: Any) -> dict[str, Any]:
    return {"content": json.dumps({"outcome": outcome, **rest}), "headers": JSON}


def raw(content: str | bytes, kind: str = "application/json") -> dict[str, Any]:
    return {"content": content, "headers": {"Content-Type": kind}}


ERRORS: dict[str, list[Case]] = {
    "score": [
        ("POST", SCORE, body("renewal", accounts=["a"]), 404, "no outcome 'renewal'"),
        ("POST", SCORE, body(accounts=["nobody"]), 404, "no account 'nobody'"),
        ("POST", SCORE, body(accounts=[]), 400, "body.accounts"),
        ("POST", SCORE, body(accounts=["a"] * 10_001), 400, "body.accounts"),
        ("POST", SCORE, body(accounts=[1]), 400, "body.accounts.0"),
        ("POST", SCORE, body(accounts="a"), 400, "body.accounts"),
        ("POST", SCORE, body(7, accounts=["a"]), 400, "body.outcome"),
        ("POST", SCORE, body(accounts=["a"], acounts=["b"]), 400, "body.acounts"),
        ("POST", SCORE, body(), 400, "body.accounts"),
        ("POST", SCORE, body(accounts=[math.nan]), 400, "NaN is no number in JSON"),
        ("POST", SCORE, body(accounts=["\ud800"]), 400, "half a character"),
        ("POST", SCORE, raw("[]"), 400, "body"),
        ("POST", SCORE, raw("null"), 400, "body"),
        ("POST", SCORE, raw(""), 400, "body"),
        ("POST", SCORE, raw('{"outcome": '), 400, "JSON"),
        ("POST", SCORE, raw(b"\xff\xfe{"), 400, "cannot be read"),
        ("POST", SCORE, raw("[" * 100_000), 400, "cannot be read"),
        ("POST", SCORE, raw("9" * 5_000), 400, "cannot be read"),
        ("POST", SCORE, raw('{"outcome": "churn", "accounts": ["a"]}', "text/plain"), 415, "not declared as JSON"),
        ("POST", SCORE, {"content": "{}"}, 415, "not declared as JSON"),
        ("POST", SCORE, raw(b" " * 3_000_000), 413, "larger than 2,000,000 bytes"),
        ("GET", SCORE, {}, 405, "does not take this method"),
    ],
    "stream": [
        ("POST", f"{SCORE}/stream", body("renewal", accounts=["a"]), 404, "no outcome 'renewal'"),
        ("POST", f"{SCORE}/stream", body(accounts=[]), 400, "body.accounts"),
        ("POST", f"{SCORE}/stream", body(accounts=["a"] * 10_001), 400, "body.accounts"),
        ("GET", f"{SCORE}/stream", {}, 405, "does not take this method"),
    ],
    "now": [
        ("GET", f"{UNKNOWN}/now?outcome=churn", {}, 404, "no account 'nobody'"),
        ("GET", f"{UNKNOWN}/now?outcome=renewal", {}, 404, "no outcome 'renewal'"),
        ("GET", f"{UNKNOWN}/now", {}, 400, "query.outcome"),
        ("GET", f"{UNKNOWN}/now?outcome=churn&as_of=2026-01-01", {}, 400, "takes no as_of"),
    ],
    "features": [
        ("POST", FEATURES, body("renewal", rows=[{}]), 404, "no outcome 'renewal'"),
        ("POST", FEATURES, body(rows=[]), 400, "body.rows"),
        ("POST", FEATURES, body(rows=[{}] * 1_001), 400, "body.rows"),
        ("POST", FEATURES, body(rows=[{"\ud800": 3}]), 400, "half a character"),
        ("POST", FEATURES, body(rows=[{"days_to_renewel": 3}]), 400, "no feature called days_to_renewel"),
        ("POST", FEATURES, body(rows=[{}, {"days_to_renewal": math.nan}]), 400, "NaN is no number"),
        ("POST", FEATURES, body(rows=[{"days_to_renewal": -math.inf}]), 400, "-Infinity is no number"),
        ("POST", FEATURES, raw('{"outcome": "churn", "rows": [{"days_to_renewal": 1e999}]}'), 400, "finite number"),
        ("POST", FEATURES, body(rows=[{"days_to_renewal": 10**400}]), 400, "finite number"),
        ("POST", FEATURES, body(rows=[{"days_to_renewal": True}]), 400, "finite number"),
        ("POST", FEATURES, body(rows=[{"days_to_renewal": "3"}]), 400, "finite number"),
        ("POST", FEATURES, body(rows=[{"days_to_renewal": [3]}]), 400, "finite number"),
        ("POST", FEATURES, body(rows=[{"industry": 3}]), 400, "rows.0.industry is not text"),
        ("POST", FEATURES, raw("{}", "text/plain"), 415, "not declared as JSON"),
    ],
    "account": [
        ("GET", f"{UNKNOWN}/scores", {}, 404, "no account 'nobody'"),
        ("GET", "/v1/accounts/a%2Fb%F0%9F%92%A9/scores", {}, 404, "no account"),
        ("GET", "/v1/accounts/a%00b/scores", {}, 400, "a NUL in it"),
        ("DELETE", f"{UNKNOWN}/scores", {}, 405, "does not take this method"),
    ],
    "explain": [
        ("GET", f"{UNKNOWN}/explain?outcome=churn", {}, 404, "no account 'nobody'"),
        ("GET", f"{UNKNOWN}/explain?outcome=renewal", {}, 404, "no outcome 'renewal'"),
        ("GET", f"{UNKNOWN}/explain", {}, 400, "query.outcome"),
    ],
    "lists": [
        ("GET", "/v1/lists/renewal", {}, 404, "no outcome 'renewal'"),
        ("GET", "/v1/lists/churn?owner=nobody", {}, 404, "nobody called 'nobody'"),
        ("GET", "/v1/lists/churn?owner=", {}, 400, "query.owner"),
        ("GET", "/v1/lists/churn?top=0", {}, 400, "query.top"),
        ("GET", "/v1/lists/churn?top=x", {}, 400, "query.top"),
        ("GET", "/v1/lists/churn?topp=3", {}, 400, "takes no topp"),
    ],
    "scores": [
        ("GET", "/v1/scores?outcome=renewal", {}, 404, "no outcome 'renewal'"),
        ("GET", "/v1/scores", {}, 400, "query.outcome"),
        ("GET", "/v1/scores?outcome=churn&sort=probability;drop", {}, 400, "query.sort"),
        ("GET", "/v1/scores?outcome=churn&page_size=0", {}, 400, "query.page_size"),
        ("GET", "/v1/scores?outcome=churn&page_size=1001", {}, 400, "query.page_size"),
        ("GET", "/v1/scores?outcome=churn&cursor=x", {}, 400, "cursor"),
        ("GET", "/v1/scores?outcome=churn&owner=nobody", {}, 404, "has the owner 'nobody'"),
        ("GET", "/v1/scores?outcome=churn&segment=none", {}, 404, "has the segment 'none'"),
        ("GET", "/v1/scores?outcome=churn&filter=1", {}, 400, "takes no filter"),
        ("POST", "/v1/scores", raw("{}"), 405, "does not take this method"),
    ],
    "stored": [
        ("GET", f"/v1/scores/{'0' * 20}", {}, 404, "no score has the id"),
        ("GET", f"/v1/scores/{'0' * 20}/replay", {}, 404, "no score has the id"),
        ("GET", "/v1/scores/%00", {}, 400, "a NUL in it"),
        ("GET", "/v1/scores/x/replay", {}, 400, "path.score_id"),
    ],
    "movement": [
        ("GET", f"{UNKNOWN}/movement", {}, 404, "no account 'nobody'"),
        ("GET", f"{UNKNOWN}/movement?since=yesterday", {}, 400, "query.since"),
    ],
    "what_if": [
        ("POST", f"{UNKNOWN}/what-if", raw('{"changes": {"touches": 1}}'), 404, "no account 'nobody'"),
        ("POST", f"{UNKNOWN}/what-if", raw('{"changes": {}}'), 400, "body.changes"),
        ("POST", f"{UNKNOWN}/what-if", raw('{"changes": {"touches": NaN}}'), 400, "NaN is no number"),
        ("POST", f"{UNKNOWN}/what-if", raw('{"changes": {"touches": "1"}}'), 400, "body.changes.touches"),
    ],
    "levers": [("GET", f"{UNKNOWN}/levers", {}, 404, "no account 'nobody'")],
    "search": [
        ("GET", "/v1/search", {}, 400, "query.q"),
        ("GET", "/v1/search?q=", {}, 400, "query.q"),
        ("GET", "/v1/search?q=%20", {}, 400, "query.q"),
        ("GET", f"/v1/search?q={'a' * 201}", {}, 400, "query.q"),
        ("GET", "/v1/search?q=a&top=101", {}, 400, "query.top"),
        ("GET", "/v1/search?q=a&owner=ann", {}, 400, "takes no owner"),
    ],
    "signals": [
        ("GET", f"{UNKNOWN}/signals", {}, 404, "no account 'nobody'"),
        ("GET", f"{UNKNOWN}/signals?as_of=today", {}, 400, "query.as_of"),
    ],
    "people": [
        ("GET", f"{UNKNOWN}/people", {}, 404, "no account 'nobody'"),
        ("GET", f"{UNKNOWN}/people?as_of=2026-2-1", {}, 400, "query.as_of"),
    ],
    "timeline": [
        ("GET", f"{UNKNOWN}/timeline", {}, 404, "no account 'nobody'"),
        ("GET", f"{UNKNOWN}/timeline?top=0", {}, 400, "query.top"),
    ],
    "history": [("GET", f"{UNKNOWN}/history", {}, 404, "no account 'nobody'")],
    "curve": [("GET", f"{UNKNOWN}/curve", {}, 404, "no account 'nobody'")],
    "calls": [
        ("GET", "/v1/calls?owner=nobody", {}, 404, "nobody called 'nobody'"),
        ("GET", "/v1/calls?capacity=0", {}, 400, "query.capacity"),
    ],
    "advocates": [
        ("GET", "/v1/advocates?top=0", {}, 400, "query.top"),
        ("GET", "/v1/advocates?kind=favour", {}, 400, "query.kind"),
        ("GET", "/v1/advocates?owner=nobody", {}, 404, "nobody called 'nobody'"),
        ("GET", "/v1/advocates/blocked?rule=luck", {}, 400, "query.rule"),
        ("GET", "/v1/advocates/blocked?skip=-1", {}, 400, "query.skip"),
    ],
    "asked": [
        ("GET", "/v1/asks/open?owner=nobody", {}, 404, "nobody called 'nobody'"),
        ("GET", "/v1/asks/open?top=0", {}, 400, "query.top"),
    ],
    "eligibility": [("GET", f"{UNKNOWN}/eligibility", {}, 404, "no account 'nobody'")],
    "states": [
        ("GET", "/v1/states?months=0", {}, 400, "query.months"),
        ("GET", "/v1/states?state=happy", {}, 400, "query.state"),
    ],
    "standing": [("GET", f"{UNKNOWN}/state", {}, 404, "no account 'nobody'")],
    "portfolio": [
        ("GET", "/v1/portfolio?by=planet", {}, 400, "query.by"),
        ("GET", "/v1/portfolio?country=", {}, 400, "query.country"),
        ("GET", "/v1/portfolio?by=segment&country=Utopia", {}, 404, "nothing has the country 'Utopia'"),
    ],
    "programme": [("GET", "/v1/programme?days=27", {}, 400, "query.days")],
    "alerts": [
        ("GET", "/v1/alerts?owner=nobody", {}, 404, "nobody called 'nobody'"),
        ("GET", "/v1/alerts?top=3", {}, 400, "takes no top"),
    ],
    "attended": [
        ("POST", "/v1/alerts/a-0/close", raw('{"why": "done", "by": "ann"}'), 404, "knows nothing of 'a-0'"),
        ("POST", "/v1/alerts/a-0/close", raw('{"by": "ann"}'), 400, "body.why"),
        ("POST", "/v1/alerts/a-0/snooze", raw('{"until": "tomorrow", "by": "ann"}'), 400, "body.until"),
        ("POST", "/v1/alerts/a-0/snooze", raw('{"until": "2026-02-30", "by": "ann"}'), 400, "no such day"),
        ("POST", "/v1/alerts/a-0/snooze", raw('{"until": "2026-09-01"}'), 400, "does not say who"),
    ],
    "stories": [("GET", "/v1/stories?top=0", {}, 400, "query.top")],
    "effect": [("GET", "/v1/effect?by=owner", {}, 400, "takes no by")],
    "beacon": [("GET", "/v1/beacon?outcome=renewal", {}, 404, "no outcome 'renewal'")],
    "worth": [("GET", "/v1/worth?metric=luck", {}, 404, "no metric is called 'luck'")],
    "initiative": [
        ("GET", "/v1/initiative?metric=nps", {}, 400, "query.cost"),
        ("GET", "/v1/initiative?cost=1", {}, 400, "either raises a metric or calls"),
        ("GET", "/v1/initiative?cost=1&metric=nps&calls=true", {}, 400, "either raises a metric or calls"),
        ("GET", "/v1/initiative?cost=1&calls=true", {}, 409, "has not been measured"),
        ("GET", "/v1/initiative?cost=-1&metric=nps", {}, 400, "query.cost"),
    ],
    "overrides": [("GET", f"{UNKNOWN}/overrides", {}, 404, "no account 'nobody'")],
    "log": [
        ("GET", "/v1/log?account=nobody", {}, 404, "no account 'nobody'"),
        ("GET", "/v1/log?about=everything", {}, 400, "query.about"),
        ("GET", "/v1/log?cursor=0", {}, 400, "query.cursor"),
    ],
    "outreach": [
        ("POST", "/v1/outreach", raw('{"account": "nobody", "by": "ann"}'), 404, "no account 'nobody'"),
        ("POST", "/v1/outreach", raw('{"account": "nobody"}'), 400, "does not say who"),
        ("POST", "/v1/outreach", raw('{"account": "a", "by": "ann", "at": "yesterday"}'), 400, "body.at"),
        ("POST", "/v1/outreach", raw('{"account": "a", "by": "ann", "at": "2026-02-30"}'), 400, "body.at"),
        ("POST", "/v1/outreach", raw('{"account": "a", "by": "ann", "at": "2027-02-29"}'), 400, "no such instant"),
        ("POST", "/v1/outreach", raw('{"account": "a", "by": "ann", "at": 1}'), 400, "body.at"),
        ("POST", "/v1/outreach", raw('{"account": "a", "by": "a\\u0000b"}'), 400, "has a NUL"),
        ("POST", "/v1/outreach", raw('{"account": "a", "by": "\\ud800"}'), 400, "half a character"),
        ("POST", "/v1/outreach/t-0/done", raw('{"by": "ann"}'), 404, "knows nothing of 't-0'"),
        ("POST", "/v1/outreach/t-0/outcome", raw('{"by": "ann"}'), 400, "body.outcome"),
        ("POST", "/v1/calls/plan", raw('{"capacity": 0, "by": "ann"}'), 400, "body.capacity"),
    ],
    "opt_outs": [
        ("POST", "/v1/opt-outs", raw('{"account": "nobody", "by": "ann"}'), 404, "no account 'nobody'"),
        ("POST", "/v1/opt-outs", raw('{"by": "ann"}'), 400, "body.account"),
    ],
    "opinions": [
        ("POST", f"/v1/scores/{'0' * 20}/opinion", raw('{"agrees": true, "why": "so", "by": "ann"}'), 404, "no score"),
        ("POST", f"/v1/scores/{'0' * 20}/opinion", raw('{"agrees": 1, "why": "so"}'), 400, "body.agrees"),
        ("POST", f"/v1/scores/{'0' * 20}/override", raw('{"probability": 2, "why": "so"}'), 400, "body.probability"),
    ],
    "asks": [
        ("POST", "/v1/asks", raw('{"account": "nobody", "kind": "review", "by": "ann"}'), 404, "no account 'nobody'"),
        ("POST", "/v1/asks", raw('{"account": "nobody", "kind": "favour", "by": "ann"}'), 400, "body.kind"),
        ("POST", "/v1/asks/k-0/accepted", raw('{"by": "ann"}'), 404, "knows nothing of 'k-0'"),
    ],
    "models": [("POST", "/v1/models", raw("{}"), 405, "does not take this method")],
    "judged": [
        ("GET", "/v1/models/renewal/versions/1", {}, 404, "no outcome 'renewal'"),
        ("GET", "/v1/models/churn/versions/9", {}, 404, "version 9"),
        ("GET", "/v1/models/churn/versions/one", {}, 400, "path.version"),
        ("GET", "/v1/models/renewal/backtest", {}, 404, "no outcome 'renewal'"),
        ("GET", "/v1/models/churn/backtest", {}, 404, "has not been tested back"),
    ],
    "quality": [("GET", "/v1/data?table=usage", {}, 400, "takes no table")],
    "champions": [
        ("POST", "/v1/models/renewal/promote", raw('{"by": "ann"}'), 404, "no outcome 'renewal'"),
        ("POST", "/v1/models/churn/promote", raw('{"version": 9, "by": "ann"}'), 404, "version 9"),
        ("POST", "/v1/models/churn/promote", raw('{"version": 1, "by": "ann"}'), 409, "version 1"),
        ("POST", "/v1/models/churn/rollback", raw('{"champion": 7, "by": "ann"}'), 409, "is version 1, not 7"),
        ("POST", "/v1/models/churn/rollback", raw('{"by": "ann"}'), 400, "body.champion"),
    ],
    "health": [("POST", "/v1/health", raw("{}"), 405, "does not take this method")],
    "": [
        ("GET", "/v1", {}, 404, "nothing at this path"),
        ("GET", "/v2/score", {}, 404, "nothing at this path"),
        ("POST", "/docs.json", raw("{}"), 404, "nothing at this path"),
        ("GET", "/schema.json", {}, 404, "nothing at this path"),
    ],
}


@pytest.mark.parametrize(
    ("method", "path", "rest", "status", "words"),
    [
        pytest.param(*case, id=f"{name or 'elsewhere'}-{number}")
        for name, cases in ERRORS.items()
        for number, case in enumerate(cases)
    ],
)
def test_error(client: httpx.Client, method: str, path: str, rest: dict[str, Any], status: int, words: str) -> None:
    assert words in refused(client.request(method, path, **rest), status)


def test_every_endpoint_is_registered_and_has_an_error_test() -> None:
    files = {file.stem for file in Path(endpoints.__path__[0]).glob("*.py")} - {"__init__"}
    assert {endpoint.__name__.rpartition(".")[2] for endpoint in web.ENDPOINTS} == files
    assert {name for name, cases in ERRORS.items() if cases and name} == files


def test_too_large_without_a_declared_length(client: httpx.Client) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(30):
            yield b" " * 100_000

    assert "larger than" in refused(client.post(SCORE, content=chunks(), headers=JSON), 413)


def test_an_unknown_feature_is_told_the_closest(client: httpx.Client) -> None:
    answer = client.post(FEATURES, json={"outcome": "churn", "rows": [{"days_to_renewel": 3}]})
    assert "days_to_renewal" in answer.json()["hint"]


def test_still_well_after_all_that(client: httpx.Client, server: Server) -> None:
    assert client.get("/readyz").status_code == 200
    assert "Traceback" not in server.log.read_text(encoding="utf-8")


def test_what_nobody_expected_is_told_to_the_log_alone(inside: Inside, caplog: pytest.LogCaptureFixture) -> None:
    bug = "the matter of account a0001"

    def fail(request: Request) -> None:
        raise ZeroDivisionError(bug)

    inside.app.add_route("/bug", fail)
    answer = inside.ask("GET", "/bug")
    assert "unexpected" in refused(answer, 500)
    assert bug not in answer.text
    (failed,) = (record for record in caplog.records if record.exc_info)
    line = json.loads(Lines().format(failed))
    assert (line["exception"], "fail" in line["trace"][-1]) == ("ZeroDivisionError", True)
    assert bug not in json.dumps(line)


def test_before_anything_is_loaded_the_answer_is_503() -> None:
    answer = Inside(web.application()).ask("GET", "/v1/health")
    assert "still loading" in refused(answer, 503)
    assert answer.headers["retry-after"] == "1"


# Models that cannot be used


@pytest.fixture
def breakable(served: Workspace, tmp_path: Path) -> Workspace:
    """The workspace again, with a registry that knows the same versions, to be damaged."""
    shutil.copytree(served.root, tmp_path / "copy", ignore=shutil.ignore_patterns("bentoml", "data"))
    return load(tmp_path / "copy")


def damage(workspace: Workspace, outcome: str) -> None:
    """Flip one bit in the middle of a booster of the champion that is kept ready to load, or of its contract where it
    is so simple a model that it has none.
    """
    version = Registry(workspace).require_champion(outcome)
    folder = workspace.state / "models" / version.sha256
    file = min(folder.glob("part-*.txt"), default=folder / CONTRACT)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def test_a_damaged_model_is_refused_before_lightgbm_sees_it(
    breakable: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def parsed(**_: object) -> None:
        pytest.fail("LightGBM was given a damaged model, which can kill the process")

    damage(breakable, "churn")
    monkeypatch.setattr(lightgbm, "Booster", parsed)
    registry = Registry(breakable)
    with pytest.raises(PropensityError, match="SHA-256 differs") as caught:
        registry.load(registry.require_champion("churn"))
    assert caught.value.status == 503


def test_a_damaged_model_makes_the_service_not_ready_and_says_why(breakable: Workspace, tmp_path: Path) -> None:
    damage(breakable, "advocacy")
    account = stored(breakable, "churn")[0]["account"]
    running = launch(breakable, tmp_path / "server.log")
    assert running.client.get("/livez").status_code == 200
    assert running.client.get("/readyz").status_code == 503
    assert "SHA-256 differs" in refused(ask(running.client, "advocacy", account), 503)
    assert ask(running.client, "churn", account).status_code == 200
    health = running.client.get("/v1/health").json()
    assert health["status"] == "degraded"
    assert "SHA-256 differs" in health["outcomes"]["advocacy"]["error"]
    assert stop(running) == 0
    assert "advocacy is not served" in running.log.read_text(encoding="utf-8")


def test_an_outcome_without_champion_is_no_reason_not_to_serve_the_other(breakable: Workspace) -> None:
    Registry(breakable).client.delete_registered_model_alias("advocacy", "champion")
    live = Live.load(breakable)
    assert live.ready
    with pytest.raises(PropensityError, match="no champion for advocacy") as caught:
        live.of("advocacy")
    assert (caught.value.status, "propensity train" in caught.value.hint) == (503, True)


def test_without_any_champion_the_service_is_not_ready(breakable: Workspace) -> None:
    for outcome in OUTCOMES:
        Registry(breakable).client.delete_registered_model_alias(outcome, "champion")
    assert not Live.load(breakable).ready


def test_scores_that_are_not_the_champions_are_not_served_as_its(breakable: Workspace) -> None:
    store = Store(breakable)
    with store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE batches SET model_version = 9 WHERE outcome = 'churn'")
    live = Live.load(breakable)
    with pytest.raises(PropensityError, match=re.escape("version 1, and the latest scores are of version 9")) as caught:
        live.score("churn", "anybody")
    assert caught.value.status == 503


def test_a_score_that_differs_from_the_batch_is_an_error(breakable: Workspace) -> None:
    with Store(breakable).engine.begin() as connection:
        connection.exec_driver_sql("UPDATE scores SET probability = probability / 2 WHERE outcome = 'churn'")
    with pytest.raises(PropensityError, match="not the one that the batch has") as caught:
        Live.load(breakable).score("churn", stored(breakable, "churn")[0]["account"])
    assert caught.value.status == 500


def test_a_port_that_is_taken_is_said_before_anything_starts(server: Server, served: Workspace) -> None:
    with pytest.raises(PropensityError, match=f"127.0.0.1:{server.port} cannot be listened on"):
        serve(served.root, port=server.port)
