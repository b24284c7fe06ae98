"""getML FastProp: counts, sums and distinct contacts of usage, for each window and for the events it finds frequent.

It chooses its columns itself and knows one clock, so its answer is not compared; the time to choose is told apart. Runs in
an environment of its own; the engine is a process beside it, started before the clock.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import getml
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.features.columns import WINDOWS
from benchmarks.features.run import peak_mb

PACKAGE = "getml"
COLUMNS = 120
HOME = Path(__file__).parent.parent / ".envs" / "getml-home"


def warm(tables: Path, as_of: list[int]) -> None:
    """Start the engine."""
    HOME.mkdir(parents=True, exist_ok=True)
    getml.engine.launch(launch_browser=False, home_directory=str(HOME), log=True)
    for _ in range(30):  # seconds
        try:
            getml.set_project("bench")
            return
        except (OSError, ConnectionError):
            time.sleep(1)
    raise RuntimeError("the getML engine did not start within 30 seconds")


def build(tables: Path, as_of: list[int], out: Path) -> dict[str, Any]:
    begun = time.perf_counter()
    population, usage = _population(tables, as_of), _usage(tables)
    loaded = time.perf_counter() - begun
    star = getml.data.StarSchema(population=population, alias="population")
    for days in WINDOWS:
        memory = getml.data.time.days(days)
        star.join(usage, alias=f"usage_{days}", on="account", time_stamps=("as_of", "occurred_at"), memory=memory)
    kinds = getml.feature_learning.aggregations
    learner = getml.feature_learning.FastProp(
        aggregation=[kinds.COUNT, kinds.SUM, kinds.COUNT_DISTINCT],
        loss_function=getml.feature_learning.loss_functions.SquareLoss,
        num_features=COLUMNS,
        n_most_frequent=6,
        num_threads=os.cpu_count() or 1,
    )
    pipe = getml.Pipeline(data_model=star.data_model, feature_learners=[learner])
    begun = time.perf_counter()
    pipe.fit(star.full, check=False)
    chosen = time.perf_counter() - begun
    begun = time.perf_counter()
    made = np.asarray(pipe.transform(star.full))
    return {
        "seconds": loaded + time.perf_counter() - begun,
        "columns": made.shape[1],
        "rows": made.shape[0],
        "peak_mb": _engine_mb(),
        "note": f"its own choice of columns, from usage only, which took another {chosen:.1f} s; one clock; "
        "memory is the engine's",
    }


def stop() -> None:
    getml.engine.shutdown()


def _population(tables: Path, as_of: list[int]) -> Any:
    """A row per account and as_of, with a target of noise: it will not work without one."""
    codes = pq.read_table(tables / "accounts.parquet", columns=["account_code"])["account_code"].to_numpy()
    rows = pa.table(
        {
            "account": np.repeat(codes, len(as_of)).astype(str),
            "as_of": np.tile(np.array(as_of, dtype=float) / 1e6, len(codes)),
            "target": np.random.default_rng(7).random(len(codes) * len(as_of)),
        }
    )
    roles = getml.data.Roles(join_key=["account"], time_stamp=["as_of"], target=["target"])
    return getml.data.DataFrame.from_arrow(rows, name="population", roles=roles)


def _usage(tables: Path) -> Any:
    columns = ["account_code", "contact_code", "occurred_at", "event", "value"]
    rows = pq.read_table(tables / "usage.parquet", columns=columns)
    occurred = rows["occurred_at"].cast(pa.int64()).to_numpy() / 1e6
    rows = pa.table(
        {
            "account": rows["account_code"].cast(pa.string()),
            "contact": rows["contact_code"].cast(pa.string()),
            "occurred_at": occurred,
            "event": rows["event"].cast(pa.string()),
            "value": rows["value"],
        }
    )
    roles = getml.data.Roles(
        join_key=["account"], time_stamp=["occurred_at"], categorical=["contact", "event"], numerical=["value"]
    )
    return getml.data.DataFrame.from_arrow(rows, name="usage", roles=roles)


def _engine_mb() -> float:
    """The peak of the largest process of the engine in this environment."""
    found = 0.0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str(HOME.parent / "getml") in str((process / "exe").readlink()) and process.name != str(os.getpid()):
                found = max(found, peak_mb(process.name))
        except (OSError, KeyError):
            continue
    return found
