"""What people see in the terminal: progress on standard error, tables and verdicts on standard output."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from features.errors import PropensityError
from serving.amounts import number

if TYPE_CHECKING:
    from features.plan import Plan
    from features.quality import Report
    from features.steadiness import Steadiness
    from serving.scores.batch import Batch
    from serving.scores.lists import Line
    from serving.scores.replay import Replay
    from training.ablation import Ablation
    from training.alarm import Alarm
    from training.metrics import Estimate
    from training.result import Result

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)
SHOWN_METRICS = {"auc": "AUC", "log_loss": "log loss", "average_precision": "precision", "ece": "calibration"}
WITH_INTERVAL = ("auc", "log_loss")


@contextmanager
def progress(title: str) -> Iterator[Callable[..., None]]:
    """A bar on standard error: call it with (done, of), or with the name of the step at hand."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task(escape(title), total=None)

        def tell(*said: Any) -> None:
            if len(said) == 2:
                bar.update(task, completed=said[0], total=said[1])
            else:
                bar.update(task, description=escape(f"{title}: {said[0]}"))

        yield tell


def as_json(document: Any) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False, default=str, allow_nan=False) + "\n")


def show_error(error: PropensityError) -> None:
    err.print(f"[bold red]error[/] {escape(error.message)}")
    err.print(f"[bold]hint[/]  {escape(error.hint)}")


def show_check(report: Report, plan: Plan | None) -> None:
    """Per table: rows, range, what was handled, what was set aside and why; then what will be computed."""
    for name, table in report.tables.items():
        span = f", {table.first} to {table.last}" if table.first else ""
        aside = f", [yellow]{table.quarantined:,} set aside[/]" if table.quarantined else ""
        again = f", {table.repeated:,} repeated" if table.repeated else ""
        out.print(f"[bold]{name}[/]  {table.rows:,} of {table.read:,} rows{again}{aside}{span}")
        for handled in table.handled:
            out.print(f"  [dim]{escape(handled)}[/]")
        for problem in table.problems:
            verb = "set aside" if problem.quarantined else "kept"
            out.print(f"  [yellow]{problem.count:,} rows ({problem.share:.1%}) {verb}[/]: {escape(problem.problem)}")
            for example in problem.examples:
                out.print(f"    [dim]{escape(example[:160])}[/]")
        if table.quarantine_file:
            out.print(f"  set aside in {escape(table.quarantine_file)}")
    for check in report.checks:
        colour = "yellow" if check.count else "green"
        out.print(f"[bold]your check[/] {escape(check.problem)}: [{colour}]{check.count:,} rows ({check.share:.1%})[/]")
        for example in check.examples:
            out.print(f"    [dim]{escape(example[:160])}[/]")
    if plan is not None:
        out.print(
            f"\n{len(plan.declarations)} features in {len(plan.columns)} columns can be computed; observed until {report.observed_until}."
        )
        if plan.missing:
            out.print(
                f"[dim]{len(plan.missing)} features have no data here; `propensity check --json` says which and why.[/]"
            )


def show_steadiness(steady: Steadiness) -> None:
    """What is not as it used to be."""
    if steady.findings:
        table = Table(
            title="unlike its own past", title_justify="left", title_style="bold", box=None, header_style="dim"
        )
        for heading in ("what", "kind", "in words"):
            table.add_column(heading)
        for finding in steady.findings:
            table.add_row(escape(finding.what), f"[yellow]{finding.kind}[/]", escape(finding.text))
        out.print(table)
    else:
        out.print("[green]steady[/]: nothing is unlike its own past")
    if steady.too_little_past:
        out.print(f"[dim]too little past to judge: {', '.join(steady.too_little_past)}[/]")


def show_result(result: Result) -> None:
    """The verdict, and the model beside its baselines."""
    suspected = any(not alarm.trusted for alarm in result.alarms)
    colour = "green" if result.promoted else "red" if suspected else "yellow"
    version = f", version {result.version}" if result.version else ""
    out.print(f"\n[bold]{escape(result.outcome)}[/]: [bold {colour}]{result.verdict}[/]{version}")
    if result.metrics:
        out.print(
            f"[dim]{'test fold' if result.test else 'foretold in turn'}: {result.n:,} rows, {result.positives:,} yes"
            f"{', as of ' if result.test else ''}{', '.join(map(str, result.test))}[/]"
        )
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
        table.add_column("")
        for heading in SHOWN_METRICS.values():
            table.add_column(heading, justify="right", no_wrap=True)
        for name, found in ({"model": result.metrics} | result.baselines).items():
            cells = (_estimate(found[metric], metric in WITH_INTERVAL) for metric in SHOWN_METRICS)
            table.add_row(name, *cells, style="bold" if name == "model" else "")
        out.print(table)
        out.print(f"[dim]intervals: 95%, by account; precision: average precision; calibrated {result.calibration}[/]")
    show_windows(result.windows)
    for reason in result.reasons:
        out.print(f"  {escape(reason)}")
    for alarm in result.alarms:
        if alarm.trusted:  # the others are among the reasons
            out.print(f"  [dim]too good, and let pass: {escape(str(alarm))}[/]")


UNKNOWN = {
    "immature": "not observed to their end",
    "unrecorded": "begun before anything was recorded",
    "ambiguous": "ambiguous",
}


def show_windows(windows: list[dict[str, Any]]) -> None:
    """What became of all rows, and on which dates something was unknown."""
    if not windows:
        return
    total = {name: sum(line[name] for line in windows) for name in windows[0] if name != "as_of"}
    reached = f", {total['treated']:,} reached out to" if total["treated"] else ""
    out.print(
        f"[dim]windows: {len(windows)} dates, {total['rows']:,} rows; {total['used']:,} used ({total['yes']:,} yes"
        f"{reached}); {total['dropped']:,} dropped: {total['outside']:,} outside, {total['unknown']:,} unknown[/]"
    )
    for name, why in UNKNOWN.items():
        if some := [line for line in windows if line[name]]:
            days = f"{some[0]['as_of']} to {some[-1]['as_of']}" if len(some) > 1 else some[0]["as_of"]
            out.print(f"[dim]  {total[name]:,} {why}, as of {days}[/]")


def show_alarms(alarms: dict[str, list[Alarm]]) -> None:
    """Features that foretell too well, per outcome whose frames are built."""
    for outcome, ringing in alarms.items():
        if not ringing:
            out.print(f"{outcome}: no single feature foretells too well in the frames that are built.")
        for alarm in ringing:
            colour = "dim" if alarm.trusted else "red"
            out.print(f"[{colour}]{outcome}: suspected leak[/] {escape(str(alarm))}")


def show_ablations(found: list[Ablation]) -> None:
    """What leaving out each family changes on the test fold."""
    for one in found:
        out.print(
            f"\n[bold]{one.outcome}[/]: {one.columns} columns, log loss {one.log_loss}, AUC {one.auc}\n"
            f"[dim]test fold: {one.n:,} rows, {one.positives:,} yes, as of {', '.join(map(str, one.test))}[/]"
        )
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
        table.add_column("without")
        for heading in ("columns", "log loss", "AUC"):
            table.add_column(heading, justify="right", no_wrap=True)
        for without in one.without:
            cells = (escape(f"{e.value:+.4f} [{e.low:+.4f}, {e.high:+.4f}]") for e in (without.log_loss, without.auc))
            table.add_row(without.family, str(without.columns), *cells, style="bold" if without.missed else "")
        out.print(table)
    out.print("[dim]change on the test fold, 95% by account, paired; bold: shown to be worse without it.[/]")
    out.print("[dim]A measurement: choose nothing by it.[/]")


def show_batches(batches: list[Batch]) -> None:
    for batch in batches:
        if batch.skipped:
            out.print(f"[yellow]{batch.outcome}[/]: no scores, {batch.skipped}")
        else:
            out.print(
                f"{batch.outcome}: {len(batch.scores):,} accounts as of {batch.as_of}, in {escape(str(batch.path))}"
            )


def show_lines(title: str, lines: list[Line]) -> None:
    """A list: whom, how likely, what is at stake, and why."""
    table = Table(
        title=title, title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0), header_style="dim"
    )
    table.add_column("#", justify="right")
    table.add_column("account")
    table.add_column("owner")
    table.add_column("probability", justify="right", no_wrap=True)
    money = any(line.arr is not None for line in lines)
    if money:
        table.add_column("ARR", justify="right")
        table.add_column("term ends", justify="right")
    table.add_column("why", ratio=1)
    for line in lines:
        score = line.score
        chance = f"{score.probability:.0%} ({score.low:.0%}–{score.high:.0%})"
        stake = (
            [number(line.arr), f"{line.days_to_renewal:.0f} d" if line.days_to_renewal is not None else "–"]
            if money
            else []
        )
        why = "; ".join(reason.text for reason in score.reasons) or "nothing stands out"
        table.add_row(str(score.rank), escape(line.name), escape(line.owner or "–"), chance, *stake, escape(why))
    out.print(table)


def show_replay(replay: Replay) -> None:
    if replay.identical:
        out.print(
            f"[green]identical[/]: {replay.stored.outcome} of {escape(replay.stored.account)}, {replay.again.probability!r}"
        )
    for difference in replay.differences:
        out.print(f"[red]differs[/] {escape(difference)}")


def _estimate(found: Estimate, interval: bool) -> str:
    return f"{found.value:.3f} ({found.low:.3f}–{found.high:.3f})" if interval else f"{found.value:.3f}"
