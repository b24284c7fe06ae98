"""One competitor, once, in a process of its own: learns, foretells, and prints what it took, as JSON.

    python -m benchmarks.models.run MODULE SPLIT OUT OPTIONS

OPTIONS is a JSON object, given to the module's ``probabilities`` by name. Reading the files is not timed.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np

from benchmarks.features.run import peak_mb
from benchmarks.models.rows import read


def main() -> None:
    module, split, out, options = sys.argv[1:]
    warnings.simplefilter("ignore")
    peer = importlib.import_module(f"benchmarks.models.{module}")
    train, test = read(Path(split), "train"), read(Path(split), "test")
    begun = time.perf_counter()
    said = np.asarray(peer.probabilities(train, test, **json.loads(options)), dtype=np.float64)
    seconds = time.perf_counter() - begun
    np.save(out, said, allow_pickle=False)
    print(json.dumps({"seconds": seconds, "peak_mb": peak_mb(), "version": version(peer.PACKAGE)}))


if __name__ == "__main__":
    main()
