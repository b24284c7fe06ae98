"""What happened after as_of: the horizon of each row, and what falls into it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from features import facts, frame, intake, windows
from features.database import literal
from features.quality import Report
from features.workspace import Outcome, Workspace


@dataclass(frozen=True)
class Future:
    """Rows with the instants ``begins`` and ``ends`` of their horizon and ``grace_ends``, and the facts to look into.

    ``known`` starts as: has the window been observed to its end? An outcome that rests on facts which were first
    recorded after the window began is unknown too, not no.
    """

    connection: duckdb.DuckDBPyConnection
    workspace: Workspace
    folder: Path
    report: Report
    begins: npt.NDArray[np.int64]
    known: npt.NDArray[np.bool_]

    @classmethod
    @contextmanager
    def of(cls, workspace: Workspace, outcome: Outcome, rows: pd.DataFrame) -> Iterator[Future]:
        folder, report = intake.current(workspace)
        zone, observed = workspace.config.timezone, frame.observed_until(workspace)
        days = sorted(set(rows["as_of"]))
        bounds = {day: _bounds(day, outcome, zone) for day in days}
        position = [bounds[day] for day in rows["as_of"]]
        table = pa.table(
            {
                "row": np.arange(len(rows)),
                "account": pa.array(rows["account"].to_numpy(dtype=object), pa.string()),
                "begins": np.array([b[0] for b in position], dtype=np.int64),
                "ends": np.array([b[1] for b in position], dtype=np.int64),
                "grace_ends": np.array([b[2] for b in position], dtype=np.int64),
            }
        )
        mature = {day: is_mature(day, outcome, observed) for day in days}
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.register("given", table)
            accounts = literal(str(folder / "accounts.parquet"))
            connection.execute(
                f"CREATE TEMP TABLE horizon AS SELECT g.* EXCLUDE (account), a.account_code "
                f"FROM given g JOIN {accounts} a USING (account)"
            )
            known = np.array([mature[day] for day in rows["as_of"]], dtype=bool)
            yield cls(connection, workspace, folder, report, table["begins"].to_numpy(), known)

    def any_fact(self, streams: tuple[str, ...], where: str = "true") -> npt.NDArray[np.bool_]:
        """Rows in whose horizon any fact of these streams falls; ``where`` narrows them (``value``, ``label``)."""
        selects = []
        for kind, label in map(facts.split_stream, streams):
            query = facts.select(kind, self.folder, self.workspace, self.report)
            selects.append(f"SELECT * FROM ({query})" + (f" WHERE label = {literal(label)}" if label else ""))
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE looked_at AS {' UNION ALL '.join(selects)}")
        self._unknown_before_recorded()
        return self._rows_with(
            f"SELECT account_code, occurred, occurred + 1 AS until FROM looked_at WHERE {where}", "begins", "ends"
        )

    def any_live_contract(self) -> npt.NDArray[np.bool_]:
        """Rows with a contract live at the end of the horizon, or one that starts within the grace after it."""
        contracts = literal(str(self.folder / "contracts.parquet"))
        return self._rows_with(
            f"SELECT account_code, epoch_us(starts) AS occurred, coalesce(epoch_us(coalesce(ends, cancelled)), "
            f"{np.iinfo(np.int64).max}) AS until FROM {contracts}",
            "ends",
            "grace_ends",
        )

    def _unknown_before_recorded(self) -> None:
        """Where recording starts within a window or after it, that nothing was seen says nothing."""
        row = self.connection.execute("SELECT min(occurred) FROM looked_at").fetchone()
        assert row is not None
        if row[0] is None:
            self.known[:] = False
        else:
            zone = self.workspace.config.timezone
            start = windows.midnight(windows.local_day(row[0], zone), zone)
            np.logical_and(self.known, self.begins >= start, out=self.known)

    def _rows_with(self, intervals: str, begins: str, ends: str) -> npt.NDArray[np.bool_]:
        """Rows whose half-open interval [begins, ends) any of the half-open ``intervals`` touches."""
        found = self.connection.execute(
            f"SELECT DISTINCT h.row FROM horizon h JOIN ({intervals}) f ON f.account_code = h.account_code "
            f"AND f.occurred < h.{ends} AND f.until > h.{begins}"
        ).fetchnumpy()["row"]
        mask = np.zeros(len(self.known), dtype=bool)
        mask[np.asarray(found, dtype=np.int64)] = True
        return mask


def is_mature(day: date, outcome: Outcome, observed_until: date) -> bool:
    """Has everything that decides the outcome been observed? Otherwise it is unknown, never no."""
    return day + timedelta(days=outcome.span) <= observed_until


def _bounds(day: date, outcome: Outcome, zone: str) -> tuple[int, int, int]:
    begins, ends = windows.horizon(day, outcome.lead, outcome.horizon, zone)
    grace_ends = windows.horizon(day, outcome.lead + outcome.horizon, outcome.grace, zone)[1]
    return begins, ends, max(grace_ends, ends + 1)  # without grace, what is live at that very instant
