"""Outcomes: the only code that looks ahead. Yes (1), no (0), unknown (null); a new outcome is one file here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import facts
from features.errors import PropensityError, one_of
from features.settings.outcomes import Churn, Expansion, Outcome
from features.workspace import Config, Workspace
from training.outcomes import advocacy, churn, contraction, expansion, promoter, terms, unasked
from training.outcomes.future import Future

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Rule:
    """How an outcome is told: what happened, the streams of facts that decide it, the version of its code."""

    label: Callable[[Future, Outcome], Mask]
    defined_by: Callable[[Config, Outcome], tuple[str, ...]]
    version: int


OUTCOMES: dict[str, Rule] = {
    "churn": Rule(churn.label, churn.defined_by, churn.VERSION),
    "contraction": Rule(contraction.label, contraction.defined_by, contraction.VERSION),
    "expansion": Rule(expansion.label, expansion.defined_by, expansion.VERSION),
    "advocacy": Rule(advocacy.label, advocacy.defined_by, advocacy.VERSION),
    "unasked": Rule(unasked.label, unasked.defined_by, unasked.VERSION),
    "promoter": Rule(promoter.label, promoter.defined_by, promoter.VERSION),
}


@dataclass(frozen=True)
class Labelled:
    """What came of each row, ``y``: 1, 0 or null, and why it is null, one reason each.

    ``immature``: its window has not been observed to its end. ``unrecorded``: what decides it was first recorded after
    the window began. ``ambiguous``: what was seen leaves it open, such as a promoter without an answer. ``treated``:
    somebody reached out to the account between as_of and the end of the horizon; none where that is not recorded.
    """

    y: npt.NDArray[np.float64]
    immature: Mask
    unrecorded: Mask
    ambiguous: Mask
    treated: Mask | None


def configured(workspace: Workspace, name: str) -> Outcome:
    """The workspace's settings of an outcome."""
    there = dict(workspace.config.outcomes)
    if name not in there:
        raise PropensityError(
            f"no outcome {name!r} in this workspace; there are {one_of(there)}",
            f"Add [outcomes.{name}] to propensity.toml." if name in OUTCOMES else f"Use one of {one_of(there)}.",
            status=404,
        )
    return there[name]


def chosen(workspace: Workspace, outcome: str | None) -> list[str]:
    """The outcome that is asked about, which must be configured; all of them where none is named."""
    if outcome is None:
        return [name for name, _ in workspace.config.outcomes]
    configured(workspace, outcome)
    return [outcome]


def defined_by(config: Config, name: str, outcome: Outcome) -> tuple[str, ...]:
    """The streams of facts that decide an outcome."""
    return OUTCOMES[name].defined_by(config, outcome)


def labels(workspace: Workspace, name: str, rows: pd.DataFrame) -> npt.NDArray[np.float64]:
    """What came of each row (``account``, ``as_of``): 1, 0, or null where nobody can know (yet)."""
    return labelled(workspace, name, rows).y


def losses(workspace: Workspace, rows: pd.DataFrame) -> tuple[npt.NDArray[np.int64], Mask]:
    """When each row's account is first without a contract, from as_of on (an instant, or ``terms.NEVER``), and which rows
    have had one. Only contract churn has such a moment: who falls silent is known to be gone by the silence alone, which
    is as long as the outcome's own horizon.
    """
    outcome = configured(workspace, "churn")
    assert isinstance(outcome, Churn)
    if outcome.kind != "contract":
        raise PropensityError(
            f"churn is inactivity over {outcome.horizon} days here, which has no moment at which an account leaves",
            'A retention curve takes outcomes.churn.kind = "contract"; of inactivity there is the score at its horizon.',
        )
    with Future.of(workspace, outcome, rows) as future:
        return terms.first_loss(future, outcome.grace)


def arr_kept(workspace: Workspace, rows: pd.DataFrame, days: int) -> npt.NDArray[np.float64]:
    """ARR ``days`` after as_of per ARR at as_of: 1 is steady, 0 an account that has left; null where nobody can know
    (yet), and everywhere where contracts have no ARR.
    """
    with Future.of(workspace, Expansion(horizon=days), rows) as future:
        if "contract.arr" not in facts.valued(future.report):
            return np.full(len(rows), np.nan)
        return np.where(future.mature, terms.arr_kept(future), np.nan)


def labelled(workspace: Workspace, name: str, rows: pd.DataFrame) -> Labelled:
    """The same with the reasons for what is unknown, and who was treated."""
    outcome = configured(workspace, name)
    with Future.of(workspace, outcome, rows) as future:
        happened = OUTCOMES[name].label(future, outcome).astype(float)
        return Labelled(
            np.where(future.known, happened, np.nan),
            ~future.mature,
            future.mature & ~future.recorded,
            future.mature & future.recorded & ~future.clear,
            future.treated(),
        )
