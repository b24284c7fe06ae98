"""What calls do, in worlds whose truth is known and in a real experiment: do intervals cover, is uplift used only where it
should be, does it beat chance on what it had not met?

    python -m benchmarks.uplift --data FOLDER [--worlds 100]

``FOLDER/hillstrom/hillstrom.csv`` is a randomised e-mail campaign: 64,000 customers, a third each got an e-mail about
men's wear, about women's, or none, and who visited the shop within two weeks is known. An e-mail stands for a call and
a visit for staying. The worlds have 3,000 accounts, a fifth of them held out; their seeds were fixed beforehand.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit
from scipy.stats import binomtest

from benchmarks import results
from serving.decisions import uplift
from serving.decisions.effect import COVERAGE, Arm, difference, save_rate
from serving.decisions.uplift import ERROR_RATE, Tried

Vector = npt.NDArray[np.float64]
WORLDS, ACCOUNTS, CALLED, RATE = 100, 3000, 0.8, 0.2
KINDS: dict[str, tuple[int, float, float]] = {
    "a call does nothing": (8000, 0.0, 0.0),
    "a call does the same for all": (8200, 0.3, 0.3),
    "a call drives half of them away": (8400, 0.6, -0.6),
}
"""The first seed, and the share of the leavers that a call keeps, of the one half and of the other."""
MAILS = ("Mens E-Mail", "Womens E-Mail")
NONE = "No E-Mail"
SEED = 7


def world(kind: str, number: int, accounts: int = ACCOUNTS) -> Tried:
    """One world: six columns, of which two are causes of leaving and one tells the halves apart; the risk is as it is."""
    first, saved, saved_other = KINDS[kind]
    rng = np.random.default_rng(first + number)
    seen = rng.normal(size=(accounts, 6))
    risk = expit(np.log(RATE / (1 - RATE)) + seen[:, 0] + 0.5 * seen[:, 1])
    rate = np.where(seen[:, 2] > 0, saved, saved_other)
    called = rng.random(accounts) < CALLED
    left = rng.random(accounts) < np.clip(risk * (1 - rate * called), 0, 1)
    profit = 7000 * np.exp(rng.normal(size=accounts))
    names = np.arange(accounts).astype(object)
    return Tried(np.column_stack([risk, seen]), risk, called, left, names, profit, np.full(accounts, 150.0))


def truth(kind: str) -> tuple[float, float]:
    """By how much calls lower the share that leaves, and the share of leavers that they keep, in all such worlds."""
    _, saved, saved_other = KINDS[kind]
    seen = np.random.default_rng(0).normal(size=(2_000_000, 2))
    risk = expit(np.log(RATE / (1 - RATE)) + seen[:, 0] + 0.5 * seen[:, 1])
    with_calls = sum(np.clip(risk * (1 - rate), 0, 1).mean() / 2 for rate in (saved, saved_other))
    return float(risk.mean() - with_calls), float(1 - with_calls / risk.mean())


def worlds(kind: str, count: int = WORLDS, accounts: int = ACCOUNTS) -> dict[str, Any]:
    """How often the intervals cover what calls do, and how often lists would go by uplift."""
    kept, rate = truth(kind)
    covered = covered_rate = used = 0
    for number in range(count):
        rows = world(kind, number, accounts)
        called, held_out = (
            Arm(int((rows.called == arm).sum()), int(rows.left[rows.called == arm].sum())) for arm in (True, False)
        )
        found, saving = difference(held_out, called), save_rate(held_out, called)
        covered += found.low <= kept <= found.high
        covered_rate += saving.low <= rate <= saving.high
        used += uplift.judged(rows, SEED, rate=max(rate, 0.0)).used
    alike = KINDS[kind][1] == KINDS[kind][2]
    rarely = binomtest(used, count, ERROR_RATE, alternative="greater").pvalue > 0.01
    within = all(binomtest(n, count, COVERAGE).pvalue > 0.01 for n in (covered, covered_rate))
    return {
        "what": "worlds",
        "kind": kind,
        "worlds": count,
        "accounts": accounts,
        "kept": kept,
        "save_rate": rate,
        "covered": covered,
        "covered_rate": covered_rate,
        "used": used,
        "as_expected": bool(within and (rarely or not alike)),
    }


def hillstrom(data: Path) -> Iterator[dict[str, Any]]:
    """The rates of visits, their differences, and whether uplift foretells whom an e-mail brings."""
    table = pd.read_csv(data / "hillstrom" / "hillstrom.csv")
    stayed_away = {name: Arm(len(part), int((part["visit"] == 0).sum())) for name, part in table.groupby("segment")}
    for name, arm in stayed_away.items():
        low, high = arm.interval
        yield {
            "what": "rate",
            "mail": name,
            "accounts": arm.accounts,
            "rate": {"value": 1 - arm.rate, "low": 1 - high, "high": 1 - low},
        }
    for mail in MAILS:
        found = difference(stayed_away[NONE], stayed_away[mail])
        yield {"what": "difference", "mail": mail, "kept": found.as_dict()}
    for mails in (*((mail,) for mail in MAILS), MAILS):
        rows = campaign(table[table["segment"].isin([*mails, NONE])])
        said = uplift.judged(rows, SEED, rate=0.1)
        yield {"what": "uplift", "mail": " or ".join(mails), **said.as_dict()}


def campaign(table: pd.DataFrame) -> Tried:
    """An e-mail stands for a call, a visit for staying. The risk of staying away is foretold across customers by a
    model of those who got no e-mail, as a plain list would have it."""
    seen = pd.get_dummies(table[["recency", "history", "mens", "womens", "newbie", "zip_code", "channel"]], dtype=float)
    matrix, called = seen.to_numpy(dtype=np.float64), (table["segment"] != NONE).to_numpy()
    left = (table["visit"] == 0).to_numpy()
    risk, part = np.empty(len(table)), np.random.default_rng(SEED).integers(0, uplift.PARTS, len(table))
    for one in range(uplift.PARTS):
        known = (part != one) & ~called
        trees = uplift.TREES | {
            "objective": "binary",
            "boost_from_average": True,
            "min_data_in_leaf": 100,
            "seed": SEED,
        }
        model = lgb.train(trees, lgb.Dataset(matrix[known], left[known].astype(float)), uplift.ROUNDS)
        risk[part == one] = model.predict(matrix[part == one], num_threads=1)
    names, alike = np.arange(len(table)).astype(object), np.ones(len(table))
    return Tried(np.column_stack([risk, matrix]), risk, called, left, names, alike, 0 * alike)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.uplift", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with hillstrom/; without it, only the worlds")
    parser.add_argument("--worlds", type=int, default=WORLDS)
    given = parser.parse_args()
    rows = [] if given.data is None else list(hillstrom(given.data))
    for kind in KINDS:
        rows.append(worlds(kind, given.worlds))
        print(rows[-1], file=sys.stderr)
    results.save("uplift", rows)


if __name__ == "__main__":
    main()
