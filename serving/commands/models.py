"""Commands of those who make models: judge them over time, move the champion, retrain at night."""

from __future__ import annotations

from typing import Annotated

import typer

from features.workspace import load
from serving import terminal
from serving.commands import HERE, JSON, NOT_PROMOTED, WORKSPACE, app, day_of, ready, show_either
from serving.terminal import models as model_terminal

OUTCOME = Annotated[str, typer.Argument(help="Which outcome, for example churn.")]
WHY = Annotated[str, typer.Option(help="Why; kept in the history.")]


@app.command(epilog="Example: propensity backtest churn --workspace acme")
def backtest(
    outcome: OUTCOME,
    workspace: WORKSPACE = HERE,
    origins: Annotated[
        int | None, typer.Option(min=1, help="The last so many origins; by default all there are.")
    ] = None,
    json: JSON = False,
) -> None:
    """Learn at every origin from what was known then, and judge on what came after; in whole, in parts and by age."""
    from training.backtest import backtest as test_back

    here, _ = ready(workspace, outcome)
    with terminal.progress("backtest") as tell:
        found = test_back(here, outcome, origins, tell)
    show_either(json, found.as_dict(), lambda: model_terminal.show_backtest(found))


@app.command(epilog="Example: propensity search churn --minutes 20 --workspace acme")
def search(
    outcome: OUTCOME,
    workspace: WORKSPACE = HERE,
    minutes: Annotated[float, typer.Option(min=0.01, help="How long to try; a later search goes on from there.")] = 10,
    json: JSON = False,
) -> None:
    """Look for better parameters within the training range; the next training of the outcome uses them."""
    from training.search import search as look

    here, _ = ready(workspace, outcome)
    with terminal.progress("search") as tell:
        found = look(here, outcome, minutes, tell)
    show_either(json, found.as_dict(), lambda: model_terminal.show_searched(found))


@app.command(epilog="Example: propensity models --workspace acme")
def models(workspace: WORKSPACE = HERE, json: JSON = False) -> None:
    """Every registered model: champion and challenger, what the gate said, and how the champion came to be."""
    from training import promotion

    here = load(workspace)
    found = promotion.models(here)
    moves = {outcome: promotion.history(here, outcome) for outcome in found}
    document = {
        outcome: {
            "versions": [version.as_dict() for version in versions],
            "history": [move.as_dict() for move in moves[outcome]],
        }
        for outcome, versions in found.items()
    }
    show_either(json, document, lambda: model_terminal.show_models(found, moves))


@app.command(epilog="Example: propensity promote churn --version 4 --workspace acme")
def promote(
    outcome: OUTCOME,
    workspace: WORKSPACE = HERE,
    version: Annotated[int | None, typer.Option(help="By default the challenger.")] = None,
    why: WHY = "",
    force: Annotated[bool, typer.Option(help="Even if the gate refused it; takes --why.")] = False,
    json: JSON = False,
) -> None:
    """Make a version the champion."""
    from training import promotion

    move = promotion.promote(load(workspace), outcome, version, why=why, force=force)
    show_either(json, move.as_dict(), lambda: model_terminal.show_move(outcome, move))


@app.command(epilog="Example: propensity rollback churn --why 'too many calls in vain'")
def rollback(outcome: OUTCOME, workspace: WORKSPACE = HERE, why: WHY = "", json: JSON = False) -> None:
    """Make the champion before this one the champion again."""
    from training import promotion

    move = promotion.rollback(load(workspace), outcome, why=why)
    show_either(json, move.as_dict(), lambda: model_terminal.show_move(outcome, move))


@app.command(epilog="Example: propensity retrain --workspace acme --json")
def retrain(workspace: WORKSPACE = HERE, json: JSON = False) -> None:
    """Read, build, train, judge, score and raise alerts in one go, fit for cron; exit status 3 where an outcome has no
    champion.
    """
    from serving.retrain import retrain as again
    from serving.terminal.alerts import show_counts
    from serving.work.alerts import alerts

    here, _ = ready(workspace)
    with terminal.progress("retraining") as tell:
        found = again(here, tell)
        tell("alerts")
        alerted = alerts(here, None, tell)
    document = {one.outcome: one.as_dict() for one in found} | {"alerts": alerted.counts()}

    def show() -> None:
        model_terminal.show_retrained(found)
        show_counts(alerted)

    show_either(json, document, show)
    if any(one.what == "no champion" for one in found):
        raise typer.Exit(NOT_PROMOTED)


@app.command(epilog="Example: propensity retention --workspace acme")
def retention(workspace: WORKSPACE = HERE, json: JSON = False) -> None:
    """Fit the retention curve of contract churn, judge each horizon beside Kaplan-Meier, and keep it."""
    from training.retention import keep, train_retention

    here, _ = ready(workspace)
    with terminal.progress("retention") as tell:
        curve, judged = train_retention(here, progress=tell)
        sha256 = keep(here, curve, judged)
    document = {"sha256": sha256, "horizons": list(curve.horizons), "judged": [one.as_dict() for one in judged]}
    show_either(json, document, lambda: model_terminal.show_retention(list(curve.horizons), judged))


@app.command(epilog="Example: propensity curve account-17 --workspace acme")
def curve(
    account: Annotated[str, typer.Argument(help="Account id.")],
    workspace: WORKSPACE = HERE,
    as_of: Annotated[str | None, typer.Option(help="By default the last day with data.")] = None,
    json: JSON = False,
) -> None:
    """The chance that an account is there still after 30, 90, 180 and 365 days."""
    from serving.scores.curves import curve as of_account

    found = of_account(load(workspace), account, None if as_of is None else day_of(as_of))
    show_either(json, found.as_dict(), lambda: model_terminal.show_curve(found))
