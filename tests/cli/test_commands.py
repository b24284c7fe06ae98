"""The command: help, JSON, exit statuses, and errors that name the cure."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from features.workspace import FILE, Workspace
from serving import cli
from tests import commands, company, worlds
from tests.commands import Command
from training import metrics
from training.registry import Registry

COMMANDS = [command.name or command.callback.__name__ for command in cli.app.registered_commands if command.callback]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_with_an_example(name: str, propensity: Command) -> None:
    done = propensity(name, "--help")
    assert done.status == 0
    assert f"Example: propensity {name} " in re.sub(r"\s+", " ", done.out)
    assert "--json" in done.out
    assert done.err == ""


def test_without_a_command_there_is_help(propensity: Command) -> None:
    done = propensity()
    assert all(name in done.out + done.err for name in COMMANDS)


def test_the_main_job_as_processes_of_their_own(tmp_path: Path) -> None:
    """Raw files to a ranked list; each step says one JSON document on standard output and nothing else there."""
    root = company.found(tmp_path / "company").root
    trained = commands.run("train", "--workspace", root, "--json")
    assert (trained.status, sorted(trained.document)) == (0, ["advocacy", "churn"])
    for result in trained.document.values():
        assert {"verdict", "version", "promoted", "reasons", "metrics", "baselines"} <= set(result)
        assert (result["verdict"], result["version"], result["promoted"]) == ("promoted", 1, True)
        assert len(result["reasons"]) == 4
        for judged in (result["metrics"], *result["baselines"].values()):
            assert set(judged) == {*metrics.METRICS, "n", "positives"}
            assert judged["n"] > judged["positives"] > 0
            for name in metrics.METRICS:
                assert set(judged[name]) == {"value", "low", "high"}
        assert set(result["baselines"]) == {"base rate", "best column", "recency", "logistic regression"}
        assert result["baselines"]["base rate"]["auc"]["value"] == 0.5
        assert result["metrics"]["auc"]["low"] <= result["metrics"]["auc"]["value"] <= result["metrics"]["auc"]["high"]
    scored = commands.run("score", "--workspace", root, "--json")
    assert (scored.status, set(scored.document)) == (0, {"rows", "as_of", "path", "churn", "advocacy"})
    assert scored.document["as_of"] == str(company.UNTIL)
    assert scored.document["rows"] == sum(scored.document[outcome]["rows"] for outcome in ("churn", "advocacy"))
    for outcome in ("churn", "advocacy"):
        batch = scored.document[outcome]
        assert Path(batch["path"]).parent == Path(scored.document["path"])
        assert (batch["as_of"], batch["rows"] > 0) == (str(company.UNTIL), True)
        assert Path(batch["path"]).is_file()
        assert Path(batch["path"]).name == f"{outcome}-{company.UNTIL}.parquet"
    listed = commands.run("list", "churn", "--workspace", root, "--top", 3, "--json")
    assert (listed.status, len(listed.document["lines"])) == (0, 3)
    assert [line["rank"] for line in listed.document["lines"]] == [1, 2, 3]
    for said in (trained, scored, listed):
        assert "Traceback" not in said.err
        assert "Warning" not in said.err


def test_check_reports_every_table(propensity: Command, again: Workspace) -> None:
    with (again.root / "data" / "usage.csv").open("a", encoding="utf-8") as usage:
        usage.write("nobody,2026-06-01T00:00:00+00:00,login,1\na0001,someday,login,1\n")
    done = propensity("check", "--workspace", again.root, "--json")
    assert done.status == 0
    assert set(done.document) == {*again.config.tables, "checks", "observed_until", "features", "steadiness"}
    assert done.document["observed_until"] == str(company.UNTIL)
    assert done.document["features"]["columns"] > 50
    for table in again.config.tables:
        assert {"rows", "quarantined", "problems"} <= set(done.document[table])
    usage_report = done.document["usage"]
    assert (usage_report["read"] - usage_report["rows"], usage_report["quarantined"]) == (2, 2)
    assert [problem["count"] for problem in usage_report["problems"]] == [1, 1]
    assert Path(usage_report["quarantine_file"]).read_text(encoding="utf-8").count("\n") == 3
    told = propensity("check", "--workspace", again.root)
    assert (told.status, "2 set aside" in told.out) == (0, True)


def test_features_builds_one_date_or_all(propensity: Command, again: Workspace) -> None:
    one = propensity("features", "--workspace", again.root, "--as-of", "2026-02-14", "--json")
    assert list(one.document["frames"]) == ["2026-02-14"]
    every = propensity("features", "--workspace", again.root, "--json")
    assert len(every.document["frames"]) > 10
    assert all(Path(path).is_file() for path in every.document["frames"].values())
    assert every.document["columns"] == one.document["columns"]
    assert propensity("features", "--workspace", again.root).status == 0


def test_a_model_that_is_not_promoted_gives_exit_status_3(propensity: Command, copied: Workspace) -> None:
    file = copied.root / FILE
    file.write_text(file.read_text(encoding="utf-8").replace('"minimum_positives" = 10', '"minimum_positives" = 150'))
    done = propensity("train", "--workspace", copied.root, "--outcome", "churn", "--json")
    assert done.status == 3
    assert list(done.document) == ["churn"]
    result = done.document["churn"]
    assert (result["verdict"], result["promoted"], result["version"]) == ("no usable signal", False, None)
    assert result["metrics"] is None
    assert "at least 150 are needed" in result["reasons"][0]
    told = propensity("train", "--workspace", copied.root, "--outcome", "churn")
    assert (told.status, "no usable signal" in told.out) == (3, True)
    scored = propensity("score", "--workspace", copied.root, "--json")
    assert (scored.status, "has a champion" in scored.document["error"]) == (3, True)


def test_an_outcome_without_a_champion_is_skipped_and_says_so(propensity: Command, again: Workspace) -> None:
    Registry(again).client.delete_registered_model_alias("advocacy", "champion")
    done = propensity("score", "--workspace", again.root, "--json")
    assert done.status == 0
    assert done.document["churn"]["rows"] > 0
    assert done.document["advocacy"]["skipped"] == "there is no champion"
    assert (done.document["advocacy"]["rows"], done.document["advocacy"]["path"]) == (0, None)
    assert "advocacy: no scores, there is no champion" in propensity("score", "--workspace", again.root).out


def test_init_writes_a_file_to_start_from_and_never_over_another(propensity: Command, tmp_path: Path) -> None:
    file = tmp_path / "acme" / FILE
    assert propensity("init", tmp_path / "acme", "--json").document == {"path": str(file)}
    assert 'name = "acme"' in file.read_text(encoding="utf-8")
    done = propensity("init", tmp_path / "acme", "--json")
    assert (done.status, "is there already" in done.document["error"]) == (2, True)
    data = company.tables(4, 1, signal=True)
    for name, days in (("accounts", {}), ("usage", {"contact": None})):
        rows = [{**row, **days} for row in data[name]]
        worlds.write_csv(tmp_path / "acme" / "data" / f"{name}.csv", rows, worlds.columns_of(name, rows))
    checked = propensity("check", "--workspace", tmp_path / "acme", "--json")
    assert (checked.status, checked.document["accounts"]["rows"]) == (0, 4)


ERRORS: dict[str, tuple[list[str], str, str]] = {
    "no workspace": (["list", "churn", "--workspace", "nowhere"], "nowhere is no workspace", "propensity init nowhere"),
    "unknown outcome, list": (["list", "growth"], "no outcome 'growth' in this workspace", "advocacy, churn"),
    "unknown outcome, train": (["train", "--outcome", "growth"], "no outcome 'growth' in this workspace", "churn"),
    "unknown account": (["explain", "a9999"], "there is no account 'a9999'", "accounts table"),
    "unknown owner": (["list", "churn", "--owner", "nemo"], "nobody called 'nemo'", "Use one of them"),
    "unknown score id": (["replay", "0123"], "no score has the id '0123'", "propensity list"),
    "bad date, score": (["score", "--as-of", "yesterday"], "--as-of is 'yesterday'", "YYYY-MM-DD"),
    "bad date, features": (["features", "--as-of", "31.12.2025"], "--as-of is '31.12.2025'", "YYYY-MM-DD"),
    "a day too many": (["score", "--as-of", "2026-02-30"], "--as-of is '2026-02-30'", "YYYY-MM-DD"),
}


@pytest.mark.parametrize(("arguments", "message", "hint"), ERRORS.values(), ids=ERRORS)
def test_errors_say_what_was_wrong_and_what_to_do(
    arguments: list[str], message: str, hint: str, propensity: Command, trained: Workspace
) -> None:
    where = [] if "--workspace" in arguments else ["--workspace", str(trained.root)]
    done = propensity(*arguments, *where, "--json")
    assert done.status == 2
    assert set(done.document) == {"error", "hint", "status"}
    assert message in done.document["error"]
    assert hint in done.document["hint"]
    plain = propensity(*arguments, *where)
    assert (plain.status, plain.out) == (2, "")
    assert plain.err.startswith("error ")
    assert "\nhint " in plain.err
    assert "Traceback" not in plain.err


def test_an_account_that_is_not_scored_says_why(propensity: Command, trained: Workspace) -> None:
    listed = propensity("list", "churn", "--top", 1000, "--workspace", trained.root, "--json").document["lines"]
    scored = {line["account"] for line in listed}
    silent = sorted({f"a{number:04}" for number in range(company.ACCOUNTS)} - scored)
    assert 0 < len(silent) < company.ACCOUNTS
    done = propensity("explain", silent[0], "--workspace", trained.root, "--json")
    assert (done.status, done.document["status"]) == (2, 409)
    assert "to be scored it takes usage in the last 28 days" in done.document["error"]


def test_commands_before_their_time_name_the_one_that_comes_first(propensity: Command, tmp_path: Path) -> None:
    root = company.found(tmp_path, accounts=5).root
    for arguments, cure in ((["explain", "a0001"], "propensity features"), (["list", "churn"], "propensity train")):
        done = propensity(*arguments, "--workspace", root, "--json")
        assert (done.status, cure in done.document["hint"]) == (2, True)


def test_usage_errors_of_the_command_line_have_status_2(propensity: Command) -> None:
    for arguments in (
        ["frobnicate"],
        ["list", "--top", "0"],
        ["list", "churn", "--top", "0"],
        ["demo", "--accounts", "1"],
    ):
        assert propensity(*arguments).status == 2


def test_lists_are_cut_at_the_capacity_and_narrowed_to_an_owner(propensity: Command, trained: Workspace) -> None:
    def listed(*options: object) -> list[dict[str, object]]:
        done = propensity("list", "churn", *options, "--workspace", trained.root, "--json")
        assert (done.status, done.document["outcome"]) == (0, "churn")
        lines: list[dict[str, object]] = done.document["lines"]
        return lines

    everybody = listed("--top", 1000)
    assert [line["rank"] for line in everybody] == list(range(1, len(everybody) + 1))
    assert [line["account"] for line in listed()] == [line["account"] for line in everybody[:5]]
    for owner in ("owner-0", "owner-1", "owner-2"):
        theirs = listed("--owner", owner, "--top", 1000)
        assert theirs == [line for line in everybody if line["owner"] == owner]
        assert len(theirs) > 10
        assert listed("--owner", owner) == theirs[:5]
    told = propensity("list", "churn", "--owner", "owner-1", "--top", 2, "--workspace", trained.root)
    assert told.status == 0
    assert "churn, as of 2026-06-30: the 2 highest" in told.out


def test_explain_shows_every_outcome_with_reasons(propensity: Command, trained: Workspace) -> None:
    top = propensity("list", "churn", "--top", 1, "--workspace", trained.root, "--json").document["lines"][0]
    done = propensity("explain", top["account"], "--workspace", trained.root, "--json")
    assert (done.status, done.document["account"]) == (0, top["account"])
    scores = done.document["scores"]
    assert [score["outcome"] for score in scores] == ["churn", "advocacy"]
    assert scores[0] == top
    for score in scores:
        assert 0 <= score["low"] <= score["probability"] <= score["high"] <= 1
        assert 1 <= len(score["reasons"]) <= 3
        for reason in score["reasons"]:
            assert reason["direction"] == ("raises" if reason["contribution"] > 0 else "lowers")
    told = propensity("explain", top["account"], "--workspace", trained.root)
    assert top["score_id"] in told.out


def test_json_is_one_document_also_where_an_error_ends_it(propensity: Command, tmp_path: Path) -> None:
    done = propensity("train", "--workspace", tmp_path, "--json")
    assert json.loads(done.out)["error"] == f"{tmp_path} is no workspace: it has no {FILE}"
    assert done.status == 2


def test_the_demo_leaves_a_workspace_of_ones_own_alone(propensity: Command, tmp_path: Path) -> None:
    root = company.found(tmp_path, accounts=5).root
    before = (root / FILE).read_bytes()
    done = propensity("demo", "--workspace", root, "--accounts", 50, "--json")
    assert (done.status, "a workspace of your own" in done.document["error"]) == (2, True)
    assert (root / FILE).read_bytes() == before
