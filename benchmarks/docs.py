"""Make the generated pages of ``docs/``: the feature catalogue, the data contract, and the measured results.

python -m benchmarks.docs
"""

from __future__ import annotations

import math
import statistics
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks import decision_page, faults_page, page_times, results, screenshots
from benchmarks.models import page
from benchmarks.serving import page as serving_page
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
    write("performance.md", performance_page())
    write("models.md", models_page())
    write("decisions.md", decision_page.page())
    write("pages.md", "\n\n".join(screenshots.parts()) + "\n")


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
    parts += ablation_parts(results.load("ablation"))
    parts.append(
        "## Every run on a test date\n\nNothing is left out; a run on an earlier date is not in this list. An ablation is one "
        "line, of its model with all columns; those without a family are above."
    )
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


def ablation_parts(rows: list[dict[str, Any]]) -> list[str]:
    """What each family of features is worth: per task, the change on the test fold where it is left out."""
    if not rows:
        return []
    parts = [
        "## What each family of features is worth",
        "Made by `python -m benchmarks.ablation` from `benchmarks/results/ablation.json`: the model trained again "
        "without each family, on the same test fold; the change against all columns, with paired 95% intervals by "
        "account. A rise in log loss or a fall in AUC is what the family adds beyond the others; families overlap, so "
        "the changes do not add up. A measurement: nothing was chosen by it.",
    ]
    for task in dict.fromkeys(row["task"] for row in rows):
        chosen = [row for row in rows if row["task"] == task]
        first = chosen[0]
        parts.append(
            f"### {task}\n\nTest as of {first['test']}: {first['n']:,} rows, {first['positives']:,} yes. **Bold**: the model is "
            "shown to be worse without it."
        )
        lines = [
            (
                f"**{row['without']}**" if row["missed"] else row["without"],
                str(row["columns"]),
                changed(row["log_loss"]) if row["missed"] is not None else told(row["log_loss"]),
                changed(row["auc"]) if row["missed"] is not None else told(row["auc"]),
            )
            for row in chosen
        ]
        parts.append(catalog.grid(("left out", "columns", "log loss", "AUC"), lines))
    parts.append(made_with(rows))
    return parts


def changed(estimate: dict[str, float]) -> str:
    return f"{estimate['value']:+.4f} ({estimate['low']:+.4f} to {estimate['high']:+.4f})"


def verification_page() -> str:
    rows = results.load("verify")
    parts = [
        "# Verification",
        "Made by `make verify` (measure) and `make docs` (this page) from `benchmarks/results/verify.json`: simulated "
        "companies, trained and judged by the product itself.",
    ]
    parts += oracle_section(results.load("oracle"))
    parts += worlds_section(results.load("worlds"))
    parts += faults_page.parts(results.load("faults"))
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


def oracle_section(rows: list[dict[str, Any]]) -> list[str]:
    """How many random worlds of facts the kernel was compared in with its oracle."""
    if not rows:
        return []
    worlds = sum(row["worlds"] for row in rows)
    bad = [row for row in rows if not row["as_expected"]]
    found = f"they differ with seed {', '.join(str(row['seed']) for row in bad)}" if bad else "they agree in all"
    return [
        f"## Kernel and oracle\n\n{worlds:,} random worlds of facts on every boundary, late arrivals included; each asks a "
        f"fifth of all aggregations and windows, to the bit: **{found}** (seeds {', '.join(str(r['seed']) for r in rows)}).",
        made_with(rows),
    ]


def worlds_section(rows: list[dict[str, Any]]) -> list[str]:
    """Coverage and harm where the truth is known, and how near to it large data come."""
    if not rows:
        return []
    parts = ["## Where the truth is known"]
    small = [row for row in rows if row["world"] == "small"]
    if small:
        covered, gain = ([row[name] for row in small] for name in ("covered", "gain"))
        worst = sorted(gain)[: max(1, len(gain) // 20)]
        parts.append(
            f"{len(small)} worlds of 300 accounts of which about 20 leave, drawn anew in what matters, how much and in which "
            f"shape; judged on 300 other accounts of the same world. Some columns are seen as counts, and values are missing: "
            f"*true* is the probability given what is seen, for nobody can know more. The 90% intervals cover "
            f"**{statistics.mean(covered):.1%}** of the true probabilities (± {_error(covered):.1%}). Against the base rate, "
            f"the expected log loss falls by {statistics.mean(gain):.4f} on average (± {_error(gain):.4f}); in the worst "
            f"twentieth of the worlds it changes by {-statistics.mean(worst):+.4f}."
        )
        rungs = Counter(row["rung"] for row in small)
        lines = [
            (name, str(count), f"{statistics.mean(r['covered'] for r in small if r['rung'] == name):.1%}",
             f"{statistics.mean(r['gain'] for r in small if r['rung'] == name):+.4f}")
            for name, count in rungs.most_common()
        ]  # fmt: skip
        parts.append(catalog.grid(("rung", "worlds", "covered", "log loss below the base rate's"), lines))
    large = [row for row in rows if row["world"] == "large"]
    if large:
        lines = [
            (str(r["seed"]), r["rung"], f"{r['prior']:.4f}", f"{r['log_loss']:.4f}", f"{r['truth']:.4f}", f"{r['reached']:.1%}", f"{r['covered']:.1%}")
            for r in large
        ]  # fmt: skip
        parts.append(
            "Worlds of 20,000 accounts at six dates: how much of the gain that the truth itself has is reached."
        )
        parts.append(catalog.grid(("seed", "rung", "base rate", "ours", "the truth", "reached", "covered"), lines))
    return [*parts, made_with(rows)]


def _error(values: list[float]) -> float:
    """The standard error of their mean."""
    return statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.nan


def models_page() -> str:
    rows = results.load("models")
    return "\n\n".join([*page.parts(rows), made_with(rows)]) + "\n"


def performance_page() -> str:
    """A section for each part that is measured."""
    parts = [
        "# Performance",
        "Made by `make bench-…` (measure) and `make docs` (this page) from `benchmarks/results/`. The machine is noisy: "
        "only ratios within one table count.",
        *features_section([row for row in results.load("features") if "growth" not in row]),
        *growth_section([row for row in results.load("features") if "growth" in row]),
        *memory_section(results.load("memory")),
        *scoring_section(results.load("scoring")),
        *serving_page.parts(results.load("serving")),
        *page_times.parts(results.load("pages")),
    ]
    return "\n\n".join(parts) + "\n"


def features_section(rows: list[dict[str, Any]]) -> list[str]:
    heads = (
        "who",
        "events",
        "rows × columns",
        "seconds",
        "× the limit",
        "events/s",
        "rows/s",
        "peak MB",
        "equal",
        "note",
    )
    lines = [
        (
            row["who"],
            f"{row['events']:,}",
            f"{number(row.get('rows'))} × {number(row.get('columns'))}",
            spread(row),
            number(row.get("ratio"), 1),
            number(row.get("events_per_second")),
            number(row.get("rows_per_second")),
            number(row.get("peak_mb")),
            {True: "yes", False: "**no**", None: "–"}[row.get("equal")],
            row["note"] or "–",
        )
        for row in rows
    ]
    parts = [
        "## Features",
        "The same columns of the same canonical Parquet (`benchmarks/features/columns.py`), for every account at the end "
        "of twelve months, by two clocks: counts, sums, distinct contacts and active days of usage, over all and for each "
        "event, over 7, 30, 90 and 180 days; recency, pace, tickets, CSAT, NPS. Each in a fresh process, medians, with "
        "writing the result. *the limit*: DuckDB scans the usage and groups it by account and day, nothing more; the "
        "ratio compares events per second with it. *equal*: a sample of accounts, every column, against plain pandas.",
        catalog.grid(heads, lines),
    ]
    ours = next((row for row in rows if row["who"] == "propensity"), None)
    return [*parts, *([preparation(ours)] if ours else []), made_with(rows)]


def preparation(row: dict[str, Any]) -> str:
    """What it took to get ready."""
    return (
        f"Beforehand, once for any number of frames and not in the seconds above, {row['events']:,} events were taken in "
        f"as canonical Parquet, which all of these read, and propensity wrote its ledger, which it reads in its place: "
        f"{number(row['take_in'])} s, {number(row['ledger'])} s of it the ledger."
    )


def scoring_section(rows: list[dict[str, Any]]) -> list[str]:
    heads = ("who", "threads", "rows/s", "× LightGBM", "rows", "peak MB", "farthest apart", "note")
    parts = [
        "## Scores and reasons",
        "Exact contributions of every column to every row, from 120 columns, ten of them categories, 8% missing; all rows "
        "different. In fresh processes, medians of rounds through all; a single row by its median over 100. On one thread by processor time, on two by "
        "the clock. *× LightGBM*: "
        "against its own on the same model and as many threads, and for *score and contributions* against its bare "
        "prediction. *farthest apart*: the largest difference from LightGBM's contributions, as a share of the row's sum of "
        "them without their signs. *limit*: the rows read, and as many numbers written. "
        "woodelf-explainer takes no categories, and is left out where depth is unbounded, which takes it minutes to prepare.",
    ]
    titles = {"predict": "Score", "contributions": "Contributions", "both": "Score and contributions"}
    for model in dict.fromkeys(row["model"] for row in rows):
        for what, title in ((what + end, title + end) for end in ("", ", one row") for what, title in titles.items()):
            chosen = [row for row in rows if row["model"] == model and row["what"] == what]
            if not chosen:
                continue
            lines = [
                (
                    row["who"],
                    str(row["threads"]),
                    number(row.get("rows_per_second")),
                    number(row.get("ratio"), 2),
                    number(row.get("rows")),
                    number(row.get("peak_mb")),
                    f"{row['apart']:.0e}" if "apart" in row else "–",
                    row["note"] or "–",
                )
                for row in chosen
            ]
            parts += [f"### {title}: {model}", catalog.grid(heads, lines)]
    return [*parts, *slowdown(rows), made_with(rows)]


def slowdown(rows: list[dict[str, Any]]) -> list[str]:
    """What a million accounts take, at the rates that were measured."""
    rates = {
        (r["model"], r["threads"], r["who"], r["what"]): r["rows_per_second"] for r in rows if "rows_per_second" in r
    }
    return [
        f"{model}, {threads} thread{'s' if threads > 1 else ''}: a million accounts scored and explained take "
        f"{1e6 / both:,.0f} s at this rate, {rates[model, threads, 'LightGBM', 'predict'] / both:.2f} times LightGBM's bare "
        f"prediction of them ({1e6 / rates[model, threads, 'LightGBM', 'predict']:,.0f} s)."
        for (model, threads, _, what), both in rates.items()
        if what == "both"
    ]


def memory_section(rows: list[dict[str, Any]]) -> list[str]:
    heads = ("events", "accounts", "allowed", "step", "seconds", "of a processor", "peak MB", "within")
    lines = [
        (
            f"{row['events']:,}",
            f"{row['accounts']:,}",
            row["memory"],
            row["step"],
            number(row["seconds"]),
            number(row.get("processor")),
            number(row["peak_mb"]),
            "yes" if row["kept"] else "**no**",
        )
        for row in rows
    ]
    return [
        "### Within memory",
        "Worlds generated on disk, raw Parquet to stored frames of twelve dates and the same columns, each step in a "
        "process of its own. *allowed* is `memory` in `propensity.toml`; the peak is of the whole process, files that it "
        "maps included. *of a processor* is the time its threads were at work, which says more where others were at work "
        "beside it.",
        *([catalog.grid(heads, lines)] if lines else []),
        made_with(rows),
    ]


def growth_section(rows: list[dict[str, Any]]) -> list[str]:
    heads = ("who", "events", "seconds", "µs per event", "× the limit", "peak MB")
    lines = [
        (
            row["who"],
            f"{row['events']:,}",
            number(row.get("seconds"), 2),
            number(1e6 / row["events_per_second"] if "events_per_second" in row else None, 2),
            number(row.get("ratio"), 1),
            number(row.get("peak_mb")),
        )
        for row in sorted(rows, key=lambda row: (row["who"], row["events"]))
    ]
    return ["### As the events grow", *([catalog.grid(heads, lines)] if lines else []), made_with(rows)]


def spread(row: dict[str, Any]) -> str:
    """The median of the runs, and between what they were."""
    if row.get("runs", 0) < 2:
        return number(row.get("seconds"), 2)
    low, high = row["spread"]
    return f"{row['seconds']:,.2f} ({low:,.2f} to {high:,.2f})"


def number(value: float | None, digits: int = 0) -> str:
    return "–" if value is None else f"{value:,.{digits}f}"


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
