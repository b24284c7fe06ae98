"""Is the chance of a yes right for all who may be asked, though those who were asked were not drawn at random?

    python -m benchmarks.asks [--seeds 3] [--accounts 1500] [--months 30]

In the simulated world the true chance of a yes is known for every account, month and kind of ask, whether it was asked or
not (``truth_asks.parquet``). What is learnt from the asks answered by a date is judged on every account that the rules
allow to be asked in the three months after it, at every contact there and for every kind of ask: with the correction,
with that for what is on record only, and without, beside shares. *ordinary*: happy accounts are asked in 15% of months,
others in 4%; *strong*: 40% and 1%. What makes an account happy, so that it is asked and says yes, is partly hidden.

How to correct was chosen on companies of seeds below 1000; those from 5101 on were judged once, after that, and 5100 was
looked at before. Only the happy say yes here, and all of them are asked equally often, which is what the correction takes
for granted (``training.asks.weights.leaning``): where asking went by the records alone, it would err.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks import results
from features import frame, intake
from features.sources.simulated import World, simulate
from features.sources.simulated_outcomes import ASKED, EASE, chance_of_yes
from features.workspace import FILE, Workspace, load
from serving.demo import configuration
from serving.work import asked
from serving.work.funnel import asks_of
from serving.work.people import people
from training import metrics
from training.asks.backtest import CORRECTED, MONTHS, OVERALL, PER_KIND, PER_KIND_CORRECTED, RECORDED, UNCORRECTED
from training.asks.fit import fit, learnable
from training.asks.past import Past
from training.asks.shares import shares
from training.sample import Vector

VARIANTS = {"ordinary": ASKED, "strong": (0.40, 0.01)}
FIRST_SEED = 5101


def company(root: Path, world: World) -> Workspace:
    """A simulated company, read in; no frames, which asks do not need."""
    simulate(world, root / "data")
    (root / FILE).write_text(configuration(world), encoding="utf-8")
    workspace = load(root)
    with intake.read(workspace) as found:
        found.write_tables()
    return workspace


def measured(root: Path, world: World) -> dict[str, Any]:
    """One world: every way to foretell against the truth, over all eligible account-months after the asks learnt from."""
    workspace = company(root, world)
    past = asked.past(workspace)
    until = frame.observed_until(workspace)
    days = sorted(set(past.cells["as_of"]) | {until})
    origin, config = days[-1 - MONTHS], workspace.config.training
    rows, truth, counts = eligible(workspace, past, origin)
    known = learnable(past, origin)
    found = {corrected: fit(past, origin, config, corrected) for corrected in (True, False)}
    ways = {
        CORRECTED: found[True].model,
        RECORDED: fit(past, origin, config, hidden=False).model,
        UNCORRECTED: found[False].model,
        PER_KIND: shares(known.asks["kind"], known.y),
        PER_KIND_CORRECTED: shares(known.asks["kind"], known.y, known.weights),
    }
    p = {name: model.scores(rows).probability for name, model in ways.items()}
    p[OVERALL] = np.full(len(rows), (known.y.sum() + 1) / (len(known.y) + 2))
    p["the truth"] = truth
    return {
        "asks": len(known.y),
        "yes": int(known.y.sum()),
        "cells": len(set(zip(rows["account"], rows["as_of"], strict=True))),
        "true": float(np.average(truth, weights=counts)),
        "rung": found[True].rung,
        "rung_uncorrected": found[False].rung,
        "overlap": found[True].overlap.as_dict(),
        "ways": {name: against(truth, each, counts) for name, each in p.items()},
    }


def eligible(workspace: Workspace, past: Past, origin: date) -> tuple[pd.DataFrame, Vector, Vector]:
    """Every eligible account-month from ``origin`` on, at each contact and for each kind: rows to foretell, the truth, and
    how much each counts, so that each account-month counts once.
    """
    cells = past.cells[past.cells["as_of"] >= origin]
    parts = []
    for day, here in cells.groupby("as_of"):
        there = people(workspace, day)
        whom = [(one, kind) for account in here["account"] for one in there.get(account, ()) for kind in EASE]
        parts.append(asks_of(here, whom))
    told = pd.read_parquet(workspace.root / "data" / "truth_asks.parquet")
    every = pd.concat(parts, ignore_index=True)
    rows = every.merge(told, on=["account", "as_of"])
    assert len(rows) > 0.99 * len(every), "all but those whose term ends at the very instant have a truth"
    truth = np.array([chance_of_yes(one, kind) for one, kind in zip(rows["accepts"], rows["kind"], strict=True)])
    return rows, truth, 1 / rows.groupby(["account", "as_of"])["kind"].transform("size").to_numpy(dtype=float)


def against(truth: Vector, p: Vector, counts: Vector) -> dict[str, float]:
    """``bias``: mean said less mean true; ``calibration``: the mean gap in ten bins; ``log_loss`` as expected under the
    truth; ``rmse`` of the single probability.
    """
    once = counts[None, :]
    return {
        "bias": float(np.average(p - truth, weights=counts)),
        "calibration": float(metrics.ece(truth, p, once)[0]),
        "log_loss": float(metrics.log_loss(truth, p, once)[0]),
        "rmse": float(np.sqrt(np.average((p - truth) ** 2, weights=counts))),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.asks", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--accounts", type=int, default=1500)
    parser.add_argument("--months", type=int, default=30)
    given = parser.parse_args()
    found = []
    for seed in range(FIRST_SEED, FIRST_SEED + given.seeds):
        for variant, chances in VARIANTS.items():
            world = World(accounts=given.accounts, months=given.months, seed=seed, asked=chances)
            with tempfile.TemporaryDirectory() as root:
                row = measured(Path(root), world)
            found.append({"variant": variant, "seed": seed, "accounts": given.accounts, "months": given.months, **row})
            print(variant, seed, row["ways"], file=sys.stderr)
            results.save("asks", found)


if __name__ == "__main__":
    main()
