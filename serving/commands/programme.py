"""Commands that watch over what is going on: the advocacy programme, and alerts."""

from __future__ import annotations

from typing import Annotated

import typer

from features.workspace import load
from serving import terminal
from serving.commands import HERE, JSON, WORKSPACE, app, day_of, show_either

AS_OF = Annotated[str | None, typer.Option("--as-of", help="Look back to a day; by default the last of the data.")]


@app.command(epilog="Example: propensity programme --workspace acme --days 365")
def programme(
    workspace: WORKSPACE = HERE,
    as_of: AS_OF = None,
    days: Annotated[
        int | None, typer.Option(min=28, help="Length of the period; by default that of [programme].")
    ] = None,
    json: JSON = False,
) -> None:
    """What the advocacy programme came to: participation, NPS, revenue touched, the closed loop and the funnel."""
    from serving.programme import programme as made
    from serving.programme_terminal import show_programme

    here = load(workspace)
    day = None if as_of is None else day_of(as_of)
    with terminal.progress("eligibility by month") as tell:
        found = made(here, day, days, tell)
    show_either(json, found.as_dict(), lambda: show_programme(found, here.config.currency))
