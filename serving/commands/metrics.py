"""Commands about metrics: which of them foretell, what they are worth, what raising one would bring."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from features.errors import PropensityError
from serving import terminal
from serving.commands import HERE, JSON, WORKSPACE, app, ready, show_either


@app.command(epilog="Example: propensity beacon --outcome churn --workspace acme")
def beacon(
    workspace: WORKSPACE = HERE,
    outcome: Annotated[
        str | None, typer.Option(help="Which outcome; by default churn, expansion and advocacy, where configured.")
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="Show so many metrics; --json has all.")] = 12,
    json: JSON = False,
) -> None:
    """Which metric earns the name beacon: NPS, CSAT, CES, ratings and usage, by role and touchpoint, out of time."""
    from serving.metrics_terminal import show_beacon
    from training import beacon as metrics

    here, outcomes = ready(workspace, outcome)
    found, skipped = [], {}
    for name in outcomes if outcome else [name for name in metrics.ASKED if name in outcomes]:
        try:
            with terminal.progress("metrics") as tell:
                found.append(metrics.beacon(here, name, tell))
        except PropensityError as error:
            if outcome:
                raise
            skipped[name] = error.message

    def show() -> None:
        for one in found:
            show_beacon(one, top)
        for name, why in skipped.items():
            terminal.out.print(f"[yellow]{name}[/]: {escape(why)}")

    show_either(json, {"outcomes": {one.outcome: one.as_dict() for one in found}, "skipped": skipped}, show)
