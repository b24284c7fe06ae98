"""Lists that a person can work through: ranked, cut at capacity, each line with what one needs to know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from features import frame, intake
from features.errors import PropensityError, one_of
from features.workspace import Workspace
from serving.scores.score import Score
from serving.stores.store import Store
from training.outcomes import chosen, configured

SHOWN = ("arr", "days_to_renewal")


@dataclass(frozen=True)
class Line:
    """A score with the account's name, its owner, and the numbers shown beside it (null where there are none)."""

    score: Score
    name: str
    owner: str | None
    arr: float | None
    days_to_renewal: float | None

    def as_dict(self) -> dict[str, Any]:
        beside = {name: value for name, value in vars(self).items() if name != "score"}
        return self.score.as_dict() | beside


def ranked(workspace: Workspace, outcome: str, top: int | None = None, owner: str | None = None) -> list[Line]:
    """The highest of the latest scores, ``top`` of them (the outcome's capacity by default), of one owner if named."""
    settings = configured(workspace, outcome)
    store = Store(workspace)
    scores = store.top(outcome, top or settings.capacity, of_owner(workspace, owner) if owner else None)
    return lines(workspace, store, scores)


def everybody(workspace: Workspace, outcome: str) -> list[Line]:
    """All of the latest scores of an outcome, the highest first; nobody where there are none."""
    store = Store(workspace)
    batch = store.shown(outcome)
    return [] if batch is None else lines(workspace, store, store.top(outcome, batch.rows))


def owners(workspace: Workspace) -> dict[str, str | None]:
    """Who looks after each account."""
    table = _accounts(workspace)
    return {account: _known(owner) for account, owner in zip(table["account"], table["owner"], strict=True)}


def explained(workspace: Workspace, account: str) -> list[Line]:
    """An account's latest scores of every outcome; an account that is not scored says why."""
    return lines(workspace, Store(workspace), latest(workspace, account))


def latest(workspace: Workspace, account: str, outcome: str | None = None) -> list[Score]:
    """An account's latest scores, of one outcome if named; raises the error that says why there are none."""
    store = Store(workspace)
    found = [store.of_account(account, name) for name in chosen(workspace, outcome)]
    scores = [score for score in found if score is not None]
    if not scores:
        why_not(workspace, account)
    return scores


def why_not(workspace: Workspace, account: str) -> None:
    """Raise the error that says why an account has no score."""
    raise refusal(workspace, account, known=account in set(_accounts(workspace)["account"]))


def refusal(workspace: Workspace, account: str, known: bool) -> PropensityError:
    """The error that says why an account, ``known`` to the accounts table or not, has no score."""
    if not known:
        return PropensityError(
            f"there is no account {account!r}",
            "Account ids are those of the accounts table; they are compared exactly.",
            status=404,
        )
    cohort = workspace.config.cohort
    rule = (
        "a live contract without notice"
        if cohort.kind == "contract"
        else f"{one_of(cohort.activity)} in the last {cohort.days} days"
    )
    return PropensityError(
        f"account {account!r} is not scored: to be scored it takes {rule}, a champion and a run of `propensity score`",
        "Look at its facts, or widen [cohort] in propensity.toml.",
        status=409,
    )


def _accounts(workspace: Workspace) -> pd.DataFrame:
    folder, _ = intake.current(workspace)
    return pq.read_table(folder / "accounts.parquet", columns=["account", "owner"]).to_pandas()


def of_owner(workspace: Workspace, owner: str) -> list[str]:
    """The accounts of an owner; raises PropensityError where nobody is called that."""
    table = _accounts(workspace)
    owners = set(table["owner"].dropna())
    if owner not in owners:
        raise PropensityError(
            f"nobody called {owner!r} owns an account; owners are {one_of(owners)}", "Use one of them.", status=404
        )
    return list(table.loc[table["owner"] == owner, "account"])


def lines(workspace: Workspace, store: Store, scores: list[Score]) -> list[Line]:
    """Scores of one batch with what is shown beside them."""
    if not scores:
        return []
    accounts = [score.account for score in scores]
    names = store.names(accounts)
    rows = frame.read(workspace, scores[0].as_of, scores[0].frame_hash, SHOWN)
    owner, *beside = (
        _of_each(table, column)
        for table, column in ((_accounts(workspace), "owner"), *((rows, column) for column in SHOWN))
    )
    return [
        Line(
            score,
            names.get(score.account, score.account),
            owner.get(score.account),
            *(of.get(score.account) for of in beside),
        )
        for score in scores
    ]


def _of_each(table: pd.DataFrame, column: str) -> dict[str, Any]:
    """What a column says of each account; nothing where there is no such column, or it is not known."""
    if column not in table:
        return {}
    there = table[table[column].notna()]
    return dict(zip(there["account"].tolist(), there[column].tolist(), strict=True))


def _known(value: Any) -> Any:
    return None if pd.isna(value) else value
