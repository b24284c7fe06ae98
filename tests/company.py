"""A made-up company, small and plain, whose churn and advocacy follow from what is in its tables: a model can be
promoted within seconds.

Each month an account uses the product; who barely used it *and* gave a low NPS answer does not come back the next
month, who gave a high one *and* used it much acts as an advocate. Each of the two alone says little and no ratio joins
them, so that the model beats the best single column. Tickets are there, and mean nothing.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from features import intake, windows
from features.workspace import Workspace
from tests import worlds

MONTHS = 16
ACCOUNTS = 150
UNTIL = date(2026, 6, 30)
CANARY = "Zanzibar Quokka"
CONFIG: dict[str, Any] = {
    "name": "company",
    "as_of": {"since": date(2025, 5, 31), "exported": UNTIL},
    "signals": {"windows": [30, 90]},
    "cohort": {"kind": "activity", "days": 28, "activity": ["usage"]},
    "outcomes": {
        "churn": {"kind": "inactivity", "horizon": 28, "grace": 0, "capacity": 5},
        "advocacy": {"kind": "act", "horizon": 28, "capacity": 5},
    },
    "training": {"test_dates": 3, "folds": 1, "minimum_positives": 10, "bags": 2, "bootstraps": 100},
}


def found(root: Path, *, accounts: int = ACCOUNTS, seed: int = 1, signal: bool = True, **config: Any) -> Workspace:
    """Write the company's exports and its configuration; without ``signal``, everything happens by chance."""
    return worlds.write(root, tables(accounts, seed, signal), **{**CONFIG, **config})


def names(workspace: Workspace) -> list[tuple[str, str]]:
    """Account and name, as an intake hands them to the store."""
    with intake.read(workspace) as found:
        return found.names()


def tables(accounts: int, seed: int, signal: bool) -> dict[str, list[dict[str, object]]]:
    rng = np.random.default_rng(seed)
    rows: dict[str, list[dict[str, object]]] = {
        name: [] for name in ("accounts", "contracts", "usage", "tickets", "feedback", "advocacy")
    }
    starts = [month.replace(day=1) for month in windows.grid(UNTIL - timedelta(days=30 * MONTHS), UNTIL, "month")]
    for number in range(accounts):
        account = f"a{number:04}"
        rows["accounts"].append(
            {
                "account": account,
                "name": f"{CANARY} {number}" if number else "=cmd|'/c calc'!A0",
                "owner": f"owner-{number % 3}",
                "segment": ("small", "large")[number % 2],
                "created": starts[0],
            }
        )
        terms = {"starts": starts[0], "ends": UNTIL + timedelta(days=number + 2), "arr": 1000 * (number + 1)}
        rows["contracts"].append({"contract": f"c{number}", "account": account, **terms})
        leaves, acts = False, False
        for start in starts:
            little, ticket, happy = rng.random(3) < (0.4, 0.4, 0.5)
            luck = rng.random(2)
            if acts:
                rows["advocacy"].append(
                    {"account": account, "kind": "review", "done": _moment(rng, start), "revenue_touched": 1}
                )
            if happy:
                score = {"responded": _moment(rng, start), "instrument": "NPS", "score": 10}
            else:
                score = {"responded": _moment(rng, start), "instrument": "NPS", "score": 5}
            rows["feedback"].append({"account": account, **score})
            if not leaves:
                for _ in range(2 if little else 8):
                    rows["usage"].append(
                        {"account": account, "occurred_at": _moment(rng, start), "event": "login", "value": 1}
                    )
            if ticket:
                rows["tickets"].append(
                    {"ticket": f"{account} {start}", "account": account, "opened": _moment(rng, start)}
                )
            much = not (little or leaves)
            likely = (little and not happy, happy and much) if signal else (luck[0] < 0.16, luck[1] < 0.3)
            leaves, acts = (bool(chance) != bool(rng.random() < 0.03) for chance in likely)
    return rows


def _moment(rng: np.random.Generator, month: date) -> datetime:
    """An instant in the days 3 to 28 of a month, so that windows of 28 days see whole months."""
    seconds = int(rng.integers(2 * 86_400, 28 * 86_400))
    return datetime(month.year, month.month, 1, tzinfo=UTC) + timedelta(seconds=seconds)
