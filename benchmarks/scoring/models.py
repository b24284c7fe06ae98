"""The models that are measured, and rows to score: all different, with missing values and categories.

Kept in ``benchmarks/.worlds/scoring``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import lightgbm as lgb
import numpy as np

from features.files import replaced

HERE = Path(__file__).parents[1] / ".worlds" / "scoring"
COLUMNS, CATEGORICAL, COUNTS = 120, 10, 40
LEARN, ROWS = 20_000, 200_000


@dataclass(frozen=True)
class Measured:
    """A model by its size; ``depth`` -1 is unbounded. ``categories``: are there splits by category, or only by number?"""

    trees: int
    leaves: int
    depth: int
    categories: bool = True

    @property
    def name(self) -> str:
        return f"{self.trees} trees × {self.leaves} leaves" + (f", depth ≤ {self.depth}" if self.depth > 0 else "")

    @property
    def file(self) -> Path:
        return HERE / f"{self.trees}-{self.leaves}{'' if self.categories else '-numbers'}.txt"


MODELS = (Measured(200, 31, 6), Measured(400, 63, -1))


def rows() -> Path:
    """A file of rows; the first ones are learnt from."""
    file = HERE / "rows.npy"
    if not file.is_file():
        HERE.mkdir(parents=True, exist_ok=True)
        with replaced(file) as part, part.open("wb") as out:
            np.save(out, _rows(np.random.default_rng(11)))
    return file


def model(measured: Measured) -> Path:
    """The model's file, fitted if it is not there."""
    if not measured.file.is_file():
        matrix = np.load(rows(), mmap_mode="r")[:LEARN]
        categorical = list(range(COLUMNS - CATEGORICAL, COLUMNS)) if measured.categories else []
        parameters = {"objective": "binary", "learning_rate": 0.05, "verbosity": -1, "seed": 1, "num_threads": 1}
        size = {"num_leaves": measured.leaves, "max_depth": measured.depth}
        data = lgb.Dataset(matrix, _outcome(matrix), categorical_feature=categorical)
        booster = lgb.train(parameters | size, data, measured.trees)
        with replaced(measured.file) as part:
            part.write_text(booster.model_to_string(), encoding="utf-8")
    return measured.file


def _rows(rng: np.random.Generator) -> np.ndarray:
    made = rng.normal(size=(ROWS, COLUMNS))
    made[:, :COUNTS] = np.floor(np.exp(made[:, :COUNTS]))
    for number, column in enumerate(range(COLUMNS - CATEGORICAL, COLUMNS)):
        made[:, column] = rng.integers(0, 10 + 3 * number, ROWS)
    made[rng.random(made.shape) < 0.08] = np.nan
    return made


def _outcome(matrix: np.ndarray) -> np.ndarray:
    rng = np.random.default_rng(12)
    known = np.nan_to_num(matrix)
    odds = known[:, COUNTS : COLUMNS - CATEGORICAL] @ rng.normal(0, 0.25, COLUMNS - CATEGORICAL - COUNTS)
    odds += np.log1p(known[:, :COUNTS]) @ rng.normal(0, 0.25, COUNTS) + known[:, 50] * known[:, 60]
    odds += np.sin(known[:, -1]) - np.isnan(matrix[:, 70]) - 1
    return (rng.random(len(matrix)) < 1 / (1 + np.exp(-odds))).astype(float)
