"""Commands of the advocacy funnel: how well it is foretold who says yes, whether asking tires, and whose story is missing."""

from __future__ import annotations

from typing import Annotated

import typer

from features.workspace import load
from serving import terminal
from serving.commands import HERE, JSON, WORKSPACE, app, day_of, show_either
from serving.commands.advocacy import TODAY, asking


@asking.command("backtest", epilog="Example: propensity ask backtest --workspace acme")
def backtest(workspace: WORKSPACE = HERE, json: JSON = False) -> None:
    """At every origin learn from the asks answered by then, and judge on later ones; with the correction and without."""
    from serving.terminal import funnel as funnel_terminal
    from serving.work import funnel

    with terminal.progress("asks") as tell:
        found = funnel.tested(load(workspace), tell)
    show_either(json, found.as_dict(), lambda: funnel_terminal.show_backtest(found))


@asking.command(epilog="Example: propensity ask fatigue --workspace acme")
def fatigue(workspace: WORKSPACE = HERE, json: JSON = False) -> None:
    """How many asks were accepted, by how many came before and how long ago the last was."""
    from serving.terminal import funnel as funnel_terminal
    from serving.work import funnel

    with terminal.progress("asks") as tell:
        steps = funnel.tired(load(workspace), tell)
    show_either(json, {"steps": [one.as_dict() for one in steps]}, lambda: funnel_terminal.show_fatigue(steps))


@app.command(epilog="Example: propensity stories --workspace acme --top 5")
def stories(
    workspace: WORKSPACE = HERE,
    top: Annotated[int, typer.Option(min=1, help="How many gaps.")] = 10,
    today: TODAY = None,
    json: JSON = False,
) -> None:
    """Which stories open deals want and no advocate tells, by the value of these deals; and whom to recruit for each."""
    from serving.terminal import funnel as funnel_terminal
    from serving.work.stories import stories as wanted

    day = None if today is None else day_of(today, "--today")
    with terminal.progress("stories") as tell:
        found = wanted(load(workspace), top, day, tell)
    show_either(json, found.as_dict(), lambda: funnel_terminal.show_stories(found))
