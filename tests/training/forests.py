"""Boosters of every kind that LightGBM trains on made-up rows, to compute contributions of."""

from __future__ import annotations

from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]
COLUMNS, CATEGORIES, CONSTANT = 8, (5, 6), 7
ODD = (np.nan, 0.0, -0.0, 1e-36, -1e-36, 1e-34, -0.5, -1.0, 31.0, 32.0, 1e6, 3e9, -3e9, 1e300, np.inf, -np.inf)
"""Values on which decisions hang: missing, nearly zero, no category or none ever seen."""


def rows(rng: np.random.Generator, size: int, missing: float = 0.1) -> Matrix:
    """Numbers, some of them whole and often 0, two columns of categories and one that never changes."""
    made = rng.normal(size=(size, COLUMNS))
    made[:, 3] = rng.poisson(0.7, size)
    made[:, 4] = np.round(made[:, 4], 1)
    for column in CATEGORIES:
        made[:, column] = rng.integers(0, 40, size)
    made[rng.random(made.shape) < missing] = np.nan
    made[:, CONSTANT] = 1.0
    return made


def outcome(rng: np.random.Generator, matrix: Matrix) -> Matrix:
    known = np.nan_to_num(matrix)
    odds = known[:, 0] * known[:, 1] - known[:, 3] + 2 * np.sin(known[:, 5]) + np.isnan(matrix[:, 2]) + 0.5
    return (rng.random(len(matrix)) < 1 / (1 + np.exp(-odds))).astype(float)


def odd_rows(rng: np.random.Generator, size: int) -> Matrix:
    """Rows unlike those of training, odd values all over them."""
    made = rows(rng, size)
    odd = rng.random(made.shape) < 0.3
    made[odd] = rng.choice(ODD, int(odd.sum()))
    return made


def booster(
    seed: int,
    rounds: int = 8,
    size: int = 400,
    missing: float = 0.1,
    after: lgb.Booster | None = None,
    **parameters: Any,
) -> lgb.Booster:
    """Trained for so many rounds, after those of another if one is given."""
    rng = np.random.default_rng(seed)
    matrix = rows(rng, size, missing)
    y = outcome(rng, matrix)
    settings = {"objective": "binary", "verbosity": -1, "num_threads": 1, "min_data_in_leaf": 3, "seed": seed}
    kept = {name: parameters[name] for name in ("zero_as_missing", "use_missing") if name in parameters}
    data = lgb.Dataset(matrix, y, categorical_feature=list(CATEGORIES), params=kept)
    return lgb.train(
        settings | {"min_data_per_group": 3, "cat_smooth": 1.0} | parameters, data, rounds, init_model=after
    )
