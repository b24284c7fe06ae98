"""Commands of keys: who may ask the service."""

from __future__ import annotations

from typing import Annotated

import typer

from features.workspace import load
from serving import terminal
from serving.commands import HERE, JSON, WORKSPACE, app, show_either

key = typer.Typer(no_args_is_help=True, help="Keys of the service: who may ask it, and for what.")
app.add_typer(key, name="key")
NAME = Annotated[str, typer.Option(help="Who will use it; the audit log tells keys by their names.")]


@key.command(epilog="Example: propensity key create --name crm --scope read --workspace acme")
def create(
    name: NAME,
    scope: Annotated[str, typer.Option(help="read; write: outreach and asks too; admin: all.")],
    workspace: WORKSPACE = HERE,
    owner: Annotated[str | None, typer.Option(help="Only the accounts of this owner.")] = None,
    json: JSON = False,
) -> None:
    """Make a key. It is shown this once: only its hash is kept."""
    from serving.scores import lists
    from serving.stores.keys import Keys
    from serving.stores.store import Store

    here = load(workspace)
    if owner is not None:
        lists.of_owner(here, owner)
    made, secret = Keys(Store(here)).create(name, scope, owner)
    show_either(
        json,
        made.as_dict() | {"key": secret},
        lambda: terminal.out.print(
            f"{secret}\nThis is the only time it is shown. Send it as the header `Authorization: Bearer …`.",
            highlight=False,
            soft_wrap=True,
        ),
    )


@key.command("list", epilog="Example: propensity key list --workspace acme")
def list_(workspace: WORKSPACE = HERE, json: JSON = False) -> None:
    """Every key, the oldest first, also those that were revoked."""
    from serving.stores.keys import Keys
    from serving.stores.store import Store

    keys = [one.as_dict() for one in Keys(Store(load(workspace))).all()]

    def show() -> None:
        for one in keys:
            whose = f", accounts of {one['owner']}" if one["owner"] else ""
            over = f", revoked {one['revoked_at'][:10]}" if one["revoked_at"] else ""
            terminal.out.print(
                f"{one['name']}: {one['scope']}{whose}, made {one['created_at'][:10]}{over}", markup=False
            )
        if not keys:
            terminal.out.print("no keys: the service answers on loopback only, and anybody there")

    show_either(json, {"keys": keys}, show)


@key.command(epilog="Example: propensity key revoke --name crm --workspace acme")
def revoke(name: NAME, workspace: WORKSPACE = HERE, json: JSON = False) -> None:
    """Take a key back; a running service refuses it within seconds."""
    from serving.stores.keys import Keys
    from serving.stores.store import Store

    gone = Keys(Store(load(workspace))).revoke(name)
    show_either(json, gone.as_dict(), lambda: terminal.out.print(f"{gone.name} is revoked", markup=False))
