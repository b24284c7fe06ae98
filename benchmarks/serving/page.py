"""What ``docs/performance.md`` says of serving."""

from __future__ import annotations

from typing import Any

from features import catalog

HEADS = ("who", "what", "connections", "requests/s", "× a bare route", "p50 ms", "p99 ms", "accounts/s", "note")
BARE, BY_ID = "a bare route", "by account id, with reasons"


def parts(rows: list[dict[str, Any]]) -> list[str]:
    """A table, and what it comes to; nothing where it was not measured."""
    if not rows:
        return []
    bare = {row["connections"]: row["rps"] for row in rows if row["what"] == BARE and "rps" in row}
    lines = [
        (
            row["who"],
            row["what"],
            str(row["connections"] or "–"),
            _number(row.get("rps")),
            _number(_over(row.get("rps"), bare.get(row["connections"])), 3),
            _number(row.get("p50_ms"), 2),
            _number(row.get("p99_ms"), 2),
            _number(row.get("rows")),
            row["wrong"] or "–",
        )
        for row in rows
    ]
    versions = ", ".join(f"{who} {version}" for who, version in dict.fromkeys((r["who"], r["version"]) for r in rows))
    busiest = max(row["load"] for row in rows)
    return [
        "## Serving",
        "Through the real server as `propensity serve` starts it, on loopback, one worker, without a rate limit; each "
        f"server in a fresh process, {rows[0]['seconds']:g} seconds for each line, on the same accounts and the same model. Every "
        "answer is looked at while it is measured: its probability has to be that of the batch, or that which the model "
        "gives in-process; *note* says where it was not. *a bare route*: Starlette in the same server, before anything of "
        "ours. *guarded*: keys, limits, headers, log and metrics, and no work. By account id the answer is that of the "
        "batch, with its reasons, made again from the feature row and compared bit for bit once, then held. *From its facts as "
        "they are now*: its feature row and its score are made for each request. *accounts/s*: where a request is about many, "
        "beside batch scoring in a process of its own; what is streamed is made again and compared once, then held. *FastAPI*: "
        "pydantic and a DataFrame; *BentoML*: as it comes, its `@bentoml.api`, and a mounted Starlette route without work; *mlflow*: `mlflow models serve`; none of these explains. "
        f"{versions}; the machine's load was up to {busiest:g} meanwhile.",
        catalog.grid(HEADS, lines),
        *_ratios(rows),
    ]


def _ratios(rows: list[dict[str, Any]]) -> list[str]:
    rates = {(row["who"], row["what"], row["connections"]): row["rps"] for row in rows if "rps" in row}
    found = []
    for connections in dict.fromkeys(row["connections"] for row in rows):
        ours = rates.get(("propensity", BY_ID, connections))
        if ours is None:
            continue
        beside = [
            f"{_times(ours / rate)} times {what if who == 'propensity' else f'{who} ({what})'}"
            for (who, what, many), rate in rates.items()
            if many == connections and (who != "propensity" or what == BARE) and rate
        ]
        found.append(f"{connections} connection{'s' if connections > 1 else ''}: by account id {', '.join(beside)}.")
    return found


def _over(one: float | None, other: float | None) -> float | None:
    return one / other if one is not None and other else None


def _number(value: float | None, digits: int = 0) -> str:
    return "–" if value is None else f"{value:,.{digits}f}"


def _times(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 10 else f"{ratio:.2g}"
