"""``docs/models.md``: per task who said what, and plainly where we lose."""

from __future__ import annotations

from typing import Any

from benchmarks.models.measure import OURS
from benchmarks.real import TRIAL
from features import catalog

Row = dict[str, Any]
KNOWS_NOTHING = "base-rate"
CALIBRATED = 0.02
"""The calibration error that is asked for, or that of a perfect model's 95th percentile where this is more."""
HEADS = ("who", "log loss", "ours minus theirs", "AUC", "calibration error", "a perfect model's", "seconds", "peak MB", "note")  # fmt: skip


def parts(rows: list[Row]) -> list[str]:
    tasks = {task: [row for row in rows if row["task"] == task] for task in dict.fromkeys(row["task"] for row in rows)}
    lines = [line for task, chosen in tasks.items() for line in verdicts(task, chosen)]
    told = [
        "# Models beside their peers",
        "Made by `make bench-models` (measure) and `make docs` (this page) from `benchmarks/results/models.json`. Everybody "
        "learns from the same rows (every training date of every account) and foretells the same later ones, each in a "
        "fresh process; one harness judges by answers that they never see. What decides a result stands beforehand in "
        "`benchmarks/models/measure.py`. Single models are stopped early on a fifth of the accounts, all dates of an "
        "account on one side; tuning leaves accounts out in turn; AutoGluon does as it comes (it holds out other dates of "
        "the accounts it learns from), and once more with accounts kept together. Intervals are 95%, by resampling "
        "accounts. AutoGluon ran on one core for twice its time, and ours beside it on the same core. *a perfect model's*: the 95th percentile of the calibration error, had every probability that was said "
        "been the true one. No date is among the features that peers are given.",
        "## Where we win and where we lose",
        "\n".join(f"- {line}" for line in lines) or "Not measured yet.",
    ]
    for task, chosen in tasks.items():
        first = chosen[0]
        told.append(
            f"## {task}\n\n{first['train_rows']:,} rows to learn from; {first['n']:,} to foretell, {first['positives']:,} yes."
        )
        told.append(catalog.grid(HEADS, [_line(row) for row in sorted(chosen, key=_loss)]))
    return told


def verdicts(task: str, rows: list[Row]) -> list[str]:
    """A line against the best peer, one against the trial by hand, one about calibration, one about time."""
    ours = next((row for row in rows if row["name"] == OURS and "log_loss" in row), None)
    peers = [row for row in rows if row["name"] not in (OURS, KNOWS_NOTHING) and "log_loss" in row]
    if ours is None or not peers:
        return [f"**{task}**: not compared yet."]
    best = min(peers, key=_loss)
    found = [_against(task, ours, best)]
    if trial := TRIAL.get(tuple(task.split(" "))):  # type: ignore[call-overload]
        gap = ours["log_loss"] - trial["log_loss"]
        found.append(
            f"**{task}**: log loss {ours['log_loss']:.4f}, the trial by hand {trial['log_loss']}: {_won(gap)}."
        )
    allowed = max(CALIBRATED, ours["ece_perfect_95"])
    found.append(
        f"**{task}**: calibration error {ours['ece']:.4f}, at most {allowed:.4f} is asked for: "
        f"{'kept' if ours['ece'] <= allowed else '**not kept**'}."
    )
    if slow := [row for row in peers if row["name"].startswith("autogluon")]:
        theirs = min(slow, key=_loss)
        found.append(
            f"**{task}**: {ours['seconds']:,.0f} s, the best AutoGluon {theirs['seconds']:,.0f} s: "
            f"{ours['seconds'] / theirs['seconds']:.2f} of its time."
        )
    return found


def _against(task: str, ours: Row, best: Row) -> str:
    line = f"**{task}**: log loss {ours['log_loss']:.4f}, the best peer ({best['who']}) {best['log_loss']:.4f}: "
    gap = best.get("ours_against")
    if gap is None:
        return line + _won(ours["log_loss"] - best["log_loss"]) + "; not of one run."
    sure = "" if gap["low"] > 0 or gap["high"] < 0 else ", within noise"
    return line + f"{_won(gap['value'])} by {abs(gap['value']):.4f} ({gap['low']:+.4f} to {gap['high']:+.4f}{sure})."


def _won(gap: float) -> str:
    return "we win" if gap < 0 else "**we lose**"


def _loss(row: Row) -> float:
    return float(row.get("log_loss", "inf"))


def _line(row: Row) -> tuple[str, ...]:
    if "log_loss" not in row:
        return (row["who"], *["–"] * (len(HEADS) - 2), row["note"])
    gap = row.get("ours_against")
    return (
        f"**{row['who']}**" if row["name"] == OURS else row["who"],
        _between(row, "log_loss"),
        f"{gap['value']:+.4f} ({gap['low']:+.4f} to {gap['high']:+.4f})" if gap else "–",
        _between(row, "auc"),
        _between(row, "ece"),
        f"{row['ece_perfect_95']:.4f}",
        f"{row['seconds']:,.1f}" + (f" of {limit:,.0f} allowed" if (limit := _allowed(row)) else ""),
        f"{row['peak_mb']:,}",
        "; ".join(part for part in (row["note"], _elsewhere(row)) if part) or "–",
    )


def _elsewhere(row: Row) -> str:
    """On how many cores it ran, where limits were stretched for that; nothing where they were as declared."""
    if row["slower"] == 1:
        return ""
    cores = row["machine"].split(", ")[1]
    return f"on {cores}, with {row['slower']:g} times the time" if _allowed(row) else f"on {cores}"


def _allowed(row: Row) -> float:
    """Seconds allowed for all splits together; 0 for no limit."""
    return float(row["options"].get("limit", 0)) * row["splits"] * row["slower"]


def _between(row: Row, name: str) -> str:
    low, high = row[f"{name}_interval"]
    return f"{row[name]:.4f} ({low:.4f} to {high:.4f})"
