"""How a build stays within memory, and goes on after it was killed: accounts are done in ranges, each kept on disk
until all are there.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.computing import Values
from features.files import alive, boot, replaced
from features.kernel import Rows
from features.ledger import Ledger
from features.personas import Crowd
from features.plan import Plan
from features.threads import THREADS
from features.workspace import Workspace

Costs = npt.NDArray[np.int64]
BYTES_PER_FACT, BYTES_PER_OWN_FACT, BYTES_PER_VALUE, FIXED = 50, 160, 40, 700_000_000
"""What a partition takes in memory: for each fact, more where facts are sorted by contact; for each value of a row; and
what the process takes by itself.
"""
PIECES, WORTH_A_PIECE = 4, 32_000_000
"""The most partitions for each thread where memory does not ask for more; and how small, in bytes, none needs to be."""


def costs(book: Ledger, made: Plan, rows: Costs) -> Costs:
    """What each account takes in memory, in bytes, given its number of rows."""
    own = any(isinstance(column.declaration, Crowd) for column in made.columns)
    values = rows * len(made.columns)
    return book.sizes * (BYTES_PER_OWN_FACT if own else BYTES_PER_FACT) + values * BYTES_PER_VALUE


def cut(costs: Costs, memory: int, dates: int = PIECES) -> list[range]:
    """Ranges of accounts: as many as there are threads fit into what the process may take. A thread has several, so that
    all end at about the same time; fewer where there are few dates, and so less to do than to begin.
    """
    upto, accounts, pieces = np.cumsum(costs), len(costs), min(dates, PIECES)
    room = max(memory - FIXED, memory // 4) // THREADS
    room = min(room, max(int(upto[-1] / (pieces * THREADS) * 1.01), WORTH_A_PIECE))  # no last piece of a few accounts
    cuts = [0]
    while cuts[-1] < accounts:
        spent = upto[cuts[-1] - 1] if cuts[-1] else 0
        cuts.append(max(int(np.searchsorted(upto, spent + room, side="right")), cuts[-1] + 1))
    return [range(begin, end) for begin, end in pairwise(cuts)]


def folder(workspace: Workspace, of: list[str]) -> Path:
    """The folder of what is done of a build, of these tables since their numbers of accounts are their own; taken over
    from a killed process, while others at work keep theirs. What the machine has forgotten with its last start is not
    taken over: parts are not forced to disk.
    """
    name = hashlib.sha256("\n".join(of).encode()).hexdigest()[:16]
    all_parts = workspace.state / "parts"
    for old in all_parts.glob("*"):
        if not _at_work(old) and (old.name != name or _owner(old)[1] != boot()):
            shutil.rmtree(old, ignore_errors=True)
    parts = all_parts / (f"{name}-{os.getpid()}" if _at_work(all_parts / name) else name)
    with replaced(parts / "owner", durable=False) as part:
        part.write_text(f"{os.getpid()} {boot()}", encoding="utf-8")
    return parts


def _owner(parts: Path) -> tuple[int, str]:
    """The process that builds or built here, and the start of the machine it ran in; 0 where it is not told."""
    try:
        number, _, start = (parts / "owner").read_text(encoding="utf-8").partition(" ")
        return int(number), start
    except (OSError, ValueError):
        return 0, ""


def _at_work(parts: Path) -> bool:
    """Is another process building here?"""
    owner, start = _owner(parts)
    return owner not in (0, os.getpid()) and start == boot() and alive(owner)


def keep(file: Path, rows: Rows, values: Values, days: int) -> None:
    """Keep a partition until all are there: one batch per as_of."""
    table = pa.record_batch({name: pa.array(column) for name, column in values.items()})
    ends = np.searchsorted(rows.at, np.arange(days + 1))
    with (
        replaced(file, durable=False) as part,
        pa.OSFile(str(part), "wb") as sink,
        pa.ipc.new_file(sink, table.schema) as writer,
    ):
        for begin, end in pairwise(ends):
            writer.write_batch(table.slice(begin, end - begin))


def kept(file: Path, position: int, columns: Sequence[str] | None = None) -> pa.RecordBatch:
    """A partition as of one date, or some of its columns; read and not mapped, since what is mapped stays in memory."""
    with pa.OSFile(str(file)) as source:
        fields = (
            None if columns is None else [pa.ipc.open_file(source).schema.get_field_index(name) for name in columns]
        )
        return pa.ipc.open_file(source, options=pa.ipc.IpcReadOptions(included_fields=fields)).get_batch(position)
