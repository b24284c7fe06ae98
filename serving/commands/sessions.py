"""Commands of sessions: who is logged in to the pages."""

from __future__ import annotations

from typing import Annotated

import typer

from features.workspace import load
from serving import terminal
from serving.commands import HERE, JSON, WORKSPACE, app, show_either

session = typer.Typer(no_args_is_help=True, help="Who is logged in to the pages.")
app.add_typer(session, name="session")


@session.command("list", epilog="Example: propensity session list --workspace acme")
def list_(workspace: WORKSPACE = HERE, json: JSON = False) -> None:
    """Everybody who is logged in, and when they were last here, to a minute."""
    from datetime import UTC, datetime

    from serving.stores.sessions import Sessions
    from serving.stores.store import Store

    here, now = load(workspace), datetime.now(UTC)
    found = [one.as_dict() for one in Sessions(Store(here)).all() if not one.over(here.config.login, now)]

    def show() -> None:
        for one in found:
            whose = f", accounts of {one['owner']}" if one["owner"] else ""
            terminal.out.print(
                f"{one['name']}: {one['scope']}{whose}, since {one['created_at'][:16]}, last here {one['seen_at'][:16]}",
                markup=False,
            )
        if not found:
            terminal.out.print("nobody is logged in")

    show_either(json, {"sessions": found}, show)


@session.command(epilog="Example: propensity session end --name ann@example.com --workspace acme")
def end(
    name: Annotated[str, typer.Option(help="Whose, as `session list` has it.")],
    workspace: WORKSPACE = HERE,
    json: JSON = False,
) -> None:
    """Log somebody out everywhere; a running service knows within seconds. They may log in again if they can."""
    from serving.stores.sessions import Sessions
    from serving.stores.store import Store

    gone = Sessions(Store(load(workspace))).end_of(name)
    show_either(json, {"ended": gone}, lambda: terminal.out.print(f"{gone} of {name} ended", markup=False))
