"""What ``docs/decisions.md`` says of asks: the error of the chance of a yes, with the correction and without."""

from __future__ import annotations

import math
import statistics
from typing import Any

from features import catalog
from training.asks.backtest import CORRECTED, PER_KIND, RECORDED, UNCORRECTED

MEASURES = ("bias", "calibration", "log_loss", "rmse")
HEADS = ("said by", "said less true", "calibration error", "log loss", "error of one (RMSE)")


def parts(rows: list[dict[str, Any]]) -> list[str]:
    """A section for each way in which asks were made; nothing where none was measured."""
    if not rows:
        return []
    first = rows[0]
    found = [
        "## Who says yes if asked",
        "Made by `python -m benchmarks.asks` from `benchmarks/results/asks.json`: simulated companies of "
        f"{first['accounts']:,} accounts and {first['months']} months, in which the true chance of a yes is known for "
        "everybody, asked or not. Learnt from the asks that were answered three months before the end; judged in the months "
        "after it on every account that the rules allow to be asked, whether it was or not, at every contact and for every "
        "kind of ask. Means over the companies, ± one standard error; seeds were looked at once, after the correction had been "
        "chosen on others that were made the same way.",
        "What makes an account happy, and so both asked and willing, is partly hidden. Weighting by the chance of being asked "
        f"(*{RECORDED}*) sets right what records show, which is little of what is wrong. The correction in use takes it, "
        "besides, that whoever would say yes is asked equally often, whatever it looks like (positive and unlabelled): of "
        "accounts that look alike, the willing were asked. **No record can tell whether that is so.** These companies are "
        "made that way (only the happy say yes, and all of them are asked equally often), which favours it; where asks go "
        "by what is on record alone, it makes too little of those who are seldom asked. Only asks at random would tell.",
    ]
    for variant in dict.fromkeys(row["variant"] for row in rows):
        chosen = [row for row in rows if row["variant"] == variant]
        found += [f"### {TITLES.get(variant, variant)}", _sentence(chosen)]
        lines = [
            (name, *(_mean([row["ways"][name][one] for row in chosen]) for one in MEASURES))
            for name in chosen[0]["ways"]
        ]
        found.append(catalog.grid(HEADS, lines))
    return found


TITLES = {
    "ordinary": "Happy accounts are asked in 15% of months, others in 4%",
    "strong": "Happy accounts are asked in 40% of months, others in 1%",
}


def _sentence(rows: list[dict[str, Any]]) -> str:
    def mean(pick: Any) -> float:
        return statistics.mean(pick(row) for row in rows)

    errors = [
        mean(lambda row, way=way: row["ways"][way]["calibration"])
        for way in (CORRECTED, RECORDED, UNCORRECTED, PER_KIND)
    ]
    return (
        f"{len(rows)} companies; {mean(lambda r: r['asks']):,.0f} asks learnt from, {mean(lambda r: r['yes'] / r['asks']):.0%} "
        f"of them accepted, where {mean(lambda r: r['true']):.0%} of all eligible would have said yes. Calibration error "
        f"**{errors[0]:.3f} with the correction, {errors[2]:.3f} without**, {errors[1]:.3f} if only corrected for what is on "
        f"record, {errors[3]:.3f} by the share per kind. Who is "
        f"asked can be foretold with an AUC of {mean(lambda r: r['overlap']['selection']):.2f}; the asks tell as much as "
        f"{mean(lambda r: r['overlap']['effective']):,.0f} at random."
    )


def _mean(values: list[float]) -> str:
    error = statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    return f"{statistics.mean(values):.3f} ± {error:.3f}"
