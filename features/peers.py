"""Rank among peers: what takes the whole as_of, done once every account's row is there.

The sorted values of each group are the peer table. It is stored with the frame, so that one account scored by itself
gets the rank that it would have had among everybody.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.expressions import Rank
from features.feature import Column
from features.plan import Plan

FEWEST = 10
"""Among fewer peers than this a rank says little, and would all but name them."""
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Peers:
    """Per rank column and group: the peers' values, sorted."""

    values: dict[str, dict[str | None, Numbers]]

    def rank(self, column: str, groups: list[str | None], values: Numbers) -> Numbers:
        """Share of the peers below, ties half."""
        out = np.full(len(values), np.nan)
        codes = {group: number for number, group in enumerate(dict.fromkeys(groups))}
        group_of = np.array([codes[group] for group in groups], dtype=np.int64)
        for group, code in codes.items():
            mine = np.flatnonzero(group_of == code)
            out[mine] = self.rank_in(column, group, values[mine])
        return out

    def rank_in(self, column: str, group: str | None, values: Numbers) -> Numbers:
        """The same of one group."""
        peers = self.values.get(column, {}).get(group, ())
        if len(peers) < FEWEST:
            return np.full(len(values), np.nan)
        below, up_to = np.searchsorted(peers, values, side="left"), np.searchsorted(peers, values, side="right")
        return np.where(np.isnan(values), np.nan, (below + up_to) / 2 / len(peers))

    def table(self) -> pa.Table:
        """As it is stored: one row per column and group."""
        lines = [(column, group, values) for column, groups in self.values.items() for group, values in groups.items()]
        return pa.table(
            {
                "column": pa.array([line[0] for line in lines], pa.string()),
                "peers": pa.array([line[1] for line in lines], pa.string()),
                "values": pa.array([line[2] for line in lines], pa.list_(pa.float64())),
            }
        )

    @classmethod
    def of(cls, table: pa.Table) -> Peers:
        found: dict[str, dict[str | None, Numbers]] = {}
        for line in table.to_pylist():
            found.setdefault(line["column"], {})[line["peers"]] = np.array(line["values"], dtype=np.float64)
        return cls(found)


def ranks(made: Plan) -> list[tuple[Column, Rank]]:
    """The columns that take peers."""
    return [(column, column.declaration) for column in made.columns if isinstance(column.declaration, Rank)]


def compared(made: Plan) -> list[str]:
    """The columns that peers are told from."""
    return sorted({name for column, rank in ranks(made) for name in (rank.among, *made.inputs(column))})


def gathered(made: Plan, batches: list[pa.RecordBatch]) -> Peers:
    """The peer table of one as_of."""
    found: dict[str, dict[str | None, Numbers]] = {}
    for column, rank in ranks(made):
        (of,) = made.inputs(column)
        groups = pa.concat_arrays([batch[rank.among] for batch in batches]).dictionary_encode()
        values = pa.concat_arrays([batch[of] for batch in batches]).to_numpy(zero_copy_only=False)
        codes = pc.fill_null(groups.indices, -1).to_numpy(zero_copy_only=False)
        names: list[str | None] = [*groups.dictionary.to_pylist(), None]
        found[column.name] = {
            names[code]: np.sort(values[(codes == code) & ~np.isnan(values)]) for code in np.unique(codes).tolist()
        }
    return Peers(found)


def ranked(made: Plan, batch: pa.RecordBatch, peers: Peers) -> dict[str, Numbers]:
    """The rank columns of some rows."""
    found: dict[str, Numbers] = {}
    for column, rank in ranks(made):
        (of,) = made.inputs(column)
        values = batch[of].to_numpy(zero_copy_only=False)
        found[column.name] = peers.rank(column.name, batch[rank.among].to_pylist(), values)
    return found
