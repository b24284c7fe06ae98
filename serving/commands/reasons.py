"""Commands of those who ask why: explain a score, why it moved, what if, and what a model looks at."""

from __future__ import annotations

from typing import Annotated

import typer

from features.workspace import load
from serving import terminal
from serving.commands import HERE, JSON, WORKSPACE, app, day_of, ready, show_either
from serving.terminal import reasons as reasons_terminal

ACCOUNT = Annotated[str, typer.Argument(help="Account id.")]
OUTCOME = Annotated[str | None, typer.Option(help="One outcome; by default all that are configured.")]


@app.command(epilog="Example: propensity explain account-17 --workspace acme")
def explain(account: ACCOUNT, workspace: WORKSPACE = HERE, json: JSON = False) -> None:
    """Why an account has its scores, with what each family of features adds; or why it has none."""
    from serving.scores import lists
    from serving.scores.families import shares

    here = load(workspace)
    lines = lists.explained(here, account)
    found = shares(here, [line.score for line in lines])
    document = {
        "account": account,
        "scores": [line.as_dict() for line in lines],
        "shares": {outcome: one.as_dict() for outcome, one in found.items()},
    }
    show_either(json, document, lambda: reasons_terminal.show_explained(lines, found))


@app.command(epilog="Example: propensity why account-17 --since 2026-03-31 --workspace acme")
def why(
    account: ACCOUNT,
    workspace: WORKSPACE = HERE,
    outcome: OUTCOME = None,
    since: Annotated[
        str | None,
        typer.Option(help="Compare with the last score as of this date or earlier; by default the one before."),
    ] = None,
    json: JSON = False,
) -> None:
    """Why an account's score moved: what its data did, what another model did; the parts sum to the change."""
    from serving.scores.movement import why as find

    day = None if since is None else day_of(since, "--since")
    found = find(load(workspace), account, outcome, day)
    document = {"account": account, "moves": [moved.as_dict() for moved in found]}
    show_either(json, document, lambda: reasons_terminal.show_moves(found))


@app.command("what-if", epilog="Example: propensity what-if account-17 --set touches=3 --workspace acme")
def what_if(
    account: ACCOUNT,
    workspace: WORKSPACE = HERE,
    change: Annotated[
        list[str] | None,
        typer.Option("--set", help="feature=value, as often as needed; of a feature with windows, the shortest."),
    ] = None,
    outcome: OUTCOME = None,
    json: JSON = False,
) -> None:
    """What the model would say if something we can act on were otherwise: no promise that acting does it."""
    from serving.scores.what_if import parsed
    from serving.scores.what_if import what_if as ask

    found = ask(load(workspace), account, parsed(change or []), outcome)
    document = {"account": account, "outcomes": [asked.as_dict() for asked in found]}
    show_either(json, document, lambda: reasons_terminal.show_asked(account, found))


@app.command(epilog="Example: propensity importance --outcome churn --workspace acme")
def importance(workspace: WORKSPACE = HERE, outcome: OUTCOME = None, json: JSON = False) -> None:
    """What the champion's features are worth on later dates than it has learnt from, by permutation."""
    from training.importance import of_champion

    here, names = ready(workspace, outcome)
    with terminal.progress("importance") as tell:
        found = {name: of_champion(here, name, tell) for name in names}
    document = {name: one.as_dict() for name, one in found.items()}
    show_either(json, document, lambda: reasons_terminal.show_importance(found))
