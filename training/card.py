"""The model card: one page of Markdown for whoever has to decide whether to trust a model, from its contract and numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from training import provenance
from training.judge import Judged
from training.metrics import Estimate

Numbers = Mapping[str, Estimate]
PREDICTS = {
    "churn": "how likely an account is to leave",
    "contraction": "how likely an account is to pay less",
    "expansion": "how likely an account is to pay more",
    "advocacy": "how likely an account is to speak up for us",
    "unasked": "how likely an account is to complete an act of advocacy that nobody asked for",
    "promoter": "how likely an account is to answer a survey as a promoter",
}
FOR = {
    "churn": "customer success, to choose whom to call",
    "contraction": "customer success, to choose whom to call",
    "expansion": "account managers, to choose whom to offer more",
    "advocacy": "the advocacy team, to choose whom to ask",
    "unasked": "the advocacy team, to see who speaks up by themselves",
    "promoter": "the advocacy team, to choose whom to ask",
}
SHOWN = ("log_loss", "auc", "average_precision", "brier", "ece")
NAMES = {
    "log_loss": "log loss",
    "auc": "AUC",
    "average_precision": "average precision",
    "brier": "Brier",
    "ece": "calibration error",
}
LIMITS = (
    "It tells who is likely to, not whom a call would keep: that takes outcomes of outreach with a random holdout.",
    "Contributions say what moved a score, not what caused the outcome.",
    "It holds for accounts like those it has learnt from and for times like those it was tested on.",
)
MOST = 1000  # characters of a description


@dataclass(frozen=True)
class Card:
    """What a card is made of.

    ``contract`` is the model's: ``settings`` (lead, horizon …), ``trained_on``, ``rows``, ``base_rate``, ``calibration``,
    ``data``, ``plan``, ``versions``. ``metrics``, ``baselines`` and ``segments`` (any parts of the rows) are of the
    ``test`` dates, intervals 95%. ``tested`` says how these rows are kept apart from those learnt from, ``again`` how to
    use the model again, where it is not of a workspace.
    """

    outcome: str
    contract: Mapping[str, Any]
    columns: int
    verdict: str
    reasons: list[str]
    test: Sequence[date | str]
    n: int
    positives: int
    metrics: Numbers
    baselines: Mapping[str, Numbers]
    segments: Mapping[str, Numbers] = field(default_factory=dict)
    alarms: list[str] = field(default_factory=list)
    limits: list[str] = field(default_factory=list)
    made_by: Mapping[str, str] = field(default_factory=dict)
    run: str | None = None
    rows_are: str = "an account at a date"
    columns_are: str = "only what had happened and was known by each date"
    tested: str = "later than anything it has learnt from"
    again: Sequence[str] = ()


def of(told: Mapping[str, Any], judged: Judged) -> Card:
    """The card of what training ``told`` (its JSON document) of a judged model."""
    unsure = [one for one in judged.slices if not one.metrics]
    return Card(
        outcome=judged.model.facts["outcome"],
        contract=judged.model.facts | {"calibration": told["calibration"]},
        columns=len(judged.model.encoder.columns),
        verdict=told["verdict"],
        reasons=told["reasons"],
        test=told["test"],
        n=len(judged.test),
        positives=int(judged.test.y.sum()),
        metrics=judged.metrics,
        baselines=judged.baselines,
        segments={f"{one.by}: {one.name}": one.metrics for one in judged.slices if one.metrics},
        alarms=[str(ringing) for ringing in judged.alarms],
        limits=[f"Too little to say of {one.by} {one.name}: {one.n:,} rows, {one.positives:,} yes." for one in unsure],
        made_by={"code": provenance.code(), "libraries": provenance.lock()},
        run=told["run"],
    )


def render(card: Card) -> str:
    """The whole page."""
    parts = [
        f"# {card.outcome}: {card.verdict}\n",
        _purpose(card),
        _data(card),
        "## How good it is\n",
        f"{card.n:,} rows with {card.positives:,} yes{_at(card.test)}, {card.tested}. "
        "Intervals are 95%, resampling whole accounts. Log loss, Brier and calibration error: lower is better.\n",
        _numbers("", {"**this model**": card.metrics} | dict(card.baselines)),
        *(["### By part\n", _numbers("part", card.segments)] if card.segments else []),
        "## Calibration\n",
        f"Calibrated {card.contract.get('calibration', 'as its contract says')}. {_calibration(card)}\n",
        "## What the gate said\n",
        _bullets([f"**{card.verdict}**", *card.reasons]),
        *(["## Alarms\n", _bullets(card.alarms)] if card.alarms else []),
        "## Limits\n",
        _bullets([*LIMITS, *card.limits]),
        _replay(card),
    ]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def describe(card: Card) -> str:
    """The card in a few lines, for the version's description in MLflow."""
    numbers = ", ".join(f"{NAMES[name]} {card.metrics[name]}" for name in ("log_loss", "auc") if name in card.metrics)
    said = f"{_sentence(card)} {card.verdict}. {numbers} on {card.n:,} rows{_at(card.test)}."
    return said[:MOST]


def _sentence(card: Card) -> str:
    settings = card.contract.get("settings", {})
    what = PREDICTS.get(card.outcome, f"how likely {card.outcome} is")
    lead, horizon = settings.get("lead", 0), settings.get("horizon")
    when = "" if horizon is None else f" within {horizon} days"
    after = f", from {lead} days after the date of the score" if lead else ""
    return f"It says {what}{when}{after}."


def _purpose(card: Card) -> str:
    kind = card.contract.get("settings", {}).get("kind")
    defined = f" What counts: `{kind}`, as `outcomes.{card.outcome}` in propensity.toml states it." if kind else ""
    return (
        f"{_sentence(card)}{defined} It is for {FOR.get(card.outcome, 'people who work through a list')}; it is not for "
        "deciding anything about a person.\n"
    )


def _data(card: Card) -> str:
    contract = card.contract
    dates = contract.get("trained_on", [])
    rate = contract.get("base_rate")
    lines = [
        f"learnt from {contract.get('rows', 0):,} rows ({card.rows_are}){_at(dates)}",
        *([f"share of yes among them: {rate:.1%}"] if rate is not None else []),
        f"{card.columns:,} columns; {card.columns_are}",
        f"data `{contract.get('data', 'unknown')}`, feature plan `{str(contract.get('plan', 'unknown'))[:16]}`",
    ]
    return "## Data\n\n" + _bullets(lines)


def _numbers(corner: str, table: Mapping[str, Numbers]) -> str:
    names = [name for name in SHOWN if any(name in found for found in table.values())]
    head = f"| {corner} | " + " | ".join(NAMES[name] for name in names) + " |"
    rule = "| --- |" + " --- |" * len(names)
    lines = [
        f"| {_cell(who)} | " + " | ".join(str(found[name]) if name in found else "" for name in names) + " |"
        for who, found in table.items()
    ]
    return "\n".join([head, rule, *lines]) + "\n"


def _calibration(card: Card) -> str:
    said, seen = card.metrics.get("ece"), card.metrics.get("base_rate")
    parts = [f"Calibration error {said}." if said else "", f"Share of yes in the test: {seen}." if seen else ""]
    return " ".join(part for part in parts if part) + " See reliability.png."


def _replay(card: Card) -> str:
    made_by = {**card.made_by, **({"MLflow run": card.run} if card.run else {})}
    versions = card.contract.get("versions", {})
    known = [f"{what}: `{value}`" for what, value in made_by.items()]
    libraries = ", ".join(f"{name} {version}" for name, version in versions.items())
    lines = [
        *known,
        *([f"libraries: {libraries}"] if libraries else []),
        *(card.again or _in_workspace(card.outcome)),
    ]
    return "## How to replay it\n\n" + _bullets(lines)


def _in_workspace(outcome: str) -> list[str]:
    return [
        "any stored score: `propensity replay SCORE_ID`",
        f'anywhere: `mlflow.pyfunc.load_model("models:/{outcome}@champion").predict(rows)`; no pickle is loaded',
    ]


def _at(days: Sequence[object]) -> str:
    return f" at {_days(days)}" if days else ""


def _days(days: Iterable[object]) -> str:
    ordered = sorted(str(day) for day in days)
    if len(ordered) < 3:
        return " and ".join(ordered) or "no date"
    return f"{len(ordered)} dates from {ordered[0]} to {ordered[-1]}"


def _bullets(lines: Iterable[str]) -> str:
    return "".join(f"- {' '.join(line.splitlines())}\n" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
