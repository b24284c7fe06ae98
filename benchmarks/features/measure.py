"""Runs competitors in fresh processes, checks what they answer against plain pandas, and tells what it took.

Rounds go through all competitors, so that a noisy minute does not fall on one of them; each is told by its median.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.envs import NotInstalledError, python
from benchmarks.features import pandas_people, world
from benchmarks.features.columns import DAY, KEY, NAMES
from benchmarks.features.ours_own import offset
from features import intake
from features.workspace import load

PROJECT = Path(__file__).parents[2]
WORLDS = Path(__file__).parents[1] / ".worlds"
TOLERANCE = 1e-9
SAMPLE, OFFSETS_CHECKED = 200, 6
PATIENCE = 60
"""Seconds after which a competitor is not asked again: its first answer counts."""
TIME_LIMIT = 3600

Row = dict[str, Any]


@dataclass(frozen=True)
class Competitor:
    """A module with ``build``; ``env`` where it does not run in ours; ``most`` events where it manages no more; ``own``:
    every account at dates of its own.
    """

    name: str
    module: str
    title: str
    env: str = ""
    most: int = 0
    checked: bool = True
    own: bool = False


COMPETITORS = (
    Competitor("limit", "duckdb_scan", "limit", checked=False),
    Competitor("propensity", "ours", "propensity"),
    Competitor("month", "ours_month", "propensity, a month appended"),
    Competitor("own", "ours_own", "propensity, string ids and a date per account", own=True),
    Competitor("polars", "polars_segments", "Polars {version}, segments", "polars"),
    Competitor("duckdb", "duckdb_sql", "DuckDB {version}, SQL with segments"),
    Competitor("pandas", "pandas_people", "pandas {version}, as people write it"),
    Competitor("getml", "getml_fastprop", "getML FastProp {version}", "getml", 2_000_000, checked=False),
    Competitor("featuretools", "featuretools_dfs", "Featuretools {version}, cut-off times", "featuretools", 20_000, checked=False),
)  # fmt: skip


@dataclass(frozen=True)
class Prepared:
    """A world taken in: where its canonical tables lie, and what the preparation took."""

    events: int
    tables: Path
    take_in: Row

    @property
    def as_of(self) -> list[int]:
        return [world.instant(day) + DAY for day in world.DATES]

    @property
    def accounts(self) -> int:
        return len(self.codes())

    def codes(self) -> list[int]:
        return pd.read_parquet(self.tables / "accounts.parquet", columns=["account_code"])["account_code"].tolist()


def prepare(events: int, accounts: int = 0) -> Prepared:
    """A world of that many events, made once and taken in anew, since it is our intake that writes the tables."""
    here = world.write(WORLDS / (f"{events}-{accounts}" if accounts else str(events)), events, accounts)
    took = _process(python(""), "take_in", here.root, Path("-"), [])
    folder, report = intake.current(here)
    if report.tables["usage"].rows != events:
        raise RuntimeError(f"{here.root} has not {events:,} events: remove it, so that it is made anew")
    return Prepared(events, folder, took)


def measure(competitors: list[Competitor], events: int, repeats: int) -> list[Row]:
    """A row for each competitor, the limit's ratio on each; the limit is measured even if nobody asks for it."""
    sizes = {competitor: min(events, competitor.most or events) for competitor in competitors}
    worlds = {size: prepare(size) for size in sorted({events, *sizes.values()})}
    runs: dict[Competitor, list[Row]] = {competitor: [] for competitor in competitors}
    for _ in range(repeats):
        for competitor, so_far in runs.items():
            if not so_far or ("seconds" in so_far[0] and so_far[0]["seconds"] < PATIENCE):
                so_far.append(once(competitor, worlds[sizes[competitor]]))
                print(competitor.name, sizes[competitor], so_far[-1], file=sys.stderr)
    rows = [summary(competitor, worlds[sizes[competitor]], done) for competitor, done in runs.items()]
    return _compared(rows)


def once(competitor: Competitor, prepared: Prepared) -> Row:
    """What one run told; what kept it from running as its ``note``."""
    with TemporaryDirectory() as scratch:
        out = Path(scratch) / "out.parquet"
        try:
            interpreter = python(competitor.env)
            told = _process(interpreter, competitor.module, prepared.tables, out, prepared.as_of)
        except (NotInstalledError, subprocess.SubprocessError, RuntimeError) as error:
            return {"note": str(error)}
        return told | (check(out, prepared, competitor.own) if competitor.checked else {})


def _process(interpreter: str, module: str, tables: Path, out: Path, as_of: list[int]) -> Row:
    command = [interpreter, "-m", "benchmarks.features.run", module, str(tables), str(out), *map(str, as_of)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False, timeout=TIME_LIMIT)
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        told = done.stderr.strip().splitlines()
        raise RuntimeError(f"{module} failed: {told[-1] if told else done.returncode}")
    found: Row = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def check(out: Path, prepared: Prepared, own: bool) -> Row:
    """Every column of a sample of accounts against plain pandas, numbers within a tolerance and nulls exactly."""
    codes = sorted(np.random.default_rng(7).permutation(prepared.codes())[:SAMPLE].tolist())
    codes = [code for code in codes if not own or offset(code) < OFFSETS_CHECKED]
    truth = _truth(prepared, codes, own).set_index(list(KEY)).sort_index()
    found = pd.read_parquet(out)
    rows, columns = len(found), found.shape[1] - len(KEY)
    found = found[found["account"].isin(codes)].set_index(list(KEY)).sort_index()
    if not found.index.equals(truth.index):
        return {"rows": rows, "columns": columns, "wrong": ["the rows are not every account as of every date"]}
    wrong = [name for name in NAMES if name in found and not _equal(truth[name], found[name])]
    lacking = [name for name in NAMES if name not in found]
    return {"rows": rows, "columns": columns, "wrong": wrong, "lacking": len(lacking)}


def _truth(prepared: Prepared, codes: list[int], own: bool) -> pd.DataFrame:
    if not own:
        return pandas_people.frame(prepared.tables, prepared.as_of, codes)
    parts = []
    for days in {offset(code) for code in codes}:
        as_of = [instant - days * DAY for instant in prepared.as_of]
        parts.append(pandas_people.frame(prepared.tables, as_of, [code for code in codes if offset(code) == days]))
    return pd.concat(parts)


def _equal(truth: pd.Series, found: pd.Series) -> bool:
    a, b = (column.to_numpy(dtype=float, na_value=np.nan) for column in (truth, found))
    close = np.abs(a - b) <= TOLERANCE * np.maximum(1, np.abs(a))
    return bool(np.all(close | (np.isnan(a) & np.isnan(b))))


def summary(competitor: Competitor, prepared: Prepared, runs: list[Row]) -> Row:
    """The median of the runs of one competitor."""
    events, last = prepared.events, runs[-1]
    who = competitor.title.format(version=last.get("version", ""))
    row: Row = {"who": who, "events": events, "accounts": prepared.accounts, "note": last.get("note", "")}
    done = [run for run in runs if "seconds" in run]
    if not done:
        return row
    seconds = statistics.median(run["seconds"] for run in done)
    peaks = [run["peak_mb"] for run in done if run["peak_mb"] is not None]
    rows = last.get("rows", prepared.accounts * len(prepared.as_of))
    row |= {"rows": rows, "columns": last.get("columns"), "runs": len(done), "seconds": round(seconds, 3)}
    row |= {"peak_mb": round(statistics.median(peaks)) if peaks else None}
    row |= {"events_per_second": round(events / seconds), "rows_per_second": round(rows / seconds, 1)}
    row |= {"spread": [round(min(run["seconds"] for run in done), 3), round(max(run["seconds"] for run in done), 3)]}
    if competitor.checked:
        row |= {"wrong": last["wrong"], "lacking": last["lacking"], "equal": not last["wrong"] and not last["lacking"]}
    if competitor.module.startswith("ours"):
        took = prepared.take_in
        row |= {
            "take_in": round(took["seconds"], 2),
            "take_in_mb": round(took["peak_mb"]),
            "ledger": round(took["ledger"], 2),
        }
    return row


def _compared(rows: list[Row]) -> list[Row]:
    """How many times the limit each takes for as many events."""
    limit = next((row["events_per_second"] for row in rows if row["who"] == "limit" and "seconds" in row), None)
    for row in rows:
        if limit and "seconds" in row:
            row["ratio"] = round(limit / row["events_per_second"], 2)
    return rows


def growth(events: int, repeats: int, factors: tuple[int, ...] = (1, 2, 4, 8)) -> list[Row]:
    """Ours at several multiples of the events, with the limit beside it."""
    both = [competitor for competitor in COMPETITORS if competitor.name in ("limit", "propensity")]
    return [row | {"growth": factor} for factor in factors for row in measure(both, events * factor, repeats)]


STEPS = ("tables and ledger", "frames")
MEMORY = ((1_000_000, 1000), (20_000_000, 20_000), (20_000_000, 1_000_000), (100_000_000, 100_000))
"""Events and accounts of the worlds that are kept within memory."""


def memory(steps: Sequence[str]) -> Iterator[Row]:
    """From raw files to frames in worlds of any size, each step in a process of its own, within what is allowed."""
    for events, accounts in MEMORY:
        if "tables and ledger" in steps:
            prepared = prepare(events, accounts)
            yield _kept(prepared, "tables and ledger", prepared.take_in)
        else:
            here = load(WORLDS / f"{events}-{accounts}")
            prepared = Prepared(events, intake.current(here)[0], {})
        if "frames" in steps:
            with TemporaryDirectory() as scratch:
                took = _process(python(""), "ours_unwarmed", prepared.tables, Path(scratch) / "out", prepared.as_of)
            yield _kept(prepared, "frames", took)


def _kept(prepared: Prepared, step: str, took: Row) -> Row:
    allowed, peak = load(prepared.tables.parents[2]).config, round(took["peak_mb"])
    of = {"who": "propensity", "events": prepared.events, "accounts": prepared.accounts, "memory": allowed.memory}
    return of | {
        "step": step,
        "seconds": round(took["seconds"], 1),
        "processor": round(took["processor"], 1),
        "peak_mb": peak,
        "kept": peak * 10**6 <= allowed.memory_bytes,
    }
