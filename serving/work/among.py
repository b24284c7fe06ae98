"""Part of the accounts: those of an owner, a segment, a country, a line of business."""

from __future__ import annotations

from dataclasses import dataclass, fields

import pandas as pd
import pyarrow.parquet as pq

from features import intake
from features.errors import PropensityError, one_of
from features.workspace import Workspace

COLUMNS = {"owner": "owner", "segment": "segment", "country": "buying_country", "line_of_business": "line_of_business"}
"""By what accounts are told apart, and the column of the accounts table; the country is where it is decided to buy."""


@dataclass(frozen=True)
class Among:
    """Accounts that are all of this; None: whatever it is. Names are compared exactly."""

    owner: str | None = None
    segment: str | None = None
    country: str | None = None
    line_of_business: str | None = None

    @property
    def asked(self) -> dict[str, str]:
        """What was asked for."""
        return {name: value for name, value in vars(self).items() if value is not None}

    def accounts(self, workspace: Workspace) -> set[str] | None:
        """Their ids, None for everybody; raises PropensityError (404) where there is no such owner, segment and so on."""
        if not self.asked:
            return None
        table = _table(workspace)
        for name, value in self.asked.items():
            if not (table[name] == value).any():
                raise PropensityError(_nobody(name, value, table[name]), "Use one of them.", status=404)
        kept = pd.concat([table[name] == value for name, value in self.asked.items()], axis=1).all(axis=1)
        return set(table.loc[kept, "account"])


EVERYBODY = Among()


def choices(workspace: Workspace, owner: str | None = None) -> dict[str, list[str]]:
    """By what accounts can be told apart, and the names there are; of one owner's accounts if named."""
    table = _table(workspace)
    seen = table if owner is None else table[table["owner"] == owner]
    found = {field.name: sorted(seen[field.name].dropna().unique().tolist()) for field in fields(Among)}
    return {name: there for name, there in found.items() if len(there) > 1}


def _table(workspace: Workspace) -> pd.DataFrame:
    folder, _ = intake.current(workspace)
    wanted = ["account", *COLUMNS.values()]
    table = pq.read_table(folder / "accounts.parquet", columns=wanted).to_pandas()
    return table.rename(columns={column: name for name, column in COLUMNS.items()})


def _nobody(name: str, value: str, there: pd.Series) -> str:
    known = one_of(there.dropna().unique())
    if name == "owner":
        return f"nobody called {value[:80]!r} owns an account; owners are {known}"
    words = name.replace("_", " ")
    return f"no account has the {words} {value[:80]!r}; there are {known}"
