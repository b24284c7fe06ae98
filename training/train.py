"""One outcome from frame to verdict: learn, judge beside the baselines, register, promote if it is better."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from features.workspace import Workspace
from training import alarm, gate, promotion, search
from training.beforehand import facts, not_ahead, too_few
from training.dataset import dataset
from training.judge import judge
from training.learn import learned
from training.outcomes import configured
from training.record import record
from training.registry import Registry
from training.result import Result, told
from training.splits import rolling

Progress = Callable[[str], None]


def train(workspace: Workspace, outcome: str, progress: Progress = lambda _: None) -> Result:
    """Train, judge and register one outcome; the champion changes only if the gate passes.

    Raises PropensityError where the workspace cannot give the data. Everything is logged to MLflow.
    """
    settings = configured(workspace, outcome)
    config = workspace.config.training
    progress(f"{outcome}: frame")
    rows = dataset(workspace, outcome)
    alarm.trusted(workspace.config, rows.plan)
    days = sorted(set(rows.as_of.tolist()))
    folds = rolling(days, settings.span, config.test_dates, config.folds)
    final = folds[-1]
    not_ahead(workspace.config, outcome, final)
    learn, test = rows.at(list(final.fit)), rows.at(list(final.test))
    blank = Result(
        outcome,
        gate.NO_SIGNAL,
        [],
        test=list(final.test),
        n=len(test),
        positives=int(test.y.sum()),
        windows=[
            {str(key): value for key, value in line.items()} | {"as_of": str(line["as_of"])}
            for line in rows.counts.to_dict("records")
        ],
    )
    if refusal := too_few(learn, test, config.minimum_positives):
        return replace(blank, verdict=refusal.verdict, reasons=refusal.reasons)
    registry, tags = Registry(workspace), {"outcome": outcome, "workspace": workspace.config.name}
    with registry.run(outcome, tags) as run, TemporaryDirectory() as scratch:
        known = facts(workspace, outcome, rows)
        growth = search.found(workspace, outcome, rows)
        found = learned(rows, folds, config, known, lambda what: progress(f"{outcome}: {what}"), growth)
        progress(f"{outcome}: judging")
        champion = registry.champion(outcome)
        judged = judge(workspace, registry, outcome, found.model, learn, test)
        result = replace(told(blank, found, judged), run=run)
        progress(f"{outcome}: to MLflow")
        made = record(workspace, registry, result.as_dict(), judged, Path(scratch))
        result.version = made.number
        if result.promoted:
            over = None if champion is None else champion.number
            promotion.promote(workspace, outcome, made.number, why="; ".join(result.reasons), over=over)
    return result
