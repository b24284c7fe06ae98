"""The best formulation in Polars that was found; the same idea as ``duckdb_sql``.

Runs in an environment of its own, where only Polars is installed.
"""

from __future__ import annotations

from bisect import bisect_right
from pathlib import Path

import polars as pl

from benchmarks.features.columns import COLUMNS, DAY, EVENTS, NAMES, PACES, USAGE, WINDOWS, boundaries, usage_name

PACKAGE = "polars"
SUMS = {"count": "n", "total": "v", "active_days": "d"}
GROUP = ("a", "e", "segment")


def build(tables: Path, as_of: list[int], out: Path) -> None:
    usage = _usage(tables, as_of)
    people = _people(usage, as_of).collect(engine="streaming")
    segments = _segments(usage).collect(engine="streaming")
    of_usage = _windows(segments, as_of).join(
        _spread(people, [f"contacts_{n}" for n in WINDOWS], as_of), on=["a", "e", "k"], how="full", coalesce=True
    )
    of_usage = of_usage.join(_recencies(segments, as_of), on=["a", "e", "k"], how="full", coalesce=True)
    _wide(tables, as_of, of_usage).write_parquet(out)


def _usage(tables: Path, as_of: list[int]) -> pl.LazyFrame:
    """Every event with its segment, its bit within it, and the first as_of that sees it by both clocks (``b``)."""
    edges, dates = boundaries(as_of), [instant // DAY for instant in as_of]
    first = edges[0] - 1
    days = range(first, dates[-1])
    segment = pl.Series([bisect_right(edges, day) for day in days], dtype=pl.UInt8)
    bit = pl.Series([0 if day == first else 1 << (day - edges[bisect_right(edges, day) - 1]) for day in days], dtype=pl.UInt64)  # fmt: skip
    b = pl.Series([bisect_right(dates, day) for day in days], dtype=pl.Int8)
    day = (pl.col("occurred") // DAY - first).clip(lower_bound=0)
    known = (pl.max_horizontal("occurred", pl.col("recorded_at").dt.epoch("us")) // DAY - first).clip(lower_bound=0)
    seen = pl.scan_parquet(tables / "usage.parquet").select(
        pl.col("account_code").alias("a"),
        pl.col("contact_code").alias("c"),
        pl.col("event").cast(pl.Enum(["", *EVENTS])).alias("e"),
        pl.col("occurred_at").dt.epoch("us").alias("occurred"),
        pl.col("recorded_at"),
        pl.col("value"),
    )
    seen = seen.with_columns(day.alias("day"), known.alias("known")).filter(pl.col("known") < len(days))
    return seen.select(
        "a",
        "c",
        "e",
        "occurred",
        "value",
        (pl.col("day") + first).cast(pl.Int32).alias("day"),
        pl.lit(segment).gather(pl.col("day")).alias("segment"),
        pl.lit(bit).gather(pl.col("day")).alias("bit"),
        pl.lit(b).gather(pl.col("day")).alias("on_time"),
        pl.lit(b).gather(pl.col("known")).alias("b"),
    )


def _segments(usage: pl.LazyFrame) -> pl.LazyFrame:
    by_event = usage.group_by(*GROUP, "b", "on_time").agg(
        pl.len().cast(pl.Int64).alias("n"),
        pl.col("value").sum().alias("v"),
        pl.col("bit").bitwise_or().alias("mask"),
        pl.col("occurred").max().alias("last"),
    )
    overall = by_event.group_by("a", "segment", "b", "on_time").agg(
        pl.col("n", "v").sum(), pl.col("mask").bitwise_or(), pl.col("last").max()
    )
    overall = overall.with_columns(pl.lit("", dtype=pl.Enum(["", *EVENTS])).alias("e"))
    return pl.concat([by_event, overall.select(by_event.collect_schema().names())])


def _windows(segments: pl.DataFrame, as_of: list[int]) -> pl.DataFrame:
    parts = ["a", "e", "segment", "b", "n", "v", "d"]
    on_time = segments.filter(pl.col("b") == pl.col("on_time"))
    late = segments.filter(pl.col("b") > pl.col("on_time")).join(
        on_time.select(*GROUP, pl.col("mask").alias("base")), on=GROUP, how="left"
    )
    late = late.sort(*GROUP, "b").with_columns(pl.col("base").fill_null(0))
    seen = pl.col("base") | pl.col("mask").cumulative_eval(pl.element().bitwise_or()).over(GROUP)
    late = late.with_columns(seen.alias("seen"))
    before = pl.col("seen").shift(1).over(GROUP).fill_null(pl.col("base"))
    late = late.with_columns((_bits("seen") - before.bitwise_count_ones().cast(pl.Int64)).alias("d"))
    facts = pl.concat([on_time.with_columns(_bits("mask").alias("d")).select(parts), late.select(parts)])
    sums = [
        (pl.col(by) * _inside(k, n, as_of).cast(pl.Int64)).sum().alias(f"{what}_{n}_{k}")
        for k in range(len(as_of))
        for what, by in SUMS.items()
        for n in WINDOWS
    ]
    found = facts.lazy().group_by("a", "e").agg(sums).collect(engine="streaming")
    return _spread(found, [f"{what}_{n}" for what in SUMS for n in WINDOWS], as_of)


def _inside(k: int, n: int, as_of: list[int]) -> pl.Expr:
    """Segments are numbered from 1 by where they begin: whether this as_of sees one through this window."""
    edges, t = boundaries(as_of), as_of[k] // DAY
    begins, ends = edges.index(t - n) + 1, edges.index(t)
    return pl.col("segment").is_between(begins, ends) & (pl.col("b") <= k)


def _bits(column: str) -> pl.Expr:
    return pl.col(column).bitwise_count_ones().cast(pl.Int64)


def _people(usage: pl.LazyFrame, as_of: list[int]) -> pl.LazyFrame:
    """Of each contact the last day seen as of every date; a window counts those that reach into it."""
    dates = range(len(as_of))
    by_month = usage.filter((pl.col("segment") > 0) & pl.col("c").is_not_null())
    by_month = by_month.group_by("a", "c", "e", "b").agg(pl.col("day").max())
    lasts = [pl.when(pl.col("b") <= k).then(pl.col("day")).max().alias(f"m{k}") for k in dates]
    by_event = by_month.group_by("a", "c", "e").agg(lasts)
    overall = by_event.group_by("a", "c").agg(pl.col(f"m{k}").max() for k in dates)
    overall = overall.with_columns(pl.lit("", dtype=pl.Enum(["", *EVENTS])).alias("e"))
    everybody = pl.concat([by_event, overall.select(by_event.collect_schema().names())])
    return everybody.group_by("a", "e").agg(
        (pl.col(f"m{k}") >= as_of[k] // DAY - n).sum().cast(pl.Int64).alias(f"contacts_{n}_{k}")
        for k in dates
        for n in WINDOWS
    )


def _spread(found: pl.DataFrame, names: list[str], as_of: list[int]) -> pl.DataFrame:
    """One row for each as_of instead of a column."""
    return pl.concat(
        found.select("a", "e", _number(k), *(pl.col(f"{name}_{k}").alias(name) for name in names))
        for k in range(len(as_of))
    )


def _number(k: int) -> pl.Expr:
    return pl.lit(k, dtype=pl.Int8).alias("k")


def _recencies(segments: pl.DataFrame, as_of: list[int]) -> pl.DataFrame:
    by_month = segments.group_by("a", "e", "b").agg(pl.col("last").max())
    last = by_month.group_by("a", "e").agg(
        pl.when(pl.col("b") <= k).then(pl.col("last")).max().alias(f"l{k}") for k in range(len(as_of))
    )
    return pl.concat(
        last.select("a", "e", _number(k), ((as_of[k] - pl.col(f"l{k}")) / DAY).alias("recency"))
        for k in range(len(as_of))
    )


def _wide(tables: Path, as_of: list[int], of_usage: pl.DataFrame) -> pl.DataFrame:
    """One row per account and as_of."""
    dates = pl.DataFrame({"k": range(len(as_of)), "as_of": as_of}, schema={"k": pl.Int8, "as_of": pl.Int64})
    codes = pl.read_parquet(tables / "accounts.parquet", columns=["account_code"])
    wide = codes.rename({"account_code": "a"}).join(dates, how="cross")
    for event in ("", *EVENTS):
        names = {f"{what}_{n}": usage_name(event, what, n) for what in USAGE for n in WINDOWS}
        names["recency"] = usage_name(event, "recency")
        wide = wide.join(of_usage.filter(pl.col("e") == event).drop("e").rename(names), on=["a", "k"], how="left")
    for facts in (_tickets(tables, dates), _surveys(tables, dates)):
        wide = wide.join(facts, on=["a", "k"], how="left")
    counts = [c.name for c in COLUMNS if c.what in USAGE or c.what == "level"]
    wide = wide.with_columns(pl.col(counts).fill_null(0).cast(pl.Float64))
    for pace in PACES:
        top = pl.col(usage_name("", "count", pace.window)) / pace.window
        bottom = pl.col(usage_name("", "count", pace.longer)) / pace.longer
        wide = wide.with_columns(pl.when(bottom > 0).then(top / bottom).alias(pace.name))
    return wide.select(pl.col("a").cast(pl.Int64).alias("account"), "as_of", *NAMES)


def _seen(tables: Path, table: str, instant: str, dates: pl.DataFrame) -> pl.LazyFrame:
    """Tickets and answers are few: each is met with every as_of that sees it."""
    happened = pl.col(instant).dt.epoch("us")
    known = pl.max_horizontal(happened, pl.col("recorded_at").dt.epoch("us"))
    rows = pl.scan_parquet(tables / f"{table}.parquet").filter(pl.col(instant).is_not_null())
    rows = rows.with_columns(happened.alias("happened"), known.alias("known")).rename({"account_code": "a"})
    return rows.join(dates.lazy(), how="cross").filter(pl.col("known") < pl.col("as_of"))


def _since(n: int) -> pl.Expr:
    return pl.col("happened") >= pl.col("as_of") - n * DAY


def _tickets(tables: Path, dates: pl.DataFrame) -> pl.DataFrame:
    opened = _seen(tables, "tickets", "opened", dates).group_by("a", "k").agg(
        pl.len().alias("opened"), *(_since(n).sum().alias(f"tickets_opened_{n}d") for n in (30, 90, 180))
    )  # fmt: skip
    hours = (pl.col("happened") - pl.col("opened").dt.epoch("us")) / 3_600_000_000
    resolved = _seen(tables, "tickets", "resolved", dates).group_by("a", "k").agg(
        pl.len().alias("resolved"), *(hours.filter(_since(n)).mean().alias(f"resolution_hours_{n}d") for n in (90, 180))
    )  # fmt: skip
    found = opened.join(resolved, on=["a", "k"], how="left").collect()
    level = pl.col("opened").cast(pl.Int64) - pl.col("resolved").cast(pl.Int64).fill_null(0)
    return found.with_columns(level.alias("tickets_open")).drop("opened", "resolved")


def _surveys(tables: Path, dates: pl.DataFrame) -> pl.DataFrame:
    asked = []
    for column in COLUMNS:
        if column.of == "feedback":
            of = pl.col("instrument") == column.label
            score = pl.col("score").filter(of & _since(column.window) if column.window else of)
            last = score.sort_by(pl.col("happened").filter(of)).last() if column.what == "last" else score.mean()
            asked.append(last.alias(column.name))
    return _seen(tables, "feedback", "responded", dates).group_by("a", "k").agg(asked).collect()
