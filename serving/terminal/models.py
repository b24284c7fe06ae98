"""What those who make models see in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from serving.terminal import out

if TYPE_CHECKING:
    from serving.retrain import Retrained
    from serving.scores.curves import Curve
    from training.backtest import Backtest
    from training.promotion import Move
    from training.registry import Registered
    from training.retention import Judged
    from training.search import Searched


def show_backtest(found: Backtest) -> None:
    """Origins, parts and ages; then whether shuffled labels come to chance."""
    origins = _table("as of", "rows", "yes", "rung", "log loss", "base rate's", "AUC", "profit per date")
    for one in found.origins:
        origins.add_row(
            f"{one.days[0]} – {one.days[-1]}" if len(one.days) > 1 else str(one.days[0]),
            f"{one.n:,}",
            f"{one.positives:,}",
            one.rung,
            str(one.metrics["log_loss"]),
            f"{one.baselines['base rate']['log_loss'].value:.3f}",
            str(one.metrics["auc"]),
            f"{one.profit.value:,.0f}" if one.profit else "–",
        )
    out.print(f"\n[bold]{found.outcome}[/]: {len(found.origins)} origins")
    out.print(origins)
    parts = _table("part", "", "rows", "yes", "log loss", "AUC")
    for piece in found.slices:
        told = [str(piece.metrics[name]) if piece.metrics else "too few" for name in ("log_loss", "auc")]
        parts.add_row(piece.by, escape(piece.name), f"{piece.n:,}", f"{piece.positives:,}", *told)
    out.print(parts)
    ages = _table("age of the model, days", "origins", "log loss", "AUC")
    for age in found.ages:
        ages.add_row(str(age.days), str(age.origins), f"{age.log_loss:.4f}", f"{age.auc:.3f}")
    out.print(ages)
    for reason in found.skipped:
        out.print(f"[yellow]left out[/] {escape(reason)}")
    out.print(f"[dim]shuffled labels: AUC {found.shuffled}; intervals: 95%, by account[/]")


def show_searched(found: Searched) -> None:
    colour = "green" if found.better else "yellow"
    said = "better, and used from now on" if found.better else "no better; the usual ones stay"
    out.print(
        f"[bold]{found.outcome}[/]: [{colour}]{said}[/], log loss {found.log_loss:.4f} on accounts left out "
        f"(usual parameters {found.usual:.4f}); {found.trials} trials, {found.pruned} ended early"
    )
    for name, value in found.parameters.items():
        out.print(f"  {name} = {value}")


def show_models(found: dict[str, list[Registered]], moves: dict[str, list[Move]]) -> None:
    for outcome, versions in found.items():
        out.print(f"\n[bold]{outcome}[/]" + ("" if versions else ": no version yet"))
        table = _table("version", "", "registered", "verdict", "rung", "log loss", "AUC")
        for one in versions:
            numbers = [f"{one.metrics[name]:.4f}" if name in one.metrics else "–" for name in ("log_loss", "auc")]
            table.add_row(
                str(one.version.number),
                ", ".join(one.aliases),
                f"{one.registered:%Y-%m-%d %H:%M}",
                one.version.verdict,
                one.tags.get("rung", "–"),
                *numbers,
            )
        if versions:
            out.print(table)
        for move in moves[outcome]:
            out.print(f"  [dim]{_moved(move)}[/]")


def show_move(outcome: str, move: Move) -> None:
    out.print(f"[bold]{outcome}[/]: {_moved(move)}")


def show_retrained(found: list[Retrained]) -> None:
    for one in found:
        colour = "yellow" if one.what == "no champion" else "green"
        scored = f", {len(one.batch.scores):,} accounts scored as of {one.batch.as_of}" if one.batch else ""
        out.print(f"[bold]{one.outcome}[/]: [{colour}]{one.what}[/]{scored}")
        for reason in one.training.reasons if one.training else []:
            out.print(f"  [dim]{escape(reason)}[/]")


def show_retention(horizons: list[int], judged: list[Judged]) -> None:
    """Each horizon out of time, beside the same curve for everybody."""
    table = _table("left within", "rows", "left", "log loss", "Kaplan–Meier's", "AUC", "")
    for one in judged:
        told = ["–"] * 3
        if one.metrics:
            told = [str(one.metrics["log_loss"]), str(one.kaplan_meier["log_loss"]), str(one.metrics["auc"])]
        table.add_row(f"{one.horizon} days", f"{one.n:,}", f"{one.left:,}", *told, escape(one.reason))
    out.print(table)
    out.print(f"[dim]the curve reaches {horizons[-1]} days; intervals: 95%, by account[/]")


def show_curve(curve: Curve) -> None:
    out.print(f"[bold]{escape(curve.account)}[/] as of {curve.as_of}: chance to be there still")
    for days, chance in curve.stays.items():
        out.print(f"  after {days:>3} days {chance:6.1%}  {'█' * round(30 * chance)}")


def _moved(move: Move) -> str:
    before = "none" if move.before is None else f"version {move.before}"
    forced = ", forced" if move.forced else ""
    why = f": {escape(move.why)}" if move.why else ""
    return f"{move.at} {move.kind} {before} → version {move.after} by {escape(move.by)}{forced}{why}"


def _table(*headings: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in headings:
        table.add_column(heading)
    return table
