"""The feature engine beside its peers and the limit.

    python -m benchmarks.features [--events 2000000] [--who propensity polars] [--growth | --memory] [--repeats 3]

Worlds and the peers' environments are kept in ``benchmarks/.worlds`` and ``benchmarks/.envs``.
"""

from __future__ import annotations

import argparse
import sys

from benchmarks import results
from benchmarks.features.measure import COMPETITORS, STEPS, growth, measure, memory


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.features", description=__doc__)
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--who", nargs="+", choices=[c.name for c in COMPETITORS], default=[])
    parser.add_argument("--growth", action="store_true", help="ours and the limit at 1, 2, 4 and 8 times the events")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--memory", nargs="*", choices=STEPS, help="what worlds of up to 100 million events take of it")
    given = parser.parse_args()
    if given.memory is not None:
        steps = given.memory or STEPS
        kept = [row for row in results.load("memory") if row["step"] not in steps]
        rows = []
        for row in memory(steps):
            rows.append(row)
            results.save("memory", rows, kept)
            print(row)
        sys.exit(0 if all(row["kept"] for row in rows) else "more memory was taken than was allowed")
    chosen = [c for c in COMPETITORS if not given.who or c.name in {"limit", *given.who}]
    kept = [row for row in results.load("features") if ("growth" in row) != given.growth]
    rows = growth(given.events, given.repeats) if given.growth else measure(chosen, given.events, given.repeats)
    results.save("features", rows, kept)
    wrong = [row["who"] for row in rows if row.get("wrong")]
    for row in rows:
        print(row["who"], row.get("seconds", row["note"]), row.get("ratio", "–"), row.get("peak_mb", "–"), sep="\t")
    if wrong:
        sys.exit(f"not equal to plain pandas: {', '.join(wrong)}")


if __name__ == "__main__":
    main()
