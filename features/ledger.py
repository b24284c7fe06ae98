"""The ledger: every fact of the tables in use, ready for the kernel.

A folder per kind under ``state/facts/KEY/``, sorted by account and instant,
made once for a set of tables and declarations: plain arrays of numbers, which
the kernel reads where they lie. Beside them, for each kind and local day, a
digest of the facts that became visible on it. An as_of is the end of a day, so
the sum of the digests up to it says whether anything visible to it has changed:
that is how a frame knows that it is still right when later data has come in.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, Protocol

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from features import facts, intake
from features.database import connected, literal, quoted
from features.errors import PropensityError
from features.facts import NO_VALUE, UNIT, Facts
from features.files import scratch, settled
from features.quality import Report
from features.tables import ROLES
from features.workspace import Workspace

FORMAT = "4"
BATCH = 1_000_000
LARGEST_SUM = 2**62
COLUMNS: dict[str, Any] = {
    "occurred": np.int64,
    "known": np.int64,
    "value": np.int64,
    "day": np.int32,
    "contact": np.int32,
    "label": np.int32,
    "role": np.int32,
}
"""A file per column of a kind; beside them ``offsets``: where the facts of each account begin, and where the last end."""
NOBODY = "CAST(0 AS UBIGINT)"
"""The hash of no contact, and of no label."""
Progress = Callable[[int, int], None]
Running = tuple[list[int], list[int]]
"""Days in order, and what has added up by the end of each."""


class Source(Protocol):
    """Where facts are loaded from."""

    @property
    def kinds(self) -> Collection[str]: ...

    def load(self, kind: str, accounts: range) -> Facts:
        """The facts of one kind for a range of account codes."""


@dataclass(frozen=True)
class Mapped:
    """The facts of all accounts by kind, mapped from their files: the parts of them are only looked up."""

    facts: dict[str, Facts]

    @property
    def kinds(self) -> Collection[str]:
        return self.facts.keys()

    def load(self, kind: str, accounts: range) -> Facts:
        """The facts of one kind for a range of account codes."""
        if kind not in self.facts:
            raise facts.not_there(kind, self.facts)
        return self.facts[kind].of(accounts)


@dataclass(frozen=True)
class Ledger:
    """The facts of a set of tables: the labels of each kind, and per kind the days on which facts became visible with
    the running sums of their digests; likewise for each column of the accounts, by the day on which they were created.
    """

    folder: Path
    labels: dict[str, tuple[str, ...]]
    digests: dict[str, Running]
    accounts: dict[str, Running]

    @property
    def kinds(self) -> Collection[str]:
        return self.labels.keys()

    def load(self, kind: str, accounts: range) -> Facts:
        """The facts of one kind for a range of account codes."""
        if kind not in self.labels:
            raise facts.not_there(kind, self.labels)
        offsets = self._offsets(kind)[accounts.start : accounts.stop + 1]
        columns = {name: self._column(kind, name, int(offsets[0]), int(offsets[-1])) for name in COLUMNS}
        return Facts(offsets - offsets[0], **columns, labels=self.labels[kind], roles=ROLES)

    def mapped(self) -> Mapped:
        """All facts of all accounts, each file opened once."""
        return Mapped({kind: self._whole(kind) for kind in self.labels})

    def _whole(self, kind: str) -> Facts:
        size = (self.folder / kind / "offsets").stat().st_size // np.dtype(np.int64).itemsize
        offsets = self._column(kind, "offsets", 0, size)
        columns = {name: self._column(kind, name, 0, int(offsets[-1])) for name in COLUMNS}
        return Facts(offsets, **columns, labels=self.labels[kind], roles=ROLES)

    @property
    def sizes(self) -> npt.NDArray[np.int64]:
        """How many facts each account has."""
        total: npt.NDArray[np.int64] = np.sum([np.diff(self._offsets(kind)) for kind in self.labels], axis=0)
        return total

    def digest(self, day: int, columns: Iterable[str]) -> str:
        """Of all that an as_of at the end of this local day (since 1970) may see: facts, and what these columns say,
        without history, of the accounts that are there.
        """
        total = hashlib.sha256()
        said = {f"accounts.{column}": self.accounts[column] for column in columns}
        for of, (days, sums) in sorted((self.digests | said).items()):
            until = bisect_right(days, day)
            total.update(f"{of} {sums[until - 1] if until else 0}\n".encode())
        return total.hexdigest()

    def _offsets(self, kind: str) -> npt.NDArray[np.int64]:
        return np.fromfile(self.folder / kind / "offsets", dtype=np.int64)

    def _column(self, kind: str, name: str, begin: int, end: int) -> npt.NDArray[Any]:
        """A part of a column, mapped from its file, which need not stay open for it."""
        of = np.dtype(COLUMNS.get(name, np.int64))
        if begin == end:  # an empty file cannot be mapped
            return np.zeros(0, of)
        with pa.memory_map(str(self.folder / kind / name)) as file:
            file.seek(begin * of.itemsize)
            return np.frombuffer(file.read_buffer((end - begin) * of.itemsize), of)


def place(workspace: Workspace) -> Path:
    """Where the ledger of the tables in use is, or will be."""
    return workspace.state / "facts" / _key(workspace, intake.current(workspace)[0].name)


def opened(workspace: Workspace, progress: Progress = lambda done, of: None) -> Ledger:
    """The ledger of the tables in use, made if it is not there; whole or not at all."""
    folder, report = intake.current(workspace)
    final = place(workspace)
    if not final.is_dir():
        final.parent.mkdir(parents=True, exist_ok=True)
        with scratch(workspace.state) as part:
            _write(workspace, folder, report, part / "facts", part, progress)
            settled(part / "facts", final)
        for old in final.parent.iterdir():
            if old != final:
                shutil.rmtree(old, ignore_errors=True)
    told = json.loads((final / "ledger.json").read_text(encoding="utf-8"))
    labels = {kind: tuple(names) for kind, names in told["labels"].items()}
    digests, accounts = ({of: running(by_day) for of, by_day in told[part].items()} for part in ("digests", "accounts"))
    return Ledger(final, labels, digests, accounts)


def running(by_day: Mapping[str, str]) -> Running:
    days = sorted(by_day, key=int)
    return [int(day) for day in days], list(accumulate(int(by_day[day]) for day in days))


def _key(workspace: Workspace, tables: str) -> str:
    delays = [f"{name} {mapping.delay_hours}" for name, mapping in sorted(workspace.config.tables.items())]
    meaning = [FORMAT, tables, workspace.config.timezone, repr(facts.FACTS), repr(ROLES), duckdb.__version__, *delays]
    return hashlib.sha256("\n".join(meaning).encode()).hexdigest()[:16]


def _write(workspace: Workspace, tables: Path, report: Report, folder: Path, spill: Path, progress: Progress) -> None:
    folder.mkdir()
    kinds = sorted(facts.available(report))
    accounts = pq.read_metadata(tables / "accounts.parquet").num_rows
    labels: dict[str, list[str]] = {}
    digests: dict[str, dict[str, str]] = {}
    zone = workspace.config.timezone
    with connected(workspace, spill) as connection:
        for done, kind in enumerate(kinds):
            progress(done, len(kinds))
            labels[kind] = _choose(connection, kind, tables, workspace, report)
            _sort(connection, kind, accounts, folder / kind)
            digests[kind] = _digests(connection, tables, zone)
        progress(len(kinds), len(kinds))
        told = {"labels": labels, "digests": digests, "accounts": _accounts(connection, tables, zone)}
    (folder / "ledger.json").write_text(json.dumps(told), encoding="utf-8")


def _table(folder: Path, name: str) -> str:
    return literal(str(folder / f"{name}.parquet"))


def _choose(
    connection: duckdb.DuckDBPyConnection, kind: str, tables: Path, workspace: Workspace, report: Report
) -> list[str]:
    """``chosen``: the facts of a kind with their codes, and hashes of whose they are (``who``) and what they say they are
    (``what``); returns its labels, in the order of their codes. What facts of the kind never have is not looked for.
    """
    query, declared = facts.select(kind, tables, workspace, report), [fact for fact in facts.FACTS if fact.kind == kind]
    labels: list[str] = []
    code, role, who, what, joins = "-1", "-1", NOBODY, NOBODY, ""
    if any(fact.label for fact in declared):
        labels = _labels(connection, query)
        code, what = "coalesce(l.code, -1)", f"CASE WHEN f.label IS NULL THEN {NOBODY} ELSE hash(f.label) END"
        joins += " LEFT JOIN labels l ON l.label = f.label"
    if any(fact.of_people for fact in declared):
        known = "CASE WHEN f.known >= p.role_known THEN p.role END"
        role = f"coalesce(list_position([{', '.join(map(literal, ROLES))}], {known}), 0) - 1"
        who = f"CASE WHEN p.contact IS NULL THEN {NOBODY} ELSE hash(p.contact) END"
        joins += f" LEFT JOIN {_table(tables, 'people')} p ON p.contact_code = f.contact_code"
    connection.execute(
        "CREATE OR REPLACE TEMP VIEW chosen AS SELECT f.account_code AS account, f.occurred, f.known, f.value, f.day, "
        f"coalesce(f.contact_code, -1) AS contact, {code} AS label, {role} AS role, {who} AS who, {what} AS what "
        f"FROM ({query}) f{joins}"
    )
    return labels


def _labels(connection: duckdb.DuckDBPyConnection, query: str) -> list[str]:
    """In the order of their codes, which the table ``labels`` has too."""
    found = connection.execute(f"SELECT DISTINCT label FROM ({query}) WHERE label IS NOT NULL ORDER BY 1").fetchall()
    names = [row[0] for row in found]
    connection.execute("CREATE OR REPLACE TABLE labels (label VARCHAR, code INTEGER)")
    if names:
        connection.execute("INSERT INTO labels SELECT unnest(?), unnest(range(?))", [names, len(names)])
    return names


def _sort(connection: duckdb.DuckDBPyConnection, kind: str, accounts: int, folder: Path) -> None:
    """Write the facts in an order that is total over everything a feature can see."""
    folder.mkdir()
    counts, sizes = np.zeros(accounts, dtype=np.int64), np.zeros(accounts)
    query = f"SELECT account, {', '.join(COLUMNS)} FROM chosen ORDER BY account, occurred, known, value NULLS LAST, contact, label"
    with ExitStack() as files:
        columns = {name: files.enter_context((folder / name).open("wb")) for name in COLUMNS}
        try:
            for batch in connection.sql(query).to_arrow_reader(BATCH):
                account, value = batch["account"].to_numpy(), batch["value"].fill_null(int(NO_VALUE)).to_numpy()
                counts += np.bincount(account, minlength=accounts)
                amounts = np.where(value == NO_VALUE, 0.0, np.abs(value.astype(np.float64)))
                sizes += np.bincount(account, amounts, accounts)
                for name, kept in COLUMNS.items():
                    column = value if name == "value" else batch[name].to_numpy()
                    column.astype(kept, copy=False).tofile(columns[name])
        except duckdb.ConversionException as error:  # a value of its own beyond 64 bits
            raise _too_large(kind) from error
    if sizes.max(initial=0) > LARGEST_SUM:  # sums are taken within an account, whichever facts they are of
        raise _too_large(kind)
    np.concatenate([[0], np.cumsum(counts)]).astype(np.int64).tofile(folder / "offsets")


def _too_large(kind: str) -> PropensityError:
    return PropensityError(
        f"the values of {kind} facts add up to more than {LARGEST_SUM // UNIT:,}",
        "State them in a larger unit in the table's mapping.",
    )


def _accounts(connection: duckdb.DuckDBPyConnection, tables: Path, zone: str) -> dict[str, dict[str, str]]:
    """Per column of the accounts and local day, the sum of the hashes of what it says of those created on that day."""
    created = f"CAST(timezone({literal(zone)}, created) AS DATE)"
    names = [name for name in pq.read_schema(tables / "accounts.parquet").names if name != "account_code"]
    sums = ", ".join(f"sum(hash(account, {quoted(name)}))" for name in names)
    found = connection.execute(
        f"SELECT coalesce(datediff('day', DATE '1970-01-01', {created}), {-(2**31)}), {sums} "
        f"FROM {_table(tables, 'accounts')} GROUP BY 1 ORDER BY 1"
    ).fetchall()
    return {name: {str(line[0]): str(line[place]) for line in found} for place, name in enumerate(names, 1)}


def _digests(connection: duckdb.DuckDBPyConnection, tables: Path, zone: str) -> dict[str, str]:
    """Per local day on which facts became visible, the sum of their hashes: of identifiers, not codes, so it lasts."""
    seen = f"CAST(timezone({literal(zone)}, make_timestamptz(greatest(occurred, known))) AS DATE)"
    day = f"CASE WHEN known = occurred THEN day ELSE datediff('day', DATE '1970-01-01', {seen}) END"
    found = connection.execute(
        f"SELECT {day}, sum(hash(a.h, who, what, role, occurred, known, value)) FROM chosen f "
        f"JOIN (SELECT account_code, hash(account) AS h FROM {_table(tables, 'accounts')}) a ON a.account_code = f.account "
        "GROUP BY 1 ORDER BY 1"
    ).fetchall()
    return {str(at): str(total) for at, total in found}
