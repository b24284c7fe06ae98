"""The best formulation in SQL that was found: every event is read twice and grouped at once into what adds up.

Time is cut into segments where any window begins or ends. Within one, events, values and active days (bits of a mask)
of an account add up, so that windows are sums over a few segments. People do not add up: of each contact the last day
as of every date is kept, and a window counts those that reach into it. ``b`` is the first as_of that may see a fact by
both clocks.
"""

from __future__ import annotations

from bisect import bisect_right
from pathlib import Path

import duckdb

from benchmarks.features.columns import COLUMNS, DAY, EVENTS, KEY, USAGE, WINDOWS, Column, boundaries, usage_name

PACKAGE = "duckdb"
KNOWN = "greatest({0}, recorded_at)"


def build(tables: Path, as_of: list[int], out: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET preserve_insertion_order = false")
        for name in ("accounts", "usage", "tickets", "feedback"):
            connection.execute(f"CREATE VIEW {name} AS FROM '{tables / name}.parquet'")
        _calendar(connection, as_of)
        for name, query in (
            ("segments", _segments(as_of)),
            ("late", LATE),
            ("windows", _windows()),
            ("people", _people(as_of)),
            ("recencies", _recencies(as_of)),
        ):
            connection.execute(f"CREATE TEMP TABLE {name} AS {query}")
        connection.execute(f"COPY ({_wide()}) TO '{out}' (FORMAT parquet)")


def _calendar(connection: duckdb.DuckDBPyConnection, as_of: list[int]) -> None:
    """``days``: the segment of each day, where it begins, and the first as_of after it; ``spans``: who sees a segment.

    All days before any window are one.
    """
    edges, last = boundaries(as_of), [instant // DAY for instant in as_of]
    days = [(edges[0] - 1, 0, edges[0] - 1, 0)]
    for day in range(edges[0], last[-1]):
        segment = bisect_right(edges, day)
        days.append((day, segment, edges[segment - 1], bisect_right(last, day)))
    connection.execute(f"CREATE TEMP TABLE days AS FROM (VALUES {str(days)[1:-1]}) x(day, segment, begins, b)")
    dates = [(k, t, t // DAY) for k, t in enumerate(as_of)]
    connection.execute(f"CREATE TEMP TABLE dates AS FROM (VALUES {str(dates)[1:-1]}) x(k, as_of, t)")
    inside = ", ".join(f"begins >= t - {n} AS in_{n}" for n in WINDOWS)
    connection.execute(
        f"CREATE TEMP TABLE spans AS SELECT DISTINCT segment, k, {inside} FROM days, dates "
        f"WHERE segment > 0 AND begins < t AND begins >= t - {max(WINDOWS)}"
    )


def _joined(instant: str, first: int) -> str:
    """Facts of a table with the segment they fall into and the first as_of that sees them."""
    day = f"greatest(epoch_us({{}}) // {DAY}, {first})"
    return f"JOIN days o ON o.day = {day.format(instant)} JOIN days s ON s.day = {day.format(KNOWN.format(instant))}"


def _segments(as_of: list[int]) -> str:
    return f"""
    WITH by_event AS (
        SELECT account_code AS a, event AS e, o.segment, s.b, o.b AS on_time, count(*) AS n, sum(value) AS v,
            bit_or(1::UBIGINT << (o.day - o.begins)) AS mask, max(occurred_at) AS last
        FROM usage {_joined("occurred_at", boundaries(as_of)[0] - 1)} GROUP BY ALL)
    FROM by_event UNION ALL
    SELECT a, '' AS e, segment, b, on_time, sum(n)::BIGINT, sum(v), bit_or(mask), max(last) FROM by_event GROUP BY ALL"""


LATE = """
WITH cumulated AS (
    SELECT l.a, l.e, l.segment, l.b, l.n, l.v, coalesce(o.mask, 0) AS base,
        coalesce(o.mask, 0) | bit_or(l.mask) OVER (PARTITION BY l.a, l.e, l.segment ORDER BY l.b) AS mask
    FROM segments l LEFT JOIN segments o ON o.a = l.a AND o.e = l.e AND o.segment = l.segment AND o.b = o.on_time
    WHERE l.b > l.on_time)
SELECT a, e, segment, b, n, v,
    bit_count(mask) - bit_count(lag(mask, 1, base) OVER (PARTITION BY a, e, segment ORDER BY b)) AS d
FROM cumulated
"""


def _windows() -> str:
    sums = {"count": "n", "total": "v", "active_days": "d"}
    wanted = ", ".join(f"sum({by}) FILTER (in_{n}) AS {what}_{n}" for what, by in sums.items() for n in WINDOWS)
    return f"""
    SELECT a, e, k, {wanted} FROM (
        SELECT a, e, segment, b, n, v, bit_count(mask) AS d FROM segments WHERE b = on_time
        UNION ALL FROM late) JOIN spans USING (segment) WHERE b <= k GROUP BY ALL"""


def _people(as_of: list[int]) -> str:
    dates = range(len(as_of))
    lasts = ", ".join(f"max(o.day) FILTER (s.b <= {k}) AS m{k}" for k in dates)
    again = ", ".join(f"max(m{k}) AS m{k}" for k in dates)
    counts = ", ".join(
        f"count(*) FILTER (m{k} >= {as_of[k] // DAY - n}) AS contacts_{n}_{k}" for k in dates for n in WINDOWS
    )
    cases = ", ".join(
        f"CASE k {' '.join(f'WHEN {k} THEN contacts_{n}_{k}' for k in dates)} END AS contacts_{n}" for n in WINDOWS
    )
    return f"""
    WITH by_event AS (
        SELECT account_code AS a, contact_code AS c, event AS e, {lasts}
        FROM usage {_joined("occurred_at", boundaries(as_of)[0] - 1)} WHERE o.segment > 0 AND contact_code IS NOT NULL GROUP BY ALL),
    everybody AS (FROM by_event UNION ALL SELECT a, c, '' AS e, {again} FROM by_event GROUP BY ALL),
    counted AS (SELECT a, e, {counts} FROM everybody GROUP BY ALL)
    SELECT a, e, k, {cases} FROM counted, dates"""


def _recencies(as_of: list[int]) -> str:
    lasts = ", ".join(f"max(last) FILTER (b <= {k}) AS last_{k}" for k in range(len(as_of)))
    case = f"CASE k {' '.join(f'WHEN {k} THEN last_{k}' for k in range(len(as_of)))} END"
    return f"""
    WITH by_event AS (SELECT a, e, {lasts} FROM segments GROUP BY ALL)
    SELECT a, e, k, (as_of - epoch_us({case})) / {DAY} AS recency FROM by_event, dates"""


def _wide() -> str:
    """One row per account and as_of: a join for each event is far cheaper than a pivot."""
    joins = "".join(f" LEFT JOIN {_of_event(e)} ON e{i}.a = account_code AND e{i}.k = dates.k" for i, e in enumerate(("", *EVENTS)))  # fmt: skip
    joins += "".join(f" LEFT JOIN {x} ON {x}.a = account_code AND {x}.k = dates.k" for x in ("opened", "resolved", "answered"))  # fmt: skip
    names = ", ".join(_named(column) for column in COLUMNS)
    return f"""
    WITH used AS (FROM recencies LEFT JOIN windows USING (a, e, k) LEFT JOIN people USING (a, e, k)),
    {", ".join(_events())}
    SELECT account_code::BIGINT AS {KEY[0]}, as_of AS {KEY[1]}, {names} FROM accounts CROSS JOIN dates{joins}"""


def _of_event(event: str) -> str:
    columns = [f"{what}_{n} AS {usage_name(event, what, n)}" for what in USAGE for n in WINDOWS]
    columns.append(f"recency AS {usage_name(event, 'recency')}")
    number = ("", *EVENTS).index(event)
    return f"(SELECT a, k, {', '.join(columns)} FROM used WHERE e = '{event}') e{number}"


def _named(column: Column) -> str:
    if column.what == "pace":
        top, bottom = usage_name("", "count", column.window), usage_name("", "count", column.longer)
        rates = f"(coalesce({top}, 0) / {column.window}) / nullif({bottom} / {column.longer}, 0)"
        return f"{rates} AS {column.name}"
    if column.name == "tickets_open":
        return "(coalesce(opened_ever, 0) - coalesce(resolved_ever, 0))::DOUBLE AS tickets_open"
    if column.what in (*USAGE, "count"):
        return f"coalesce({column.name}, 0)::DOUBLE AS {column.name}"
    return column.name


def _events() -> list[str]:
    """Tickets and answers are few: each is met with every as_of that sees it."""
    return [
        f"opened AS (SELECT account_code AS a, k, count(*) AS opened_ever, {_over('opened', 'count(*)')} "
        f"FROM {_seen('tickets', 'opened')} GROUP BY ALL)",
        "resolved AS (SELECT account_code AS a, k, count(*) AS resolved_ever, "
        f"{_over('resolved', 'avg(epoch_us(resolved) - epoch_us(opened)) ', ' / 3600000000')} "
        f"FROM {_seen('tickets', 'resolved')} GROUP BY ALL)",
        f"answered AS (SELECT account_code AS a, k, {_over('feedback', 'avg(score)')}, "
        "max_by(score, responded) FILTER (instrument = 'CSAT') AS csat_last, "
        "max_by(score, responded) FILTER (instrument = 'NPS') AS nps_last "
        f"FROM {_seen('feedback', 'responded')} GROUP BY ALL)",
    ]


def _seen(table: str, instant: str) -> str:
    known = KNOWN.format(instant)
    return f"(SELECT *, epoch_us({instant}) // {DAY} AS happened FROM {table}) JOIN dates ON happened < t AND epoch_us({known}) < as_of"  # fmt: skip


def _over(of: str, aggregate: str, unit: str = "") -> str:
    found = []
    for column in COLUMNS:
        if column.of == of and column.window:
            which = f" AND instrument = '{column.label}'" if column.label else ""
            found.append(f"{aggregate} FILTER (happened >= t - {column.window}{which}){unit} AS {column.name}")
    return ", ".join(found)
