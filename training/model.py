"""A model as data: LightGBM text, calibration numbers and a JSON contract. No pickle is ever loaded."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pandas as pd

from features.errors import PropensityError, one_of
from features.files import replaced
from features.plan import Plan
from training.calibration import Sigmoid
from training.contributions import Contributions
from training.dataset import Encoder, Matrix

CONTRACT = "contract.json"
FORMAT = 1
COVERAGE = 0.9
Vector = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Scores:
    """Probability and its interval (90%), one per row."""

    probability: Vector
    low: Vector
    high: Vector


@dataclass(frozen=True)
class Model:
    """Boosters whose mean log-odds a sigmoid turns into a probability.

    ``spread`` are the sigmoid's bootstrap replicates; together with the differences between the boosters they make
    the interval. ``facts`` is everything else that must travel with the model: outcome, plan digest, training range,
    base rate, verdict, versions.
    """

    boosters: tuple[lgb.Booster, ...]
    encoder: Encoder
    sigmoid: Sigmoid
    spread: tuple[Sigmoid, ...]
    facts: dict[str, Any]

    def scores(self, rows: pd.DataFrame) -> Scores:
        """Score frame rows. One row alone gets, bit for bit, what it gets among a million."""
        return self.score_matrix(self.encoder.matrix(rows))

    def score_matrix(self, matrix: Matrix) -> Scores:
        each = [raw_score(booster, matrix) for booster in self.boosters]
        probability = self.sigmoid(mean_of(each))
        tail = (1 - COVERAGE) / 2
        cloud = np.stack([sigmoid(each[number % len(each)]) for number, sigmoid in enumerate(self.spread)])
        ordered = np.sort(cloud, axis=0)
        last = len(cloud) - 1
        low, high = ordered[round(tail * last)], ordered[round((1 - tail) * last)]
        return Scores(probability, np.minimum(low, probability), np.maximum(high, probability))

    def contributions(self, rows: pd.DataFrame) -> Matrix:
        """What each column adds to the calibrated log-odds of each row; the last column is the starting point.

        Exact Shapley values, averaged over the boosters; a row sums to its log-odds.
        """
        return self.explain_matrix(self.encoder.matrix(rows))

    def explain_matrix(self, matrix: Matrix) -> Matrix:
        contributions = mean_of([one.contributions(matrix) for one in self.explained]) * self.sigmoid.slope
        contributions[:, -1] += self.sigmoid.shift
        return contributions

    @cached_property
    def explained(self) -> tuple[Contributions, ...]:
        """What explains each booster, and whether it is fast."""
        return tuple(Contributions.of(booster) for booster in self.boosters)

    def save(self, folder: Path) -> str:
        """Write the model into an empty folder; returns the SHA-256 of its contract, which names those of its files."""
        folder.mkdir(parents=True, exist_ok=True)
        files = {}
        for number, booster in enumerate(self.boosters):
            text = booster.model_to_string(num_iteration=-1).encode()
            name = f"booster-{number}.txt"
            (folder / name).write_bytes(text)
            files[name] = hashlib.sha256(text).hexdigest()
        contract = {
            "format": FORMAT,
            "kind": "boosters with a sigmoid",
            "files": files,
            "columns": list(self.encoder.columns),
            "categories": {name: list(values) for name, values in self.encoder.categories.items()},
            "sigmoid": asdict(self.sigmoid),
            "spread": [asdict(sigmoid) for sigmoid in self.spread],
            **self.facts,
        }
        with replaced(folder / CONTRACT) as part:
            part.write_text(json.dumps(contract, indent=1), encoding="utf-8")
        return hashlib.sha256((folder / CONTRACT).read_bytes()).hexdigest()


def load(folder: Path, sha256: str) -> Model:
    """Read a model; every file's SHA-256 is checked before LightGBM parses it, since a damaged text kills the process."""
    raw = _verified(folder / CONTRACT, sha256)
    contract = json.loads(raw)
    if contract.get("format") != FORMAT:
        raise PropensityError(
            f"the model in {folder} has format {contract.get('format')}, this version reads {FORMAT}",
            "Retrain it with `propensity train`.",
            status=503,
        )
    texts = [_verified(folder / name, expected) for name, expected in sorted(contract["files"].items(), key=_number)]
    known = {"format", "kind", "files", "columns", "categories", "sigmoid", "spread"}
    return Model(
        tuple(lgb.Booster(model_str=text.decode()) for text in texts),
        Encoder(tuple(contract["columns"]), {name: tuple(v) for name, v in contract["categories"].items()}),
        Sigmoid(**contract["sigmoid"]),
        tuple(Sigmoid(**sigmoid) for sigmoid in contract["spread"]),
        {key: value for key, value in contract.items() if key not in known},
    )


def honour(model: Model, plan: Plan) -> None:
    """Refuse a model whose features this workspace cannot give it as they were, naming them."""
    meanings, meant = plan.meanings, model.facts["meanings"]
    if gone := [name for name in model.encoder.columns if name not in meanings]:
        raise PropensityError(
            f"the model needs features that are not there any more: {one_of(gone)}",
            "Map the tables they come from again, or retrain with `propensity train`.",
            status=503,
        )
    if changed := [name for name in model.encoder.columns if meanings[name] != meant[name]]:
        raise PropensityError(
            f"the definition of features has changed since the model was trained: {one_of(changed)}",
            "Retrain with `propensity train`.",
            status=503,
        )


def _number(item: tuple[str, str]) -> int:
    return int(item[0].removeprefix("booster-").removesuffix(".txt"))


def _verified(file: Path, sha256: str) -> bytes:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise PropensityError(f"the model's {file.name} cannot be read: {error}", _HINT, status=503) from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise PropensityError(
            f"the model's {file.name} is not what was registered: its SHA-256 differs", _HINT, status=503
        )
    return content


_HINT = "Restore the model's files, or train again with `propensity train`."


def raw_score(booster: lgb.Booster, matrix: Matrix) -> Vector:
    """Log-odds, on one thread: LightGBM's threads spin while they wait, which hurts on a busy machine."""
    return np.asarray(booster.predict(matrix, raw_score=True, num_threads=1))


def mean_of(each: list[npt.NDArray[np.float64]]) -> npt.NDArray[np.float64]:
    """The mean, summed one after the other so that it does not depend on how many rows there are."""
    total = each[0].copy()
    for one in each[1:]:
        total += one
    return total / len(each)
