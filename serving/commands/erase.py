"""The command that forgets."""

from __future__ import annotations

from typing import Annotated

import typer

from features.errors import PropensityError
from features.workspace import load
from serving import terminal
from serving.commands import HERE, JSON, WORKSPACE, app, show_either, take_in


@app.command(epilog="Example: propensity erase --contact c-17 --by ann --workspace acme")
def erase(
    by: Annotated[str, typer.Option(help="Who asked for it; kept in the audit log.")],
    workspace: WORKSPACE = HERE,
    contact: Annotated[str | None, typer.Option(help="Id of a contact.")] = None,
    account: Annotated[str | None, typer.Option(help="Id of an account.")] = None,
    json: JSON = False,
) -> None:
    """Remove a person or an account everywhere, and look whether anything is left. Your own exports stay as they are:
    what is read from them from now on leaves it out.
    """
    from serving.stores import erasing

    if (contact is None) == (account is None):
        raise PropensityError("it takes one of --contact and --account", "Name whom to erase, one at a time.")
    here = load(workspace)
    kind: erasing.Kind = "account" if contact is None else "contact"
    with terminal.progress("erasing") as tell:
        found = erasing.erase(here, kind, contact or account or "", by, take_in, tell)
    scan = found.scan

    def show() -> None:
        out = terminal.out
        out.print(f"{found.rows} rows of the application store and rows in {len(found.files)} files removed")
        out.print(f"looked through: {', '.join(f'{count} × {kind}' for kind, count in sorted(scan.read.items()))}")
        out.print(
            f"not looked at, since they are yours: {len(scan.not_ours)} exported files; mend them at their source"
        )
        if not scan.found:
            out.print("found nowhere")

    if scan.found:
        raise PropensityError(
            f"still there, in {', '.join(scan.found)}",
            "If no other process is writing there, remove these by hand and run the command again.",
        )
    show_either(json, found.as_dict(), show)
