"""Commands of the whole: what accounts have come to, and every measure at every level."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from features.errors import PropensityError
from features.workspace import load
from serving import terminal
from serving.commands import HERE, JSON, WORKSPACE, app, day_of, show_either

AS_OF = Annotated[
    str | None, typer.Option("--as-of", help="As of this day (YYYY-MM-DD); by default the last of the data.")
]


@app.command(epilog="Example: propensity states --workspace acme --months 6; propensity states a0001 --workspace acme")
def states(
    account: Annotated[str | None, typer.Argument(help="Account id; by default everybody.")] = None,
    workspace: WORKSPACE = HERE,
    months: Annotated[int, typer.Option(min=1, max=120, help="How many ends of a month, the last included.")] = 12,
    as_of: AS_OF = None,
    csv: Annotated[
        Path | None,
        typer.Option("--csv", help="Write everybody at every end of a month, with the evidence, to this file."),
    ] = None,
    json: JSON = False,
) -> None:
    """Who is satisfied, loyal, an advocate or at risk, and who became what; of one account every rule and its numbers."""
    from serving.terminal import states as states_terminal
    from serving.work import states as found_by
    from serving.work.states_file import written

    here, until = load(workspace), None if as_of is None else day_of(as_of)
    if account is None:
        with terminal.progress("months") as tell, written(here, csv) as keep:
            everybody = found_by.continuum(here, months, until, tell, keep)
        show_either(json, everybody.as_dict(), lambda: states_terminal.show_continuum(everybody))
        return
    if csv is not None:
        raise PropensityError("--csv is about everybody", "Leave out the account, or take --json.")
    one = found_by.told(here, account, months, until)
    show_either(json, one.as_dict(), lambda: states_terminal.show_told(one))


@app.command(epilog="Example: propensity portfolio --by country --within line_of_business=cloud --workspace acme")
def portfolio(
    workspace: WORKSPACE = HERE,
    by: Annotated[
        str,
        typer.Option(help="account, line-of-business, country, owner, segment, partner, industry or global."),
    ] = "global",
    within: Annotated[
        list[str] | None, typer.Option(help="Only what is in a group of another level: LEVEL=GROUP; may be repeated.")
    ] = None,
    as_of: AS_OF = None,
    top: Annotated[int, typer.Option(min=1, help="How many groups are shown; files hold all.")] = 20,
    csv: Annotated[Path | None, typer.Option("--csv", help="Write every group and the total to this file.")] = None,
    json: JSON = False,
) -> None:
    """Every measure at a level: accounts, ARR, ARR at risk, states, loyalty, NPS; totals reconcile exactly."""
    from serving.terminal import portfolio as portfolio_terminal
    from serving.work import portfolio as found_by

    here = load(workspace)
    with terminal.progress("portfolio"):
        day = None if as_of is None else day_of(as_of)
        found = found_by.portfolio(here, _level(by), _groups(within or []), day)
    if csv is not None:
        found.write(csv)
    show_either(json, found.as_dict(), lambda: portfolio_terminal.show(found, top))


def _level(text: str) -> str:
    return text.replace("-", "_")


def _groups(texts: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in texts:
        level, equals, group = text.partition("=")
        if not equals or _level(level) in found:
            raise PropensityError(
                f"--within is {text!r}", "Write LEVEL=GROUP, each level once, such as --within line_of_business=cloud."
            )
        found[_level(level)] = group
    return found
