"""Commands about metrics: beacon, worth, initiative."""

from __future__ import annotations

import pytest

from features.workspace import FILE, Workspace
from serving.work.initiative import arr_of
from tests.commands import Command


def _said(text: str) -> str:
    return " ".join(text.split())


def test_beacon_tells_metrics_and_roles_of_each_outcome(propensity: Command, prepared: Workspace) -> None:
    done = propensity("beacon", "--workspace", prepared.root, "--json")
    assert done.status == 0
    assert set(done.document) == {"outcomes", "skipped"}
    assert list(done.document["outcomes"]) == ["churn", "advocacy"]  # expansion is not configured
    for outcome, found in done.document["outcomes"].items():
        told = [one for one in found["metrics"] if one["auc"] is not None]
        assert found["tried"] == len(told) > 2
        assert [one["auc"]["value"] for one in told] == sorted((one["auc"]["value"] for one in told), reverse=True)
        assert all(one["beacon"] == (one["band"]["low"] > 0.5) for one in told)
        assert "metrics tried" in found["headline"]
        by_name = {one["metric"]: one for one in found["metrics"]}
        assert by_name["nps_answer"]["coverage"] > 0.9
        assert by_name["usage"]["beacon"], outcome
        assert (by_name["usage"]["end"] == "low") == (outcome == "churn")
        assert "CSAT" in found["absent"]
    shown = propensity("beacon", "--workspace", prepared.root, "--outcome", "churn", "--top", 2)
    assert shown.status == 0
    assert "earn the name beacon for churn" in _said(shown.out)
    assert "more with --top" in _said(shown.out)
    assert "Usage foretells churn: the lowest" in _said(shown.out)
    refused = propensity("beacon", "--workspace", prepared.root, "--outcome", "nonsense")
    assert (refused.status, "no outcome 'nonsense'" in refused.err) == (2, True)


def test_beacon_tries_what_the_settings_name(propensity: Command, copied: Workspace) -> None:
    file = copied.root / FILE
    plain = file.read_text(encoding="utf-8")
    file.write_text(plain + '\n"beacon" = { "metrics" = ["tickets_opened", "usage_events_30d"] }\n', encoding="utf-8")
    found = propensity("beacon", "--workspace", copied.root, "--outcome", "churn", "--json")
    told = {one["metric"] for one in found.document["outcomes"]["churn"]["metrics"]}
    assert {"tickets_opened_30d", "tickets_opened_90d", "usage_events_30d"} <= told
    assert "usage_events_90d" not in told
    file.write_text(plain + '\n"beacon" = { "metrics" = ["loyalty"] }\n', encoding="utf-8")
    refused = propensity("beacon", "--workspace", copied.root, "--outcome", "churn", "--json")
    assert refused.status == 2
    assert "'loyalty'" in refused.document["error"]
    assert "docs/features.md" in refused.document["hint"]


def test_beacon_with_too_short_a_history_says_so(propensity: Command, copied: Workspace) -> None:
    file = copied.root / FILE
    plain = file.read_text(encoding="utf-8")
    file.write_text(plain.replace('"since" = 2025-05-31', '"since" = 2026-05-31'), encoding="utf-8")
    whole = propensity("beacon", "--workspace", copied.root, "--json")
    assert whole.status == 0
    assert set(whole.document["skipped"]) == {"churn", "advocacy"}
    one = propensity("beacon", "--workspace", copied.root, "--outcome", "churn")
    assert (one.status, "leave none to learn from" in _said(one.err)) == (2, True)


def test_worth_and_initiative(propensity: Command, prepared: Workspace) -> None:
    told = propensity("worth", "--workspace", prepared.root, "--metric", "nps_answer", "--json")
    assert told.status == 0
    found = told.document["metrics"]["nps_answer"]
    assert "observational" in told.document["note"]
    assert found["renewal"]["low"] < found["renewal"]["value"] < found["renewal"]["high"]
    assert found["renewal"]["accounts"] > 100
    assert found["arr_kept"]["value"] == pytest.approx(found["renewal"]["value"] * found["arr"])
    shown = propensity("worth", "--workspace", prepared.root)
    assert "observational" in _said(shown.out)
    assert "placebos" in _said(shown.out)
    asked = ("initiative", "--metric", "nps_answer", "--points", 5, "--cost", 1000, "--workspace", prepared.root)
    value = propensity(*asked, "--segment", "large", "--json").document
    assert value["evidence"]["kind"] == "observational"
    change = min(found["renewal"]["value"] / 2, value["leaving"])
    assert value["change"] == pytest.approx(change)
    assert value["expected"] == pytest.approx(value["arr"] * 0.7 * change - 1000, rel=0.05)
    assert value["break_even_points"] == pytest.approx(1000 / (0.7 * value["arr"] * found["renewal"]["value"] / 10))
    parts = [float(arr_of(prepared, one, None).sum()) for one in ("small", "large")]
    assert value["arr"] == parts[1]
    assert sum(parts) == pytest.approx(float(arr_of(prepared, None, None).sum()))
    text = propensity(*asked, "--owner", "owner-1")
    assert (text.status, "90% interval" in _said(text.out), "observational" in _said(text.out)) == (0, True, True)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--metric", "loyalty"), "no metric is called 'loyalty'"),
        (("--metric", "csat"), "nobody has answered csat"),
        (("--metric", "nps", "--segment", "tiny"), "no account is of the segment 'tiny'"),
        (("--metric", "nps", "--owner", "nobody"), "nobody called 'nobody' owns an account"),
        (("--calls",), "what calls do has not been measured"),
        ((), "either raises a metric or calls accounts"),
        (("--calls", "--metric", "nps"), "either raises a metric or calls accounts"),
    ],
)
def test_an_initiative_that_cannot_be_valued_says_why(
    options: tuple[str, ...], problem: str, propensity: Command, prepared: Workspace
) -> None:
    done = propensity("initiative", "--cost", 10, *options, "--workspace", prepared.root, "--json")
    assert done.status == 2
    assert problem in done.document["error"]
    assert done.document["hint"]
