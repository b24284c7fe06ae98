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
    from serving.terminal.metrics import show_beacon
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


@app.command(epilog="Example: propensity worth --metric nps --workspace acme")
def worth(
    workspace: WORKSPACE = HERE,
    metric: Annotated[
        list[str] | None,
        typer.Option(help="nps, csat, csat_users …; may be repeated; by default every instrument."),
    ] = None,
    json: JSON = False,
) -> None:
    """Show me the money: what ten points of a metric go with in renewal and ARR growth; observational, with placebos."""
    from serving.terminal.metrics import show_worth
    from training import worth as slopes

    here, _ = ready(workspace, "churn")
    with terminal.progress("worth") as tell:
        found = slopes.worth(here, tuple(metric or slopes.USUAL), tell)
    document = {"note": slopes.NOTE, "metrics": {one.measure.name: one.as_dict() for one in found}}
    show_either(json, document, lambda: show_worth(found, here.config.currency))


@app.command(epilog="Example: propensity initiative --metric nps --points 10 --cost 50000 --workspace acme")
def initiative(
    cost: Annotated[float, typer.Option(min=0, help="What it costs in all, in the workspace's currency.")],
    workspace: WORKSPACE = HERE,
    metric: Annotated[
        str | None, typer.Option(help="The metric that it is to raise, as `propensity worth` has it.")
    ] = None,
    points: Annotated[float, typer.Option(help="By how many points it is hoped to raise it.")] = 10,
    calls: Annotated[bool, typer.Option("--calls", help="It is calls, as measured by `propensity effect`.")] = False,
    segment: Annotated[str | None, typer.Option(help="Only accounts of this segment.")] = None,
    owner: Annotated[str | None, typer.Option(help="Only accounts of this owner.")] = None,
    json: JSON = False,
) -> None:
    """What an initiative is worth: ARR kept times margin, less its cost, with an interval and where it breaks even."""
    from serving.terminal.metrics import show_proposal
    from serving.work.initiative import by_calls, by_metric

    if calls == (metric is not None):
        raise PropensityError(
            "an initiative either raises a metric or calls accounts", "Name --metric NAME, or --calls; one of them."
        )
    here, _ = ready(workspace, "churn")
    with terminal.progress("initiative") as tell:
        found = (
            by_calls(here, cost, segment, owner)
            if metric is None
            else by_metric(here, metric, points, cost, segment, owner, tell)
        )
    show_either(json, found.as_dict(), lambda: show_proposal(found, here.config.currency, here.config.value.margin))
