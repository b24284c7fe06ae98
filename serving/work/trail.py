"""The facts of one account, as its features see them: what had happened and was known by a day."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features import intake, ledger
from features.facts import NO_VALUE, UNIT, Facts
from features.ledger import Ledger
from features.tables import ROLES
from features.windows import midnight
from features.workspace import Workspace
from serving.scores.lists import refusal

NOTHING = -2
"""A code that no fact has."""


@dataclass(frozen=True)
class Trail:
    book: Ledger
    code: int
    zone: str
    _read: dict[str, Facts] = field(default_factory=dict)

    @classmethod
    def of(cls, workspace: Workspace, account: str) -> Trail:
        """Raises PropensityError (404) where there is no such account."""
        folder, _ = intake.current(workspace)
        names = pq.read_table(folder / "accounts.parquet", columns=["account"])["account"]
        code = pc.index(names, account).as_py()
        if code < 0:
            raise refusal(workspace, account, known=False)
        return cls(ledger.opened(workspace), code, workspace.config.timezone)

    def facts(self, kind: str) -> Facts:
        """All there are of a kind; none where it is not told."""
        if kind not in self._read:
            self._read[kind] = self.book.load(kind, range(self.code, self.code + 1))
        return self._read[kind]

    def values(self, kind: str) -> npt.NDArray[np.float64]:
        """The value of each; NaN where it has none."""
        value = self.facts(kind).value
        return np.where(value == NO_VALUE, np.nan, value / UNIT)

    def seen(self, kind: str, day: date, back: int = 0, label: str = "", role: str = "") -> npt.NDArray[np.bool_]:
        """Which of them had happened so many days before the end of ``day``, and were known by its end."""
        found, end = self.facts(kind), day + timedelta(days=1)
        seen = (found.known < midnight(end, self.zone)) & (
            found.occurred < midnight(end - timedelta(days=back), self.zone)
        )
        if label:
            seen &= found.label == (found.labels.index(label) if label in found.labels else NOTHING)
        if role:
            seen &= found.role == ROLES.index(role)
        return seen

    def newest(self, kind: str, day: date, back: int = 0, label: str = "", role: str = "") -> int | None:
        """The instant at which the last of them happened."""
        happened = self.facts(kind).occurred[self.seen(kind, day, back, label, role)]
        return int(happened[-1]) if len(happened) else None
