"""The model card says what is known, and nothing that is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from training import card
from training.card import Card
from training.metrics import Estimate

NUMBERS = {
    "log_loss": Estimate(0.31, 0.29, 0.33),
    "auc": Estimate(0.81, 0.78, 0.84),
    "ece": Estimate(0.012, 0.008, 0.02),
    "base_rate": Estimate(0.11, 0.1, 0.12),
}
PLAIN = Card(
    outcome="churn",
    contract={
        "settings": {"kind": "contract", "lead": 30, "horizon": 90},
        "trained_on": ["2025-01-31", "2025-02-28", "2025-03-31"],
        "rows": 12345,
        "base_rate": 0.104,
        "calibration": "on a later fold",
        "data": "0123456789abcdef",
        "plan": "f" * 64,
        "versions": {"lightgbm": "4.7.0"},
    },
    columns=321,
    verdict="promoted",
    reasons=["better than base rate: log loss -0.0400"],
    test=[date(2025, 6, 30), date(2025, 7, 31)],
    n=2000,
    positives=220,
    metrics=NUMBERS,
    baselines={
        "base rate": {"log_loss": Estimate(0.35, 0.34, 0.36)},
        "a | b": {"log_loss": Estimate(0.34, 0.33, 0.35)},
    },
    made_by={"code": "git:abc"},
    run="r1",
)


def test_every_part_is_there() -> None:
    page = card.render(PLAIN)
    for said in (
        "# churn: promoted\n",
        "It says how likely an account is to leave within 90 days, from 30 days after the date of the score.",
        "It is for customer success",
        "12,345 rows (an account at a date) at 3 dates from 2025-01-31 to 2025-03-31",
        "share of yes among them: 10.4%",
        "321 columns",
        "2,000 rows with 220 yes at 2025-06-30 and 2025-07-31",
        "|  | log loss | AUC | calibration error |\n| --- | --- | --- | --- |",
        "| **this model** | 0.310 (0.290 to 0.330) | 0.810 (0.780 to 0.840) | 0.012 (0.008 to 0.020) |",
        "| base rate | 0.350 (0.340 to 0.360) |  |  |",
        "| a \\| b | 0.340",
        "Calibrated on a later fold. Calibration error 0.012 (0.008 to 0.020).",
        "- better than base rate: log loss -0.0400",
        "not whom a call would keep",
        "- code: `git:abc`\n- MLflow run: `r1`\n- libraries: lightgbm 4.7.0",
        'mlflow.pyfunc.load_model("models:/churn@champion")',
    ):
        assert said in page, said
    assert "By part" not in page
    assert "Alarms" not in page


def test_segments_alarms_and_limits_are_shown_where_there_are_any() -> None:
    page = card.render(
        replace(PLAIN, segments={"small": NUMBERS}, alarms=["logins is too good"], limits=["one season of data"])
    )
    assert "### By part\n\n| part | log loss" in page.replace("\n\n\n", "\n\n")
    assert "| small | 0.310" in page
    assert "## Alarms\n" in page
    assert "- logins is too good\n" in page
    assert "- one season of data\n" in page


def test_an_outcome_of_which_little_is_known_has_a_card_too() -> None:
    bare = Card("renewal", {}, 3, "no usable signal", [], [], 0, 0, {}, {})
    page = card.render(bare)
    assert page.startswith("# renewal: no usable signal\n")
    assert "It says how likely renewal is." in page
    assert "nan" not in page
    assert "None" not in page


def test_the_description_fits_where_mlflow_keeps_it() -> None:
    said = card.describe(PLAIN)
    assert "log loss 0.310 (0.290 to 0.330), AUC 0.810" in said
    assert len(card.describe(replace(PLAIN, outcome="x" * 9000))) <= card.MOST
