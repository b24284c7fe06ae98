"""Whose voice foretells? What each role says and does, by itself, out of time: influence need not follow seniority."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from features.tables import ROLES
from training import metrics
from training.baselines import Baseline, base_rate, logistic
from training.dataset import Encoder, Matrix
from training.foretelling import Rows, bands, kinds
from training.metrics import Estimate, Vector
from training.splits import Fold

SENIOR = "decision maker"
"""Those whose voice is taken to count most."""


@dataclass(frozen=True)
class Influence:
    """A role: what a logistic regression on its answers and its usage alone gains on the base rate, in log loss per row
    of the test fold, and its AUC; ``coverage`` is the share of rows on which anything is known. The intervals hold for
    all roles together. ``over_senior`` is its AUC less that of decision makers; none for these.
    """

    role: str
    coverage: float
    gain: Estimate
    auc: Estimate
    over_senior: Estimate | None = None

    @property
    def foretells(self) -> bool:
        return self.gain.low > 0

    def as_dict(self) -> dict[str, Any]:
        return {
            "role": self.role,
            "coverage": self.coverage,
            "gain": self.gain.as_dict(),
            "auc": self.auc.as_dict(),
            "over_decision_makers": None if self.over_senior is None else self.over_senior.as_dict(),
            "foretells": self.foretells,
        }


def influence(
    known: Mapping[str, Matrix], rows: Rows, folds: Sequence[Fold], fewest: int, bootstraps: int, seed: int
) -> list[Influence]:
    """Roles by their gain, the largest first. ``known`` has the columns of each role. A date is judged where enough was
    known before it: ``fewest`` accounts with the outcome and as many without.
    """
    folds = [fold for fold in folds if min(kinds(rows.where(rows.at(fold.fit)))) >= fewest]
    told = {role: matrix for role, matrix in known.items() if _tells(matrix)}
    if not folds or not told:
        return []
    testing = np.logical_or.reduce([rows.at(fold.test) for fold in folds])
    test = rows.where(testing)
    if min(kinds(test)) < fewest:
        return []
    weights = metrics.draws(test.accounts, bootstraps, seed)
    gains, areas = [], []
    for matrix in told.values():
        foretold, plain = (_foretold(matrix, rows, folds, how)[testing] for how in (logistic, base_rate))
        saved = metrics.losses(test.y, plain) - metrics.losses(test.y, foretold)
        gains.append((weights @ saved) / weights.sum(axis=1))
        areas.append(metrics.over_draws(metrics.auc, test.y, foretold, weights))
    names = list(told)
    senior = names.index(SENIOR) if SENIOR in told else None
    others = [number for number in range(len(names)) if number != senior]
    freedom = [min(kinds(test)) - 1] * len(names)
    gain, auc = bands(gains, freedom), bands(areas, freedom)
    over = {}
    if senior is not None:
        apart = bands([areas[n] - areas[senior] for n in others], freedom[1:])
        over = dict(zip(others, apart, strict=True))
    found = [
        Influence(role, _known(told[role][testing]), gain[number], auc[number], over.get(number))
        for number, role in enumerate(names)
    ]
    return sorted(found, key=lambda one: -one.gain.value)


def sentence(found: Sequence[Influence], doing: str) -> str:
    """What follows for whom to listen to."""
    if not found:
        return f"too little is known of any role to say whose voice foretells who {doing}"
    best = found[0]
    if not best.foretells:
        return f"no role's answers and usage are shown to foretell who {doing}"
    if best.role == SENIOR:
        return f"decision makers foretell best who {doing}; nobody is shown to foretell better"
    if best.over_senior is not None and best.over_senior.low > 0:
        return f"influence does not follow seniority: {best.role}s foretell who {doing} better than decision makers do"
    beside = "" if best.over_senior is None else ", but are not shown to do so better than decision makers"
    return f"{best.role}s foretell best who {doing}{beside}"


def of_roles(columns: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """In the order of seniority; roles without a column are not there."""
    return {role: columns[role] for role in ROLES if columns.get(role)}


def _known(matrix: Matrix) -> float:
    """The share of rows on which anything is known."""
    return float((~np.isnan(matrix)).any(axis=1).mean())


def _tells(values: Matrix) -> bool:
    known = values[~np.isnan(values)]
    return bool(len(known)) and bool(known.min() < known.max())


def _foretold(matrix: Matrix, rows: Rows, folds: Sequence[Fold], how: Baseline) -> Vector:
    """Probabilities of each row judged, by what was known before its date; null elsewhere."""
    found = np.full(len(rows.y), np.nan)
    for fold in folds:
        learn, test = rows.at(fold.fit), rows.at(fold.test)
        columns = [column for column in range(matrix.shape[1]) if _tells(matrix[learn][:, [column]])]
        encoder = Encoder(tuple(map(str, columns)), {})
        way = how if columns else base_rate
        found[test] = way(matrix[learn][:, columns], rows.y[learn], matrix[test][:, columns], encoder)
    return found
