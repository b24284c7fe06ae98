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
from features.facts import Facts
from features.feature import Attribute, Column, Numbers
from features.fingerprint import fingerprint, word
from features.kernel import Names, Rows
from features.peers import Peers, ranks
from features.personas import Crowd
from features.plan import Plan
from features.together import Block, Integers, Step
from features.workspace import Workspace

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


def row_of(code: int) -> Rows:
    """The one row there is, of the account that has this code."""
    return Rows(np.array([code], dtype=np.int32), np.zeros(1, dtype=np.int32))


@dataclass(frozen=True)
class Kind:
    """All facts of one kind, what is asked of them, and where the answers lie among those of every kind."""

    facts: Facts
    asked: Aggregates
    exact: slice
    shapes: slice


@dataclass(frozen=True)
class Kinds:
    """All that is asked of facts. ``nothing`` is answered of an account that has none: exact answers, and shapes."""

    each: list[Kind]
    nothing: tuple[Integers, Numbers]

    @classmethod
    def of(cls, whole: Partition, made: Plan, day: date) -> Kinds:
        each: list[Kind] = []
        nothing = [(np.zeros((0, 1), np.int64), np.zeros((0, 1)))]
        for name, columns in computing.by_kind(made).items():
            facts = whole.load(name)
            asked = Aggregates.of(Names.of(facts), columns, [day], whole.workspace.config.timezone)
            none = replace(facts.of(range(0)), offsets=np.zeros(2, dtype=np.int64))
            nothing.append(asked.answers(none, row_of(0)))
            before = each[-1] if each else Kind(facts, asked, slice(0, 0), slice(0, 0))
            exact = slice(before.exact.stop, before.exact.stop + len(asked.exact))
            shapes = slice(before.shapes.stop, before.shapes.stop + len(asked.shapes))
            each.append(Kind(facts, asked, exact, shapes))
        exact_, shapes_ = zip(*nothing, strict=True)
        return cls(each, (np.concatenate(exact_)[:, 0], np.concatenate(shapes_)[:, 0]))

    def answers(self, code: int) -> tuple[Integers, Numbers]:
        """Of one account. Facts are not cut to what is its own: the kernel finds that in them, up to 2**32 of a kind."""
        exact, shapes, row = self.nothing[0].copy(), self.nothing[1].copy(), row_of(code)
        for kind in self.each:
            if kind.facts.offsets[code] != kind.facts.offsets[code + 1]:
                own_exact, own_shapes = kind.asked.answers(kind.facts, row)
                exact[kind.exact], shapes[kind.shapes] = own_exact[:, 0], own_shapes[:, 0]
        return exact, shapes


@dataclass(frozen=True)
class Alone:
    """The accounts of a set of tables as of a day. ``place``: where each column stands in a row."""

    whole: Partition
    plan: Plan
    day: date
    instant: Integers
    codes: dict[str, int]
    place: dict[str, int]
    kinds: Kinds
    blocks: list[Block]
    crowds: list[tuple[Column, Crowd]]
    steps: list[Step]
    ranks: list[tuple[str, str, str]]
    """Columns of ranks: among those with the same of which column, of which column."""
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
        kinds = Kinds.of(whole, made, day)
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
            together.blocks((kind.asked for kind in kinds.each), place),
            computing.crowded(made),
            together.steps(made, place),
            [(column.name, rank.among, made.inputs(column)[0]) for column, rank in ranks(made)],
            {column.name: one[column.name] for column in said if column.categorical},
            {column.name: computing.floats(one[column.name]) for column in said if not column.categorical},
        )

    def row(self, account: str, peers: Peers) -> Row | None:
        """None where the account may not be scored as of that day, so that the frame has no row of it."""
        code = self.codes[account]
        if not computing.scorable(self.whole, row_of(code), [self.day])[0]:
            return None
        row = self._computed(code)
        texts: Texts = {name: column[code].as_py() for name, column in self.texts.items()}
        for name, among, of in self.ranks:
            at = self.place[of]
            row[self.place[name]] = peers.rank_in(name, texts[among], row[at : at + 1])[0]
        values: dict[str, Value] = {**dict(zip(self.place, row.tolist(), strict=True)), **texts}
        return Row(account, self.day, values, self._applies(code), self._hash(account, row, texts))

    def _computed(self, code: int) -> Numbers:
        """All but texts and ranks, which stay unknown."""
        row = np.full(len(self.place), np.nan)
        exact, shapes = self.kinds.answers(code)
        for block in self.blocks:
            row[block.columns] = block.number(exact, shapes, self.instant)
        for name, numbers in self.numbers.items():
            row[self.place[name]] = numbers[code]
        own = self.whole.part(range(code, code + 1))
        for name, crowd in computing.crowds(own, self.crowds, row_of(0), [self.day]).items():
            row[self.place[name]] = np.asarray(crowd)[0]
        for step in self.steps:
            row[step.columns] = step.number(row)
        return row

    def _applies(self, code: int) -> frozenset[str]:
        config, load, row = self.whole.workspace.config, self.whole.load, row_of(code)
        return frozenset(
            name for name, outcome in config.outcomes if cohort.applies(load, config, outcome, row, [self.day])[0]
        )

    def _hash(self, account: str, row: Numbers, texts: Texts) -> str:
        words: npt.NDArray[np.uint64] = np.empty(1 + len(row), dtype=np.uint64)
        words[0], words[1:] = word(account), row.view(np.uint64)
        for name, text in texts.items():
            words[1 + self.place[name]] = word(text)
        return fingerprint(frame.begun(self.plan, self.day), words)
