"""``feature_frame``: the only way to get features. One row per account that may be scored and as_of.

Frames lie under ``state/frames/DATE/HASH.parquet``, named after their content;
``KEY.json`` beside them says which one answers what: the definitions and the
facts visible at that date. Later data leaves a frame as it is, so a new month
is added without touching the old ones. A score names the hash of the row it
came from; that is how replay works.

Frames are built partition by partition of accounts, within the workspace's
memory; a partition that is done stays done if the process is killed.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import date
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features import clusters, computing, intake, ledger, partitions, personas, windows
from features.computing import Partition, asked, filled
from features.definitions import FEATURES
from features.errors import PropensityError, one_of
from features.expressions import Rank
from features.feature import Attribute, Declaration
from features.files import forced, replaced
from features.fingerprint import fingerprints
from features.kernel import Rows
from features.ledger import Ledger
from features.peers import Peers, compared, gathered, ranked
from features.personas import Crowd
from features.plan import Plan, plan
from features.quality import Report
from features.threads import each
from features.workspace import Workspace

Progress = Callable[[int, int], None]
Made = TypeVar("Made")
Costs = npt.NDArray[np.int64]
INDEX = ("account", "row_hash")
_BUILDING = Lock()
APPLIES = computing.APPLIES
FORMAT = "1"
"""Of the numbers in frames: another one when the same declarations come to other numbers, so that frames are made anew."""
WORTH_A_GROUP = 10_000
"""Rows that are written together, if there are as many."""


def feature_frame(
    workspace: Workspace,
    days: list[date],
    progress: Progress = lambda done, of: None,
    declared: Sequence[Declaration] = FEATURES,
    only: Collection[str] | None = None,
) -> pd.DataFrame:
    """Features of every account that may be scored, for each as_of date; built where they are not stored yet.

    Returns one row per account and as_of: ``account``, ``as_of`` (date), ``for_OUTCOME`` (does the outcome apply),
    the columns of the plan (float; text where categorical; null as the catalogue says), ``row_hash``. With ``only``, these
    columns of the plan alone are read, where they are there. Raises PropensityError where the workspace has no tables yet.
    """
    refs = build(workspace, days, progress, declared)
    return pd.concat([read(workspace, day, refs[day], only) for day in days], ignore_index=True)


def feature_rows(
    workspace: Workspace,
    accounts: Sequence[str],
    days: Sequence[date],
    progress: Progress = lambda done, of: None,
    declared: Sequence[Declaration] = FEATURES,
) -> pd.DataFrame:
    """Features of each account as of a date of its own, such as a week before its renewal; nothing is stored.

    Returns one row per pair, in their order: ``account``, ``as_of``, ``for_OUTCOME`` (false too where the account may
    not be scored), and the columns of the plan as ``feature_frame`` has them, but for ranks among peers: these take
    everybody as of the same date. Raises PropensityError where an account is unknown, or there are no tables yet.
    """
    if len(accounts) != len(days):
        raise PropensityError(f"{len(accounts)} accounts and {len(days)} dates", "Name one date for each account.")
    folder, report, book = _opened(workspace, progress, declared)
    made = planned(workspace, report, [one for one in declared if not isinstance(one, Rank)])
    names = pq.read_table(folder / "accounts.parquet", columns=["account"])["account"]
    code = pc.index_in(pa.array([str(account) for account in accounts], pa.string()), names)
    if code.null_count:
        unknown = [name for name, there in zip(accounts, code.is_valid().to_pylist(), strict=True) if not there]
        raise PropensityError(
            f"{len(unknown)} accounts are unknown: {one_of(unknown[:5])}",
            "Accounts are named as in the accounts table; look at the export.",
        )
    grid = sorted(set(days))
    position = {day: number for number, day in enumerate(grid)}
    wanted = Rows(code.to_numpy(), np.array([position[day] for day in days], dtype=np.int32))
    often = np.bincount(wanted.account, minlength=len(names))
    costs = np.where(often > 0, partitions.costs(book, made, often), 0)
    order, account, _ = wanted.in_order
    cut = partitions.cut(costs, workspace.config.memory_bytes)
    ranges = [accounts for accounts in cut if often[accounts.start : accounts.stop].any()] or cut[:1]
    progress(0, len(ranges))

    def fill(accounts: range) -> pa.Table:
        mine = order[slice(*np.searchsorted(account, [accounts.start, accounts.stop]))]
        rows = Rows(wanted.account[mine] - np.int32(accounts.start), wanted.at[mine])
        return pa.table(asked(Partition(workspace, book, folder, report, accounts), made, rows, grid))

    parts = pa.concat_tables(_told(each(fill, ranges), progress, 0, len(ranges)))
    frame = parts.take(pa.array(np.argsort(order))).to_pandas()
    frame.insert(1, "as_of", list(days))
    return frame


def build(
    workspace: Workspace,
    days: list[date],
    progress: Progress = lambda done, of: None,
    declared: Sequence[Declaration] = FEATURES,
) -> dict[date, str]:
    """Store the frames that are not there yet; returns the content hash of each. One build at a time in a process."""
    with _BUILDING:
        return _built(workspace, days, progress, declared)


def _built(
    workspace: Workspace, days: list[date], progress: Progress, declared: Sequence[Declaration]
) -> dict[date, str]:
    folder, report, book = _opened(workspace, progress, declared)
    made = planned(workspace, report, declared)
    keys = _keys(workspace, book, made, days)
    refs = _there(workspace, keys)
    missing = sorted(keys.keys() - refs.keys())
    if missing:
        parts = partitions.folder(workspace, [folder.name, *(keys[day] for day in missing)])
        costs = partitions.costs(book, made, np.full(len(book.sizes), len(missing)))
        ranges = partitions.cut(costs, workspace.config.memory_bytes, len(missing))
        steps = len(ranges) + len(missing)
        progress(0, steps)

        def fill(accounts: range) -> Path:
            file = parts / f"{accounts.start}-{accounts.stop}.arrow"
            if not file.is_file():
                partitions.keep(
                    file, *filled(Partition(workspace, book, folder, report, accounts), made, missing), len(missing)
                )
            return file

        files = list(_told(each(fill, ranges), progress, 0, steps))
        write = partial(_written, workspace, made, keys, files)
        written = _told(each(write, enumerate(missing)), progress, len(ranges), steps)
        refs |= dict(zip(missing, written, strict=True))
        shutil.rmtree(parts)
    return {day: refs[day] for day in days}


def _opened(workspace: Workspace, progress: Progress, declared: Sequence[Declaration]) -> tuple[Path, Report, Ledger]:
    """The tables in use, their report and ledger, and personas fitted where they are asked for."""
    folder, report = intake.current(workspace)
    book = ledger.opened(workspace, progress)
    if any(isinstance(declaration, Crowd) for declaration in declared):
        clusters.ensure(workspace, report, _whole(workspace, folder, report, book))
    return folder, report, book


def _told(made: Generator[Made, None, None], progress: Progress, done: int, of: int) -> Iterator[Made]:
    """What is made, telling of each; ``done`` is what was done before. Nothing more is begun once nobody listens."""
    with closing(made):
        for number, one in enumerate(made, done + 1):
            progress(number, of)
            yield one


def stored(workspace: Workspace, days: list[date]) -> dict[date, str]:
    """The content hashes of those frames that are there already; builds nothing."""
    if not (workspace.tables / "current").is_file() or not ledger.place(workspace).is_dir():
        return {}
    made = current_plan(workspace)
    return _there(workspace, _keys(workspace, ledger.opened(workspace), made, days))


def read(workspace: Workspace, day: date, content: str, only: Collection[str] | None = None) -> pd.DataFrame:
    """A stored frame by its content hash; of the plan, ``only`` some columns if they are named."""
    with pq.ParquetFile(_kept(workspace, day, content)) as file:
        names = [name for name in file.schema_arrow.names if only is None or name in only or _beside(name)]
        frame = file.read(names).to_pandas()
    frame.insert(1, "as_of", day)
    return frame


def _beside(name: str) -> bool:
    """Whether it is a column that every frame has, whatever is in its plan."""
    return name in INDEX or name.startswith(APPLIES)


def row(workspace: Workspace, day: date, content: str, account: str) -> pd.DataFrame:
    """The row of one account in a stored frame, read without the others where the file allows; empty where it has none."""
    with pq.ParquetFile(_kept(workspace, day, content)) as file:
        left = place = pc.index(file.read(columns=["account"])["account"], account).as_py()
        part = file.schema_arrow.empty_table()
        for group in range(file.num_row_groups if place >= 0 else 0):
            if left < (size := file.metadata.row_group(group).num_rows):
                part = file.read_row_group(group).slice(left, 1)
                break
            left -= size
    frame = part.to_pandas()
    frame.insert(1, "as_of", day)
    return frame


def days_of(workspace: Workspace, account: str) -> dict[date, str]:
    """The dates as of which a stored frame has a row of this account, and the content hash of each; builds nothing."""
    found = stored(workspace, sorted(map(date.fromisoformat, _dated(workspace))))
    return {day: content for day, content in found.items() if _place(workspace, day, content, account) >= 0}


def _dated(workspace: Workspace) -> list[str]:
    folders = workspace.frames.iterdir() if workspace.frames.is_dir() else ()
    return [one.name for one in folders if one.is_dir()]


def _place(workspace: Workspace, day: date, content: str, account: str) -> int:
    """Where its row lies; -1 where it has none."""
    names = pq.read_table(path(workspace, day, content), columns=["account"])["account"]
    place: int = pc.index(names, account).as_py()
    return place


def _kept(workspace: Workspace, day: date, content: str) -> Path:
    file = path(workspace, day, content)
    if not file.is_file():
        raise PropensityError(
            f"the frame {content} of {day} is gone", f"Run `propensity features --as-of {day}` to build it again."
        )
    return file


def peers_of(workspace: Workspace, day: date, content: str) -> Peers | None:
    """What the ranks of a stored frame were made from; None where it is gone."""
    file = path(workspace, day, content).with_suffix(".peers.parquet")
    return Peers.of(pq.read_table(file)) if file.is_file() else None


def path(workspace: Workspace, day: date, content: str) -> Path:
    return workspace.frames / day.isoformat() / f"{content}.parquet"


def _files(workspace: Workspace, day: date, content: str) -> list[Path]:
    """The frame, and what its ranks were made from."""
    frame = path(workspace, day, content)
    return [frame, frame.with_suffix(".peers.parquet")]


def keep(workspace: Workspace, day: date, content: str) -> None:
    """Force a frame onto the disk. Frames can be made again, so by themselves they are not; what a score names must
    outlive a loss of power even so.
    """
    for file in _files(workspace, day, content):
        forced(file)


def current_plan(workspace: Workspace) -> Plan:
    """The plan of the tables in use."""
    return planned(workspace, intake.current(workspace)[1])


def planned(workspace: Workspace, report: Report, declared: Sequence[Declaration] = FEATURES) -> Plan:
    """The plan of tables of which there is a report, with the personas if they are fitted."""
    return plan(workspace.config, report, declared, personas.stored(workspace, report))


def observed_until(workspace: Workspace) -> date:
    """The last local day of which the tables in use tell."""
    observed = intake.current(workspace)[1].observed_until
    if observed is None:
        raise PropensityError("no table has any fact", "Check the mappings with `propensity check`.")
    return date.fromisoformat(observed)


def _keys(workspace: Workspace, book: Ledger, made: Plan, days: list[date]) -> dict[date, str]:
    """Each changes with whatever a frame of that day depends on, and with nothing that came later."""
    config = workspace.config
    said = ["account", *(column.name for column in made.columns if isinstance(column.declaration, Attribute))]
    same = [FORMAT, made.digest, config.timezone, config.cohort.model_dump_json()]
    same += [f"{name} {outcome.given_days} {outcome.given_level}".rstrip() for name, outcome in config.outcomes]

    def key(day: date) -> str:
        meaning = [str(day), book.digest(windows.day_number(day), said), *same]
        return hashlib.sha256("\n".join(meaning).encode()).hexdigest()[:16]

    return {day: key(day) for day in days}


def _there(workspace: Workspace, keys: dict[date, str]) -> dict[date, str]:
    return {day: found for day, key in keys.items() if (found := _stored(workspace, day, key))}


def _stored(workspace: Workspace, day: date, key: str) -> str | None:
    ref = workspace.frames / day.isoformat() / f"{key}.json"
    if not ref.is_file():
        return None
    try:
        told = json.loads(ref.read_text(encoding="utf-8"))
        whole = [file.stat().st_size for file in _files(workspace, day, told["content"])] == told["bytes"]
    except (ValueError, OSError, KeyError):  # the power failed before it was on disk
        return None
    return str(told["content"]) if whole else None


def _whole(workspace: Workspace, folder: Path, report: Report, book: Ledger) -> Iterator[Partition]:
    """All accounts, within memory."""
    for accounts in partitions.cut(book.sizes * partitions.BYTES_PER_OWN_FACT, workspace.config.memory_bytes):
        yield Partition(workspace, book, folder, report, accounts)


def _written(workspace: Workspace, made: Plan, keys: dict[date, str], files: list[Path], of: tuple[int, date]) -> str:
    """Write the frame of one as_of, given with its position, from the partitions; named after its content."""
    position, day = of
    needed = compared(made)
    peers = gathered(made, [partitions.kept(file, position, needed) for file in files] if needed else [])
    hashes = hashlib.sha256(f"{day} {made.digest}".encode())  # however the accounts are cut
    applies, outcomes = hashlib.sha256(), [APPLIES + name for name, _ in workspace.config.outcomes]
    part = files[0].with_name(f"{day}.frame")
    writer: pq.ParquetWriter | None = None
    for batch in _together(partitions.kept(file, position) for file in files):
        table = _finished(made, day, batch, ranked(made, batch, peers))
        writer = writer or pq.ParquetWriter(part, table.schema, **_stored_as(table))
        writer.write_table(table)
        hashes.update(table["row_hash"].combine_chunks().buffers()[2])
        applies.update(np.array([table[name].to_numpy() for name in outcomes]).T.tobytes())
    assert writer is not None
    writer.close()
    applies.update(repr(outcomes).encode())
    name = hashlib.sha256(hashes.digest() + applies.digest()).hexdigest()[:16]
    frame, beside = _files(workspace, day, name)
    with replaced(beside, durable=False) as peer_part:
        pq.write_table(peers.table(), peer_part)
    part.replace(frame)
    told = {"content": name, "columns": len(made.columns), "bytes": [file.stat().st_size for file in (frame, beside)]}
    with replaced(frame.with_name(f"{keys[day]}.json"), durable=False) as ref:
        ref.write_text(json.dumps(told), encoding="utf-8")
    return name


def _together(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Fewer and larger: what follows costs by the batch as well as by the row."""
    group: list[pa.RecordBatch] = []
    for batch in batches:
        group.append(batch)
        if sum(map(len, group)) >= WORTH_A_GROUP:
            yield pa.concat_batches(group) if len(group) > 1 else batch
            group = []
    if group:
        yield pa.concat_batches(group)


def _stored_as(table: pa.Table) -> dict[str, Any]:
    """Byte by byte, numbers are smaller and sooner written; no query is answered from statistics."""
    of = {field.name: field.type for field in table.schema if field.name != "row_hash"}
    return {
        "compression": "lz4",
        "use_dictionary": [name for name, kind in of.items() if kind == pa.string()],
        "column_encoding": {name: "BYTE_STREAM_SPLIT" for name, kind in of.items() if kind == pa.float64()},
        "write_statistics": False,
    }


def _finished(made: Plan, day: date, batch: pa.RecordBatch, late: dict[str, np.ndarray]) -> pa.Table:
    """The rows with their ranks and hashes."""
    columns = {name: pa.array(late[name]) if name in late else batch[name] for name in batch.schema.names}
    columns["row_hash"] = pa.array(row_hashes(made, day, columns)).cast(pa.string())
    fields = [
        pa.field(name, of.type, pa.types.is_string(of.type) and name not in INDEX) for name, of in columns.items()
    ]
    return pa.table(columns, pa.schema(fields))


def row_hashes(made: Plan, day: date, columns: Mapping[str, pa.Array]) -> npt.NDArray[np.bytes_]:
    """What identifies a feature row: account, as_of, definitions and every value, bit for bit."""
    named = ["account", *(column.name for column in made.columns)]
    return fingerprints(begun(made, day), len(columns["account"]), (columns[name] for name in named))


def begun(made: Plan, day: date) -> str:
    """What the hashes of all rows of one as_of have in common."""
    return f"{day} {made.digest}"


def hashes_of(frame: pd.DataFrame, day: date, made: Plan) -> list[str]:
    """The row hashes of feature rows as ``read`` returns them, computed anew from their values."""
    names = ["account", *(column.name for column in made.columns)]
    texts = {"account"} | {column.name for column in made.columns if column.categorical}
    columns = {name: pa.array(frame[name], pa.string() if name in texts else pa.float64()) for name in names}
    return [str(found, "ascii") for found in row_hashes(made, day, columns)]


def require(frame: pd.DataFrame, names: list[str]) -> None:
    """Refuse a frame that lacks columns, naming them."""
    if missing := [name for name in names if name not in frame]:
        raise PropensityError(
            f"the frame lacks {one_of(missing)}", "Build it again with `propensity features`, or retrain the model."
        )
