"""Discrete-time hazard: the chance to leave within an interval of those who are there when it begins, interval by
interval, by one kind of booster. What is left of an account at a horizon is the product of (1 − hazard) so far, so that
a longer horizon never has a higher chance to stay than a shorter one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from features.errors import PropensityError
from features.files import replaced
from training import calibration
from training.calibration import Sigmoid
from training.dataset import Encoder, Matrix
from training.models.component import mean_of
from training.models.trees import Growth, grown, raw_score
from training.verified import HINT, verified

CONTRACT = "retention.json"
FORMAT = 1
CLOCK = "days_to_renewal"
"""The feature that counts down to the end of a term, when contracts are lost; each interval sees it from its own time."""
GROWTH = Growth(
    {"learning_rate": 0.05, "num_leaves": 15, "max_depth": 7, "feature_fraction": 0.5, "bagging_fraction": 0.7}
    | {"lambda_l2": 5.0, "cat_smooth": 50.0},
    rounds=1500,
    patience=40,
    least=4,
)
Vector = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Cells = npt.NDArray[np.int64]
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Lives:
    """Rows x intervals: was the account there as the interval began, and was it observed in full (``at_risk``); did it
    leave within it (``left``)? Interval k is half-open, ``[as_of + horizons[k-1], as_of + horizons[k])`` in local days.
    """

    horizons: tuple[int, ...]
    at_risk: Mask
    left: Mask

    def where(self, keep: Mask) -> Lives:
        return Lives(self.horizons, self.at_risk[keep], self.left[keep])

    def first(self, intervals: int) -> Lives:
        return Lives(self.horizons[:intervals], self.at_risk[:, :intervals], self.left[:, :intervals])

    @property
    def events(self) -> npt.NDArray[np.int64]:
        """Losses per interval among those at risk."""
        return (self.at_risk & self.left).sum(axis=0)

    @property
    def rates(self) -> Vector:
        """Losses per interval, as a share of those at risk: the product-limit estimator's hazards."""
        return np.asarray(self.events / np.maximum(self.at_risk.sum(axis=0), 1), dtype=np.float64)


@dataclass(frozen=True)
class Retention:
    """Boosters whose mean log-odds a sigmoid of each interval turns into its hazard.

    ``facts`` is everything else that must travel with it: what labels mean, plan, training range, how it did.
    """

    boosters: tuple[lgb.Booster, ...]
    encoder: Encoder
    horizons: tuple[int, ...]
    sigmoids: tuple[Sigmoid, ...]
    facts: dict[str, Any]

    def curve(self, rows: pd.DataFrame) -> Matrix:
        """The chance of each frame row to be there still at each horizon: rows x horizons, never rising along them."""
        return self.curve_matrix(self.encoder.matrix(rows))

    def curve_matrix(self, matrix: Matrix) -> Matrix:
        return np.asarray(np.cumprod(1 - self.hazards(matrix), axis=1), dtype=np.float64)

    def hazards(self, matrix: Matrix) -> Matrix:
        """Rows x intervals: the chance to leave within, of those who are there as it begins."""
        cells = np.arange(len(matrix))
        found = np.empty((len(matrix), len(self.horizons)))
        for interval, sigmoid in enumerate(self.sigmoids):
            seen = spread(matrix, cells, np.full(len(matrix), interval), self.horizons, self.encoder.columns)
            found[:, interval] = sigmoid(mean_of([raw_score(booster, seen) for booster in self.boosters]))
        return found

    def save(self, folder: Path) -> str:
        """Write it into a folder, beside other files if need be; returns the SHA-256 of its contract, which names those
        of its boosters.
        """
        folder.mkdir(parents=True, exist_ok=True)
        files = []
        for number, booster in enumerate(self.boosters):
            text = booster.model_to_string(num_iteration=-1).encode()
            name = f"retention-{number}.txt"
            (folder / name).write_bytes(text)
            files.append([name, hashlib.sha256(text).hexdigest()])
        contract = {
            "format": FORMAT,
            "files": files,
            "horizons": self.horizons,
            "columns": self.encoder.columns,
            "categories": self.encoder.categories,
            "sigmoids": [asdict(sigmoid) for sigmoid in self.sigmoids],
            "facts": self.facts,
        }
        with replaced(folder / CONTRACT) as part:
            part.write_text(json.dumps(contract, indent=1, allow_nan=False), encoding="utf-8")
        return hashlib.sha256((folder / CONTRACT).read_bytes()).hexdigest()

    @classmethod
    def load(cls, folder: Path, sha256: str) -> Retention:
        """Read it; every file's SHA-256 is checked before LightGBM parses it."""
        contract = json.loads(verified(folder / CONTRACT, sha256))
        if contract["format"] != FORMAT:
            raise PropensityError(
                f"the retention curve in {folder} has format {contract['format']}, this version reads {FORMAT}",
                HINT,
                status=503,
            )
        texts = [verified(folder / name, expected) for name, expected in contract["files"]]
        return cls(
            tuple(lgb.Booster(model_str=text.decode()) for text in texts),
            Encoder(tuple(contract["columns"]), {name: tuple(v) for name, v in contract["categories"].items()}),
            tuple(contract["horizons"]),
            tuple(Sigmoid(**sigmoid) for sigmoid in contract["sigmoids"]),
            contract["facts"],
        )


def fit(
    matrix: Matrix,
    lives: Lives,
    accounts: npt.NDArray[np.object_],
    dates: int,
    encoder: Encoder,
    seed: int,
    bags: int,
    facts: dict[str, Any],
    progress: Progress = lambda _: None,
) -> Retention:
    """Fit on the rows and intervals at risk. Accounts are kept together, so each booster is stopped on companies it has
    never met, and each interval is calibrated on what was foretold of such. ``dates`` is at how many an account may be.
    """
    row, interval = np.nonzero(lives.at_risk)
    y = lives.left[row, interval].astype(float)
    cells = spread(matrix, row, interval, lives.horizons, encoder.columns)
    own = {"min_data_in_leaf": int(np.clip(GROWTH.least * dates, 20, 400))}
    groups = StratifiedGroupKFold(max(bags, 2), shuffle=True, random_state=seed)
    kind = np.where(y == 1, interval + 1, 0)
    cuts = list(groups.split(cells, kind, accounts[row].astype(str)))
    boosters, unseen = grown(GROWTH, own, cells, y, encoder.categorical, cuts, seed, progress)
    of = [interval == number for number in range(len(lives.horizons))]
    sigmoids = tuple(calibration.fit(unseen[mine], y[mine]) for mine in of)
    return Retention(boosters, encoder, lives.horizons, sigmoids, facts)


def spread(
    matrix: Matrix, row: Cells, interval: Cells, horizons: tuple[int, ...], columns: tuple[str, ...]
) -> npt.NDArray[np.float32]:
    """The rows as each of these intervals sees them: their columns, the interval's number, and how far from where it
    begins and ends the running term does. Half the precision is plenty for trees, and half the memory.
    """
    begins, ends = np.array([0, *horizons[:-1]], dtype=float), np.array(horizons, dtype=float)
    out = np.empty((len(row), matrix.shape[1] + 3), dtype=np.float32)
    out[:, : matrix.shape[1]] = matrix[row]
    clock = matrix[row, columns.index(CLOCK)] if CLOCK in columns else np.full(len(row), np.nan)
    out[:, -3], out[:, -2], out[:, -1] = interval, clock - begins[interval], clock - ends[interval]
    return out
