"""Commands that watch over what is going on: the advocacy programme, and alerts."""

from __future__ import annotations

from typing import Annotated

import typer

from features.errors import PropensityError
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
    from serving.terminal.programme import show_programme
    from serving.work.programme import programme as made

    here = load(workspace)
    day = None if as_of is None else day_of(as_of)
    with terminal.progress("eligibility by month") as tell:
        found = made(here, day, days, tell)
    show_either(json, found.as_dict(), lambda: show_programme(found, here.config.currency))


@app.command(epilog="Example: propensity alerts --workspace acme --owner ann")
def alerts(
    workspace: WORKSPACE = HERE,
    as_of: AS_OF = None,
    owner: Annotated[str | None, typer.Option(help="Only of this owner's accounts.")] = None,
    top: Annotated[int, typer.Option(min=1, help="How many are shown; the document holds all.")] = 25,
    close: Annotated[
        str | None, typer.Option(metavar="ALERT", help="Somebody dealt with it; takes --by and --why.")
    ] = None,
    snooze: Annotated[str | None, typer.Option(metavar="ALERT", help="Not before --until; takes --by.")] = None,
    by: Annotated[str | None, typer.Option(help="Who says so.")] = None,
    why: Annotated[str | None, typer.Option(help="What was done about it.")] = None,
    until: Annotated[str | None, typer.Option(help="Until when it is snoozed.")] = None,
    json: JSON = False,
) -> None:
    """What calls for somebody's attention: each alert once, with its evidence, owner and deadline."""
    from serving.commands.outreach import told
    from serving.terminal.alerts import show_alerts
    from serving.work import alerts as all_of

    here = load(workspace)
    if close is not None or snooze is not None:
        if close is not None:
            entry = all_of.close(here, close, _given(by, "--by"), _given(why, "--why"))
        else:
            entry = all_of.snooze(here, str(snooze), _given(by, "--by"), day_of(_given(until, "--until"), "--until"))
        show_either(json, entry.as_dict(), lambda: terminal.out.print(told([entry])))
        return
    with terminal.progress("features") as tell:
        found = all_of.alerts(here, None if as_of is None else day_of(as_of), tell)
    if owner is not None:
        found = all_of.of_owner(here, found, owner)
    show_either(json, found.as_dict(), lambda: show_alerts(found, here.config.currency, top))


def _given(value: str | None, option: str) -> str:
    if not value:
        raise PropensityError(f"{option} is missing", f"Say {option} as well; see `propensity alerts --help`.")
    return value
