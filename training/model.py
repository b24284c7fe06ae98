"""A model as data: its parts as numbers and LightGBM text, calibration numbers and a JSON contract. No pickle is ever loaded."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit
from scipy.stats import norm

from features.errors import PropensityError, one_of
from features.files import replaced
from features.plan import Plan
from training.calibration import Sigmoid
from training.dataset import Encoder, Matrix
from training.models import KINDS, combined
from training.models.combined import Part
from training.models.component import mean_of
from training.season import Season
from training.verified import verified

CONTRACT = "contract.json"
FORMAT = 2
COVERAGE = 0.9
REACH = float(norm.ppf((1 + COVERAGE) / 2))
KNOWN = ("format", "rung", "parts", "columns", "categories", "sigmoid", "spread", "season", "wider")
Vector = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Scores:
    """Probability and its interval (90%), one per row."""

    probability: Vector
    low: Vector
    high: Vector


@dataclass(frozen=True)
class Model:
    """Weighted parts whose log-odds a sigmoid turns into a probability; ``rung`` is the rung of the ladder they make.

    ``spread`` are the sigmoid's bootstrap replicates: how far they are apart, and how uncertain the parts are of
    themselves, make the interval. ``facts`` is everything else that must travel with the model: outcome, plan digest,
    training range, base rate, verdict, versions.
    """

    rung: str
    parts: tuple[Part, ...]
    encoder: Encoder
    sigmoid: Sigmoid
    spread: tuple[Sigmoid, ...]
    facts: dict[str, Any]
    season: Season | None = None
    wider: float = 1.0
    """What the variance of the log-odds is multiplied by: see ``learn.UNSURE``."""

    def scores(self, rows: pd.DataFrame) -> Scores:
        """Score frame rows. One row alone gets, bit for bit, what it gets among a million."""
        return self.score_matrix(self.encoder.matrix(rows), self.shift(rows))

    def shift(self, rows: pd.DataFrame) -> Vector:
        """What the time of the year adds to the log-odds; nothing without a season, or of rows without a date."""
        if self.season is None or "as_of" not in rows:
            return np.zeros(len(rows))
        return self.season.shift(rows["as_of"].to_numpy(dtype=object))

    def shift_at(self, day: date | None, rows: int) -> Vector:
        """The same of so many rows that are all as of one day."""
        if self.season is None or day is None:
            return np.zeros(rows)
        return self.season.shift([day] * rows)

    def score_matrix(self, matrix: Matrix, shift: Vector) -> Scores:
        """``shift`` is that of the rows which the matrix was made of."""
        raw, own = combined.with_variance(self.parts, matrix)
        calibrated = self.sigmoid.odds(raw)
        variance = self.sigmoid.slope**2 * own + self._calibration_variance(raw, calibrated)
        variance = self.wider * variance + (0.0 if self.season is None else self.season.variance)
        odds, reach = calibrated + shift, REACH * np.sqrt(variance)
        return Scores(expit(odds), expit(odds - reach), expit(odds + reach))

    def odds(self, rows: pd.DataFrame) -> Vector:
        """Calibrated log-odds of frame rows."""
        return self.sigmoid.odds(combined.raw(self.parts, self.encoder.matrix(rows))) + self.shift(rows)

    def contributions(self, rows: pd.DataFrame) -> Matrix:
        """What each column adds to the calibrated log-odds of each row; the last column is the starting point.

        Exact Shapley values of the boosters, and the terms of what is linear; a row sums to its log-odds.
        """
        return self.explain_matrix(self.encoder.matrix(rows), self.shift(rows))

    def explain_matrix(self, matrix: Matrix, shift: Vector) -> Matrix:
        """The time of the year belongs to the starting point."""
        contributions = combined.contributions(self.parts, matrix) * self.sigmoid.slope
        contributions[:, -1] += self.sigmoid.shift + shift
        return contributions

    def _calibration_variance(self, raw: Vector, odds: Vector) -> Vector:
        if not self.spread:
            return np.zeros(len(raw))
        slopes, shifts = np.array([(sigmoid.slope, sigmoid.shift) for sigmoid in self.spread]).T[:, :, np.newaxis]
        apart = slopes * raw + shifts - odds
        return mean_of(list(apart**2))

    def save(self, folder: Path) -> str:
        """Write the model into an empty folder; returns the SHA-256 of its contract, which names those of its files."""
        folder.mkdir(parents=True, exist_ok=True)
        parts = []
        for number, part in enumerate(self.parts):
            data, texts = part.component.as_data()
            files = {}
            for name, text in texts.items():
                file = f"part-{number}-{name}.txt"
                (folder / file).write_bytes(text.encode())
                files[name] = {"file": file, "sha256": hashlib.sha256(text.encode()).hexdigest()}
            parts.append({"weight": part.weight, "data": data, "files": files})
        contract = {
            "format": FORMAT,
            "rung": self.rung,
            "parts": parts,
            "columns": list(self.encoder.columns),
            "categories": {name: list(values) for name, values in self.encoder.categories.items()},
            "sigmoid": asdict(self.sigmoid),
            "spread": [asdict(sigmoid) for sigmoid in self.spread],
            "season": asdict(self.season) if self.season else None,
            "wider": self.wider,
            **self.facts,
        }
        with replaced(folder / CONTRACT) as part_:
            part_.write_text(json.dumps(contract, indent=1), encoding="utf-8")
        return hashlib.sha256((folder / CONTRACT).read_bytes()).hexdigest()


def load(folder: Path, sha256: str) -> Model:
    """Read a model; every file's SHA-256 is checked before LightGBM parses it, since a damaged text kills the process."""
    raw = verified(folder / CONTRACT, sha256)
    contract = json.loads(raw)
    if contract.get("format") != FORMAT:
        raise PropensityError(
            f"the model in {folder} has format {contract.get('format')}, this version reads {FORMAT}",
            "Retrain it with `propensity train`.",
            status=503,
        )
    texts = [_texts(folder, stored) for stored in contract["parts"]]  # all are verified before any is parsed
    return Model(
        contract["rung"],
        tuple(
            Part(stored["weight"], KINDS[stored["data"]["kind"]](stored["data"], text))
            for stored, text in zip(contract["parts"], texts, strict=True)
        ),
        Encoder(tuple(contract["columns"]), {name: tuple(v) for name, v in contract["categories"].items()}),
        Sigmoid(**contract["sigmoid"]),
        tuple(Sigmoid(**sigmoid) for sigmoid in contract["spread"]),
        {key: value for key, value in contract.items() if key not in KNOWN},
        Season(*(tuple(contract["season"][name]) for name in ("days", "gaps"))) if contract["season"] else None,
        contract["wider"],
    )


def _texts(folder: Path, stored: dict[str, Any]) -> dict[str, str]:
    return {name: verified(folder / of["file"], of["sha256"]).decode() for name, of in stored["files"].items()}


class Meant(Protocol):
    """A model that tells from which columns it was made, and what these meant."""

    @property
    def encoder(self) -> Encoder: ...
    @property
    def facts(self) -> dict[str, Any]: ...


def honour(model: Meant, plan: Plan) -> None:
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
