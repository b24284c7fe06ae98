"""Featuretools: deep feature synthesis with cut-off times, a run for each window.

It knows one clock, so its answer is not compared. Runs in an environment of its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import featuretools as ft
import pandas as pd

from benchmarks.features.columns import EVENTS, WINDOWS

PACKAGE = "featuretools"


def build(tables: Path, as_of: list[int], out: Path) -> dict[str, Any]:
    accounts = pd.read_parquet(tables / "accounts.parquet", columns=["account_code"])
    usage = pd.read_parquet(tables / "usage.parquet", columns=["account_code", "contact_code", "occurred_at", "event", "value"])  # fmt: skip
    usage["occurred_at"] = usage["occurred_at"].dt.tz_localize(None)
    usage["event"] = usage["event"].astype(str)
    facts = ft.EntitySet("bench")
    facts = facts.add_dataframe(dataframe_name="accounts", dataframe=accounts, index="account_code")
    kinds = {"event": "Categorical", "contact_code": "Categorical"}
    facts = facts.add_dataframe(
        dataframe_name="usage",
        dataframe=usage,
        index="row",
        make_index=True,
        time_index="occurred_at",
        logical_types=kinds,
    )
    facts = facts.add_relationship("accounts", "account_code", "usage", "account_code")
    facts.add_interesting_values(dataframe_name="usage", values={"event": list(EVENTS)})
    cut = accounts.merge(pd.DataFrame({"time": pd.to_datetime(as_of, unit="us")}), how="cross")
    made = [
        ft.dfs(
            entityset=facts,
            target_dataframe_name="accounts",
            cutoff_time=cut,
            agg_primitives=["count", "sum", "num_unique"],
            where_primitives=["count", "sum", "num_unique"],
            trans_primitives=[],
            training_window=f"{days} days",
            include_cutoff_time=False,
            max_depth=1,
            n_jobs=1,
        )[0]
        for days in WINDOWS
    ]
    return {
        "columns": sum(part.shape[1] for part in made),
        "rows": len(cut),
        "note": "counts, sums and distinct contacts, from usage only; one clock",
    }
