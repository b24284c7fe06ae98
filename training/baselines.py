"""What a model must beat: the base rate, one good column, recency, and a logistic regression. Same rows, same test."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from training.dataset import Encoder

Vector = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float64]
Baseline = Callable[[Matrix, Vector, Matrix, Encoder], Vector]
STEPS = 20


def base_rate(fit: Matrix, y: Vector, test: Matrix, encoder: Encoder) -> Vector:
    """The share of yes among the rows learnt from, for everybody."""
    return np.full(len(test), _share(y))


def best_column(fit: Matrix, y: Vector, test: Matrix, encoder: Encoder) -> Vector:
    """The one column that ranks best on the rows learnt from, cut into steps."""
    best = max(range(fit.shape[1]), key=lambda column: _separation(fit[:, column], y))
    return _steps(fit[:, best], y, test[:, best])


def recency(fit: Matrix, y: Vector, test: Matrix, encoder: Encoder) -> Vector:
    """Days since the last activity, cut into steps."""
    names = [name for name in RECENCY if name in encoder.columns] or list(encoder.columns[:1])
    column = encoder.columns.index(names[0])
    return _steps(fit[:, column], y, test[:, column])


RECENCY = ("usage_recency", "tickets_recency", "feedback_recency", "signed_recency", "acts_recency")


def logistic(fit: Matrix, y: Vector, test: Matrix, encoder: Encoder) -> Vector:
    """Logistic regression on all columns: standardised, missing values flagged, categories one-hot."""
    categories = encoder.categorical
    numbers = [column for column in range(fit.shape[1]) if column not in categories]
    prepare = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True), StandardScaler()), numbers),
            ("categories", OneHotEncoder(handle_unknown="ignore", sparse_output=False), categories),
        ]
    )  # fmt: skip
    fitted, seen = _clipped(prepare.fit_transform(fit)), _clipped(prepare.transform(test))
    model = LogisticRegression(C=0.01, solver="newton-cholesky", max_iter=200).fit(fitted, y)
    return np.asarray(model.predict_proba(seen)[:, 1])


BASELINES: dict[str, Baseline] = {
    "base rate": base_rate,
    "best column": best_column,
    "recency": recency,
    "logistic regression": logistic,
}


def _share(y: Vector) -> float:
    """Share of yes, with one yes and one no added so that it is never certain."""
    return float((y.sum() + 1) / (len(y) + 2))


def _clipped(standardised: Matrix) -> Matrix:
    """A single huge value must not decide a linear score."""
    return np.clip(standardised, -6, 6)


def _separation(column: Vector, y: Vector) -> float:
    """How far a column's AUC is from chance, missing values ranked lowest."""
    if np.nanmin(column, initial=np.inf) >= np.nanmax(column, initial=-np.inf):
        return 0.0
    ranks = rankdata(np.nan_to_num(column, nan=-1e300))
    yes = y.sum()
    area = (ranks[y == 1].sum() - yes * (yes + 1) / 2) / max(yes * (len(y) - yes), 1)
    return abs(float(area) - 0.5)


def _steps(column: Vector, y: Vector, test: Vector) -> Vector:
    """The share of yes in each of up to 20 quantile steps, missing values a step of their own."""
    there = ~np.isnan(column)
    edges = np.unique(np.quantile(column[there], np.linspace(0, 1, STEPS + 1)[1:-1])) if there.any() else np.array([])

    def step(values: Vector) -> npt.NDArray[np.int64]:
        return np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values, side="right"))

    shares = {number: _share(y[rows]) for number in range(len(edges) + 2) for rows in [step(column) == number]}
    overall = _share(y)
    return np.array([shares.get(int(number), overall) for number in step(test)])
