"""Retention curves of accounts: the chance to be there still after 30, 90, 180, 365 days, which never rises."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from features import frame
from features.errors import PropensityError
from features.workspace import Workspace
from serving.scores import lists
from training import retention


@dataclass(frozen=True)
class Curve:
    """``stays``: horizon in days → chance that the account is there still."""

    account: str
    as_of: date
    stays: dict[int, float]

    def as_dict(self) -> dict[str, Any]:
        return {"account": self.account, "as_of": str(self.as_of), "stays": {str(n): p for n, p in self.stays.items()}}


def curve(workspace: Workspace, account: str, day: date | None = None) -> Curve:
    """The curve of an account as of a date (the latest by default); raises where churn does not apply to it then."""
    made, as_of = retention.kept(workspace), day or frame.observed_until(workspace)
    rows = frame.feature_frame(workspace, [as_of])
    row = rows[(rows["account"] == account).to_numpy(dtype=bool)].reset_index(drop=True)
    if not len(row):
        lists.why_not(workspace, account)
    if not row[frame.APPLIES + "churn"].to_numpy(dtype=bool)[0]:
        raise PropensityError(
            f"churn does not apply to account {account!r} as of {as_of}",
            "It takes a live contract without notice.",
            status=409,
        )
    stays = made.curve(row)[0].tolist()
    return Curve(account, as_of, dict(zip(made.horizons, stays, strict=True)))
