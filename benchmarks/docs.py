"""Make the generated pages of ``docs/``: the feature catalogue, the data contract, and the measured results.

python -m benchmarks.docs
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from benchmarks import results
from features import catalog
from features.files import replaced
from features.plan import plan
from features.quality import Report, TableReport
from features.sources.simulated import World
from features.tables import TABLES
from features.workspace import Config, parse
from serving.demo import configuration

DOCS = Path(__file__).parent.parent / "docs"


def main() -> None:
    write("features.md", catalog.markdown(plan(everything(), full_report())))
    write("tables.md", tables_page())
    write("results.md", results_page())
    write("verification.md", verification_page())


def write(name: str, text: str) -> None:
    with replaced(DOCS / name) as part:
        part.write_text(text, encoding="utf-8")


def everything() -> Config:
    """A workspace with every table and column mapped."""
    return parse(tomllib.loads(configuration(World())))


def full_report() -> Report:
    return Report({name: TableReport(name, columns=list(table.by_name)) for name, table in TABLES.items()})


def tables_page() -> str:
    parts = [
        "# Tables",
        "The data contract, made by `make docs` from `features/tables.py`. Only `accounts` and one table of facts are "
        "required. *known*: when the value became known; every table of facts may carry `recorded_at`, before which "
        "nothing in the row counts.",
    ]
    for table in TABLES.values():
        rows = [
            (
                f"`{c.name}`",
                c.type,
                c.doc,
                c.unit or "–",
                c.null or "**required**",
                c.known,
                ", ".join(c.allowed) or "–",
            )
            for c in table.columns
        ]
        parts.append(f"## {table.name}\n\nOne row per {table.grain}.")
        parts.append(catalog.grid(("column", "type", "what it is", "unit", "empty means", "known", "allowed"), rows))
        if table.rules:
            parts.append("Rows are set aside where: " + "; ".join(rule.problem for rule in table.rules) + ".")
    return "\n\n".join(parts) + "\n"


def results_page() -> str:
    rows = results.load("real")
    parts = [
        "# Results on real input",
        "Made by `make bench` (measure) and `make docs` (this page) from `benchmarks/results/real.json`. Out of time: "
        "features from before the test date, outcomes after it; intervals are 95%, by resampling accounts. The settings "
        "are those of `examples/`, chosen on earlier dates. *trial by hand* is a half-hour trial on the same tasks, the "
        "number to beat.",
    ]
    for task in dict.fromkeys(row["task"] for row in rows):
        chosen = [row for row in rows if row["task"] == task]
        first = chosen[0]
        parts.append(
            f"## {task}\n\nTest as of {first['test']}: {first['n']:,} rows, {first['positives']:,} yes. "
            f"Verdict: **{first['verdict']}**."
        )
        shown = [
            (row["who"], *(told(row.get(m)) for m in ("auc", "log_loss", "average_precision", "ece"))) for row in chosen
        ]
        parts.append(catalog.grid(("who", "AUC", "log loss", "average precision", "calibration error"), shown))
    parts.append("## Every run on a test date\n\nNothing is left out; a run on an earlier date is not in this list.")
    log = [
        (
            r["date"][:16],
            r["task"],
            r["test"],
            told(r.get("auc")),
            told(r.get("log_loss")),
            told(r.get("ece")),
            r.get("note", "–"),
        )
        for r in results.recorded("test_date_runs")
    ]
    parts.append(catalog.grid(("when", "task", "test as of", "AUC", "log loss", "calibration error", "note"), log))
    parts.append(made_with(rows))
    return "\n\n".join(parts) + "\n"


def verification_page() -> str:
    rows = results.load("verify")
    parts = [
        "# Verification",
        "Made by `make verify` (measure) and `make docs` (this page) from `benchmarks/results/verify.json`: simulated "
        "companies, trained and judged by the product itself.",
    ]
    for kind in dict.fromkeys(row["world"] for row in rows):
        chosen = [row for row in rows if row["world"] == kind]
        good = sum(row["as_expected"] for row in chosen)
        parts.append(f"## Worlds with {kind}\n\n{good} of {len(chosen)} as expected.")
        lines = [
            (str(r["seed"]), f"{r['accounts']:,}", r["outcome"], r["verdict"], told(r["auc"]), r["log_loss_gain"])
            for r in chosen
        ]
        parts.append(catalog.grid(("seed", "accounts", "outcome", "verdict", "AUC", "against the base rate"), lines))
    signed = [(str(r["seed"]), r["outcome"], s) for r in rows for s in r.get("signs", ())]
    if signed:
        lines = [
            (
                seed,
                outcome,
                s["cause"],
                f"{s['planted']:+d}",
                f"{s['correlation']:+.2f}",
                f"{s['strength']:.2f}",
                "yes" if s["right"] else "**no**",
            )
            for seed, outcome, s in signed
        ]
        parts.append(
            "## Planted causes\n\n*found*: rank correlation between the cause and what its columns contribute; *strength*: their mean absolute contribution, log-odds."
        )
        parts.append(catalog.grid(("seed", "outcome", "cause", "planted", "found", "strength", "right"), lines))
    parts.append(made_with(rows))
    return "\n\n".join(parts) + "\n"


def told(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, dict):
        if "low" in value:
            return f"{value['value']:.4f} ({value['low']:.4f} to {value['high']:.4f})"
        value = value["value"]
    return f"{value:.4f}".rstrip("0") if isinstance(value, float) else str(value)


def made_with(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return "Not measured yet."
    versions = ", ".join(f"{name} {number}" for name, number in rows[0]["versions"].items())
    return f"Measured {rows[0]['date'][:10]} on {rows[0]['machine']}; {versions}."


if __name__ == "__main__":
    main()
