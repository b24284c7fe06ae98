"""``feature_frame``: the only way to get features. One row per account that may be scored and as_of.

Frames lie under ``state/frames/DATE/HASH.parquet``, named after their content;
``KEY.json`` beside them says which one answers a given set of tables and
definitions. A score names the hash of the row it came from; that is how replay
works. Frames are built partition by partition of accounts, so memory is
bounded by the partition.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from features import aggregations, cohort, facts, intake, kernel, windows
from features.errors import PropensityError, one_of
from features.facts import Facts
from features.feature import Attribute, Column, Feature, Ratio, column_name, over
from features.files import replaced
from features.kernel import Rows
from features.plan import Plan, plan
from features.quality import Report
from features.sources.files import literal, quoted
from features.workspace import Workspace

Progress = Callable[[int, int], None]
FACTS_PER_PARTITION = 4_000_000
INDEX = ("account", "row_hash")
APPLIES = "for_"


@dataclass
class Partition:
    """Facts of a range of accounts, loaded as they are asked for, and the rows to fill."""

    connection: duckdb.DuckDBPyConnection
    workspace: Workspace
    folder: Path
    report: Report
    accounts: range
    loaded: dict[str, Facts] = field(default_factory=dict)

    def load(self, kind: str) -> Facts:
        if kind not in self.loaded:
            self.loaded[kind] = facts.load(
                self.connection, kind, self.folder, self.workspace, self.report, self.accounts
            )
        return self.loaded[kind]

    def attributes(self, names: list[str]) -> pd.DataFrame:
        """Columns of the accounts, in the order of their codes."""
        columns = ", ".join(quoted(name) for name in names)
        return self.connection.execute(
            f"SELECT {columns} FROM {literal(str(self.folder / 'accounts.parquet'))} "
            f"WHERE account_code >= {self.accounts.start} AND account_code < {self.accounts.stop} ORDER BY account_code"
        ).df()


def feature_frame(workspace: Workspace, days: list[date], progress: Progress = lambda done, of: None) -> pd.DataFrame:
    """Features of every account that may be scored, for each as_of date; built where they are not stored yet.

    Returns one row per account and as_of: ``account``, ``as_of`` (date), ``for_OUTCOME`` (does the outcome apply),
    the columns of the plan (float; text where categorical; null as the catalogue says), ``row_hash``.
    Raises PropensityError where the workspace has no tables yet.
    """
    refs = build(workspace, days, progress)
    return pd.concat([read(workspace, day, refs[day]) for day in days], ignore_index=True)


def build(workspace: Workspace, days: list[date], progress: Progress = lambda done, of: None) -> dict[date, str]:
    """Store the frames that are not there yet; returns the content hash of each."""
    folder, report = intake.current(workspace)
    made = plan(workspace.config, report)
    key = _key(workspace, folder.name, made)
    refs = {day: found for day in days if (found := _stored(workspace, day, key))}
    missing = sorted(set(days) - refs.keys())
    if missing:
        writers = [_Writer(workspace, day, key, made) for day in missing]
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            parts = _partitions(connection, folder)
            for done, accounts in enumerate(parts):
                progress(done, len(parts))
                partition = Partition(connection, workspace, folder, report, accounts)
                _fill(partition, made, missing, writers)
            progress(len(parts), len(parts))
        refs |= {writer.day: writer.close() for writer in writers}
    return refs


def read(workspace: Workspace, day: date, content: str) -> pd.DataFrame:
    """A stored frame by its content hash."""
    file = path(workspace, day, content)
    if not file.is_file():
        raise PropensityError(
            f"the frame {content} of {day} is gone", f"Run `propensity features --as-of {day}` to build it again."
        )
    frame = pq.read_table(file).to_pandas()
    frame.insert(1, "as_of", day)
    return frame


def path(workspace: Workspace, day: date, content: str) -> Path:
    return workspace.frames / day.isoformat() / f"{content}.parquet"


def current_plan(workspace: Workspace) -> Plan:
    """The plan of the tables in use."""
    return plan(workspace.config, intake.current(workspace)[1])


def observed_until(workspace: Workspace) -> date:
    """The last local day of which the tables in use tell."""
    observed = intake.current(workspace)[1].observed_until
    if observed is None:
        raise PropensityError("no table has any fact", "Check the mappings with `propensity check`.")
    return date.fromisoformat(observed)


def _key(workspace: Workspace, tables: str, made: Plan) -> str:
    config = workspace.config
    meaning = [tables, made.digest, config.timezone, config.cohort.model_dump_json()]
    meaning += [f"{name} {outcome.given_days}" for name, outcome in config.outcomes]
    meaning += [f"{name} {mapping.delay_hours}" for name, mapping in sorted(config.tables.items())]
    return hashlib.sha256("\n".join(meaning).encode()).hexdigest()[:16]


def _stored(workspace: Workspace, day: date, key: str) -> str | None:
    ref = workspace.frames / day.isoformat() / f"{key}.json"
    if not ref.is_file():
        return None
    content = str(json.loads(ref.read_text(encoding="utf-8"))["content"])
    return content if path(workspace, day, content).is_file() else None


def _partitions(connection: duckdb.DuckDBPyConnection, folder: Path) -> list[range]:
    sizes = [
        pq.read_metadata(file).num_rows
        for file in folder.glob("*.parquet")
        if file.stem not in ("accounts", "people", "rates")
    ]
    accounts = pq.read_metadata(folder / "accounts.parquet").num_rows
    count = max(1, -(-sum(sizes) // FACTS_PER_PARTITION))
    step = max(1, -(-accounts // count))
    return [range(start, min(start + step, accounts)) for start in range(0, accounts, step)]


def _fill(partition: Partition, made: Plan, days: list[date], writers: list[_Writer]) -> None:
    """Compute one partition and hand each as_of its rows."""
    config, count = partition.workspace.config, len(partition.accounts)
    everybody = cohort.everybody(count, days, (), config.timezone)
    keep = cohort.members(partition.load, config.cohort, count, days, config.timezone)
    keep &= _exists(partition, everybody)
    rows = Rows(everybody.account[keep], everybody.at[keep], everybody.as_of, everybody.starts)
    applies = {
        APPLIES + name: cohort.applies(partition.load, config, outcome, rows, days) for name, outcome in config.outcomes
    }
    values = compute(partition, made, rows, days)
    accounts = partition.attributes(["account"])["account"].to_numpy()
    frame = pd.DataFrame({"account": accounts[rows.account], **applies, **values})
    for position, writer in enumerate(writers):
        writer.write(frame[rows.at == position])


def _exists(partition: Partition, rows: Rows) -> npt.NDArray[np.bool_]:
    """Accounts count from the moment they were created; without a date, always."""
    if "account.created" not in facts.available(partition.report):
        return np.ones(len(rows), dtype=bool)
    created = partition.load("account.created")
    dated = np.diff(created.offsets)[rows.account] > 0
    return ~dated | (kernel.state(created, rows).count > 0)


def compute(partition: Partition, made: Plan, rows: Rows, days: list[date]) -> dict[str, npt.NDArray[np.generic]]:
    """The columns of the plan for these rows, in the order of the plan."""
    values: dict[str, npt.NDArray[np.generic]] = {}
    for stream, wanted in _by_stream(made).items():
        values |= _aggregate(partition, stream, wanted, made, rows, days)
    attributes = [column.name for column in made.columns if isinstance(column.declaration, Attribute)]
    if attributes:
        table = partition.attributes(attributes)
        for name in attributes:
            values[name] = table[name].to_numpy()[rows.account]
    for column in made.columns:
        if isinstance(column.declaration, Ratio):
            values[column.name] = _ratio(column, column.declaration, made, values)
        if not column.categorical:
            values[column.name] = values[column.name].astype(np.float64) + 0.0  # -0.0 becomes 0.0
    return {column.name: values[column.name] for column in made.columns}


def _by_stream(made: Plan) -> dict[tuple[str, str, str], list[Column]]:
    streams: dict[tuple[str, str, str], list[Column]] = {}
    for column in made.columns:
        if isinstance(d := column.declaration, Feature):
            streams.setdefault((d.of, d.label, d.role), []).append(column)
    return streams


def _aggregate(
    partition: Partition, stream: tuple[str, str, str], wanted: list[Column], made: Plan, rows: Rows, days: list[date]
) -> dict[str, npt.NDArray[np.generic]]:
    """Every column that looks at one stream of facts, with one pass of the kernel."""
    kind, label, role = stream
    found = partition.load(kind).only(label, role) if label or role else partition.load(kind)
    spans = tuple(sorted({column.window for column in wanted if column.window}))
    values: dict[str, npt.NDArray[np.generic]] = {}
    if spans:
        starts = windows.lookback_starts(days, spans, partition.workspace.config.timezone)
        out = kernel.windowed(found, Rows(rows.account, rows.at, rows.as_of, starts))
    if any(_feature(column).agg.over_state for column in wanted):
        state = kernel.state(found, rows)
    for column in wanted:
        agg = _feature(column).agg
        if agg.over_window is not None:
            values[column.name] = agg.over_window(out, spans.index(column.window))
        elif agg.over_state is not None:
            values[column.name] = agg.over_state(state, rows.as_of[rows.at])
        else:
            values[column.name] = aggregations.days_ahead(found, rows)
    return values


def _feature(column: Column) -> Feature:
    assert isinstance(column.declaration, Feature)
    return column.declaration


def _ratio(
    column: Column, ratio: Ratio, made: Plan, values: dict[str, npt.NDArray[np.generic]]
) -> npt.NDArray[np.float64]:
    bottom_window = column.longer or column.window
    has_windows = bool(over(made.declarations[ratio.bottom], made.windows))
    top = values[column_name(ratio.top, column.window)].astype(np.float64)
    bottom = values[column_name(ratio.bottom, bottom_window if has_windows else 0)].astype(np.float64)
    if ratio.pace == "rate":
        top, bottom = top / column.window, bottom / column.longer
    usable = (bottom != 0) & ~np.isnan(bottom)
    return np.where(usable, top / np.where(usable, bottom, 1.0), np.nan)


class _Writer:
    """Writes one frame, partition by partition, and names it after its content once it is whole."""

    def __init__(self, workspace: Workspace, day: date, key: str, made: Plan) -> None:
        self.workspace, self.day, self.key, self.plan = workspace, day, key, made
        self.part = workspace.frames / day.isoformat() / f".{key}.part"
        self.part.parent.mkdir(parents=True, exist_ok=True)
        self.content = hashlib.sha256(f"{day} {made.digest}".encode())
        self.writer: pq.ParquetWriter | None = None

    def write(self, frame: pd.DataFrame) -> None:
        frame = frame.reset_index(drop=True)
        frame["row_hash"] = list(row_hashes(frame, self.day, self.plan))
        for row_hash, flags in zip(frame["row_hash"], self._flags(frame), strict=True):
            self.content.update(row_hash.encode() + flags)
        table = pa.Table.from_pandas(frame, schema=self._schema(frame), preserve_index=False)
        if self.writer is None:
            self.writer = pq.ParquetWriter(self.part, table.schema, compression="zstd")
        self.writer.write_table(table)

    def _flags(self, frame: pd.DataFrame) -> list[bytes]:
        columns = [str(column) for column in frame if str(column).startswith(APPLIES)]
        return [row.tobytes() for row in frame[columns].to_numpy(dtype=bool)]

    def _schema(self, frame: pd.DataFrame) -> pa.Schema:
        categorical = {"account", "row_hash"} | {column.name for column in self.plan.columns if column.categorical}
        kinds = [
            (name, pa.string() if name in categorical else pa.bool_() if name.startswith(APPLIES) else pa.float64())
            for name in map(str, frame)
        ]
        return pa.schema(kinds)

    def close(self) -> str:
        assert self.writer is not None
        self.writer.close()
        content = self.content.hexdigest()[:16]
        self.part.replace(path(self.workspace, self.day, content))
        with replaced(self.part.parent / f"{self.key}.json") as ref:
            ref.write_text(json.dumps({"content": content, "columns": len(self.plan.columns)}), encoding="utf-8")
        return content


def row_hashes(frame: pd.DataFrame, day: date, made: Plan) -> Iterator[str]:
    """What identifies a feature row: account, as_of, definitions and every value, bit for bit."""
    names = [column.name for column in made.columns if not column.categorical]
    values = frame[names].to_numpy(dtype=np.float64).tobytes()
    width = 8 * len(names)
    texts = [frame[column.name].fillna("\0").tolist() for column in made.columns if column.categorical]
    prefix = f"{day} {made.digest} "
    for position, identity in enumerate(zip(frame["account"].tolist(), *texts, strict=True)):
        row = hashlib.sha256((prefix + "\x1f".join(identity)).encode())
        row.update(values[position * width : (position + 1) * width])
        yield row.hexdigest()[:32]


def require(frame: pd.DataFrame, names: list[str]) -> None:
    """Refuse a frame that lacks columns, naming them."""
    if missing := [name for name in names if name not in frame]:
        raise PropensityError(
            f"the frame lacks {one_of(missing)}", "Build it again with `propensity features`, or retrain the model."
        )
