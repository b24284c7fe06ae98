"""The start of the service: what has to be so before it may begin. Nothing of the service itself is loaded for it."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

from features.errors import PropensityError
from features.workspace import Workspace, load
from serving.stores.keys import Keys
from serving.stores.store import Store
from serving.web.door import LOOPBACK, is_loopback
from serving.web.openid import secret_of

WORKSPACE = "PROPENSITY_WORKSPACE"
SERVICE = "serving.service:Propensity"


def serve(workspace_root: Path, host: str = "127.0.0.1", port: int = 3000, of: str = SERVICE) -> int:
    """Become the BentoML server, in the foreground: it gets the signals, and its exit status is the command's.

    ``of`` names the service, module and class, for one that adds to this one.

    Raises PropensityError where the address cannot be listened on, others could reach it and nobody has a key, or the
    secret for the company's own login is not in the environment.
    """
    root = workspace_root.resolve()
    address = _free(host, port)
    workspace = load(root)
    open_to_all(workspace, address)
    if workspace.config.login.openid is not None:
        secret_of(workspace.config.login.openid)
    os.environ |= {
        WORKSPACE: str(root),
        LOOPBACK: "yes" if is_loopback(address) else "no",
        "BENTOML_DO_NOT_TRACK": "True",
        "BENTOML_HOME": str(root / "state" / "bentoml"),
    }
    command = ["-m", "bentoml", "serve", of, "--host", address, "--port", str(port)]
    (root / "state" / "bentoml").mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, *command, "--working-dir", str(Path(__file__).parents[1])])  # noqa: S606


def open_to_all(workspace: Workspace, host: str) -> bool:
    """No key was ever made, so whoever reaches the service gets in: on this machine, if it listens there alone.

    Raises PropensityError where it would listen to others too.
    """
    if Keys(Store(workspace)).all():
        return False
    if not is_loopback(host):
        raise PropensityError(
            f"{host} can be reached from elsewhere, and there is no key: anybody would see everything",
            "Make a key first, `propensity key create --name NAME --scope read`, or listen on 127.0.0.1.",
        )
    return True


def _free(host: str, port: int) -> str:
    """The address of a host on which the port is free."""
    try:
        with socket.create_server((host, port)) as found:
            return str(found.getsockname()[0])
    except OSError as error:
        raise PropensityError(
            f"{host}:{port} cannot be listened on: {error.strerror}", "Stop what listens there, or name another --port."
        ) from error
