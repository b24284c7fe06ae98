"""The BentoML service: the only module that imports BentoML; no logic."""

from __future__ import annotations

import os
import socket
import sys
import warnings
from pathlib import Path

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # BentoML's own dependencies deprecate each other
    from bentoml import asgi_app, service

from features.errors import PropensityError
from features.workspace import load
from serving import web
from serving.guard import Guard

WORKSPACE = "PROPENSITY_WORKSPACE"
app = web.application()


@service(
    name="propensity",
    workers=1,
    tracing={"excluded_urls": "."},  # all of them: its hooks cost a third of a request, and nothing is exported
    logging={"access": {"enabled": False}},  # serving.guard logs and counts by route; BentoML would by path, and
    metrics={"enabled": False, "namespace": "propensity"},  # keep a time series for every account id ever asked for
)
@asgi_app(Guard(app), path="/")
class Propensity:
    """The scores of the workspace that PROPENSITY_WORKSPACE names."""

    def __init__(self) -> None:
        self.live = web.start(app, load(Path(os.environ[WORKSPACE])))

    def __is_ready__(self) -> bool:
        return self.live.ready


def serve(workspace_root: Path, host: str = "127.0.0.1", port: int = 3000) -> int:
    """Become the BentoML server, in the foreground: it gets the signals, and its exit status is the command's.

    Raises PropensityError where the address cannot be listened on.
    """
    root = workspace_root.resolve()
    os.environ |= {
        WORKSPACE: str(root),
        "BENTOML_DO_NOT_TRACK": "True",
        "BENTOML_HOME": str(root / "state" / "bentoml"),
    }
    command = ["-m", "bentoml", "serve", "serving.service:Propensity", "--host", _free(host, port), "--port", str(port)]
    (root / "state" / "bentoml").mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, *command, "--working-dir", str(Path(__file__).parents[1])])  # noqa: S606


def _free(host: str, port: int) -> str:
    """The address of a host on which the port is free."""
    try:
        with socket.create_server((host, port)) as found:
            return str(found.getsockname()[0])
    except OSError as error:
        raise PropensityError(
            f"{host}:{port} cannot be listened on: {error.strerror}", "Stop what listens there, or name another --port."
        ) from error
