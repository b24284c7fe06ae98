"""What is asked of the servers, and what each answer must hold: the probability that the batch, or the model, has."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import cycle, islice
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd

from features.workspace import Workspace
from serving.web.live import Served

OUTCOME = "churn"
ACCOUNTS = 200
MANY = 10_000
GUARDED, BARE = "/nothing", "/bare"
"""Routes that do no work: one behind the guard, and one before anything of ours."""
Case = dict[str, str]


@dataclass(frozen=True)
class Asked:
    """Accounts of the batch with their feature rows, null where nothing is known."""

    accounts: list[str]
    stored: list[float]
    rows: list[dict[str, Any]]
    by_model: list[float]
    everybody: dict[str, float]
    """Every account of the batch, and its probability."""

    def by_id(self) -> list[Case]:
        return [
            _case("GET", f"/v1/accounts/{account}/scores", None, probability)
            for account, probability in zip(self.accounts, self.stored, strict=True)
        ]

    def explained(self) -> list[Case]:
        return [
            _case("GET", f"/v1/accounts/{account}/explain?outcome={OUTCOME}", None, probability)
            for account, probability in zip(self.accounts, self.stored, strict=True)
        ]

    def now(self) -> list[Case]:
        return [
            _case("GET", f"/v1/accounts/{account}/now?outcome={OUTCOME}", None, probability)
            for account, probability in zip(self.accounts, self.stored, strict=True)
        ]

    def streamed(self) -> list[Case]:
        """One request for ``MANY`` accounts, some more than once where there are fewer."""
        accounts = list(islice(cycle(self.everybody), MANY))
        probability = self.everybody[accounts[-1]]
        return [_case("POST", "/v1/score/stream", {"outcome": OUTCOME, "accounts": accounts}, probability)]

    def by_features(self) -> list[Case]:
        return self._posted("/v1/score/features", lambda row: {"outcome": OUTCOME, "rows": [row]})

    def to_bentoml(self) -> list[Case]:
        return self._posted("/score", lambda row: {"row": row})

    def to_fastapi(self) -> list[Case]:
        return self._posted("/score", lambda row: row)

    def to_mlflow(self) -> list[Case]:
        return self._posted(
            "/invocations", lambda row: {"dataframe_split": {"columns": list(row), "data": [list(row.values())]}}
        )

    def _posted(self, path: str, body: Any) -> list[Case]:
        return [
            _case("POST", path, body(row), probability)
            for row, probability in zip(self.rows, self.by_model, strict=True)
        ]


def asked(workspace: Workspace, served: Served) -> Asked:
    """Accounts of all ranks."""
    shown = served.shown
    ranked = sorted(shown.scores.values(), key=lambda score: score.rank)
    chosen = ranked[:: max(1, len(ranked) // ACCOUNTS)][:ACCOUNTS]
    rows = served.rows([score.account for score in chosen])[[column.name for column in served.columns]]
    told = [{name: _plain(value) for name, value in row.items()} for row in rows.to_dict("records")]
    made = served.scorer.model.scores(rows).probability
    return Asked(
        [score.account for score in chosen],
        [score.probability for score in chosen],
        told,
        made.tolist(),
        {account: score.probability for account, score in shown.scores.items()},
    )


def batch(served: Served, seconds: float) -> float:
    """Rows that are scored in a second, with reasons, as ``propensity score`` scores them."""
    shown = served.shown
    rows = served.rows(list(islice(cycle(shown.scores), MANY)))
    served.scorer.score(rows[:100], shown.as_of, shown.frame_hash)
    begun, made = perf_counter(), 0
    while perf_counter() - begun < seconds:
        made += len(served.scorer.score(rows, shown.as_of, shown.frame_hash))
    return made / (perf_counter() - begun)


def nothing(path: str) -> list[Case]:
    """A request of a route that does no work."""
    return [_case("GET", path, None, None)]


def _plain(value: Any) -> Any:
    if value is None or (isinstance(value, float) and np.isnan(value)) or value is pd.NA:
        return None
    return value.item() if isinstance(value, np.generic) else value


def _case(method: str, path: str, body: Any, probability: float | None) -> Case:
    content = "" if body is None else json.dumps(body)
    kind = "" if body is None else f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
    request = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{kind}\r\n{content}"
    return {"request": request, "expects": "" if probability is None else repr(probability)}
