"""Outcomes: the only code that looks ahead. Yes (1), no (0), unknown (null); a new outcome is one file here."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.errors import PropensityError, one_of
from features.workspace import Config, Outcome, Workspace
from training.outcomes import advocacy, churn
from training.outcomes.future import Future

Label = Callable[[Future, Outcome], npt.NDArray[np.bool_]]
OUTCOMES: dict[str, Label] = {"churn": churn.label, "advocacy": advocacy.label}
DEFINED_BY: dict[str, Callable[[Config, Outcome], tuple[str, ...]]] = {
    "churn": churn.defined_by,
    "advocacy": advocacy.defined_by,
}


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


def defined_by(config: Config, name: str, outcome: Outcome) -> tuple[str, ...]:
    """The streams of facts that decide an outcome."""
    return DEFINED_BY[name](config, outcome)


def labels(workspace: Workspace, name: str, rows: pd.DataFrame) -> npt.NDArray[np.float64]:
    """What came of each row (``account``, ``as_of``): 1, 0, or null where the window has not been observed in full."""
    outcome = configured(workspace, name)
    with Future.of(workspace, outcome, rows) as future:
        happened = OUTCOMES[name](future, outcome).astype(float)
        return np.where(future.known, happened, np.nan)
