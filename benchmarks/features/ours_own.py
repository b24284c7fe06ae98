"""Propensity, by the accounts' own names and at dates of their own: up to four weeks before the common ones."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pandas as pd

from benchmarks.features import ours
from benchmarks.features.columns import DAY, NAMES
from features import frame

PACKAGE = "propensity"
OFFSETS = 28


def offset(code: int) -> int:
    """By how many days the dates of an account are earlier."""
    return code % OFFSETS


def warm(tables: Path, as_of: list[int]) -> None:
    ours.warm(tables, as_of)
    names, own = _asked(tables, as_of)
    frame.feature_rows(ours.workspace(tables), names[:100], own[:100], declared=ours.DECLARED)


def build(tables: Path, as_of: list[int], out: Path) -> None:
    names, own = _asked(tables, as_of)
    frame.feature_rows(ours.workspace(tables), names, own, declared=ours.DECLARED).to_parquet(out, index=False)


def finish(tables: Path, as_of: list[int], out: Path) -> None:
    """As the others give it, to be compared; not timed."""
    found = pd.read_parquet(out)
    codes = _accounts(tables).set_index("account")["account_code"]
    instants = pd.to_datetime(found["as_of"]).map(pd.Timestamp.toordinal) - date(1970, 1, 1).toordinal() + 1
    made = found[[name for name in NAMES if name in found]]
    made.assign(account=found["account"].map(codes).astype("int64"), as_of=instants * DAY).to_parquet(out, index=False)


def _accounts(tables: Path) -> pd.DataFrame:
    return pd.read_parquet(tables / "accounts.parquet", columns=["account", "account_code"])


def _asked(tables: Path, as_of: list[int]) -> tuple[list[str], list[date]]:
    """Twelve dates of its own for each account."""
    accounts = _accounts(tables)
    common = ours.days(as_of)
    dates = [[day - timedelta(days=back) for day in common] for back in range(OFFSETS)]
    own = [day for code in accounts["account_code"].tolist() for day in dates[offset(code)]]
    return accounts["account"].repeat(len(common)).tolist(), own
