"""The past of asks: what the exports say was asked and answered, of whom, and which accounts could have been asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pandas as pd

from features import frame, intake
from features.database import literal
from features.windows import MICROSECONDS_PER_DAY, as_of_instant, day_number, grid, moment
from features.workspace import Workspace
from serving.decisions.asks import Ask, day_of
from serving.decisions.eligibility import Facing, eligibility
from training.asks import labels
from training.asks.past import OF_THE_ASK, RULED_BY, Past, declared, may_be_scored, signals

Progress = Callable[[str], None]
EPOCH = date(1970, 1, 1)
ASKED = """
SELECT coalesce(act, 'row ' || a.account || ' ' || asked || ' ' || kind), a.account, p.contact, kind, epoch_us(asked),
    epoch_us(accepted), epoch_us(declined), epoch_us(done), epoch_us(t.recorded_at), t.contact_code
FROM {advocacy} t JOIN {accounts} a USING (account_code) LEFT JOIN {people} p USING (contact_code)
WHERE asked IS NOT NULL ORDER BY ALL
"""
WHO = """
SELECT g.row, c.role, CAST(c.champion_contact AS DOUBLE) FROM given g JOIN {contacts} c USING (contact_code)
"""
MOOD = """
SELECT g.row, arg_max(f.score / f.scale, f.responded) FROM given g JOIN {feedback} f
ON f.contact_code = g.contact_code AND f.responded < make_timestamptz(g.instant)
    AND coalesce(f.recorded_at < make_timestamptz(g.instant), true) GROUP BY g.row
"""
USED = """
SELECT g.row, (any_value(g.instant) - max(epoch_us(u.occurred_at))) / {day} FROM given g JOIN {usage} u
ON u.contact_code = g.contact_code AND u.occurred_at < make_timestamptz(g.instant)
    AND coalesce(u.recorded_at < make_timestamptz(g.instant), true) GROUP BY g.row
"""


def exported(workspace: Workspace) -> list[Ask]:
    """Every ask on record in the tables in use, its days in the workspace's zone; none where advocacy is not mapped."""
    zone = ZoneInfo(workspace.config.timezone)
    return [Ask(*row[:4], *_days(row[4:8], zone)) for row in _rows(workspace)]


def past(workspace: Workspace, progress: Progress = lambda _: None) -> Past:
    """Every ask with its signals as of the day before it, and every account-month that the rules left open to be asked.

    Risk is no rule here: what models said then is not on record. Nor are opt-outs, which have no past in the exports.
    """
    until = frame.observed_until(workspace)
    days = grid(workspace.config.as_of.since, until, "month")
    folder, report = intake.current(workspace)
    progress("asks")
    made = _rows(workspace)
    asks = _frame(made, ZoneInfo(workspace.config.timezone))
    accounts = sorted(set(pd.read_parquet(folder / "accounts.parquet", columns=["account"])["account"]))
    before = [EPOCH + timedelta(days=int(day) - 1) for day in asks["asked"]]
    wanted = declared()
    names = signals(frame.planned(workspace, report, wanted))
    progress("signals of every month, and of the day before each ask")
    pairs = [(account, day) for day in days[:-1] for account in accounts]
    rows = frame.feature_rows(
        workspace,
        [account for account, _ in pairs] + asks["account"].tolist(),
        [day for _, day in pairs] + before,
        declared=wanted,
    )
    cells, mine = rows[: len(pairs)], rows[len(pairs) :].reset_index(drop=True)
    progress("who could have been asked")
    recorded = _days([row[8] for row in made], ZoneInfo(workspace.config.timezone))
    on_record = list(zip(exported(workspace), recorded, strict=True))
    cells = _eligible(workspace, cells[may_be_scored(cells)], on_record)
    ends = dict(pairwise(days))
    cells["ends"] = [day_number(ends[day]) for day in cells["as_of"]]
    asks = pd.concat([asks, mine[["as_of", *names]]], axis=1)
    asks = asks.join(_whom(workspace, folder, report.tables, [row[9] for row in made], before))
    asks["cell"] = _cells(asks, cells, days)
    patience = labels.patience(workspace.config.asks.rest_days)
    return Past(asks, cells[["account", "as_of", "ends", *names]], names, patience)


def _rows(workspace: Workspace) -> list[tuple]:  # type: ignore[type-arg]
    folder, report = intake.current(workspace)
    if "advocacy" not in report.tables:
        return []
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.execute(ASKED.format(**_files(folder, ("advocacy", "accounts", "people")))).fetchall()


def _files(folder: Path, names: Sequence[str]) -> dict[str, str]:
    return {name: f"read_parquet({literal(str(folder / f'{name}.parquet'))})" for name in names}


def _days(instants: Sequence[int | None], zone: ZoneInfo) -> list[date | None]:
    return [None if at is None else day_of(moment(at), zone) for at in instants]


def _frame(made: Sequence[tuple], zone: ZoneInfo) -> pd.DataFrame:  # type: ignore[type-arg]
    """As ``training.asks.labels`` takes it: days as numbers, null where that has not happened."""
    days = np.array(
        [[np.nan if day is None else day_number(day) for day in _days(row[4:9], zone)] for row in made], dtype=float
    ).reshape(-1, 5)
    asked, accepted, declined, done, recorded = days.T
    return pd.DataFrame(
        {
            "account": [row[1] for row in made],
            "contact": [row[2] for row in made],
            "kind": [row[3] for row in made],
            "asked": asked,
            "yes": np.fmin(accepted, done),
            "no": declined,
            "recorded": recorded,
        }
    )


def _eligible(workspace: Workspace, cells: pd.DataFrame, asks: Sequence[tuple[Ask, date | None]]) -> pd.DataFrame:
    """The cells whose account no rule spoke against as the month began, by what was known then: asks with the day on which
    each was recorded, None where it was when it was made.
    """
    of: dict[str, list[tuple[date, Ask]]] = defaultdict(list)
    for ask, recorded in asks:
        of[ask.account].append((max(ask.asked, recorded or ask.asked), ask))
    there = [name for name in RULED_BY if name in cells]
    terms, keep = workspace.config.asks, []
    for account, day, *values in cells[["account", "as_of", *there]].itertuples(index=False):
        row = {name: None if np.isnan(value) else value for name, value in zip(there, values, strict=True)}
        known = tuple(ask.as_known(day) for since, ask in of.get(account, ()) if since <= day)
        facing = Facing(account, day + timedelta(days=1), row, None, known)
        keep.append(eligibility(facing, terms).eligible)
    return cells[np.array(keep, dtype=bool)].reset_index(drop=True)


def _whom(
    workspace: Workspace, folder: Path, tables: Mapping[str, object], codes: Sequence[int | None], days: Sequence[date]
) -> pd.DataFrame:
    """Whom each ask went to, as of the end of a day: role, champion contact, last answer, days since they used it."""
    found = pd.DataFrame(
        {name: np.full(len(codes), None if name == "role" else np.nan) for name in OF_THE_ASK if name != "kind"}
    )
    given = pd.DataFrame(
        {
            "row": np.arange(len(codes)),
            "contact_code": pd.array(codes, dtype="Int64"),
            "instant": np.array([as_of_instant(day, workspace.config.timezone) for day in days], dtype=np.int64),
        }
    )
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("given", given)

        def told(query: str, table: str, *names: str) -> None:
            if table in tables:
                sql = query.format(**_files(folder, (table,)), day=MICROSECONDS_PER_DAY)
                for row, *values in connection.execute(sql).fetchall():
                    for name, value in zip(names, values, strict=True):
                        found.loc[row, name] = value

        told(WHO, "contacts", "role", "champion_contact")
        told(MOOD, "feedback", "mood")
        told(USED, "usage", "used")
    return found


def _cells(asks: pd.DataFrame, cells: pd.DataFrame, days: Sequence[date]) -> list[int]:
    """The number of the cell in which each ask was made; -1 where there is none."""
    number = {(account, day): n for n, (account, day) in enumerate(zip(cells["account"], cells["as_of"], strict=True))}
    starts = np.array([day_number(day) for day in days])
    at = np.searchsorted(starts, asks["asked"].to_numpy(), side="left") - 1
    return [
        number.get((account, days[where]), -1) if 0 <= where < len(days) - 1 else -1
        for account, where in zip(asks["account"], at, strict=True)
    ]
