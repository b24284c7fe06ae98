"""What a competitor is given. Only pandas and numpy: it is read in the peers' own environments too."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

SEED = 7
Vector = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Rows:
    """Rows of one split: ``features`` (doubles, and ``categorical`` columns as strings), and what they are about.

    ``label`` is null for every row of a test. A label was known ``span`` days after its as_of.
    """

    features: pd.DataFrame
    categorical: tuple[str, ...]
    accounts: npt.NDArray[np.object_]
    as_of: npt.NDArray[np.object_]
    label: Vector
    span: int
    season: str = "none"
    """Whether the business says that it has a yearly season; every row's date is there for everybody to see."""

    def __len__(self) -> int:
        return len(self.features)


def read(folder: Path, kind: str) -> Rows:
    """``train`` or ``test`` of a split; the task lies beside it or above it."""
    task = next(place / "task.json" for place in (folder, folder.parent) if (place / "task.json").is_file())
    told: dict[str, Any] = json.loads(task.read_text(encoding="utf-8"))
    rows = pd.read_parquet(folder / f"{kind}.parquet")
    label = rows.pop("label").to_numpy(dtype=float) if "label" in rows else np.full(len(rows), np.nan)
    accounts, as_of = (rows.pop(key).to_numpy(dtype=object) for key in ("account", "as_of"))
    return Rows(rows, tuple(told["categorical"]), accounts, as_of, label, told["span"], told["season"])


def as_categories(train: Rows, test: Rows) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both frames with pandas categories: those of the rows learnt from; others count as missing."""
    known = {name: sorted(train.features[name].dropna().unique()) for name in train.categorical}

    def typed(rows: Rows) -> pd.DataFrame:
        return rows.features.assign(
            **{
                name: pd.Categorical(rows.features[name].where(rows.features[name].isin(found)), found)
                for name, found in known.items()
            }
        )

    return typed(train), typed(test)


def as_words(rows: Rows) -> pd.DataFrame:
    """Missing categories as a word of their own."""
    return rows.features.assign(**{name: rows.features[name].fillna("missing") for name in rows.categorical})


def groups(accounts: npt.NDArray[np.object_], count: int) -> npt.NDArray[np.int64]:
    """Per row one of ``count`` groups of accounts, drawn once and for all: an account is never in two."""
    names, position = np.unique(accounts.astype(str), return_inverse=True)
    return np.random.default_rng(SEED).permutation(np.arange(len(names)) % count)[position]


def held_out(accounts: npt.NDArray[np.object_]) -> Mask:
    """Every fifth account, all its rows: what a single model is stopped early on."""
    return groups(accounts, 5) == 0
