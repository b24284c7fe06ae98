"""The columns as people write them in pandas: a loop over dates and windows, group, aggregate, merge.

Also the answer that everybody else is checked against, on a sample of accounts.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.features.columns import DAY, EVENTS, KEY, NAMES, PACES, USAGE, WINDOWS, usage_name

PACKAGE = "pandas"
AGGREGATIONS = {
    "count": ("occurred_at", "size"),
    "total": ("value", "sum"),
    "contacts": ("contact_code", "nunique"),
    "active_days": ("day", "nunique"),
}


def build(tables: Path, as_of: list[int], out: Path) -> None:
    frame(tables, as_of).to_parquet(out, index=False)


def frame(tables: Path, as_of: list[int], accounts: list[int] | None = None) -> pd.DataFrame:
    """The columns of every account, or of some, as of each instant."""
    only = None if accounts is None else [("account_code", "in", accounts)]
    read = {
        name: pd.read_parquet(tables / f"{name}.parquet", filters=only) for name in ("usage", "tickets", "feedback")
    }
    codes = pd.read_parquet(tables / "accounts.parquet", columns=["account_code"], filters=only)["account_code"]
    usage = read["usage"][["account_code", "contact_code", "occurred_at", "event", "value", "recorded_at"]]
    usage = usage.assign(known=_later(usage["occurred_at"], usage), day=usage["occurred_at"].dt.floor("D"))
    parts = []
    for instant in as_of:
        t = pd.Timestamp(instant, unit="us", tz="UTC")
        found = pd.DataFrame(index=pd.Index(codes, name="account"))
        found = _usage(found, usage[(usage["occurred_at"] < t) & (usage["known"] < t)], t)
        found = _tickets(found, read["tickets"], t)
        found = _surveys(found, read["feedback"], t)
        parts.append(found.reset_index().assign(as_of=instant))
    return pd.concat(parts, ignore_index=True)[[*KEY, *NAMES]]


def _later(instant: pd.Series, rows: pd.DataFrame) -> pd.Series:
    """When a fact became known: when it occurred or the row arrived, whichever is later."""
    return instant.where(~(rows["recorded_at"] > instant), rows["recorded_at"])


def _usage(found: pd.DataFrame, visible: pd.DataFrame, t: pd.Timestamp) -> pd.DataFrame:
    columns: dict[str, pd.Series] = {}
    for n in WINDOWS:
        inside = visible[visible["occurred_at"] >= t - pd.Timedelta(days=n)]
        overall = inside.groupby("account_code").agg(**AGGREGATIONS)
        by_event = inside.groupby(["account_code", "event"]).agg(**AGGREGATIONS)
        for what in USAGE:
            columns[usage_name("", what, n)] = overall[what]
            wide = by_event[what].unstack("event")
            columns |= {usage_name(e, what, n): wide[e] for e in EVENTS if e in wide}
    found = found.join(pd.DataFrame(columns)).reindex(columns=[usage_name(e, w, n) for e in ("", *EVENTS) for w in USAGE for n in WINDOWS])  # fmt: skip
    found = found.fillna(0.0)
    last = visible.groupby("account_code")["occurred_at"].max()
    last_by_event = visible.groupby(["account_code", "event"])["occurred_at"].max().unstack("event")
    found[usage_name("", "recency")] = _days(t, last)
    for event in EVENTS:
        found[usage_name(event, "recency")] = _days(t, last_by_event[event]) if event in last_by_event else None
    for pace in PACES:
        top = found[usage_name("", "count", pace.window)] / pace.window
        bottom = found[usage_name("", "count", pace.longer)] / pace.longer
        found[pace.name] = (top / bottom).where(bottom > 0)
    return found


def _days(t: pd.Timestamp, last: pd.Series) -> pd.Series:
    return (t - last) / pd.Timedelta(microseconds=DAY)


def _tickets(found: pd.DataFrame, tickets: pd.DataFrame, t: pd.Timestamp) -> pd.DataFrame:
    opened = tickets[_visible(tickets, "opened", t)]
    resolved = tickets[_visible(tickets, "resolved", t)]
    hours = (resolved["resolved"] - resolved["opened"]) / pd.Timedelta(hours=1)
    for n in (30, 90, 180):
        inside = opened[opened["opened"] >= t - pd.Timedelta(days=n)]
        found[f"tickets_opened_{n}d"] = inside.groupby("account_code").size()
    still = opened.groupby("account_code").size().sub(resolved.groupby("account_code").size(), fill_value=0)
    found["tickets_open"] = still
    counts = ["tickets_opened_30d", "tickets_opened_90d", "tickets_opened_180d", "tickets_open"]
    found[counts] = found[counts].fillna(0.0)
    for n in (90, 180):
        inside = resolved["resolved"] >= t - pd.Timedelta(days=n)
        found[f"resolution_hours_{n}d"] = hours[inside].groupby(resolved["account_code"]).mean()
    return found


def _surveys(found: pd.DataFrame, feedback: pd.DataFrame, t: pd.Timestamp) -> pd.DataFrame:
    answered = feedback[_visible(feedback, "responded", t)].sort_values("responded")
    for instrument, spans in (("CSAT", (90, 180)), ("NPS", (180,))):
        of = answered[answered["instrument"] == instrument]
        for n in spans:
            inside = of[of["responded"] >= t - pd.Timedelta(days=n)]
            found[f"{instrument.lower()}_mean_{n}d"] = inside.groupby("account_code")["score"].mean()
        found[f"{instrument.lower()}_last"] = of.groupby("account_code")["score"].last()
    return found


def _visible(rows: pd.DataFrame, column: str, t: pd.Timestamp) -> Any:
    return (rows[column] < t) & (_later(rows[column], rows) < t)
