"""Lists of simulated companies, trained on by the whole pipeline: what they are worth by the truth that nobody mapped.

An account of these worlds makes up its mind 60 days before its term ends, by the state it is in then; a call in the 120
days before lowers the log-odds by 0.4, once. Two truths are told: what a list is worth if a call takes the assumed share
from the true chance, whenever it comes; and what it is worth if a call does what it does there, nothing where the
account has made up its mind, or was called already.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.parquet as pq
from scipy.special import expit, logit

from benchmarks.decision_worlds import COMPANIES
from features import intake
from features.sources.simulated import World
from features.sources.simulated_outcomes import DECIDED_BEFORE
from features.workspace import Workspace
from serving.demo import prepare
from training.dataset import Dataset, dataset
from training.outcomes import configured
from training.registry import Registry
from training.train import train

Vector = npt.NDArray[np.float64]
OUTCOME = "churn"
A_CALL, LASTS = 0.4, 120
"""What a call takes from the log-odds, and for how many days, in ``features/sources/simulated_outcomes.py``."""
HEALTH: dict[str, float] = {"usage_pace_90d_180d": 0.4, "nps_mean_365d": 0.3, "tickets_opened_90d": -0.3}
"""The score by hand: trend of use, NPS, tickets; in standard deviations, in these weights; where unknown, the mean."""
TRUTHS = ("simulated company, a fifth is saved", "simulated company, as a call works there")


def judged() -> Iterator[tuple[World, date, Dataset, Vector, dict[str, Vector]]]:
    """Per company and test date: the rows, what the model says of them, and by how much a call lowers the chance of
    leaving, by each of the ``TRUTHS``."""
    for world in COMPANIES:
        with TemporaryDirectory() as scratch:
            here = prepare(Path(scratch), world, lambda done, of: None)
            with intake.read(here) as found:
                found.write_tables()
            result = train(here, OUTCOME)
            print(f"{world.seed}: {result.verdict}", file=sys.stderr, flush=True)
            if result.version is None:
                continue
            registry = Registry(here)
            model = registry.load(registry.version(OUTCOME, result.version))
            whole = dataset(here, OUTCOME)
            for day in result.test:
                rows = whole.at([day])
                yield (
                    world,
                    day,
                    rows,
                    model.scores(rows.frame).probability,
                    dict(zip(TRUTHS, saved(here, day, rows), strict=True)),
                )


def saved(here: Workspace, day: date, rows: Dataset) -> tuple[Vector, Vector]:
    """By how much a call on the day lowers the true chance of leaving within the outcome's window, as a fifth of it; and
    that of leaving at the end of this term, as calls work in that world.
    """
    data, settings = here.root / "data", configured(here, OUTCOME)
    ends = _ends(data, day)
    truth = pq.read_table(data / "truth.parquet").to_pandas()
    truth["as_of"] = pd.to_datetime(truth["as_of"]).astype("datetime64[us]")
    accounts = pd.DataFrame({"account": rows.accounts.astype(str)})
    each = accounts.assign(ends=accounts["account"].map(ends))
    each["decides"] = each["ends"] - pd.Timedelta(days=DECIDED_BEFORE)
    known = each.dropna(subset=["decides"]).sort_values("decides")
    told = pd.merge_asof(known, truth.sort_values("as_of"), left_on="decides", right_on="as_of", by="account")
    chance = accounts["account"].map(told.set_index("account")["chance"]).to_numpy(dtype=np.float64)
    start = pd.Timestamp(day) + pd.Timedelta(days=1)
    left = ((each["ends"] - start).dt.days).to_numpy(dtype=np.float64)
    within = (left >= 0) & (left < settings.lead + settings.horizon)
    decides = left - DECIDED_BEFORE
    open_ = (decides > 0) & (decides <= LASTS) & ~_called(data, each, start)
    by_call = chance - expit(logit(np.clip(chance, 1e-9, 1 - 1e-9)) - A_CALL)
    return np.nan_to_num(0.2 * chance * within), np.nan_to_num(by_call * open_)


def _ends(data: Path, day: date) -> pd.Series:
    """When the term ends that runs on the day."""
    terms = pq.read_table(data / "contracts.parquet", columns=["account", "starts", "ends"]).to_pandas()
    at = pd.Timestamp(day) + timedelta(days=1)
    starts, ends = (terms[name].dt.tz_localize(None) for name in ("starts", "ends"))
    return (
        pd.Series(ends.to_numpy(), index=terms["account"])[((starts < at) & (ends >= at)).to_numpy()]
        .groupby(level=0)
        .max()
    )


def _called(data: Path, each: pd.DataFrame, start: pd.Timestamp) -> npt.NDArray[np.bool_]:
    """Who was called before the day, so lately that it still counts when the account makes up its mind."""
    calls = pq.read_table(data / "outreach.parquet", columns=["account", "kind", "done"]).to_pandas()
    calls = calls[(calls["kind"] == "call") & calls["done"].notna()]
    done = calls.assign(done=calls["done"].dt.tz_localize(None)).query("done < @start").groupby("account")["done"].max()
    last = each["account"].map(done)
    return ((each["decides"] - last) <= pd.Timedelta(days=LASTS)).to_numpy()


def by_hand(rows: Dataset) -> Vector:
    """The score by hand: high is well."""
    total = np.zeros(len(rows))
    for name, weight in HEALTH.items():
        column = rows.frame[name].to_numpy(dtype=np.float64)
        total += weight * np.nan_to_num((column - np.nanmean(column)) / np.nanstd(column))
    return total
