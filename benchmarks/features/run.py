"""One competitor, once, in a process of its own: builds the columns and prints what it took, as JSON.

    python -m benchmarks.features.run MODULE TABLES OUT AS_OF...

Only the standard library: it runs in the peers' own environments too.
"""

from __future__ import annotations

import importlib
import json
import resource
import sys
import time
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any


def main() -> None:
    module, tables, out, *instants = sys.argv[1:]
    peer = importlib.import_module(f"benchmarks.features.{module}")
    given = (Path(tables), [int(instant) for instant in instants])
    try:
        _hook(peer, "warm", *given)
        begun, used = time.perf_counter(), time.process_time()
        told: dict[str, Any] = peer.build(*given, Path(out)) or {}
        seconds = time.perf_counter() - begun
        of = {"seconds": seconds, "processor": time.process_time() - used, "peak_mb": peak_mb()}
        told = of | {"version": version(peer.PACKAGE)} | told
        _hook(peer, "finish", *given, Path(out))
    finally:
        _hook(peer, "stop")
    print(json.dumps(told))


def _hook(peer: ModuleType, name: str, *given: Any) -> None:
    """What a competitor does before the clock starts, or after it stopped, if anything."""
    hook = getattr(peer, name, None)
    if hook is not None:
        hook(*given)


def peak_mb(process: int | str = "self") -> float:
    """The most memory a process ever had; not ``ru_maxrss`` where possible, which a process inherits from its parent."""
    status = Path(f"/proc/{process}/status")
    if status.is_file():
        lines = dict(line.split(":", 1) for line in status.read_text(encoding="utf-8").splitlines())
        return int(lines["VmHWM"].split()[0]) / 1000
    unit = 1_000_000 if sys.platform == "darwin" else 1000
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


if __name__ == "__main__":
    main()
