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
from features.settings.outcomes import Outcome
from features.workspace import Workspace

VERSION = 1


@dataclass(frozen=True)
class Future:
    """Rows with the instants ``begins`` and ``ends`` of their horizon and ``grace_ends``, and the facts to look into.

    Unknown, not no, is what came of a row whose window has not been observed to its end (not ``mature``), or began
    before anything that decides it was recorded (not ``recorded``), or whose facts leave it open (not ``clear``).
    """

    connection: duckdb.DuckDBPyConnection
    workspace: Workspace
    folder: Path
    report: Report
    begins: npt.NDArray[np.int64]
    mature: npt.NDArray[np.bool_]
    recorded: npt.NDArray[np.bool_]
    clear: npt.NDArray[np.bool_]

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
                "as_of": np.array([windows.as_of_instant(day, zone) for day in rows["as_of"]], dtype=np.int64),
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
            seen = np.array([mature[day] for day in rows["as_of"]], dtype=bool)
            yes = np.ones((2, len(rows)), dtype=bool)
            yield cls(connection, workspace, folder, report, table["begins"].to_numpy(), seen, *yes)

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        return self.mature & self.recorded & self.clear

    def any_fact(self, streams: tuple[str, ...], where: str = "true") -> npt.NDArray[np.bool_]:
        """Rows in whose horizon any fact of these streams falls; ``where`` narrows them (``value``, ``label``)."""
        self._look_at(streams)
        self._unknown_before_recorded()
        return self.rows_with(
            f"SELECT account_code, occurred, occurred + 1 AS until FROM looked_at WHERE {where}", "begins", "ends"
        )

    def last_value(self, streams: tuple[str, ...]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
        """Rows in whose horizon a fact with a value falls, and the last one's value; of several at once the lowest."""
        self._look_at(streams)
        self._unknown_before_recorded()
        found = self.connection.execute(
            "SELECT h.row, arg_max(f.value, (f.occurred, -f.value)) AS value FROM horizon h JOIN looked_at f "
            "ON f.account_code = h.account_code AND f.occurred < h.ends AND f.occurred >= h.begins "
            "WHERE f.value IS NOT NULL GROUP BY h.row"
        ).fetchnumpy()
        row = np.asarray(found["row"], dtype=np.int64)
        there, value = np.zeros(len(self.clear), dtype=bool), np.zeros(len(self.clear), dtype=np.int64)
        there[row], value[row] = True, np.asarray(found["value"], dtype=np.int64)
        return there, value

    def treated(self) -> npt.NDArray[np.bool_] | None:
        """Rows to which somebody reached out from as_of to the end of the horizon; none where that is not recorded."""
        if "outreach.done" not in facts.available(self.report):
            return None
        self._look_at(("outreach.done",))
        return self.rows_with("SELECT account_code, occurred, occurred + 1 AS until FROM looked_at", "as_of", "ends")

    def rows_with(self, intervals: str, begins: str, ends: str) -> npt.NDArray[np.bool_]:
        """Rows whose half-open interval [begins, ends) any of the half-open ``intervals`` touches."""
        found = self.connection.execute(
            f"SELECT DISTINCT h.row FROM horizon h JOIN ({intervals}) f ON f.account_code = h.account_code "
            f"AND f.occurred < h.{ends} AND f.until > h.{begins}"
        ).fetchnumpy()["row"]
        mask = np.zeros(len(self.clear), dtype=bool)
        mask[np.asarray(found, dtype=np.int64)] = True
        return mask

    def _look_at(self, streams: tuple[str, ...]) -> None:
        selects = []
        for kind, label in map(facts.split_stream, streams):
            query = facts.select(kind, self.folder, self.workspace, self.report)
            selects.append(f"SELECT * FROM ({query})" + (f" WHERE label = {literal(label)}" if label else ""))
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE looked_at AS {' UNION ALL '.join(selects)}")

    def _unknown_before_recorded(self) -> None:
        """Where recording starts within a window or after it, that nothing was seen says nothing."""
        row = self.connection.execute("SELECT min(occurred) FROM looked_at").fetchone()
        assert row is not None
        if row[0] is None:
            self.recorded[:] = False
        else:
            zone = self.workspace.config.timezone
            start = windows.midnight(windows.local_day(row[0], zone), zone)
            np.logical_and(self.recorded, self.begins >= start, out=self.recorded)


def is_mature(day: date, outcome: Outcome, observed_until: date) -> bool:
    """Has everything that decides the outcome been observed? Otherwise it is unknown, never no."""
    return day + timedelta(days=outcome.span) <= observed_until


def _bounds(day: date, outcome: Outcome, zone: str) -> tuple[int, int, int]:
    begins, ends = windows.horizon(day, outcome.lead, outcome.horizon, zone)
    grace_ends = windows.horizon(day, outcome.lead + outcome.horizon, outcome.grace, zone)[1]
    return begins, ends, max(grace_ends, ends + 1)  # without grace, what is live at that very instant
