"""One account by itself, from its facts as they are now: the row that it would have in the frame, within milliseconds.

What does not depend on the account is worked out once, for a set of tables and a day; facts stay where they lie, in the
ledger. Kernel and declarations are those of the frame. Ranks take the peers that were frozen with a stored frame.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from features import cohort, computing, frame, intake, ledger, together, windows
from features.aggregates import Aggregates
from features.computing import Partition
from features.expressions import Rank
from features.feature import Attribute, Column, Numbers
from features.fingerprint import fingerprint, word
from features.kernel import Names, Rows
from features.peers import Peers, ranks
from features.plan import Plan
from features.together import Block, Integers, Step
from features.workspace import Workspace

FIRST = Rows(np.zeros(1, dtype=np.int32), np.zeros(1, dtype=np.int32))
"""The one row there is."""
Value = float | str | None
Texts = dict[str, str | None]


@dataclass(frozen=True)
class Row:
    """An account's row: every column of the plan (NaN or None where nothing is known), and the outcomes that apply."""

    account: str
    as_of: date
    values: dict[str, Value]
    applies: frozenset[str]
    row_hash: str


@dataclass(frozen=True)
class Kind:
    """What is asked of the facts of one kind, and what is answered of an account that has ``nothing`` of the kind."""

    name: str
    offsets: Integers
    asked: Aggregates
    nothing: tuple[Integers, Numbers]

    @classmethod
    def of(cls, whole: Partition, name: str, columns: list[Column], day: date) -> Kind:
        found = whole.load(name)
        asked = Aggregates.of(Names.of(found), columns, [day], whole.workspace.config.timezone)
        none = replace(found.of(range(0)), offsets=np.zeros(2, dtype=np.int64))
        return cls(name, found.offsets, asked, asked.answers(none, FIRST))

    def answers(self, own: Partition, code: int) -> tuple[Integers, Numbers]:
        """Of one account, which ``own`` holds."""
        if self.offsets[code] == self.offsets[code + 1]:
            return self.nothing
        return self.asked.answers(own.load(self.name), FIRST)


@dataclass(frozen=True)
class Alone:
    """The accounts of a set of tables as of a day. ``place``: where each column stands in a row."""

    whole: Partition
    plan: Plan
    day: date
    instant: Integers
    codes: dict[str, int]
    place: dict[str, int]
    kinds: list[Kind]
    blocks: list[Block]
    steps: list[Step]
    ranks: list[tuple[Column, Rank]]
    texts: dict[str, pa.Array]
    numbers: dict[str, Numbers]

    @classmethod
    def of(cls, workspace: Workspace, day: date | None = None) -> Alone:
        """Of the tables in use, as of the last day that they tell of unless another is named.

        Raises PropensityError where there are no tables yet.
        """
        folder, report = intake.current(workspace)
        made = frame.planned(workspace, report)
        day = day or frame.observed_until(workspace)
        facts = ledger.opened(workspace).mapped()
        accounts = pq.read_metadata(folder / "accounts.parquet").num_rows
        owners = computing.owners(folder)
        whole = Partition(workspace, facts, folder, report, range(accounts), owners=owners)
        place = {column.name: number for number, column in enumerate(made.columns)}
        kinds = [Kind.of(whole, kind, columns, day) for kind, columns in computing.by_kind(made).items()]
        said = [column for column in made.columns if isinstance(column.declaration, Attribute)]
        table = whole.attributes(["account", *(column.name for column in said)])
        one = {column.name: table[column.name].combine_chunks() for column in said}
        return cls(
            whole,
            made,
            day,
            windows.as_of_instants([day], workspace.config.timezone),
            {account: code for code, account in enumerate(table["account"].to_pylist())},
            place,
            kinds,
            together.blocks((kind.asked for kind in kinds), place),
            together.steps(made, place),
            ranks(made),
            {column.name: one[column.name] for column in said if column.categorical},
            {column.name: computing.floats(one[column.name]) for column in said if not column.categorical},
        )

    def row(self, account: str, peers: Peers) -> Row | None:
        """None where the account may not be scored as of that day, so that the frame has no row of it."""
        code = self.codes[account]
        own = self.whole.part(range(code, code + 1))
        if not computing.scorable(own, FIRST, [self.day])[0]:
            return None
        row = self._computed(own, code)
        texts: Texts = {name: column[code].as_py() for name, column in self.texts.items()}
        for column, rank in self.ranks:
            of = self.place[self.plan.inputs(column)[0]]
            row[self.place[column.name]] = peers.rank(column.name, [texts[rank.among]], row[of : of + 1])[0]
        values: dict[str, Value] = {**dict(zip(self.place, row.tolist(), strict=True)), **texts}
        return Row(account, self.day, values, self._applies(own), self._hash(account, row, texts))

    def _computed(self, own: Partition, code: int) -> Numbers:
        """All but texts and ranks, which stay unknown."""
        row = np.full(len(self.place), np.nan)
        each = [kind.answers(own, code) for kind in self.kinds]
        exact = np.concatenate([np.zeros(0, np.int64), *(found[:, 0] for found, _ in each)])
        shapes = np.concatenate([np.zeros(0), *(found[:, 0] for _, found in each)])
        for block in self.blocks:
            row[block.columns] = block.number(exact, shapes, self.instant)
        for name, numbers in self.numbers.items():
            row[self.place[name]] = numbers[code]
        for name, crowd in computing.crowds(own, self.plan, FIRST, [self.day]).items():
            row[self.place[name]] = np.asarray(crowd)[0]
        for step in self.steps:
            row[step.columns] = step.number(row)
        return row

    def _applies(self, own: Partition) -> frozenset[str]:
        config = own.workspace.config
        return frozenset(
            name for name, outcome in config.outcomes if cohort.applies(own.load, config, outcome, FIRST, [self.day])[0]
        )

    def _hash(self, account: str, row: Numbers, texts: Texts) -> str:
        words: npt.NDArray[np.uint64] = np.empty(1 + len(row), dtype=np.uint64)
        words[0], words[1:] = word(account), row.view(np.uint64)
        for name, text in texts.items():
            words[1 + self.place[name]] = word(text)
        return fingerprint(frame.begun(self.plan, self.day), words)
