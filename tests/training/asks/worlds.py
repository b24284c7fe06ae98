"""Small worlds of asks, in which it is known who would say yes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd

from features.settings.training import Training
from features.windows import day_number
from training.asks.past import Past

CONFIG = Training(bags=2, bootstraps=50)
DAYS = [date(2025, 1, 31) + timedelta(days=30 * number) for number in range(9)]
UNTIL = DAYS[-1]


def made(accounts: int = 150, seed: int = 3, *, often: float = 0.3, seldom: float = 0.04) -> Past:
    """Half of the accounts are ``keen``: they are asked often and say yes in 8 of 10 cases, the others seldom and in 1."""
    rng = np.random.default_rng(seed)
    cells, asks = [], []
    for number, day in enumerate(DAYS[:-1]):
        for account in range(accounts):
            keen = float(account % 2)
            cells.append({"account": f"a{account}", "as_of": day, "ends": day_number(DAYS[number + 1]), "keen": keen})
            if rng.random() < (often if keen else seldom):
                asked = day_number(day) + 1 + int(rng.integers(0, 25))
                yes = rng.random() < (0.8 if keen else 0.1)
                asks.append(
                    {
                        "account": f"a{account}", "as_of": day, "kind": str(rng.choice(["review", "reference"])),
                        "asked": float(asked), "yes": asked + 2.0 if yes else np.nan,
                        "no": np.nan if yes else asked + 2.0, "recorded": np.nan, "keen": keen, "cell": len(cells) - 1,
                        "role": "user", "champion_contact": 0.0, "mood": np.nan, "used": 3.0,
                    }
                )  # fmt: skip
    return Past(pd.DataFrame(asks), pd.DataFrame(cells), ("keen",), 90)


def hidden(accounts: int = 300, seed: int = 4) -> Past:
    """A third would say yes in 8 of 10 cases, the others never; whoever asks knows, the records tell in 3 of 4 cases."""
    past, rng = made(accounts, seed, often=0.0, seldom=0.0), np.random.default_rng(seed)
    willing = rng.random(accounts) < 1 / 3
    looks = np.where(rng.random(accounts) < 0.75, willing, ~willing).astype(float)
    number = past.cells["account"].str[1:].astype(int).to_numpy()
    cells = past.cells.assign(keen=looks[number])
    asked = rng.random(len(cells)) < np.where(willing[number], 0.24, 0.06)
    yes = willing[number] & (rng.random(len(cells)) < 0.8)
    asks = cells[asked].assign(
        kind="review", asked=[float(day_number(day) + 5) for day in cells["as_of"][asked]], recorded=np.nan,
        role="user", champion_contact=0.0, mood=np.nan, used=3.0, cell=np.flatnonzero(asked),
    )  # fmt: skip
    answered = asks["asked"] + 2.0
    asks = asks.assign(yes=answered.where(yes[asked]), no=answered.where(~yes[asked])).reset_index(drop=True)
    return replace(past, asks=asks, cells=cells)


def everybody(past: Past) -> pd.DataFrame:
    """An ask for a review of everybody once."""
    rows = past.cells.drop_duplicates("account")
    return rows.assign(kind="review", role="user", champion_contact=0.0, mood=np.nan, used=3.0)
