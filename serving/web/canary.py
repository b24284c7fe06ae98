"""A model is tried in a process of its own first: a damaged text can kill the process that reads it.

``python -m serving.web.canary WORKSPACE OUTCOME VERSION`` loads the version and the latest batch as the service would and
scores some of its accounts anew, each to be what the batch says bit for bit. Exit status 0: it may be served; 1: it may
not, and the last line on standard output says why.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from features.errors import PropensityError
from features.workspace import Workspace, load
from training.registry import Version

ROWS = 100
"""How many accounts are scored, from the highest to the lowest."""
SECONDS = 600
"""A model that takes longer is refused."""
NICE = 10
HERE = Path(__file__).parents[2]
"""Where the packages lie: what is tried is read by this release's own code, installed or not."""


def tried(workspace: Workspace, version: Version) -> tuple[str, ...]:
    """What may be served once this version is the champion, as ``Served.named``; raises PropensityError where it may not."""
    command = [sys.executable, "-m", "serving.web.canary", str(workspace.root), version.outcome, str(version.number)]
    try:
        done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=SECONDS, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _unusable(version, f"trying it did not work: {type(error).__name__}") from error
    if done.returncode < 0:
        raise _unusable(version, f"it kills the process that loads it ({signal.Signals(-done.returncode).name})")
    try:
        told = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError) as error:
        said = (done.stderr.strip().splitlines() or ["nothing was said"])[-1]
        raise _unusable(version, f"trying it did not work: {said[:300]}") from error
    if done.returncode:
        raise _unusable(version, told["error"], told["hint"])
    return tuple(told["named"])


def _unusable(version: Version, why: str, hint: str = "") -> PropensityError:
    return PropensityError(
        f"version {version.number} of {version.outcome} cannot be served: {why}",
        hint or "Go back with `propensity rollback`, or register the model again.",
        status=503,
    )


def main(root: str, outcome: str, number: str) -> int:
    from serving.stores.store import Store  # noqa: PLC0415
    from serving.web.live import Served  # noqa: PLC0415 - the caller needs none of it
    from training.registry import Registry  # noqa: PLC0415

    workspace = load(Path(root))
    try:
        registry = Registry(workspace)
        served = Served.of(workspace, registry, Store(workspace), registry.version(outcome, int(number)))
        ranked = list(served.shown.scores) if not isinstance(served.batch, PropensityError) else []
        served.scores(ranked[:: max(1, len(ranked) // ROWS)]) if ranked else None
    except PropensityError as error:
        sys.stdout.write(json.dumps(error.as_dict()) + "\n")
        return 1
    sys.stdout.write(json.dumps({"named": served.named}) + "\n")
    return 0


if __name__ == "__main__":
    os.nice(NICE)
    sys.exit(main(*sys.argv[1:]))
