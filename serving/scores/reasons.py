"""Why: LightGBM's own contributions in plain English, with the account's own numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from features.feature import Column
from features.plan import Plan
from serving.scores.score import Reason
from training.dataset import Matrix
from training.explain import subject
from training.model import Model

REASONS = 3


@dataclass(frozen=True)
class Reasoner:
    """Puts contributions into words. Columns that speak of the same thing, such as one count over several windows,
    are one group and speak once: their contributions are added, and the strongest of them gives the words.
    """

    columns: list[Column]
    groups: np.ndarray
    members: list[np.ndarray]

    @classmethod
    def of(cls, model: Model, plan: Plan) -> Reasoner:
        known = {column.name: column for column in plan.columns}
        columns = [known[name] for name in model.encoder.columns]
        keys = [subject(column, plan) for column in columns]
        order = {key: number for number, key in enumerate(dict.fromkeys(keys))}
        groups = np.array([order[key] for key in keys])
        return cls(columns, groups, [np.flatnonzero(groups == number) for number in range(len(order))])

    def reasons(self, values_of: Callable[[str], Iterable[object]], contributions: Matrix) -> list[list[Reason]]:
        """Up to three reasons per row, strongest first, each in other words; ``values_of`` has the values of a column by its
        name.

        A row above the model's starting point is explained by what raises it, one below by what lowers it.
        """
        chosen = [self._strongest(line[:-1]) for line in contributions]
        wanted = {self.columns[column].name for line in chosen for column, _ in line}
        values: dict[str, list[object]] = {name: list(values_of(name)) for name in wanted}
        said = [
            [self._said(column, total, values[self.columns[column].name][position]) for column, total in line]
            for position, line in enumerate(chosen)
        ]
        for position, line in enumerate(said):
            if len({reason.text for reason in line}) < len(line):
                said[position] = self._distinct(values_of, values, position, contributions[position])
        return said

    def _distinct(
        self,
        values_of: Callable[[str], Iterable[object]],
        values: dict[str, list[object]],
        position: int,
        contributions: np.ndarray,
    ) -> list[Reason]:
        """What several groups say in the same words is said once, with what they add together; others come after it."""
        found: dict[str, Reason] = {}
        for column, total in self._strongest(contributions[:-1], len(self.members)):
            name = self.columns[column].name
            if name not in values:
                values[name] = list(values_of(name))
            reason = self._said(column, total, values[name][position])
            before = found.get(reason.text)
            if before is None and len(found) == REASONS:
                break
            found[reason.text] = reason if before is None else replace(before, contribution=before.contribution + total)
        return sorted(found.values(), key=lambda reason: -abs(reason.contribution))

    def _strongest(self, contributions: np.ndarray, most: int = REASONS) -> list[tuple[int, float]]:
        """Column and summed contribution of the groups that pull the row its way the most."""
        sums = np.bincount(self.groups, weights=contributions, minlength=len(self.members))
        sign = 1.0 if contributions.sum() >= 0 else -1.0
        top = [group for group in np.argsort(-sign * sums, kind="stable")[:most] if sign * sums[group] > 0]
        return [
            (int(self.members[group][np.argmax(sign * contributions[self.members[group]])]), float(sums[group]))
            for group in top
        ]

    def _said(self, number: int, total: float, value: object) -> Reason:
        column = self.columns[number]
        text = column.explain(value if isinstance(value, str | float | int) else None)
        return Reason(text, column.name, total)
